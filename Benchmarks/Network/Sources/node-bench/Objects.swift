import Foundation
import MurmurBlocks
import MurmurMachines
import MurmurRouting
import MurmurWire
import NIOCore
import NIOPosix

/// Serving an object, and fetching it.
enum Objects {
  /// The object of so many bytes drawn from a seed, in the folder's store: says its name and where it is served.
  static func serve(_ folder: String, seed: UInt64, bytes: Int) async throws {
    let ours = try await make(folder, seed: seed)
    var importer = Importer()
    var chance = Chance(seed: 100)
    var blocks: [Block] = []
    func keep(_ block: Block) throws {
      blocks.append(block)
      guard blocks.count == 64 else { return }
      try ours.store?.put(blocks)
      blocks = []
    }
    for _ in 0..<(bytes / 8) / 4_096 {
      let piece = (0..<4_096).flatMap { _ in
        withUnsafeBytes(of: chance.next().littleEndian) { Array($0) }
      }
      try importer.append(piece) { try keep($0) }
    }
    let root = try importer.finish { try keep($0) }.root
    try ours.store?.put(blocks)
    try ours.store?.flush()
    // Started anew it knows what is in its store.
    try await ours.node.close()
    try ours.store?.close()
    let server = try await make(folder, seed: seed)
    say(["address": server.address, "root": root])
    while readLine() != nil {}
  }

  /// Connects to all, then, at a line of input, fetches to the disk.
  static func fetch(_ folder: String, seed: UInt64, _ root: String, _ addresses: [String]) async throws {
    let ours = try await make(folder, seed: seed)
    for address in addresses { try await ours.meet(Multiaddr(parsing: address)) }
    say(["ready": 1])
    _ = readLine()
    let start = Usage.now()
    let cid = try CID(parsing: root)
    try await ours.node.fetch(cid, toDisk: true)
    let used = Usage.now() - start
    let statistics = try await ours.node.look { $0.exchange.statistics }
    say([
      "s": used.seconds, "cpu": used.cpu, "blocks": try await ours.node.snapshot().blocks, "relieved": statistics.relieved,
      "unwanted": statistics.unwanted, "silences": statistics.silences, "messages": statistics.messagesReceived,
    ])
    while readLine() != nil {}
    let whole = try await ours.node.look { $0.exchange.store.holdsAll(of: cid) }
    precondition(whole, "the object is not whole")
  }

  private static func make(_ folder: String, seed: UInt64) async throws -> BenchNode {
    let workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    return try await BenchNode(
      seed: seed, tables: [], folder: folder, group: MultiThreadedEventLoopGroup(numberOfThreads: 1), workers: workers)
  }
}
