import MurmurFeeds
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurStreams
import MurmurWire
import Testing

/// Ledger, gateway and reader as one machine.
@Suite struct StationStories {
  /// Stations that hear each other at once, timers, work, and what each keeps on its disk.
  struct Place {
    static let feeder = KeyPair(seed: .sha256(of: [77])).peerID

    struct Disk {
      var transactions: [Transaction] = []
      var states: [FeedState] = []
    }

    var stations: [Station]
    var disks: [Disk]
    var rows: [[FeedRows]]
    var heard: [FeedMessage] = []
    var timers: [(station: Int, timer: Station.Timer, at: Instant)] = []
    var now = Instant.origin + .seconds(1_000)
    var chance = Chance(seed: 5)
    private var wishes: [(station: Int, input: Station.Input)] = []

    init(_ count: Int) {
      stations = (0..<count).map { Place.station($0, states: []) }
      disks = stations.map { _ in Disk() }
      rows = stations.map { _ in [] }
      for number in 0..<count { tell(number, .started) }
      for one in 0..<count { for other in 0..<count where other != one { tell(one, .connected(Place.id(other))) } }
    }

    static func keys(_ number: Int) -> KeyPair { KeyPair(seed: .sha256(of: Array("station \(number)".utf8))) }
    static func id(_ number: Int) -> PeerID { keys(number).peerID }

    static func station(_ number: Int, states: [FeedState]) -> Station {
      var ledger = Ledger.Configuration(session: "farm")
      (ledger.baseDifficulty, ledger.quorum) = (2, 1)
      return Station(
        ledger: Ledger(id: id(number), keys: keys(number), configuration: ledger),
        gateway: Gateway(.init(session: "farm")), harvest: Harvest(.init(session: "farm"), states: states),
        chance: Chance(seed: UInt64(number)))
    }

    /// One input after the other, each with all that follows from it.
    mutating func tell(_ station: Int, _ input: Station.Input) {
      wishes.append((station, input))
      guard wishes.count == 1 else { return }
      while let wish = wishes.first {
        var effects = Effects<Station.Effect>()
        stations[wish.station].step(wish.input, at: now, chance: &chance, effects: &effects)
        for effect in effects.list { perform(effect, of: wish.station) }
        wishes.removeFirst()
      }
    }

    private mutating func perform(_ effect: Station.Effect, of number: Int) {
      switch effect {
      case .send(let peer, let message):
        for other in stations.indices where Place.id(other) == peer { tell(other, .heard(from: Place.id(number), message)) }
      case .publish(let bytes):
        for other in stations.indices where other != number {
          tell(other, .gossiped(MessageID(from: Place.id(number), seqno: 1), from: Place.id(number), bytes))
        }
      case .work(let challenge): if let nonce = challenge.solve() { tell(number, .worked(challenge, nonce: nonce)) }
      case .answer(_, let message): heard.append(message)
      case .keep(_, let bytes): if let made = try? Transaction(reading: bytes) { disks[number].transactions.append(made) }
      case .rows(let rows): self.rows[number].append(rows)
      case .advanced(let state):
        disks[number].states.removeAll { $0.channel == state.channel }
        disks[number].states.append(state)
      case .arm(let timer, let at):
        timers.removeAll { $0.station == number && $0.timer == timer }
        timers.append((number, timer, at))
      case .judge, .shutOut, .prune, .report: break
      }
    }

    mutating func wait(_ span: Instant.Span) {
      let end = now + span
      while let next = timers.indices.min(by: { timers[$0].at < timers[$1].at }), timers[next].at <= end {
        let due = timers.remove(at: next)
        now = max(now, due.at)
        tell(due.station, .fired(due.timer))
      }
      now = end
    }

    mutating func publish(_ tag: [UInt8], _ content: [UInt8]) {
      tell(0, .feeder(Self.feeder, .received(from: Self.feeder, .publish(tag: tag, content: content))))
    }

    mutating func restart(_ number: Int) {
      timers.removeAll { $0.station == number }
      stations[number] = Place.station(number, states: disks[number].states)
      let kept = disks[number].transactions
      tell(number, .restored(kept, nil))
      tell(number, .started)
      for other in stations.indices where other != number { tell(number, .connected(Place.id(other))) }
    }

    func numbers(_ station: Int) -> [UInt64] { rows[station].flatMap { m in m.rows.indices.map { m.first + UInt64($0) } } }
  }

  private func message(_ writer: inout StreamWriter, _ number: Int) -> SealedMessage {
    writer.seal(Array("{\"first\":\(2 * number),\"rows\":[\"\(number),1\",\"\(number),2\"]}".utf8), milliseconds: 5)
  }

  private let sensor = Sensor(id: "soil-7", columns: ["a", "b"])

  @Test func `rows come in through one station, are confirmed and read at both, and after a restart each once`() throws {
    var writer = StreamWriter(seed: StreamSeed(.sha256(of: [1])), mode: .public, height: 3)
    var place = Place(2)
    place.tell(0, .feeder(Place.feeder, .connected(Place.feeder)))
    place.tell(0, .feeder(Place.feeder, .received(from: Place.feeder, .hello(session: "farm"))))
    let head = try #require(writer.head(sensor, session: "farm", milliseconds: 1))
    place.publish(head.tag, head.bytes)
    var names = [FeedKey(tag: head.tag, content: head.bytes).name]
    for number in 0..<10 {
      let sealed = message(&writer, number)
      names.append(FeedKey(tag: sealed.address.bytes, content: sealed.bytes).name)
      place.publish(sealed.address.bytes, sealed.bytes)
      place.wait(.milliseconds(200))
    }
    place.wait(.seconds(30))
    #expect(place.numbers(0) == Array(0..<20) && place.numbers(1) == Array(0..<20))
    let firm = place.heard.flatMap { if case .confirmed(let told) = $0 { told } else { [Digest]() } }
    #expect(Set(firm) == Set(names) && firm.count == names.count, "each is told once that it may be forgotten")
    // The reader forgets all but its disk.
    place.restart(1)
    for number in 10..<15 {
      let sealed = message(&writer, number)
      place.publish(sealed.address.bytes, sealed.bytes)
    }
    place.wait(.seconds(30))
    #expect(place.numbers(0) == Array(0..<30) && place.numbers(1) == Array(0..<30))
    #expect(place.stations[1].ledger.holdings.transactions == place.stations[0].ledger.holdings.transactions)
  }

  @Test func `a head after its messages: any number of them is read, on a small stack`() throws {
    let count = 20_000
    var writer = StreamWriter(seed: StreamSeed(.sha256(of: [2])), mode: .public, height: 0)
    let head = try #require(writer.head(sensor, session: "farm", milliseconds: 1))
    var configuration = Ledger.Configuration(session: "farm")
    configuration.baseDifficulty = 0
    // Signatures of transactions are not what this is about.
    configuration.decode = { bytes in Result { () throws(LedgerError) in try Transaction(reading: bytes) } }
    let id = Place.id(0)
    let station = Station(
      ledger: Ledger(id: id, configuration: configuration) { _ in [UInt8](repeating: 0, count: 64) },
      gateway: Gateway(.init(session: "farm")), harvest: Harvest(.init(session: "farm")), chance: Chance(seed: 1))
    var scene = Solo(station: station, genesis: configuration.genesis)
    scene.step(.started)
    for number in 0..<count {
      let sealed = message(&writer, number)
      try scene.gossip(sealed.address.bytes, sealed.bytes)
    }
    #expect(scene.rows == 0)
    try scene.gossip(head.tag, head.bytes)
    #expect(scene.rows == 2 * count)
  }

  /// One station that hears transactions of ever new issuers.
  private struct Solo {
    var station: Station
    let genesis: Digest
    var rows = 0
    private var issuer: UInt64 = 0
    private var chance = Chance(seed: 1)

    init(station: Station, genesis: Digest) { (self.station, self.genesis) = (station, genesis) }

    mutating func step(_ input: Station.Input) {
      var effects = Effects<Station.Effect>()
      station.step(input, at: .origin + .seconds(1_000), chance: &chance, effects: &effects)
      for case .rows(let message) in effects.list { rows += message.rows.count }
    }

    mutating func gossip(_ tag: [UInt8], _ payload: [UInt8]) throws {
      issuer += 1
      let body = Transaction.encode(
        .init(
          issuer: PeerID(kind: .ed25519, word: Digest(issuer, 0, 0, 0)), sequence: 0, time: 1_000, links: (genesis, genesis),
          previous: nil, tag: tag, difficulty: 0), payload: payload)
      let made = try Transaction(body: body, nonce: 0, signature: [UInt8](repeating: 0, count: 64))
      step(.gossiped(MessageID(from: Place.id(1), seqno: issuer), from: nil, made.bytes))
    }
  }
}
