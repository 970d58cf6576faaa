import MurmurFeeds
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurScenario
import MurmurStreams
import MurmurWire

/// Stations and sensors under virtual time.
extension World {
  /// Gives every wish its turn.
  mutating func grantWishes() {
    while !feeds.wishes.isEmpty {
      let due = feeds.wishes
      feeds.wishes = []
      for wish in due {
        switch wish {
        case .peer(let node, let input): if nodes[node].isStarted, nodes[node].isAlive { step(node, input) }
        case .station(let node, let input): step(station: node, input)
        case .sensor(let sensor, let input): step(sensor: sensor, input)
        }
      }
    }
  }

  mutating func happen(_ event: FeedWorld.Event) {
    switch event {
    case .ledger(let from, let to, let message):
      guard nodes[Int(to)].isStarted, conditions.reaches(from: Int(from), to: Int(to)) else { return }
      trace.mix(now, 8, UInt64(to), UInt64(message.wireSize))
      feeds.wishes.append(.station(Int(to), .heard(from: nodes[Int(from)].peer.id, message)))
    case .toGateway(let sensor, let slot, let dial, let message):
      let (one, to) = (Int(sensor), Int(feeds.sensors[Int(sensor)].gateways[Int(slot)]))
      guard feeds.sensors[one].dial == dial, nodes[to].isStarted, nodes[to].isAlive,
        conditions.reaches(from: nodes.count + one, to: to)
      else { return }
      trace.mix(now, 9, UInt64(to), UInt64(sensor))
      let id = feeds.sensors[one].id
      feeds.wishes.append(.station(to, .feeder(id, .received(from: id, message))))
    case .toSensor(let sensor, let dial, let message):
      let node = feeds.sensors[Int(sensor)]
      guard node.isAlive, node.dial == dial, let slot = node.open else { return }
      trace.mix(now, 10, UInt64(sensor), 0)
      feeds.wishes.append(.sensor(Int(sensor), .received(from: slot, message)))
    case .dialled(let sensor, let slot, let dial): dialled(Int(sensor), Int(slot), dial)
    case .stationTimer(let node, let timer, let life):
      guard nodes[Int(node)].life == Int(life), nodes[Int(node)].isAlive,
        let place = feeds.houses[Int(node)].timers.firstIndex(where: { $0.timer == timer && $0.at == now })
      else { return }
      feeds.houses[Int(node)].timers.remove(at: place)
      trace.mix(now, 11, UInt64(node), 0)
      feeds.wishes.append(.station(Int(node), .fired(timer)))
    case .sensorTimer(let sensor, let timer, let life):
      guard feeds.sensors[Int(sensor)].life == life, feeds.sensors[Int(sensor)].isAlive,
        let place = feeds.sensors[Int(sensor)].timers.firstIndex(where: { $0.timer == timer && $0.at == now })
      else { return }
      feeds.sensors[Int(sensor)].timers.remove(at: place)
      feeds.wishes.append(.sensor(Int(sensor), .fired(timer)))
    case .reading(let sensor): read(Int(sensor))
    case .worked(let node, let challenge, let life):
      guard nodes[Int(node)].life == Int(life), nodes[Int(node)].isAlive, let nonce = challenge.solve() else { return }
      feeds.wishes.append(.station(Int(node), .worked(challenge, nonce: nonce)))
    }
    grantWishes()
  }

  // MARK: Stations

  /// A peer with a station begins, or begins again.
  mutating func startStation(_ node: Int) {
    guard feeds.isActive else { return }
    feeds.wishes.append(.peer(node, .asked(.subscribe(feeds.topic))))
    feeds.wishes.append(.station(node, .started))
    for neighbour in network.neighbours[node] where nodes[Int(neighbour)].isStarted && nodes[Int(neighbour)].isAlive {
      feeds.wishes.append(.station(node, .connected(nodes[Int(neighbour)].peer.id)))
      feeds.wishes.append(.station(Int(neighbour), .connected(nodes[node].peer.id)))
    }
    grantWishes()
  }

  /// A peer with a station stopped; with its memory lost it will go on from what it kept.
  mutating func crashStation(_ node: Int, losesMemory: Bool, losesDisk: Bool) {
    guard feeds.isActive else { return }
    for neighbour in network.neighbours[node] where nodes[Int(neighbour)].isStarted && nodes[Int(neighbour)].isAlive {
      feeds.wishes.append(.station(Int(neighbour), .disconnected(nodes[node].peer.id)))
    }
    for sensor in feeds.sensors.indices {
      guard let slot = feeds.sensors[sensor].open, feeds.sensors[sensor].gateways[slot] == Int32(node) else { continue }
      feeds.wishes.append(.sensor(sensor, .disconnected(slot, "it is gone")))
    }
    if losesMemory, let birth = feeds.birth {
      let old = feeds.houses[node]
      feeds.houses[node].timers = []
      if losesDisk {
        (feeds.houses[node].states, feeds.houses[node].snapshot) = ([], nil)
        feeds.houses[node].issuer = nodes[node].life
        if let basket = feeds.basket { feeds.houses[node].basket = basket }
      }
      feeds.houses[node].station = birth(node, nodes[node].life, feeds.houses[node].issuer, feeds.houses[node].states)
      if !losesDisk {
        var effects = Effects<Station.Effect>()
        feeds.houses[node].step(.restored(old.station.ledger.transactions, old.snapshot), at: now, effects: &effects)
      }
    }
    grantWishes()
  }

  /// A device that slept goes on: its timers that were due meanwhile fire now, and it is connected anew.
  mutating func wakeStation(_ node: Int) {
    guard feeds.isActive else { return }
    for index in feeds.houses[node].timers.indices where feeds.houses[node].timers[index].at <= now {
      feeds.houses[node].timers[index].at = now
      queue.schedule(
        .feed(.stationTimer(Int32(node), feeds.houses[node].timers[index].timer, life: Int32(nodes[node].life))), at: now)
    }
    for neighbour in network.neighbours[node] where nodes[Int(neighbour)].isStarted && nodes[Int(neighbour)].isAlive {
      feeds.wishes.append(.station(node, .connected(nodes[Int(neighbour)].peer.id)))
      feeds.wishes.append(.station(Int(neighbour), .connected(nodes[node].peer.id)))
    }
  }

  private mutating func step(station node: Int, _ input: Station.Input) {
    guard nodes[node].isStarted, nodes[node].isAlive else { return }
    var wanted = Effects<Station.Effect>()
    feeds.houses[node].step(input, at: now + conditions.skews[node], effects: &wanted)
    for effect in wanted.list { perform(effect, of: node) }
  }

  private mutating func perform(_ effect: Station.Effect, of node: Int) {
    switch effect {
    case .send(let peer, let message):
      guard let to = numbers[peer] else { return }
      route(message.wireSize + 4, from: node, to: Int(to)) { .ledger(from: Int32(node), to: to, message) }
    case .publish(let bytes): feeds.wishes.append(.peer(node, .asked(.publish(feeds.topic, bytes))))
    case .judge(let id, let verdict): feeds.wishes.append(.peer(node, .asked(.judge(id, verdict))))
    case .work(let challenge):
      // A million hashes a second.
      let needed = Instant.Span(seconds: 1e-6 * Double(UInt64(1) << UInt64(min(challenge.difficulty, 40))))
      queue.schedule(.feed(.worked(Int32(node), challenge, life: Int32(nodes[node].life))), at: now + needed)
    case .answer(let feeder, let message):
      guard let sensor = feeds.sensor(feeder) else { return }
      let dial = feeds.sensors[sensor].dial
      route(message.encode().count + 4, from: node, to: nodes.count + sensor) { .toSensor(Int32(sensor), dial: dial, message) }
    case .shutOut(let feeder, _, let why):
      guard let sensor = feeds.sensor(feeder), let slot = feeds.sensors[sensor].open else { return }
      feeds.wishes.append(.sensor(sensor, .disconnected(slot, why)))
    case .keep: break
    case .prune(_, let snapshot): feeds.houses[node].snapshot = snapshot
    case .rows(let rows): take(rows, at: node)
    case .advanced(let state): feeds.houses[node].keep(state)
    case .report(let report):
      guard feeds.houses[node].reports.count < FeedWorld.mostReports else { return }
      feeds.houses[node].reports.append(report)
    case .arm(let timer, let at):
      let due = at == .never ? at : max(at + (.zero - conditions.skews[node]), now)
      feeds.houses[node].timers.removeAll { $0.timer == timer }
      feeds.houses[node].timers.append((timer, due))
      if due < .never { queue.schedule(.feed(.stationTimer(Int32(node), timer, life: Int32(nodes[node].life))), at: due) }
    }
  }

  private mutating func take(_ rows: FeedRows, at node: Int) {
    trace.mix(now, 12, UInt64(node), rows.channel.a ^ rows.first)
    if feeds.delays.count < FeedWorld.mostDelays {
      feeds.delays.append(now.seconds - Double(rows.milliseconds) / 1_000)
    }
    feeds.houses[node].basket.add(rows)
    if let all = feeds.houses[node].basket.take() { feeds.wishes.append(.peer(node, .asked(.learn(all)))) }
  }

  /// Sends something that is no message of a peer's.
  private mutating func route(_ size: Int, from: Int, to: Int, _ event: () -> FeedWorld.Event) {
    guard conditions.isOnline[from] else { return }
    var uplink = from < nodes.count ? nodes[from].uplink : feeds.sensors[from - nodes.count].uplink
    if from < nodes.count {
      nodes[from].tally.bytesSent += size
      nodes[from].tally.messagesSent += 1
    }
    let fate = network.send(size, from: from, to: to, uplink: &uplink, at: now, under: conditions)
    if from < nodes.count { nodes[from].uplink = uplink } else { feeds.sensors[from - nodes.count].uplink = uplink }
    for arrival in [fate.first, fate.second] {
      // What is spoilt on the way does not pass the cipher.
      if let arrival, !arrival.corrupted { queue.schedule(.feed(event()), at: arrival.time) }
    }
  }

  // MARK: Sensors

  /// A sensor stopped, or goes on: its spool is safe, everything else is lost.
  mutating func act(on sensor: Int, isAlive: Bool) {
    guard feeds.sensors[sensor].isAlive != isAlive else { return }
    feeds.sensors[sensor].isAlive = isAlive
    guard isAlive else {
      hangUp(sensor)
      feeds.sensors[sensor].life += 1
      feeds.sensors[sensor].timers = []
      return grantWishes()
    }
    feeds.sensors[sensor].feeder = Feeder(feeds.sensors[sensor].feeder.configuration)
    feeds.wishes.append(.sensor(sensor, .started(first: feeds.sensors[sensor].first)))
    let entries = feeds.sensors[sensor].spool.map {
      Feeder.Entry(key: FeedKey(tag: $0.tag, content: $0.bytes), bytes: $0.bytes.count, isOld: true)
    }
    feeds.wishes.append(.sensor(sensor, .spooled(entries)))
    grantWishes()
  }

  /// Reads the next rows, and spools them as a message.
  private mutating func read(_ sensor: Int) {
    let node = feeds.sensors[sensor]
    guard node.read < node.lines.count else { return }
    queue.schedule(.feed(.reading(Int32(sensor))), at: now + feeds.interval)
    guard node.isAlive, node.feeder.room > 2 else { return }
    let milliseconds = UInt64(max(now.nanoseconds, 0) / 1_000_000)
    var entries: [(tag: [UInt8], bytes: [UInt8])] = []
    // Once at the beginning, and at the beginning of every tree.
    if node.writer.pointer.number % (1 << UInt64(node.writer.height)) == 0,
      let head = node.writer.head(node.sensor, session: feeds.session, milliseconds: milliseconds)
    {
      entries.append((head.tag, head.bytes))
    }
    let rows = node.lines[node.read..<min(node.read + feeds.packet, node.lines.count)]
    let payload = "{\"first\":\(node.read),\"rows\":[\(rows.map { JSONValue.quote($0) }.joined(separator: ","))]}"
    let sealed = feeds.sensors[sensor].writer.seal(Array(payload.utf8), milliseconds: milliseconds)
    entries.append((sealed.address.bytes, sealed.bytes))
    feeds.sensors[sensor].read += rows.count
    feeds.sensors[sensor].spool += entries
    feeds.wishes.append(
      .sensor(sensor, .spooled(entries.map { Feeder.Entry(key: FeedKey(tag: $0.tag, content: $0.bytes), bytes: $0.bytes.count) }))
    )
  }

  private mutating func dialled(_ sensor: Int, _ slot: Int, _ dial: Int32) {
    guard feeds.sensors[sensor].isAlive, feeds.sensors[sensor].dial == dial else { return }
    let (gateway, id) = (Int(feeds.sensors[sensor].gateways[slot]), feeds.sensors[sensor].id)
    guard nodes[gateway].isStarted, nodes[gateway].isAlive, conditions.isOnline[gateway],
      conditions.isOnline[nodes.count + sensor],
      !conditions.isDivided(from: nodes.count + sensor, to: gateway)
    else {
      feeds.wishes.append(.sensor(sensor, .disconnected(slot, "it cannot be reached")))
      return
    }
    feeds.sensors[sensor].open = slot
    feeds.wishes.append(.station(gateway, .feeder(id, .connected(id))))
    feeds.wishes.append(.sensor(sensor, .connected(slot)))
  }

  private mutating func hangUp(_ sensor: Int) {
    feeds.sensors[sensor].dial += 1
    guard let slot = feeds.sensors[sensor].open else { return }
    feeds.sensors[sensor].open = nil
    let (gateway, id) = (Int(feeds.sensors[sensor].gateways[slot]), feeds.sensors[sensor].id)
    feeds.wishes.append(.station(gateway, .feeder(id, .disconnected(id))))
  }

  private mutating func step(sensor: Int, _ input: Feeder.Input) {
    guard feeds.sensors[sensor].isAlive else { return }
    if case .disconnected = input { hangUp(sensor) }
    var wanted = Effects<Feeder.Effect>()
    feeds.sensors[sensor].step(input, at: now, effects: &wanted)
    for effect in wanted.list {
      switch effect {
      case .dial(let slot):
        hangUp(sensor)
        // A handshake takes a moment.
        queue.schedule(
          .feed(.dialled(Int32(sensor), slot: Int32(slot), dial: feeds.sensors[sensor].dial)), at: now + .milliseconds(50))
      case .hangUp: hangUp(sensor)
      case .send(let message, let slot): send(message, from: sensor, to: slot)
      case .publish(let number, let slot):
        let entry = feeds.sensors[sensor].spool[number - feeds.sensors[sensor].first]
        send(.publish(tag: entry.tag, content: entry.bytes), from: sensor, to: slot)
      case .forget(let upTo):
        let count = upTo - feeds.sensors[sensor].first
        guard count > 0 else { continue }
        feeds.sensors[sensor].spool.removeFirst(count)
        feeds.sensors[sensor].first = upTo
      case .arm(let timer, let at):
        feeds.sensors[sensor].timers.removeAll { $0.timer == timer }
        feeds.sensors[sensor].timers.append((timer, max(at, now)))
        guard at < .never else { continue }
        queue.schedule(.feed(.sensorTimer(Int32(sensor), timer, life: feeds.sensors[sensor].life)), at: max(at, now))
      case .note: break
      }
    }
  }

  private mutating func send(_ message: FeedMessage, from sensor: Int, to slot: Int) {
    let (gateway, dial) = (Int(feeds.sensors[sensor].gateways[slot]), feeds.sensors[sensor].dial)
    route(message.encode().count + 4, from: nodes.count + sensor, to: gateway) {
      .toGateway(sensor: Int32(sensor), slot: Int32(slot), dial: dial, message)
    }
  }
}
