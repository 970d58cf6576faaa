import Foundation
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurStorage
import MurmurWire
import Testing

/// A year of one reading a second, in packets of fifty: 630,000 transactions through a ledger and its rows. Each run does a part of it, with
/// the room to keep in proportion; `MURMUR_YEAR=630000` does all of it in the default room.
@Suite(.serialized) struct YearTests {
  private static let whole = 630_000
  private static let count = ProcessInfo.processInfo.environment["MURMUR_YEAR"].flatMap { Int($0) } ?? 4_000

  /// Fifty readings of about thirty bytes, and what a stream adds.
  private static let payload = 50 * 30 + 600

  private static func configuration() -> Ledger.Configuration {
    var configuration = Ledger.Configuration(session: "year")
    configuration.baseDifficulty = 0
    configuration.keepTime = .minutes(60 * 24 * 365)
    configuration.limits.bytes = max(configuration.limits.bytes * count / whole, 1 << 20)
    return configuration
  }

  private static func ledger(_ number: Int, _ configuration: Ledger.Configuration) -> Ledger {
    let keys = KeyPair(seed: .sha256(of: [UInt8(number)]))
    return Ledger(id: keys.peerID, keys: keys, configuration: configuration)
  }

  @Test func `the store of a year is bounded, and its ledger goes on within a second`() throws {
    let folder = try Folder("year")
    let configuration = YearTests.configuration()
    // Three gateways in turn, so that each confirms what the others issue; one of them has the disk.
    var ledgers = (0..<3).map { YearTests.ledger($0, configuration) }
    var chance = Chance(seed: 1), now = Instant.origin + .seconds(1)
    var pending: [Store.LedgerChange] = []
    var sizes: [UInt64] = []
    do {
      let store = try Store(at: folder.path)
      for number in 0..<3 { step(&ledgers[number], .started, now, &chance) { _ in } }
      for packet in 0..<YearTests.count {
        now = now + .seconds(50)
        var made: [UInt8] = []
        let payload = randomBytes(YearTests.payload, seed: UInt64(packet))
        step(&ledgers[packet % 3], .issue(tag: Array("\(packet)".utf8), payload: payload), now, &chance) { effect in
          if case .publish(let bytes) = effect { made = bytes }
          if packet % 3 == 0 { YearTests.keep(effect, &pending) }
        }
        for other in 0..<3 where other != packet % 3 {
          step(&ledgers[other], .gossiped(from: nil, made), now, &chance) { if other == 0 { YearTests.keep($0, &pending) } }
        }
        if packet % 100 == 99 {
          try store.change(ledger: "year", pending)
          pending = []
        }
        if packet % (YearTests.count / 20) == 0 { sizes.append(YearTests.size(folder.path)) }
      }
      try store.change(ledger: "year", pending)
      sizes.append(YearTests.size(folder.path))
      // Killed, that is, not closed; a copy is what the next start finds.
    }
    var resumed = YearTests.ledger(0, configuration)
    let time = try ContinuousClock().measure {
      let rows = try Store(at: folder.path).rows(ofLedger: "year")
      let kept = try rows.transactions.map { try Transaction(reading: $0) }
      let snapshot = try rows.snapshot.map { try LedgerSnapshot.decode($0) }
      step(&resumed, .restored(kept, snapshot), now, &chance) { _ in }
      step(&resumed, .started, now, &chance) { _ in }
    }
    let holdings = resumed.holdings
    print(
      "a year's \(YearTests.count) packets: \(holdings.transactions) kept, \(holdings.bytes) bytes; files of \(sizes) bytes; resumed in \(time)"
    )
    #expect(Set(resumed.transactions) == Set(ledgers[0].transactions))
    #expect(holdings.bytes <= configuration.limits.bytes && holdings.transactions > 100)
    #expect(sizes[20] < sizes[12] + sizes[12] / 4 + 5_000_000, "it does not grow any more")
    #expect(time < .seconds(4))
  }

  private func step(
    _ ledger: inout Ledger, _ input: Ledger.Input, _ now: Instant, _ chance: inout Chance, _ perform: (Ledger.Effect) -> Void
  ) {
    var effects = Effects<Ledger.Effect>()
    ledger.step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.list {
      perform(effect)
      if case .work(let challenge) = effect {
        step(&ledger, .worked(challenge, nonce: challenge.solve() ?? 0), now, &chance, perform)
      }
    }
  }

  private static func keep(_ effect: Ledger.Effect, _ pending: inout [Store.LedgerChange]) {
    switch effect {
    case .keep(let id, let bytes): pending.append(.keep(id, bytes))
    case .prune(let ids, let snapshot): pending.append(.prune(ids, snapshot: snapshot.encode()))
    default: return
    }
  }

  private static func size(_ path: String) -> UInt64 {
    ["index.sqlite", "index.sqlite-wal"].reduce(0) { sum, name in
      let found = try? FileManager.default.attributesOfItem(atPath: path + "/" + name)[.size] as? UInt64
      return sum + (found ?? 0)
    }
  }
}
