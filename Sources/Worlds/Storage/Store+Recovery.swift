internal import Foundation
internal import GRDB
internal import MurmurBlocks
internal import MurmurWire

/// What an opening found and did.
public struct Recovery: Hashable, Sendable {
  /// Whether the last run closed the store.
  public var wasClosed = true
  /// Files that were being written, removed.
  public var swept = 0
  /// Blocks that were safe but not in the index yet, taken in.
  public var adopted = 0
  /// Files that are no blocks, or not the blocks they are called, removed.
  public var torn = 0
  /// Blocks of the index whose files were gone.
  public var lost = 0
}

/// Opening puts in order what an earlier run left. After a regular closing the index is trusted, and nothing is looked at; else every
/// name in the folders is compared with the index, and the bytes of what was not safe with their hash.
extension Store {
  static func recover(
    _ path: String, _ pool: DatabasePool, _ files: any FileLayer
  ) throws(StoreError) -> (report: Recovery, bytes: Int, count: Int, clock: Int64) {
    var report = Recovery()
    do {
      for name in try files.names(in: path + "/tmp") {
        try files.remove(path + "/tmp/" + name)
        report.swept += 1
      }
      let wasClean = try pool.write { database in
        let clean = try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'clean'")
        try database.execute(sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('clean', 0)")
        return clean
      }
      report.wasClosed = wasClean != 0
      if wasClean != 1 { try reconcile(path, pool, files, &report) }
      let sums = try pool.read { database in
        try Row.fetchOne(database, sql: "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(MAX(used), 0) FROM blocks")
      }
      return (report, sums?[1] ?? 0, sums?[0] ?? 0, (sums?[2] ?? 0) + 1)
    } catch let fault as FileFault {
      throw StoreError(fault, .recovering)
    } catch {
      throw StoreError(error, path, .recovering)
    }
  }

  private static func reconcile(
    _ path: String, _ pool: DatabasePool, _ files: any FileLayer, _ report: inout Recovery
  ) throws {
    for (number, shard) in shards.enumerated() {
      let folder = path + "/blocks/" + shard
      let names = try files.names(in: folder)
      var known = try index(of: number, pool)
      guard !names.isEmpty || !known.isEmpty else { continue }
      var found: [Pending] = []
      for name in names {
        guard let cid = CID(name), cid.description == name, Store.shard(cid) == shard else {
          try files.remove(folder + "/" + name)
          report.torn += 1
          continue
        }
        if let isSynced = known.removeValue(forKey: cid), isSynced { continue }
        guard let block = try read(cid, folder + "/" + name, files) else {
          try files.remove(folder + "/" + name)
          report.torn += 1
          known[cid] = true
          continue
        }
        try files.sync(folder + "/" + name)
        found.append(Pending(cid: cid, size: block.bytes.count, isNode: !Object.children(of: block).isEmpty))
      }
      if !found.isEmpty { try files.sync(folder) }
      let gone = known.keys.sorted()
      report.lost += gone.count
      report.adopted += found.count
      guard !gone.isEmpty || !found.isEmpty else { continue }
      try pool.write { database in
        for cid in gone { try database.execute(sql: "DELETE FROM blocks WHERE key = ?", arguments: [Data(key(cid))]) }
        for block in found { try insert(block, isSynced: true, used: 0, database) }
      }
    }
  }

  /// The blocks of a shard in the index, and whether their bytes were safe when they were entered.
  private static func index(of shard: Int, _ pool: DatabasePool) throws -> [CID: Bool] {
    try pool.read { database in
      let lower = Data([UInt8(shard << 4)])
      let upper = shard == 15 ? Data(repeating: 0xff, count: 64) : Data([UInt8((shard + 1) << 4)])
      let rows = try Row.fetchCursor(
        database, sql: "SELECT key, is_synced FROM blocks WHERE key >= ? AND key < ?", arguments: [lower, upper])
      var known: [CID: Bool] = [:]
      while let row = try rows.next() {
        let key: Data = row[0]
        if let cid = Store.cid([UInt8](key)) { known[cid] = row[1] }
      }
      return known
    }
  }

  /// The block in a file; `nil` if the file is not there or holds something else.
  static func read(_ cid: CID, _ path: String, _ files: any FileLayer) throws(FileFault) -> Block? {
    guard let bytes = try files.read(path, limit: Block.mostBytes) else { return nil }
    return Block(verifying: cid, bytes: bytes)
  }

  static func insert(_ block: Pending, isSynced: Bool, used: Int64, _ database: Database) throws {
    let statement = try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO blocks (key, size, is_node, is_synced, used) VALUES (?, ?, ?, ?, ?)")
    try statement.execute(arguments: [Data(key(block.cid)), block.size, block.isNode, isSynced, used])
  }
}
