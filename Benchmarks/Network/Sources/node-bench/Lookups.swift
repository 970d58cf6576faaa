import Foundation
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import NIOCore
import NIOPosix

/// Many nodes in one process, each with sockets of its own, and what they find in their hash table.
enum Lookups {
  /// Values that nobody signed: what other implementations are measured with.
  static let plain = Namespace("bench") { (_, _) throws(WireError) in
  } rank: { _ in
    0
  }
  static let table = Kademlia.Configuration(
    protocolID: "/bench/kad/1.0.0", scope: .local(loopback: true), namespaces: [.publicKeys, plain])

  static func run(nodes count: Int, loops: Int, operations: Int) async throws {
    let groups = (0..<loops).map { _ in MultiThreadedEventLoopGroup(numberOfThreads: 1) }
    let workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    var start = Usage.now()
    var made: [BenchNode] = []
    for number in 0..<count {
      made.append(
        try await BenchNode(seed: UInt64(number), tables: [table], group: groups[number % loops], workers: workers))
      if number > 0 { try await made[number].meet(made[0].address) }
    }
    let nodes = made
    // Everybody looks for itself: so tables fill.
    for ours in nodes { _ = try await ours.node.query { _ in .findClosest(Key(ours.keys.peerID)) } }
    let joined = Usage.now() - start
    let tables = try await nodes[count / 2].node.snapshot().tables[0]
    var measured: [String: Measured] = [:]
    start = Usage.now()
    for name in ["seq", "conc"] {
      let width = name == "seq" ? 1 : 32
      measured["put_\(name)"] = try await measure(operations, width) { index in
        let outcome = try await nodes[index % count].node.query { _ in
          .put(key(name, index), [UInt8](repeating: 118, count: 100), repeats: false)
        }
        if case .stored(let at, _) = outcome[0] { return at > 0 }
        return false
      }
      measured["get_\(name)"] = try await measure(operations, width) { index in
        let outcome = try await nodes[(index + count / 2) % count].node.query { _ in .get(key(name, index)) }
        if case .value(let value, _) = outcome[0] { return value.count == 100 }
        return false
      }
      measured["find_\(name)"] = try await measure(operations, width) { index in
        let (asks, sought) = (nodes[index % count], nodes[(index &* 7 + count / 3) % count])
        guard asks.keys.peerID != sought.keys.peerID else { return true }
        let outcome = try await asks.node.query { _ in .findPeer(sought.keys.peerID) }
        if case .peer(let contact, _) = outcome[0] { return contact.peer == sought.keys.peerID }
        return false
      }
      measured["closest_\(name)"] = try await measure(operations, width) { index in
        let outcome = try await nodes[index % count].node.query { _ in .findClosest(Key(Array("closest \(name) \(index)".utf8))) }
        if case .closest(let found) = outcome[0] { return found.count >= min(20, count - 1) }
        return false
      }
    }
    let used = Usage.now() - start
    for (name, result) in measured.sorted(by: { $0.key < $1.key }) {
      say([
        "what": name, "per_s": Double(result.count) / result.seconds, "asked": result.count, "found": result.good,
        "cpu_ms_each": result.cpu * 1e3 / Double(result.count),
      ])
    }
    say(["nodes": count, "join_s": joined.seconds, "table": tables, "s": used.seconds, "cpu": used.cpu])
  }

  struct Measured {
    var count = 0
    var good = 0
    var seconds = 0.0
    var cpu = 0.0
  }

  private static func key(_ name: String, _ index: Int) -> Key { Key(namespace: "bench", name: Array("\(name) \(index)".utf8)) }

  /// `width` at a time.
  private static func measure(_ count: Int, _ width: Int, _ body: @escaping @Sendable (Int) async throws -> Bool) async throws
    -> Measured
  {
    let start = Usage.now()
    let good = try await withThrowingTaskGroup(of: Int.self) { group in
      for lane in 0..<width {
        group.addTask {
          var good = 0
          for index in stride(from: lane, to: count, by: width) where try await body(index) { good += 1 }
          return good
        }
      }
      return try await group.reduce(0, +)
    }
    let used = Usage.now() - start
    return Measured(count: count, good: good, seconds: used.seconds, cpu: used.cpu)
  }
}
