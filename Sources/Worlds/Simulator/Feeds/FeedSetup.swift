import MurmurCollective
import MurmurCompute
import MurmurDatasets
public import MurmurFeeds
public import MurmurIdentity
import MurmurLedger
public import MurmurMachines
public import MurmurPeer
public import MurmurPubSub
import MurmurScenario
public import MurmurSessions
public import MurmurStreams
public import MurmurWire

/// Stations and sensors of a scenario.
extension Setup {
  /// The rows of all sensors: read by everybody, from the beginning. The control of a session with feeds.
  static func held(_ sensors: [[Int32]], _ samples: Samples, _ share: Double, _ chance: Chance) -> Work.Rows {
    hold(back: share, of: sensors.flatMap(\.self), samples, chance)
  }

  /// The side key of a simulated session with restricted streams, which everybody who has the scenario can work out.
  public var sideKey: SideKey? {
    guard scenario.feeds.mode == .restricted else { return nil }
    return SideKey(.sha256(of: Array("murmur scenario side key \(scenario.seed) \(session.name)".utf8)))
  }

  /// The only sensors that the session believes, with their channels; empty for all.
  public var allowedSensors: [(id: String, channel: Digest)] {
    scenario.feeds.allowed.compactMap { sensor in
      (try? Multibase.decode("f" + sensor.channel)).flatMap { Digest($0) }.map { (sensor.id, $0) }
    }
  }

  /// An empty basket for the rows of streams.
  public func basket() -> RowBasket? {
    field.map {
      RowBasket($0, validation: session.training.validation, slice: session.slices.rows, isShared: !session.privacy)
    }
  }

  /// A station of a session: with a ledger that issues under `keys`, and a gateway that works for what is of a stream, of those `allowed` if
  /// any are named.
  public static func station(
    _ session: Session, keys: KeyPair, peers: Int, sides: [SideKey], states: [FeedState],
    allowed: [(id: String, channel: Digest)] = [], chance: Chance
  ) -> Station {
    var ledger = Ledger.Configuration(session: session.name)
    // In a small session two others are soon not to be had: one of three may be dead.
    ledger.quorum = peers > 4 ? 2 : 1
    var harvest = Harvest.Configuration(session: session.name)
    harvest.sides = sides
    harvest.allowed = allowed
    let admission = StreamAdmission(session: session.name, sides: sides, allowed: allowed)
    return Station(
      ledger: Ledger(id: keys.peerID, keys: keys, configuration: ledger),
      gateway: Gateway(Gateway.Configuration(session: session.name) { admission.admits($0, $1) }),
      harvest: Harvest(harvest, states: states), isAlone: peers == 1, chance: chance)
  }

  /// How pub/sub carries a session's ledger: its messages wait for the ledger's verdict.
  public static func carry(_ session: Session, _ configuration: inout PubSub.Configuration) {
    let topic = Station.topic(of: session.name)
    configuration.validatedTopics.insert(topic)
    configuration.messageBytes[topic] = Transaction.mostBytes
  }
}

extension World {
  /// Puts a station beside every peer, and the sensors at their places.
  mutating func settle(_ setup: Setup) {
    let plan = setup.scenario.feeds
    guard plan.sensors > 0, !plan.held, let dataset = setup.raw, let basket = setup.basket(), let field = setup.field else {
      return
    }
    let session = setup.session
    let (peers, seed, sides) = (nodes.count, setup.scenario.seed, setup.sideKey.map { [$0] } ?? [])
    let allowed = setup.allowedSensors
    let chance = setup.chance.fork("feeds")
    let birth: FeedWorld.Birth = { number, life, issuer, states in
      let keys = KeyPair(seed: .sha256(of: Array("murmur simulated station \(seed) \(number) \(issuer)".utf8)))
      return Setup.station(
        session, keys: keys, peers: peers, sides: sides, states: states, allowed: allowed,
        chance: chance.fork("station", number).fork("life", life))
    }
    (feeds.birth, feeds.basket) = (birth, basket)
    (feeds.session, feeds.topic, feeds.packet) = (session.name, Station.topic(of: session.name), plan.packet)
    feeds.interval = Instant.Span(seconds: Double(plan.packet) / plan.rate)
    feeds.houses = nodes.indices.map {
      FeedWorld.House(station: birth($0, 0, 0, []), chance: chance.fork("house", $0), basket: basket)
    }
    var draw = chance.fork("sensors")
    let full = setup.scenario.peers.full
    for number in 0..<plan.sensors {
      var gateways = Array(0..<Int32(full))
      draw.shuffle(&gateways)
      gateways = Array(gateways.prefix(3))
      let id = "sensor-\(number)"
      let writer = StreamWriter(
        seed: StreamSeed(.sha256(of: Array("murmur simulated sensor \(seed) \(number)".utf8))),
        mode: plan.mode == .restricted ? .restricted : .public, side: setup.sideKey)
      feeds.sensors.append(
        FeedWorld.SensorNode(
          id: PeerID(simulated: peers + number), sensor: Sensor(id: id, columns: field.columns), writer: writer,
          feeder: Feeder(Feeder.Configuration(session: session.name, gateways: gateways.count)),
          chance: chance.fork("sensor", number), gateways: gateways,
          lines: setup.sensorRows[number].map { FeedField.line(dataset, Int($0)) }))
      feeds.wishes.append(.sensor(number, .started(first: 0)))
      // Not all at once.
      queue.schedule(.feed(.reading(Int32(number))), at: .origin + feeds.interval * draw.uniform())
    }
  }
}
