import Foundation
import Logging
import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurControl
import MurmurDatasets
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurRouting
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import MurmurStorage
import MurmurWire
import NIOCore
import NIOPosix
import Synchronization

/// What one real peer is told at its start.
struct OwnPlan: Sendable {
  /// The session file.
  var session: String
  var number: Int?
  var data: String?
  var label: String?
  var role: Session.Role?
  var listen: [Multiaddr] = []
  var join: [Multiaddr] = []
  var store: String?
  /// When the session began, in seconds since 1970.
  var begins = 0.0
  /// Where its owner asks it; in the store's folder if nothing is said.
  var control: String?
  /// The session, if it came with an invitation rather than in a file.
  var invited: Scenario?
  var level = Logger.Level.warning

  init(session: String) { self.session = session }
}

/// One real peer, from its start to its end.
final class RunningPeer: Sendable {
  let node: Node
  let setup: Setup
  let store: Store?
  let control = Mutex<(server: ControlServer, desk: ControlDesk)?>(nil)
  private let workers: NIOThreadPool
  private let group: MultiThreadedEventLoopGroup
  private let teller: any PeerTeller
  private let averages = Atomic(0)
  private let hasRows: Bool

  /// Loads rows, opens the store, listens and joins.
  init(_ plan: OwnPlan, _ teller: any PeerTeller, _ console: Console) async throws {
    self.teller = teller
    var scenario = try plan.invited ?? ScenarioOptions.read(plan.session)
    let shared = scenario
    let number = plan.number ?? 0
    if let data = plan.data {
      scenario.data.set = [data]
      scenario.data.label = plan.label
      scenario.data.rows = nil
      scenario.peers.count = 1
    } else if plan.number == nil, scenario.peers.count > 1 {
      throw Failure(
        "which of the \(scenario.peers.count) peers of \(plan.session) is this? Give --number, or rows of its own with --data")
    }
    guard number >= 0, number < scenario.peers.count else {
      throw Failure("--number \(number): the peers of \(plan.session) are numbered 0 to \(scenario.peers.count - 1)")
    }
    setup = try Setup(scenario, try Rows.load(scenario.data, console))
    hasRows = !setup.test.isEmpty
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    store = try plan.store.map { try Store(at: $0) }
    let keys = try RunningPeer.keys(plan, scenario, number)
    let chance = Chance(seed: scenario.seed).fork("peer", number).fork("life", plan.store == nil ? 0 : Int(plan.begins))
    let peer = try RunningPeer.peer(plan, setup, number, keys, chance, store)
    var configuration = NodeConfiguration()
    configuration.listen = plan.listen
    configuration.bootstraps = plan.join
    configuration.tables = [.lan(), .murmur(scope: .any)]
    var logger = Logger(label: "murmur")
    logger.logLevel = plan.level
    configuration.logger = logger
    configuration.transport.logger = logger
    let elapsed = Date().timeIntervalSince1970 - plan.begins
    configuration.sessionOffset = .seconds(elapsed) - (configuration.transport.clock.now - .origin)
    node = try await Node.make(
      configuration, keys: keys, peer: peer, chance: chance.fork("node"), store: store, group: group, workers: workers)
    try await obey(number, scenario, plan)
    try await watch()
    let bound = try await node.start()
    try await openControl(plan, shared, keys)
    teller.tell(.listening(bound.map { "\($0)/p2p/\(keys.peerID)" }))
    if let store { try await node.remember(store.knownPeers(limit: 256).map { ($0.id, $0.addresses) }) }
  }

  /// The identity in the store; without one, of a scenario's peer the one that its number gives, of others a new one.
  private static func keys(_ plan: OwnPlan, _ scenario: Scenario, _ number: Int) throws -> KeyPair {
    if let folder = plan.store { return try KeyFile(folder + "/identity.key").loadOrCreate() }
    if plan.data == nil { return SwarmKeys.pair(scenario.seed, number) }
    var generator = SystemRandomNumberGenerator()
    return KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
  }

  private static func peer(
    _ plan: OwnPlan, _ setup: Setup, _ number: Int, _ keys: KeyPair, _ chance: Chance, _ store: Store?
  ) throws -> Peer {
    let role = plan.role ?? setup.scenario.peers.role(number)
    let start = setup.session.initialModel.map { setup.architecture.initialParameters(seed: $0) }
    var collective = Collective(
      id: keys.peerID, session: setup.session, architecture: setup.architecture, role: role, rows: setup.rows[number],
      start: start ?? setup.architecture.initialParameters(seed: chance.fork("initial model").seed))
    let modelBytes = setup.architecture.parameterCount * 4 + 4096
    // What an owner adds to a peer without a store has to find room beside the session.
    let added = plan.store == nil && plan.control != nil ? 256 << 20 : 0
    let budget = modelBytes * 26 + (setup.session.privacy ? 1 << 20 : 256 << 20) + added
    let blocks = try store?.blockStore(memory: budget) ?? BlockStore(budget: budget)
    if let store, let state = try store.session(named: setup.session.name), let root = state.model {
      // A model that cannot be read any more is no reason not to begin: it is said, and learning begins anew.
      do {
        collective.resume(model: root, parameters: try stored(root, in: store, setup), cycle: state.cycle)
      } catch { Console().say("the model of cycle \(state.cycle), \(root), cannot be gone on from: \(error)") }
    }
    let pubsub = PubSub(id: keys.peerID, settings: PubSub.Settings(.guarded(Signing.Signer(keys))))
    return Peer(
      collective: collective, exchange: Exchange(store: blocks, limits: .host), pubsub: pubsub, chance: chance, servesTopics: true
    )
  }

  /// A model in the store, however many blocks it has.
  private static func stored(_ root: CID, in store: Store, _ setup: Setup) throws -> ParameterVector {
    var exporter = Exporter(root)
    var file: [UInt8] = []
    while let cid = exporter.needed {
      guard let block = try store.get(cid) else { throw Failure("block \(cid) is not in \(store.path)") }
      file += try exporter.take(block)
      guard file.count <= setup.architecture.parameterCount * 4 + SafeTensors.headerLimit + 8 else {
        throw Failure("the file is larger than a model of \(setup.architecture)")
      }
    }
    return try ModelFile(file, setup.architecture).parameters(setup.architecture)
  }

  /// The scenario's faults act on this peer: while it is offline, nothing is said or heard.
  private func obey(_ number: Int, _ scenario: Scenario, _ plan: OwnPlan) async throws {
    guard plan.data == nil, !scenario.faults.faults.isEmpty else { return }
    let forecast = Forecast(
      scenario.faults, peers: scenario.peers.count, length: setup.session.length, cycle: setup.session.cycle,
      chance: setup.chance.fork("faults"))
    let numbers = Dictionary(
      (0..<scenario.peers.count).map { (SwarmKeys.pair(scenario.seed, $0).peerID, $0) }, uniquingKeysWith: { first, _ in first })
    let gate = Gate(forecast, number, numbers)
    try await node.gate { gate.lets($0, $1) }
  }

  private func watch() async throws {
    try await node.witness { [self] time, event in
      switch event {
      case .averaged: averages.add(1, ordering: .relaxed)
      case .published: _Concurrency.Task { try? await published(time) }
      case .rejected, .fetchFailed, .offended, .joined, .cycleBegan, .trained, .ended: break
      }
    }
  }

  private func published(_ time: Instant) async throws {
    let (parameters, cycle) = try await node.look { ($0.collective.parameters, $0.collective.cycle) }
    let neighbours = try await node.snapshot().neighbours.count
    teller.tell(
      .cycle(
        Int(cycle), accuracy: try await accuracy(parameters, setup.curve), neighbours: neighbours,
        averages: averages.load(ordering: .relaxed), at: time.seconds))
  }

  private func accuracy(_ parameters: ParameterVector, _ rows: [Int32]) async throws -> Double? {
    guard hasRows else { return nil }
    let setup = setup
    return try await workers.runIfActive {
      let trainer = Workbench().trainer(for: setup.architecture, batch: setup.session.training.batch)
      return trainer.evaluate(parameters, on: setup.samples, rows: rows).accuracy * 100
    }
  }

  /// Runs until the session is over, or somebody wants to stop.
  func serve(untilOver: Bool, isStopped: @Sendable () -> Bool) async throws {
    var isOver = false
    while !isStopped() {
      try await _Concurrency.Task.sleep(for: .milliseconds(50))
      let seen = try await node.snapshot()
      guard seen.hasEnded, !isOver else { continue }
      isOver = true
      let parameters = try await node.look { $0.collective.parameters }
      teller.tell(
        .over(
          accuracy: try await accuracy(parameters, setup.test), model: seen.model.map { "\($0)" }, cycles: Int(seen.cycle),
          averages: averages.load(ordering: .relaxed)))
      guard untilOver else { continue }
      // Others may be a cycle behind and still want its model.
      try await _Concurrency.Task.sleep(for: .seconds(min(setup.session.cycle.seconds * 2, 5)))
      break
    }
    closeControl()
    try await node.close()
    try await workers.shutdownGracefully()
    try store?.close()
    try await group.shutdownGracefully()
  }
}

/// The identities of a scenario's peers on real sockets, which everybody who has the scenario can work out. They protect nothing; peers with
/// a store have identities of their own.
enum SwarmKeys {
  static func pair(_ seed: UInt64, _ number: Int) -> KeyPair {
    KeyPair(seed: .sha256(of: Array("murmur swarm \(seed) \(number)".utf8)))
  }
}

/// Faults as they stand at an instant, asked for each message.
private final class Gate: Sendable {
  private let state: Mutex<(events: FaultEvents, conditions: FaultConditions)>
  private let number: Int
  private let numbers: [PeerID: Int]

  init(_ forecast: Forecast, _ number: Int, _ numbers: [PeerID: Int]) {
    state = Mutex((forecast.events(), FaultConditions(forecast)))
    self.number = number
    self.numbers = numbers
  }

  func lets(_ now: Instant, _ peer: PeerID) -> Bool {
    state.withLock { state in
      while let due = state.events.nextInstant, due <= now, let fault = state.events.next() {
        state.conditions.apply(fault.change)
      }
      guard let other = numbers[peer] else { return state.conditions.isOnline[number] }
      return state.conditions.reaches(from: number, to: other)
    }
  }
}
