import Foundation
import Logging
import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurRouting
import MurmurSessions
import MurmurStorage
import MurmurWire
import NIOCore
import NIOPosix

/// A whole node on loopback whose session says nothing.
final class BenchNode: Sendable {
  let node: Node
  let keys: KeyPair
  let address: Multiaddr
  let store: Store?
  private let workers: NIOThreadPool

  /// A node that keeps its blocks in `folder`, of which about `memory` bytes stay in memory.
  init(
    seed: UInt64, tables: [Kademlia.Configuration], folder: String? = nil, memory: Int = 16 << 20, group: any EventLoopGroup,
    workers: NIOThreadPool
  ) async throws {
    keys = KeyPair(seed: .sha256(of: Array("node-bench \(seed)".utf8)))
    var session = Session()
    session.model = "4-3"
    session.name = "nothing"
    let architecture = try Architecture(parsing: session.model)
    let rows = Work.Rows(samples: Samples(features: [], width: 4, labels: [], classes: 3), training: [], validation: [])
    let collective = Collective(
      id: keys.peerID, session: session, architecture: architecture, role: .feeder, rows: rows,
      start: architecture.initialParameters(seed: 1))
    store = try folder.map { try Store(at: $0) }
    let exchange = Exchange(store: try store?.blockStore(memory: memory) ?? BlockStore(), limits: .host)
    let chance = Chance(seed: seed)
    let peer = Peer(
      collective: collective, exchange: exchange,
      pubsub: PubSub(id: keys.peerID, settings: PubSub.Settings(.guarded(Signing.Signer(keys)))),
      chance: chance, servesTopics: false)
    var configuration = NodeConfiguration()
    configuration.listen = [try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0")]
    configuration.tables = tables
    // Nobody is dialled but by the measurement and the tables.
    configuration.degree = 0
    configuration.logger.logLevel = .warning
    configuration.transport.logger.logLevel = .warning
    self.workers = workers
    node = try await Node.make(
      configuration, keys: keys, peer: peer, chance: chance.fork("node"), store: store, group: group, workers: workers)
    let bound = try await node.start()
    address = try Multiaddr(parsing: "\(bound[0])/p2p/\(keys.peerID)")
  }

  /// Connects, and waits until the other has said what it speaks.
  func meet(_ address: Multiaddr) async throws {
    let peer = try await node.connect(address)
    while try await !node.snapshot().neighbours.contains(where: { $0.peer == peer && !$0.protocols.isEmpty }) {
      try await _Concurrency.Task.sleep(for: .milliseconds(2))
    }
  }
}

/// What this process used.
struct Usage {
  var seconds = 0.0
  var cpu = 0.0

  static func now() -> Usage {
    var use = rusage()
    #if canImport(Glibc)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &use)
    #else
    getrusage(RUSAGE_SELF, &use)
    #endif
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Usage(
      seconds: Double(DispatchTime.now().uptimeNanoseconds) / 1e9, cpu: seconds(use.ru_utime) + seconds(use.ru_stime))
  }

  static func - (end: Usage, start: Usage) -> Usage { Usage(seconds: end.seconds - start.seconds, cpu: end.cpu - start.cpu) }
}

/// One line of JSON.
func say(_ pairs: KeyValuePairs<String, Any>) {
  let body = pairs.map { key, value in
    let text =
      switch value {
      case let number as Double: String(format: "%.4g", number)
      case let number as Int: "\(number)"
      default: "\"\(value)\""
      }
    return "\"\(key)\": \(text)"
  }
  print("{\(body.joined(separator: ", "))}")
  fflush(nil)
}
