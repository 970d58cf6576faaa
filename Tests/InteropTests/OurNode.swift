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
import Testing

/// A whole node of ours on loopback, whose session says nothing unless it is given one.
final class OurNode: Sendable {
  let node: Node
  let keys: KeyPair
  let address: String
  private let workers: NIOThreadPool
  private let group: MultiThreadedEventLoopGroup
  private let said = NIOLockedValueBox<[String]>([])

  /// A session that does nothing.
  static var silent: Session {
    var session = Session()
    session.model = "4-3"
    session.name = "nothing"
    return session
  }

  /// A node that speaks the hash tables of `tables`, as a server unless it only asks; with rows it trains.
  init(
    _ name: String, tables: [Kademlia.Configuration], servesTables: Bool = true, session: Session = OurNode.silent,
    rows: Work.Rows? = nil
  ) async throws {
    keys = KeyPair(seed: .sha256(of: Array(name.utf8)))
    let architecture = try Architecture(parsing: session.model)
    let none = Work.Rows(samples: Samples(features: [], width: 4, labels: [], classes: 3), training: [], validation: [])
    let collective = Collective(
      id: keys.peerID, session: session, architecture: architecture, role: rows == nil ? .feeder : .full, rows: rows ?? none,
      start: architecture.initialParameters(seed: 1))
    let pubsub = PubSub(id: keys.peerID, settings: PubSub.Settings(.guarded(Signing.Signer(keys))))
    let chance = Chance(seed: 1).fork("node", name.utf8.count)
    let peer = Peer(
      collective: collective, exchange: Exchange(limits: .host), pubsub: pubsub, chance: chance, servesTopics: true)
    var configuration = NodeConfiguration()
    configuration.listen = [try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0")]
    configuration.tables = tables
    configuration.servesTables = servesTables
    workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    node = try await Node.make(
      configuration, keys: keys, peer: peer, chance: chance, store: nil, group: group, workers: workers)
    let bound = try await node.start()
    address = "\(bound[0])/p2p/\(keys.peerID)"
  }

  /// Connects with a peer of another implementation, one dialling the other, and waits until it is known what that speaks.
  func meet(_ real: RealPeer, weDial: Bool) async throws {
    if weDial {
      #expect(try await node.connect(Multiaddr(parsing: real.address)).description == real.id)
    } else {
      let answer = try await real("connect", ["addr": address, "timeout": 20])
      #expect(answer.isGood, "\(answer.text)")
    }
    let isKnown = try await eventually {
      try await node.snapshot().neighbours.contains { $0.peer.description == real.id && !$0.protocols.isEmpty }
    }
    #expect(isKnown, "\(real.kind) does not say what it speaks")
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
    try await group.shutdownGracefully()
  }
}

/// Waits until something holds, looking again after a moment each time, in which no thread is busy: what is waited for happens in other
/// processes, of which nobody here hears. False when it took too long.
func eventually(_ seconds: Double = 20, _ holds: () async throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if try await holds() { return true }
    try await MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: .milliseconds(5)) {}.futureResult.get()
  }
  return false
}
