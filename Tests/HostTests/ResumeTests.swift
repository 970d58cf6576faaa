import Foundation
import MurmurFeeds
import MurmurHost
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurStorage
import MurmurStreams
import MurmurWire
import Testing

/// How a peer takes up what an earlier life kept. `MURMUR_RESUME` gives the megabytes of transactions; a ledger's room is 64.
@Suite struct ResumeTests {
  static let megabytes = ProcessInfo.processInfo.environment["MURMUR_RESUME"].flatMap { Int($0) } ?? 1

  static func keys(_ number: Int) -> KeyPair { KeyPair(seed: .sha256(of: [UInt8(number)])) }

  static func configuration() -> Ledger.Configuration {
    var configuration = Ledger.Configuration(session: "s")
    (configuration.quorum, configuration.baseDifficulty) = (1, 4)
    return configuration
  }

  /// Two peers that issue in turn, a transaction a second, and hear each other; what the first one wants kept goes to `keep`.
  static func fill(_ count: Int, payload: Int, keep: (Store.LedgerChange) throws -> Void) rethrows -> Instant {
    var ledgers = (0..<2).map { Ledger(id: keys($0).peerID, keys: keys($0), configuration: configuration()) }
    var (chance, now) = (Chance(seed: 1), Instant.origin + .seconds(1_000))
    for number in 0..<count {
      now = now + .seconds(1)
      var inputs: [(Int, Ledger.Input)] = [
        (
          number % 2,
          .issue(tag: [UInt8](repeating: UInt8(number & 255), count: 32), payload: [UInt8](repeating: 7, count: payload))
        )
      ]
      while !inputs.isEmpty {
        let (peer, input) = inputs.removeFirst()
        var effects = Effects<Ledger.Effect>()
        ledgers[peer].step(input, at: now, chance: &chance, effects: &effects)
        for effect in effects.list {
          switch effect {
          case .work(let challenge): if let nonce = challenge.solve() { inputs.append((peer, .worked(challenge, nonce: nonce))) }
          case .publish(let bytes): inputs.append((1 - peer, .gossiped(from: nil, bytes)))
          case .keep(let id, let bytes): if peer == 0 { try keep(.keep(id, bytes)) }
          default: break
          }
        }
      }
    }
    return now
  }

  /// A message's rows, as a reader of a stream gets them.
  static func rows(_ count: Int, message: Int) throws -> FeedRows {
    var rows: [JSONValue] = []
    for row in 0..<count { rows.append(.array((0..<4).map { .string("\(row * 7 + $0)") })) }
    let json = JSONValue.object([
      ("id", .string("soil")), ("format", .string("csv")), ("columns", .array(["a", "b", "c", "state"].map { .string($0) })),
      ("channel", .string(Multibase.base16.encode(Digest.sha256(of: [1]).bytes))), ("message", .number("\(message)")),
      ("first", .number("\(message * count)")), ("time", .number("1")), ("rows", .array(rows)),
    ])
    return try FeedRows(encoded: Array(json.text.utf8))
  }

  @Test func `a ledger's whole room and the last rows are taken up, and how long that takes is said`() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/murmur-resume-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try Store(at: folder)
    var changes: [Store.LedgerChange] = []
    let count = Self.megabytes << 10
    let now = try Self.fill(count, payload: 700) { change in
      changes.append(change)
      if changes.count == 1_000 {
        try store.change(ledger: "s", changes)
        changes = []
      }
    }
    try store.change(ledger: "s", changes)
    let messages = Self.megabytes << 10
    for start in stride(from: 0, to: messages, by: 256) {
      try store.save(
        (start..<start + 256).map { number in
          // Keys in another order than the messages.
          let key = "\(number * 40_503 & 0xffff)"
          return SavedState(area: "feed/rows/s", key: key, value: try Self.rows(50, message: number).encoded)
        })
      try store.save([SavedState(area: "feed/rows/other", key: [1], value: try Self.rows(50, message: 1).encoded)])
    }
    let begun = ContinuousClock.now
    let kept = try FeedInheritance(store, session: "s")
    let whole = try FeedInheritance.ledger(store, session: "s")
    #expect(whole.complaints == [])
    let read = ContinuousClock.now
    var station = Station(
      ledger: Ledger(id: Self.keys(0).peerID, keys: Self.keys(0), configuration: Self.configuration()),
      gateway: Gateway(Gateway.Configuration(session: "s")), harvest: Harvest(Harvest.Configuration(session: "s")),
      chance: Chance(seed: 2))
    var (chance, effects) = (Chance(seed: 3), Effects<Station.Effect>())
    station.step(.restored(whole.transactions, whole.snapshot), at: now, chance: &chance, effects: &effects)
    station.step(.started, at: now, chance: &chance, effects: &effects)
    let restored = ContinuousClock.now
    #expect(station.ledger.holdings.transactions == count && station.ledger.holdings.unconfirmed <= 2)
    var numbers: [UInt64] = []
    let most = min(20_000, messages * 25)
    try kept.recall(store, session: "s", rows: most) { rows in
      numbers.append(rows.message)
      return true
    }
    let recalled = ContinuousClock.now
    #expect(numbers == (messages - most / 50..<messages).map { UInt64($0) }, "the last rows, in the order in which they came")
    print(
      "\(count) transactions, \(station.ledger.holdings.bytes) bytes: read in \(read - begun), restored in \(restored - read);",
      "\(numbers.count) of \(messages) messages with rows recalled in \(recalled - restored)")
    try store.close()
  }

  @Test func `what of a ledger's store cannot be read is said, and the rest is there`() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/murmur-resume-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try Store(at: folder)
    var changes: [Store.LedgerChange] = []
    _ = Self.fill(20, payload: 10) { changes.append($0) }
    guard case .keep(let damaged, let bytes) = changes[3] else {
      Issue.record("the fourth change keeps nothing")
      return
    }
    changes[3] = .keep(damaged, Array(bytes.dropLast(4)))
    changes.append(.prune([], snapshot: [1, 2, 3]))
    try store.change(ledger: "s", changes)
    let kept = try FeedInheritance.ledger(store, session: "s")
    #expect(kept.transactions.count == changes.count - 2 && kept.snapshot == nil)
    #expect(
      kept.complaints.count == 2 && kept.complaints[0].contains("1 of \(changes.count - 1)")
        && kept.complaints[1].contains("snapshot"))
    try store.close()
  }
}
