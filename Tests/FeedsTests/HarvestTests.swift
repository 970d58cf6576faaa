import MurmurFeeds
import MurmurMachines
import MurmurStreams
import MurmurWire
import Testing

/// A reader of streams, and a ledger that only remembers what was published under which tag.
struct Reading {
  static let side = SideKey(.sha256(of: Array("side".utf8)))
  var harvest: Harvest
  var published: [(tag: [UInt8], bytes: [UInt8])] = []
  var rows: [FeedRows] = []
  var reports: [FeedReport] = []
  var states: [FeedState] = []
  var timer = Instant.never
  var now = Instant.origin
  var chance = Chance(seed: 1)

  init(states: [FeedState] = [], _ change: (inout Harvest.Configuration) -> Void = { _ in }) {
    var configuration = Harvest.Configuration(session: "farm")
    configuration.sides = [Reading.side]
    change(&configuration)
    harvest = Harvest(configuration, states: states)
  }

  mutating func step(_ input: Harvest.Input) {
    var effects = Effects<Harvest.Effect>()
    harvest.step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.list {
      switch effect {
      case .look(let tag):
        for (place, entry) in published.enumerated() where entry.tag == tag {
          step(.solid(tag: entry.tag, bytes: entry.bytes, transaction: Reading.name(place)))
        }
      case .rows(let rows): self.rows.append(rows)
      case .advanced(let state): states.append(state)
      case .report(let report): reports.append(report)
      case .arm(_, let at): timer = at
      }
    }
  }

  static func name(_ place: Int) -> CID {
    CID(codec: .raw, hashing: [UInt8(truncatingIfNeeded: place), UInt8(truncatingIfNeeded: place >> 8)])
  }

  /// Something is in the ledger from now on; with `isTold` the reader hears of it at once.
  mutating func publish(_ tag: [UInt8], _ bytes: [UInt8], isTold: Bool = true) {
    published.append((tag, bytes))
    if isTold { step(.solid(tag: tag, bytes: bytes, transaction: Reading.name(published.count - 1))) }
  }

  mutating func publish(_ message: SealedMessage) { publish(message.address.bytes, message.bytes) }

  mutating func publish(_ head: SealedHead?) {
    if let head { publish(head.tag, head.bytes) }
  }

  mutating func pass(_ seconds: Double) {
    now = now + .seconds(seconds)
    if timer <= now {
      timer = .never
      step(.fired(.patience))
    }
  }

  /// The numbers of all rows, by sensor, in the order in which they were handed on.
  func numbers(of id: String) -> [UInt64] {
    rows.filter { $0.sensor.id == id }.flatMap { message in message.rows.indices.map { message.first + UInt64($0) } }
  }

  func kinds(of id: String) -> [FeedReport.Kind] { reports.filter { $0.sensor == id }.map(\.kind) }
}

/// A sensor with three rows in a message.
struct Source {
  var writer: StreamWriter
  let id: String
  var next = 0

  init(_ id: String, mode: StreamMode = .public, seed: String? = nil, number: UInt64 = 0, height: Int = 2) {
    self.id = id
    let seed = StreamSeed(.sha256(of: Array((seed ?? id).utf8)))
    writer = StreamWriter(seed: seed, mode: mode, height: height, number: number, side: mode == .restricted ? Reading.side : nil)
  }

  func head(_ milliseconds: UInt64 = 1) -> SealedHead? {
    writer.head(Sensor(id: id, columns: ["a", "b"]), session: "farm", milliseconds: milliseconds)
  }

  mutating func message(_ change: String = "") -> SealedMessage {
    let rows = (0..<3).map { "\"\(next + $0),7\(change)\"" }.joined(separator: ",")
    defer { next += 3 }
    return writer.seal(Array("{\"first\":\(next),\"rows\":[\(rows)]}".utf8), milliseconds: UInt64(next))
  }
}

struct HarvestTests {
  @Test(arguments: StreamMode.allCases) func `rows come once each, in order, whatever the order of the messages`(mode: StreamMode)
    throws
  {
    for seed: UInt64 in 1...20 {
      var chance = Chance(seed: seed)
      var source = Source("s", mode: mode)
      var reading = Reading()
      reading.step(.started)
      if mode == .private {
        reading.step(.follow(Sensor(id: "s", columns: ["a", "b"]), source.writer.pointer))
      } else {
        reading.publish(source.head())
      }
      var messages = (0..<30).map { _ in source.message() }
      // Neighbours change places, and some come twice.
      for place in stride(from: 0, to: 28, by: 3) where chance.happens(0.7) {
        messages.swapAt(place, place + 1 + chance.below(2))
      }
      for message in messages {
        reading.publish(message)
        if chance.happens(0.3) { reading.publish(message) }
      }
      #expect(reading.numbers(of: "s") == Array(0..<90), "seed \(seed)")
      #expect(reading.rows.first?.rows[1].values == [1, 7])
      #expect(reading.reports.filter(\.isOffence).isEmpty, "seed \(seed): \(reading.reports)")
      #expect(reading.harvest.sensors[0].state.rows == 90 && reading.harvest.sensors[0].state.lost == 0)
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `whatever is late, lost, doubled, forged or killed, every row comes once and in order`(seed: UInt64) throws {
    var chance = Chance(seed: seed).fork("chaos")
    var sources = [StreamMode.public, .restricted, .public].enumerated().map { Source("s\($0)", mode: $1, seed: "\(seed) \($0)") }
    var thief = Source("s0", seed: "thief \(seed)")
    var (reading, past) = (Reading(), [FeedRows]())
    func restart() throws {
      past += reading.rows
      var kept: [String: FeedState] = [:]
      for state in reading.states { kept[state.sensor.id] = try FeedState(encoded: state.encoded) }
      var again = Reading(states: sources.compactMap { kept[$0.id] })
      (again.published, again.now) = (reading.published, reading.now)
      // What an earlier life had done is known to the next one by its states alone.
      again.states = sources.compactMap { kept[$0.id] }
      reading = again
      reading.step(.started)
    }
    reading.step(.started)
    for source in sources { reading.publish(source.head()) }
    var late: [SealedMessage] = []
    for round in 0..<25 {
      var batch = sources.indices.flatMap { number in (0..<1 + chance.below(3)).map { _ in sources[number].message() } }
      // Some messages take a round longer through the ledger, and come among those after them.
      let onTime = batch.filter { _ in round < 24 ? chance.happens(0.7) : true }
      (batch, late) = (onTime + late, batch.filter { message in !onTime.contains { $0.address == message.address } })
      chance.shuffle(&batch)
      for message in batch {
        if chance.happens(0.2) { reading.publish(message.address.bytes, Array(message.bytes.dropLast(1 + chance.below(9)))) }
        if chance.happens(0.1) { reading.publish(message.address.bytes, thief.message().bytes) }
        reading.publish(message)
        if chance.happens(0.2) { reading.publish(message) }
      }
      reading.pass(chance.uniform() * 4)
      if chance.happens(0.2) { try restart() }
    }
    for _ in 0..<20 { reading.pass(60) }
    try restart()
    let all = past + reading.rows
    for source in sources {
      let numbers = all.filter { $0.sensor.id == source.id }.flatMap { message in
        message.rows.indices.map { message.first + UInt64($0) }
      }
      #expect(numbers == Array(0..<UInt64(source.next)), "seed \(seed), \(source.id)")
    }
  }

  @Test func `a reader that was killed goes on from what it kept, also with what came meanwhile`() throws {
    var source = Source("s", mode: .restricted)
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    for _ in 0..<7 { reading.publish(source.message()) }
    for stop in reading.states {
      let kept = try FeedState(encoded: stop.encoded)
      #expect(kept == stop)
      var again = Reading(states: [kept])
      again.published = reading.published
      again.step(.started)
      #expect(again.numbers(of: "s") == Array(stop.rows..<21))
      again.publish(source.head(2))
      #expect(again.reports.isEmpty)
    }
  }

  @Test func `what went wrong with a stream, and when its last reading was made, outlives its reader`() throws {
    var source = Source("s")
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    for number in 0..<3 {
      let message = source.message()
      // Somebody says something under the sensor's address first, every time.
      reading.publish(message.address.bytes, Array("nothing of hers \(number)".utf8))
      reading.publish(message)
    }
    let record = reading.harvest.sensors[0]
    #expect(record.failures == 3 && record.lastMilliseconds > 0)
    let kept = try FeedState(encoded: try #require(reading.states.last).encoded)
    let again = Reading(states: [kept])
    #expect(again.harvest.sensors[0].failures == 3 && again.harvest.sensors[0].lastMilliseconds == record.lastMilliseconds)
    // Rows are counted without being read.
    for rows in reading.rows { #expect(FeedRows.count(encoded: rows.encoded) == rows.rows.count) }
    var odd = try #require(reading.rows.first)
    odd.sensor = Sensor(id: "]]", columns: ["[\"", "]\\"])
    odd.rows = ["[", "\"]", "\\"].map { FeedRow(fields: [$0, "],["]) }
    #expect(FeedRows.count(encoded: odd.encoded) == 3)
  }

  @Test func `another's messages and garbage under a sensor's address change nothing, and are counted and reported`() throws {
    var source = Source("s")
    var thief = Source("s", seed: "thief")
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    for round in 0..<6 {
      let own = source.message()
      reading.publish(own.address.bytes, [1, 2, 3])
      reading.publish(own.address.bytes, thief.message().bytes)
      reading.publish(own.address.bytes, Array(own.bytes.dropLast()))
      reading.publish(own)
      reading.publish(own.address.bytes, thief.message().bytes)
      #expect(reading.numbers(of: "s").count == 3 * (round + 1))
    }
    #expect(reading.numbers(of: "s") == Array(0..<18))
    #expect(reading.harvest.sensors[0].failures == 24 && reading.reports.filter(\.isOffence).count == 24)
    #expect(reading.reports.allSatisfy { $0.sensor == "s" && $0.description.contains("sensor s") })
  }

  @Test func `a sensor that forks its stream is reported and followed no further; others go on`() throws {
    var other = Source("other")
    for isEarly in [true, false] {
      var (one, fork) = (Source("s"), Source("s"))
      var reading = Reading()
      reading.step(.started)
      reading.publish(one.head())
      reading.publish(other.head())
      for _ in 0..<3 {
        _ = fork.message()
        reading.publish(one.message())
      }
      if isEarly { reading.publish(one.message()) }
      let second = fork.message("9")
      if isEarly { reading.publish(second) } else { for message in [one.message(), second] { reading.publish(message) } }
      #expect(reading.kinds(of: "s").contains(.forked(3)))
      for _ in 0..<5 {
        reading.publish(one.message())
        reading.publish(fork.message())
        reading.publish(other.message())
      }
      #expect(reading.numbers(of: "s") == Array(0..<12), "what was read before the fork stays, nothing after it comes")
      #expect(reading.harvest.sensors[0].isForked && reading.kinds(of: "other") == [.found])
      var again = Reading(states: [try #require(reading.states.last { $0.sensor.id == "s" })])
      again.published = reading.published
      again.step(.started)
      #expect(again.numbers(of: "s").isEmpty)
      #expect(reading.numbers(of: "other").count == 15)
      other = Source("other")
    }
  }

  @Test func `two streams under one name: the first keeps it, the second is reported; a session may name its sensors`() throws {
    var (first, second) = (Source("s"), Source("s", seed: "pretender"))
    var reading = Reading()
    reading.step(.started)
    reading.publish(first.head())
    reading.publish(second.head())
    for _ in 0..<4 {
      reading.publish(first.message())
      reading.publish(second.message())
    }
    #expect(reading.rows.allSatisfy { $0.channel == first.writer.channel } && reading.numbers(of: "s").count == 12)
    #expect(reading.kinds(of: "s") == [.found, .doubleTag])
    var strict = Reading { $0.allowed = [("s", second.writer.channel)] }
    strict.published = reading.published
    strict.step(.started)
    #expect(strict.kinds(of: "s") == [.stranger, .found])
    #expect(strict.rows.allSatisfy { $0.channel == second.writer.channel } && strict.numbers(of: "s").count == 12)
    reading.publish(Array("farm".utf8), Array("no head".utf8))
    #expect(reading.harvest.badHeads == 1)
  }

  @Test func `a message that does not come is waited for, gone over, and its rows handed on when it comes after all`() throws {
    var source = Source("s", mode: .private)
    var reading = Reading()
    reading.step(.follow(Sensor(id: "s", columns: ["a", "b"]), source.writer.pointer))
    reading.publish(source.message())
    let late = source.message()
    for _ in 0..<4 { reading.publish(source.message()) }
    #expect(reading.numbers(of: "s") == [0, 1, 2])
    reading.pass(29)
    #expect(reading.numbers(of: "s") == [0, 1, 2])
    reading.pass(2)
    #expect(reading.numbers(of: "s") == [0, 1, 2] + Array(6..<18))
    #expect(reading.kinds(of: "s") == [.found, .lost(1)] && reading.harvest.sensors[0].state.lost == 1)
    reading.publish(late)
    #expect(reading.rows.last?.isLate == true && reading.numbers(of: "s").suffix(3) == [3, 4, 5])
    reading.publish(late)
    reading.publish(source.message())
    #expect(reading.numbers(of: "s").sorted() == Array(0..<21) && reading.harvest.sensors[0].state.lost == 0)
  }

  @Test func `after so long an absence that messages are pruned, a newer head leads on, and the gap is told`() throws {
    var source = Source("s")
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    reading.publish(source.message())
    for _ in 0..<40 { _ = source.message() }
    reading.publish(source.head(9))
    reading.pass(31)
    for _ in 0..<3 { reading.publish(source.message()) }
    #expect(reading.numbers(of: "s") == [0, 1, 2] + Array(123..<132))
    #expect(reading.kinds(of: "s") == [.found, .lost(40)])
    // A newer head while messages come is nothing.
    reading.publish(source.head(10))
    reading.publish(source.message())
    reading.pass(60)
    #expect(reading.kinds(of: "s") == [.found, .lost(40)] && reading.numbers(of: "s").count == 15)
  }

  @Test func `messages further on that the ledger has are read before a head beyond them is followed`() throws {
    var source = Source("s", height: 5)
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    reading.publish(source.message())
    for _ in 1...12 { _ = source.message() }
    for _ in 13...19 { reading.publish(source.message()) }
    reading.publish(source.head(9))
    #expect(reading.numbers(of: "s") == [0, 1, 2])
    reading.pass(31)
    reading.pass(31)
    #expect(reading.numbers(of: "s") == [0, 1, 2] + Array(39..<60))
    #expect(reading.kinds(of: "s") == [.found, .lost(12)] && reading.harvest.sensors[0].state.lost == 12)
    reading.publish(source.message())
    #expect(reading.numbers(of: "s").suffix(3) == [60, 61, 62])
  }

  @Test func `a small gap before a newer head is counted as it is, and may still be filled`() throws {
    var source = Source("s")
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    reading.publish(source.message())
    let (late, _) = (source.message(), source.message())
    reading.publish(source.head(9))
    reading.pass(31)
    #expect(reading.kinds(of: "s") == [.found, .lost(2)] && reading.harvest.sensors[0].state.lost == 2)
    for _ in 0..<3 { reading.publish(source.message()) }
    reading.publish(late)
    #expect(reading.numbers(of: "s") == [0, 1, 2] + Array(9..<18) + [3, 4, 5])
    #expect(reading.harvest.sensors[0].state.lost == 1)
  }

  @Test func `a change in the level of a sensor is reported once, with its column`() throws {
    var source = Source("s")
    var reading = Reading { $0.drift.window = 30 }
    reading.step(.started)
    reading.publish(source.head())
    var chance = Chance(seed: 3)
    for message in 0..<60 {
      let rows = (0..<3).map { _ in "\"\(chance.normal() + (message < 30 ? 0 : 5)),\(chance.normal())\"" }.joined(separator: ",")
      reading.publish(source.writer.seal(Array("{\"first\":\(3 * message),\"rows\":[\(rows)]}".utf8), milliseconds: 0))
    }
    let drifts = reading.reports.compactMap { if case .drift(let drift) = $0.kind { drift } else { nil } }
    #expect(drifts.count == 1 && drifts[0].column == "a" && abs(drifts[0].deviations - 5) < 1.5)
  }

  @Test func `rows are split as RFC 4180 says, and payloads that are none are told`() throws {
    #expect(FeedRow.split(#"1,"a,b","say ""so""",,"""",x"#) == ["1", "a,b", "say \"so\"", "", "\"", "x"])
    var source = Source("s")
    var reading = Reading()
    reading.step(.started)
    reading.publish(source.head())
    for payload in [
      "", "[]", "{\"first\":-1,\"rows\":[]}", "{\"rows\":[]}", "{\"first\":0,\"rows\":[\"1,2\",{\"b\":3,\"a\":null},[4,5],6]}",
    ] {
      reading.publish(source.writer.seal(Array(payload.utf8), milliseconds: 0))
    }
    #expect(reading.kinds(of: "s").count == 5 && reading.harvest.sensors[0].failures == 4)
    #expect(reading.rows.flatMap(\.rows).map(\.fields) == [["1", "2"], ["", "3"], ["4", "5"], ["6"]])
  }
}
