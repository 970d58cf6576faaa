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
  /// Whether peers of the local network are looked for.
  var findsLocally = false
  /// Where metrics are served.
  var metrics: SocketAddress?
  /// When the session began, in seconds since 1970.
  var begins = 0.0
  /// Where its owner asks it; in the store's folder if nothing is said.
  var control: String?
  /// The session, if it came with an invitation rather than in a file.
  var invited: Scenario?
  var level = Logger.Level.warning
  /// Where everything that this peer is told is written down.
  var recording: String?
  /// Whether the scenario's network is imposed on the real one.
  var isShaped = false
  /// Whether it is one of a swarm, whose peers have the scenario's identities whatever they store.
  var isOfSwarm = false
  /// Files with the side keys of restricted streams, the newest first.
  var sideKeys: [String] = []
  /// Files with pointers into private streams.
  var pointers: [String] = []

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
  /// What it does with streams, if the session has sensors.
  let feeds: PeerFeeds?
  private let hasRows: Bool
  private let endpoint: MetricsEndpoint?
  private let findsLocally: Bool
  private let logger: Logger

  /// Loads rows, opens the store, listens and joins.
  init(_ plan: OwnPlan, _ teller: any PeerTeller, _ console: Console) async throws {
    self.teller = teller
    let shared = try plan.invited ?? ScenarioOptions.read(plan.session)
    let (scenario, number) = try RunningPeer.share(of: shared, plan)
    setup = try Setup(scenario, try Rows.load(scenario.data, console))
    hasRows = !setup.test.isEmpty
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    workers = NIOThreadPool(numberOfThreads: 1)
    workers.start()
    var logger = Logger(label: "murmur")
    logger.logLevel = plan.level
    self.logger = logger
    // Before anything that counts is made.
    endpoint = try await PeerMetrics.start(plan.metrics, group, logger)
    store = try plan.store.map { try Store(at: $0) }
    let keys = try RunningPeer.keys(plan, scenario, number)
    let state = try store?.session(named: setup.session.name)
    let life = state.map { $0.life + 1 } ?? 0
    // Said before anything is drawn, so that a life that ends before its first model is not lived twice.
    var begun = state ?? SessionState(session: setup.session.name, seed: scenario.seed)
    begun.life = life
    try store?.save(begun)
    let chance = Chance(seed: scenario.seed).fork("peer", number).fork("life", Int(life))
    let origin = LifeOrigin(
      scenario: scenario, number: number, role: plan.role ?? scenario.peers.role(number),
      inheritance: try LifeOrigin.inheritance(setup, store, state, takesMore: plan.control != nil, console))
    let peer = try origin.peer(setup, keys, seed: chance.seed, console)
    let pointers = try plan.pointers.map { try PeerFeeds.pointer($0) }
    feeds = try PeerFeeds.make(setup, plan, peers: shared.peers.count, keys: keys, store: store, chance: chance, teller)
    var configuration = NodeConfiguration()
    configuration.listen = plan.listen
    configuration.bootstraps = plan.join
    configuration.tables = [.lan(), .murmur(scope: .any)]
    findsLocally = plan.findsLocally
    configuration.logger = logger
    configuration.transport.logger = logger
    let elapsed = Date().timeIntervalSince1970 - plan.begins
    configuration.sessionOffset = .seconds(elapsed) - (configuration.transport.clock.now - .origin)
    configuration.life = (life, scenario.seed)
    if plan.data == nil, !scenario.faults.faults.isEmpty || plan.isShaped {
      let faults = ScenarioFaults(setup, number, isShaped: plan.isShaped)
      configuration.adversity = faults
      configuration.sessionOffset = configuration.sessionOffset + faults.skew
    }
    if let path = plan.recording {
      configuration.recording = (
        path, Recording.Header(seed: chance.seed, peer: keys.peerID.bytes, context: origin.encode())
      )
    }
    node = try await Node.make(
      configuration, keys: keys, peer: peer, chance: chance.fork("node"), store: store, group: group, workers: workers,
      station: feeds?.station, goesOn: true, feeds: { [feeds] news in feeds?.take(news) })
    try await watch()
    let bound = try await node.start()
    try await openControl(plan, shared, keys)
    for (sensor, pointer) in pointers { try await node.follow(sensor, pointer) }
    feeds?.recall { [node] in try await node.learn($0) }
    teller.tell(.listening(bound.map { "\($0)/p2p/\(keys.peerID)" }))
    if let endpoint { teller.tell(.metrics(PeerMetrics.url(endpoint))) }
    if let store { try await node.remember(store.knownPeers(limit: 256).map { ($0.id, $0.addresses) }) }
  }

  /// The scenario as this peer sees it, and which of its peers it is.
  private static func share(of shared: Scenario, _ plan: OwnPlan) throws -> (Scenario, Int) {
    var scenario = shared
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
    return (scenario, number)
  }

  /// The identity in the store; without one, of a scenario's peer the one that its number gives, of others a new one.
  private static func keys(_ plan: OwnPlan, _ scenario: Scenario, _ number: Int) throws -> KeyPair {
    if let folder = plan.store, !plan.isOfSwarm { return try KeyFile(folder + "/identity.key").loadOrCreate() }
    if plan.data == nil { return SwarmKeys.pair(scenario.seed, number) }
    var generator = SystemRandomNumberGenerator()
    return KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
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

  /// Runs until the session is over, or somebody wants to stop. Everything that runs beside the peer is a service of one group, which stops
  /// them in the opposite order: whoever tells others where the peer is goes first, the peer last.
  func serve(untilOver: Bool, isStopped: @escaping @Sendable () -> Bool) async throws {
    var services = [PeerServices.configuration("peer", PeerService(peer: self, untilOver: untilOver))]
    if let endpoint { services.append(PeerServices.configuration("metrics", MetricsService(endpoint: endpoint))) }
    if findsLocally {
      let discovery = try await DiscoveryService.discovery(for: node, group: group, logger: logger)
      services.append(PeerServices.configuration("mDNS", DiscoveryService(discovery: discovery)))
    }
    try await PeerServices.run(services, logger: logger, isStopped: isStopped)
    try await group.shutdownGracefully()
  }

  /// The peer's life, until the session is over or ``isEnding`` says so, and its end.
  func live(untilOver: Bool, isEnding: @Sendable () -> Bool) async throws {
    var isOver = false
    var counted = ContinuousClock.now
    var hasSettled = false
    while !isEnding() {
      try await _Concurrency.Task.sleep(for: .milliseconds(50))
      let seen = try await node.snapshot()
      if counted + .seconds(5) < .now {
        counted = .now
        if !hasSettled {
          hasSettled = true
          Memory.giveBackCode()
          Memory.giveBack()
        }
        teller.tell(
          .census(links: seen.links, streams: seen.streams, pending: seen.pending, memory: Memory.resident))
      }
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
    await feeds?.stop()
    try await node.close()
    // A job may take longer than a peer may take to stop, and nobody wants its outcome any more.
    workers.shutdownGracefully { _ in }
    try store?.close()
  }
}
