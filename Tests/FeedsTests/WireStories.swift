import Foundation
import MurmurFeeds
import MurmurMachines
import MurmurWire
import Testing

@Suite struct WireStories {
  static func bytes(_ count: Int, _ chance: inout Chance) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
  }

  static func names(_ chance: inout Chance) -> [Digest] { (0..<chance.below(5)).map { _ in .sha256(of: bytes(3, &chance)) } }

  static func message(_ chance: inout Chance) -> FeedMessage {
    switch chance.below(9) {
    case 0: .hello(session: ["s", "a session", ""][chance.below(3)])
    case 1: .publish(tag: bytes(chance.below(65), &chance), content: bytes(chance.below(200), &chance))
    case 2: .ask(names(&chance).map { FeedKey(tag: [1, 2, 3], name: $0) })
    case 3:
      .welcome(
        FeedWelcome(
          session: "s", contentBytes: chance.below(FeedLimits.contentBytes), window: chance.below(FeedLimits.window),
          problem: chance.happens(0.5) ? nil : "no"))
    case 4: .held(names(&chance))
    case 5: .confirmed(names(&chance))
    case 6: .unknown(names(&chance))
    case 7: .refused(.sha256(of: [1]), FeedRefusal.allCases[chance.below(4)])
    default: .slow(.milliseconds(Double(chance.below(10_000))))
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>) func `what is encoded comes back`(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    for _ in 0..<20 {
      let message = Self.message(&chance)
      #expect(try FeedMessage.decode(message.encode()) == message, "seed \(seed)")
    }
  }

  @Test func `a packet costs few bytes more than it has`() {
    let frame = FeedMessage.publish(tag: [UInt8](repeating: 1, count: 32), content: [UInt8](repeating: 2, count: 37_800)).encode()
    #expect(frame.count - 37_800 < 50)
  }

  @Test func `what is beyond the limits is refused`() {
    let name = Digest.sha256(of: [1])
    let beyond: [FeedMessage] = [
      .hello(session: String(repeating: "x", count: FeedLimits.sessionBytes + 1)),
      .publish(tag: [UInt8](repeating: 1, count: FeedLimits.tagBytes + 1), content: []),
      .publish(tag: [], content: [UInt8](repeating: 1, count: FeedLimits.contentBytes + 1)),
      .ask([FeedKey](repeating: FeedKey(tag: [], name: name), count: FeedLimits.names + 1)),
      .held([Digest](repeating: name, count: FeedLimits.names + 1)),
      .welcome(FeedWelcome(session: "s", window: FeedLimits.window + 1)),
      .welcome(FeedWelcome(session: "s", window: 1, problem: String(repeating: "x", count: FeedLimits.problemBytes + 1))),
    ]
    for message in beyond { #expect(throws: WireError.self) { try FeedMessage.decode(message.encode()) } }
    #expect(throws: WireError.self) { try FeedMessage.decode([]) }
    #expect(throws: WireError.self) { try FeedMessage.decode([UInt8](repeating: 0, count: FeedLimits.frameBytes + 1)) }
    let full = FeedMessage.ask(
      [FeedKey](repeating: FeedKey(tag: [UInt8](repeating: 1, count: 64), name: name), count: FeedLimits.names))
    #expect((try? FeedMessage.decode(full.encode())) == full)
  }

  @Test func `mutated and random bytes are refused or read, never a crash`() throws {
    let seed: UInt64 = 20_261_121
    var chance = Chance(seed: seed)
    let rounds = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    var read = 0
    for round in 0..<rounds {
      var bytes = Self.message(&chance).encode()
      if chance.happens(0.1) { bytes = Self.bytes(chance.below(99), &chance) }
      for _ in 0..<chance.below(4) where !bytes.isEmpty {
        let place = chance.below(bytes.count)
        switch chance.below(4) {
        case 0: bytes[place] = UInt8(chance.below(256))
        case 1: bytes[place] ^= 1 << UInt8(chance.below(8))
        case 2: bytes.removeLast(chance.below(bytes.count))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + chance.below(20))], at: place)
        }
      }
      guard let message = try? FeedMessage.decode(bytes) else { continue }
      read += 1
      #expect(try FeedMessage.decode(message.encode()) == message, "seed \(seed), round \(round)")
    }
    #expect(read > rounds / 10 && read < rounds)
  }
}
