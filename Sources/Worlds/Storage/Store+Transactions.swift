internal import Foundation
internal import GRDB
public import MurmurWire

/// Ledgers of transactions: one row a transaction, in the order in which they were kept, and one snapshot a ledger.
///
/// Rows rather than blocks: a block is a file with a name to be made safe, about a millisecond and 4 KiB each, while a batch of rows
/// shares one write of the log; and a restart reads all rows in one go. What a transaction says is opaque here. Room that pruned rows
/// leave is used again by later ones, so the database stays as large as the largest number of rows it ever held.
extension Store {
  /// A change of a ledger's rows.
  public enum LedgerChange: Hashable, Sendable {
    /// Keep a transaction; once more changes nothing.
    case keep(CID, [UInt8])
    /// Remove transactions, and keep the snapshot instead of the one before.
    case prune([CID], snapshot: [UInt8])
  }

  /// What is kept of one ledger.
  public struct LedgerRows: Hashable, Sendable {
    /// Encoded transactions, in the order in which they were kept.
    public var transactions: [[UInt8]] = []
    /// The last snapshot.
    public var snapshot: [UInt8]?

    /// Nothing.
    public init() {}
  }

  /// The most bytes of a transaction that is kept.
  public static let mostTransactionBytes = 1 << 20

  /// Makes all of `changes` in order, or none; safe when it returns. A batch costs little more than one change, so that a host gathers
  /// what comes while the last batch is being written.
  public func change(ledger name: String, _ changes: [LedgerChange]) throws(StoreError) {
    for case .keep(_, let bytes) in changes where bytes.count > Store.mostTransactionBytes {
      throw StoreError(path, .committing, .tooLarge(bytes: bytes.count, limit: Store.mostTransactionBytes))
    }
    guard !changes.isEmpty else { return }
    try commit { database in
      for change in changes {
        switch change {
        case .keep(let id, let bytes):
          try database.cachedStatement(sql: "INSERT OR IGNORE INTO transactions (ledger, digest, bytes) VALUES (?, ?, ?)")
            .execute(arguments: [name, Data(id.digest.bytes), Data(bytes)])
        case .prune(let ids, let snapshot):
          let statement = try database.cachedStatement(sql: "DELETE FROM transactions WHERE ledger = ? AND digest = ?")
          for id in ids { try statement.execute(arguments: [name, Data(id.digest.bytes)]) }
          try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO states (area, key, version, value, saved) VALUES ('ledger', ?, 1, ?, 0)"
          ).execute(arguments: [Data(name.utf8), Data(snapshot)])
        }
      }
    }
  }

  /// What is kept of a ledger.
  public func rows(ofLedger name: String) throws(StoreError) -> LedgerRows {
    try fetch { database in
      var rows = LedgerRows()
      let found = try Row.fetchCursor(
        database, sql: "SELECT bytes FROM transactions WHERE ledger = ? ORDER BY number", arguments: [name])
      while let row = try found.next() {
        rows.transactions.append(try row.withUnsafeData(atIndex: 0) { $0.map { [UInt8]($0) } ?? [] })
      }
      let snapshot = try Data.fetchOne(
        database, sql: "SELECT value FROM states WHERE area = 'ledger' AND key = ?", arguments: [Data(name.utf8)])
      rows.snapshot = snapshot.map { [UInt8]($0) }
      return rows
    }
  }

  /// Forgets a ledger.
  public func remove(ledger name: String) throws(StoreError) {
    try commit { database in
      try database.execute(sql: "DELETE FROM transactions WHERE ledger = ?", arguments: [name])
      try database.execute(sql: "DELETE FROM states WHERE area = 'ledger' AND key = ?", arguments: [Data(name.utf8)])
    }
  }
}
