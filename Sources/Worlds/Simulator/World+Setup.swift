import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurScenario
import MurmurSessions
import MurmurWire

extension World {
  /// The world of a scenario, before anything has happened in it.
  init(_ setup: Setup, threads: Int) {
    let scenario = setup.scenario
    let (session, architecture) = (setup.session, setup.architecture)
    let lives = setup.chance.fork("peers")
    // A peer keeps the models it averaged with, for others; older ones make room.
    let modelBytes = architecture.parameterCount * 4 + 4096
    let budget = modelBytes * 26 + (session.privacy ? 0 : 256 << 20)
    let sensors = scenario.feeds.held ? 0 : scenario.feeds.sensors
    let carries = sensors > 0
    let birth: Birth = { number, life in
      let id = PeerID(simulated: number)
      let collective = Collective(
        id: id, session: session, architecture: architecture, role: scenario.peers.role(number), rows: setup.rows[number],
        start: setup.start(number))
      var settings = PubSub.Settings.standard
      if carries {
        var configuration = PubSub.Configuration()
        Setup.carry(session, &configuration)
        settings = PubSub.Settings(configuration)
      }
      return Peer(
        collective: collective, exchange: Exchange(store: BlockStore(budget: budget)), pubsub: PubSub(id: id, settings: settings),
        chance: lives.fork("peer", number).fork("life", life), servesTopics: carries)
    }
    let length = session.length
    let joins = scenario.peers.joins(length: length)
    let speeds = scenario.peers.speeds(chance: setup.chance.fork("devices"))
    let peers = (0..<scenario.peers.count).map { (peer: birth($0, 0), speed: speeds[$0], joins: joins[$0]) }
    let every = max(scenario.observe.every.span(in: length).nanoseconds, 1)
    // A microsecond early, so that what ends with the session still holds when it is looked at for the last time.
    let times = (1...max(Int(length.nanoseconds / every), 1)).map { Instant(nanoseconds: Int64($0) * every - 1000) }
    self.init(
      peers: peers,
      network: NetworkState(
        scenario.network, neighbours: World.neighbours(scenario, setup.chance.fork("neighbours")),
        chance: setup.chance.fork("network")),
      forecast: Forecast(
        scenario.faults, peers: scenario.peers.count + sensors, length: length, cycle: session.cycle,
        chance: setup.chance.fork("faults")),
      observations: times,
      leeway: session.announcements == .broadcast || !session.privacy ? .zero : session.cycle * 0.2, threads: threads,
      chance: setup.chance.fork("world"), birth: birth)
    settle(setup)
  }

  /// Whom each peer knows when it begins: a ring, so that nobody is left out, and random others, in both directions.
  static func neighbours(_ scenario: Scenario, _ chance: Chance) -> [[Int32]] {
    var chance = chance
    let count = scenario.peers.count
    var sets = [[Int32]](repeating: [], count: count)
    func link(_ a: Int, _ b: Int) {
      guard a != b, !sets[a].contains(Int32(b)) else { return }
      sets[a].append(Int32(b))
      sets[b].append(Int32(a))
    }
    guard count > 1 else { return sets }
    var order = Array(0..<count)
    chance.shuffle(&order)
    for index in 0..<count { link(order[index], order[(index + 1) % count]) }
    let degree = min(scenario.network.degree, count - 1)
    for peer in 0..<count {
      var tries = 0
      while sets[peer].count < degree, tries < degree * 4 {
        link(peer, chance.below(count))
        tries += 1
      }
    }
    return sets
  }

  /// Takes a model's address into the trace.
  mutating func mix(_ model: String?) {
    for byte in (model ?? "none").utf8 { absorb(UInt64(byte)) }
  }

  /// The peers at the end, their models evaluated on all test rows.
  mutating func outcomes(_ setup: Setup, progress: (Double) -> Bool) -> [Experiment.PeerOutcome] {
    let (samples, test, architecture, batch) = (setup.samples, setup.test, setup.architecture, setup.session.training.batch)
    let tickets: [Ticket<Double>?] = nodes.map { node in
      guard node.isStarted, node.isAlive, node.peer.collective.role != .feeder else { return nil }
      let parameters = node.peer.collective.parameters
      return pool.submit { bench in
        bench.trainer(for: architecture, batch: batch).evaluate(parameters, on: samples, rows: test).accuracy
      }
    }
    var result: [Experiment.PeerOutcome] = []
    for (number, node) in nodes.enumerated() {
      var outcome = Experiment.PeerOutcome()
      outcome.role = node.peer.collective.role.rawValue
      outcome.accuracy = tickets[number].map { pool.wait(for: $0, bench: bench) }
      outcome.rows =
        feeds.isActive
        ? feeds.houses[number].basket.count : setup.rows[number].training.count + setup.rows[number].validation.count
      outcome.tally = node.tally
      outcome.model = node.peer.collective.newest.map { "\($0.root)" }
      outcome.joined = node.joined.seconds
      outcome.online = node.onlineShare(at: now, isOnline: conditions.isOnline[number])
      result.append(outcome)
      if number % 16 == 0 { _ = progress(Double(number) / Double(nodes.count)) }
    }
    return result
  }
}

extension World.Node {
  /// The share of the time since it joined that the peer was online.
  func onlineShare(at now: Instant, isOnline: Bool) -> Double {
    let total = (now - joined).seconds
    guard isStarted, total > 0 else { return 0 }
    let current = isOnline && isAlive ? (now - onlineSince).seconds : 0
    return min(max((onlineTime.seconds + current) / total, 0), 1)
  }
}
