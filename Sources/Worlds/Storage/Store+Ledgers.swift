internal import Foundation
internal import GRDB
public import MurmurBlocks
internal import MurmurIdentity
internal import MurmurWire

/// Credit ledgers: what was given and taken survives, so that a restart makes no debtor of a friend.
extension Store {
  /// Saves ledgers as of `time` (seconds since 1970), replacing what was known; beyond ``StoreOptions/ledgers`` the oldest go.
  public func save(_ credits: [Exchange.Credit], at time: Int64) throws(StoreError) {
    try commit { database in
      for credit in credits {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO ledgers (peer, sent, received, updated) VALUES (?, ?, ?, ?)")
          .execute(arguments: [Data(credit.peer.bytes), credit.sent, credit.received, time])
      }
      try database.execute(
        sql: "DELETE FROM ledgers WHERE peer IN (SELECT peer FROM ledgers ORDER BY updated DESC, peer LIMIT -1 OFFSET ?)",
        arguments: [options.ledgers])
    }
  }

  /// The ledgers saved, the newest first; at most `limit`.
  public func credits(limit: Int = .max) throws(StoreError) -> [Exchange.Credit] {
    try fetch { database in
      try Row.fetchAll(
        database, sql: "SELECT peer, sent, received FROM ledgers ORDER BY updated DESC, peer LIMIT ?", arguments: [Int64(limit)]
      ).compactMap { row in
        let id: Data = row[0]
        do {
          return Exchange.Credit(peer: try PeerID(bytes: [UInt8](id)), sent: row[1], received: row[2])
        } catch {
          // A row that cannot be read is a stranger's.
          return nil
        }
      }
    }
  }
}
