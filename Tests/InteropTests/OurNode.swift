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
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A whole node of ours on loopback, whose session says nothing.
final class OurNode: Sendable {
  let node: Node
  let keys: KeyPair
  let address: String
  private let workers: NIOThreadPool
  private let said = NIOLockedValueBox<[String]>([])

  /// A node that speaks the hash tables of `tables`.
  init(_ name: String, tables: [Kademlia.Configuration]) async throws {
    keys = KeyPair(seed: .sha256(of: Array(name.utf8)))
    var session = Session()
    session.model = "4-3"
    session.name = "nothing"
    let architecture = try Architecture(parsing: session.model)
    let rows = Work.Rows(
      samples: Samples(features: [], width: 4, labels: [], classes: 3), training: [], validation: [])
    let collective = Collective(
      id: keys.peerID, session: session, architecture: architecture, role: .feeder, rows: rows,
      start: architecture.initialParameters(seed: 1))
    let pubsub = PubSub(id: keys.peerID, settings: PubSub.Settings(.guarded(Signing.Signer(keys))))
    let chance = Chance(seed: 1).fork("node", name.utf8.count)
    let peer = Peer(
      collective: collective, exchange: Exchange(limits: .host), pubsub: pubsub, chance: chance, servesTopics: true)
    var configuration = NodeConfiguration()
    configuration.listen = [try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0")]
    configuration.tables = tables
    workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    node = try await Node.make(
      configuration, keys: keys, peer: peer, chance: chance, store: nil,
      group: MultiThreadedEventLoopGroup(numberOfThreads: 1), workers: workers)
    let bound = try await node.start()
    address = "\(bound[0])/p2p/\(keys.peerID)"
  }

  /// Hears a topic and keeps what is said.
  func listen(to topic: String) async throws {
    try await node.subscribe(Topic(topic)) { [said] _, message in
      said.withLockedValue { $0.append(String(decoding: message.data, as: UTF8.self)) }
    }
  }

  /// What was heard so far.
  var heard: [String] { said.withLockedValue { $0 } }

  func stop() async throws {
    try await node.close()
    try await workers.shutdownGracefully()
  }
}

/// Waits until something holds, looking again and again; false when it took too long.
func eventually(_ seconds: Double = 20, _ holds: () async throws -> Bool) async rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if try await holds() { return true }
    await _Concurrency.Task.yield()
  }
  return false
}
