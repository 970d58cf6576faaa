import Foundation
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
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// How much slower than usual everything is, which all times of these tests are multiplied by: `MURMUR_SLOWNESS`, for the thread sanitizer.
let slowness = ProcessInfo.processInfo.environment["MURMUR_SLOWNESS"].flatMap { Double($0) } ?? 1

extension Instant.Span {
  /// So many seconds, or more on a machine that is slow on purpose.
  static func patient(_ seconds: Double) -> Instant.Span { .seconds(seconds * slowness) }
}

/// Whole nodes, one story after the other: they need the machine to themselves to keep their times.
@Suite(.serialized) struct WholeNodes {}

/// Waits until something holds, looking every few milliseconds; false when it took too long.
func eventually(_ seconds: Double = 60, _ holds: () async throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds * slowness)
  while ContinuousClock.now < deadline {
    if try await holds() { return true }
    try await loops.next().scheduleTask(in: .milliseconds(5)) {}.futureResult.get()
  }
  return false
}

/// A whole node on loopback that takes part in a short session on rows of its own.
final class HonestNode: Sendable {
  let node: Node
  let keys: KeyPair
  let address: Multiaddr
  let store: Store?
  private let group: MultiThreadedEventLoopGroup
  let workers: NIOThreadPool
  private let averaged = NIOLockedValueBox(0)
  private let offences = NIOLockedValueBox<[String]>([])

  /// Averages made so far.
  var averages: Int { averaged.withLockedValue { $0 } }
  /// What others did that they should not have done, as the session's peer saw it.
  var offended: [String] { offences.withLockedValue { $0 } }

  /// The session that nodes of these tests share.
  static func session(_ name: String = "hostile test") -> Session {
    var session = Session()
    session.name = name
    session.model = "4-6-3"
    session.length = .minutes(30)
    session.cycle = .patient(0.3)
    session.training.epochs = 1
    return session
  }

  /// Rows of three classes; each peer has some of its own.
  static func rows(_ number: Int) -> Work.Rows {
    var chance = Chance(seed: 7).fork("rows", number)
    var features: [Float] = []
    var labels: [Int32] = []
    for row in 0..<40 {
      let label = row % 3
      labels.append(Int32(label))
      for column in 0..<4 { features.append(Float(chance.uniform()) + (column == label ? 1 : 0)) }
    }
    let samples = Samples(features: features, width: 4, labels: labels, classes: 3)
    return Work.Rows(samples: samples, training: Array(0..<30), validation: Array(30..<40))
  }

  init(
    _ number: Int, session: Session = HonestNode.session(), joining: [Multiaddr] = [], folder: String? = nil,
    isSealed: Bool = true, limits: MurmurBlocks.Limits = .host, station: Station? = nil,
    configure: (inout NodeConfiguration) -> Void = { _ in }
  ) async throws {
    keys = KeyPair(seed: .sha256(of: Array("honest \(number)".utf8)))
    let architecture = try Architecture(parsing: session.model)
    var collective = Collective(
      id: keys.peerID, session: session, architecture: architecture, role: .full, rows: HonestNode.rows(number),
      start: architecture.initialParameters(seed: 1))
    if isSealed { collective.sealing = .strict(Sealing.Sealer(keys)) }
    store = try folder.map { try Store(at: $0) }
    let blocks = try store?.blockStore(memory: 8 << 20) ?? BlockStore(budget: 8 << 20)
    let pubsub = PubSub(id: keys.peerID, settings: PubSub.Settings(.guarded(Signing.Signer(keys))))
    let chance = Chance(seed: 1).fork("honest", number)
    let peer = Peer(
      collective: collective, exchange: Exchange(store: blocks, limits: limits), pubsub: pubsub, chance: chance,
      servesTopics: true
    )
    var configuration = NodeConfiguration()
    configuration.listen = [try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0")]
    configuration.bootstraps = joining
    configuration.tables = [.murmur(scope: .any)]
    configuration.upkeep = .milliseconds(50)
    configure(&configuration)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    node = try await Node.make(
      configuration, keys: keys, peer: peer, chance: chance, store: store, group: group, workers: workers,
      station: station)
    let (averaged, offences) = (averaged, offences)
    try await node.witness { _, event in
      switch event {
      case .averaged: averaged.withLockedValue { $0 += 1 }
      case .offended(let peer, let what): offences.withLockedValue { $0.append("\(peer) \(what)") }
      default: break
      }
    }
    let bound = try await node.start()
    address = try Multiaddr(parsing: "\(bound[0])/p2p/\(keys.peerID)")
  }

  /// The TCP port it listens at.
  var port: Int {
    for part in address.parts { if case .tcp(let port) = part { return Int(port) } }
    return 0
  }

  func stop() async throws {
    try await node.close()
    try await workers.shutdownGracefully()
    try store?.close()
    try await group.shutdownGracefully()
  }
}

/// Some honest nodes in a session; the first is the one that is attacked.
struct Flock {
  let nodes: [HonestNode]
  var victim: HonestNode { nodes[0] }

  /// Nodes that know the first, and have begun to average.
  init(
    _ count: Int = 3, session: Session = HonestNode.session(), configure: (inout NodeConfiguration) -> Void = { _ in }
  ) async throws {
    var nodes = [try await HonestNode(0, session: session, configure: configure)]
    for number in 1..<count {
      nodes.append(try await HonestNode(number, session: session, joining: [nodes[0].address], configure: configure))
    }
    self.nodes = nodes
    try #require(try await goesOn(1), "the session does not begin")
  }

  /// Whether every node averages `times` more from now on.
  func goesOn(_ times: Int = 2) async throws -> Bool {
    let before = nodes.map(\.averages)
    return try await eventually { zip(nodes, before).allSatisfy { $0.averages >= $1 + times } }
  }

  func stop() async throws { for node in nodes { try await node.stop() } }

  /// Runs `body` with nodes that are stopped in any case.
  static func run(
    _ count: Int = 3, session: Session = HonestNode.session(), configure: (inout NodeConfiguration) -> Void = { _ in },
    _ body: (Flock) async throws -> Void
  ) async throws {
    let flock = try await Flock(count, session: session, configure: configure)
    do { try await body(flock) } catch {
      try await flock.stop()
      throw error
    }
    try await flock.stop()
  }
}
