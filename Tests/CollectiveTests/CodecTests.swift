import Foundation
import MurmurCollective
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

@Suite("What peers of a session say, in bytes")
struct CodecTests {
  static func announcement(_ chance: inout Chance) -> Announcement {
    Announcement(
      peer: PeerID(simulated: chance.below(1000)), root: CID(codec: .raw, hashing: [UInt8(chance.below(256))]),
      cycle: UInt32(chance.below(3) == 0 ? 0 : chance.below(1 << 20)),
      made: Instant(nanoseconds: Int64(chance.below(1 << 40)) * 1000), accuracy: Float(chance.below(101)) / 100,
      loss: Float(chance.below(3)), rows: UInt32(chance.below(500)), held: chance.happens(0.5))
  }

  @Test("what is encoded comes back, and its size was known before", arguments: 0..<40)
  func roundTrip(seed: Int) throws {
    var chance = Chance(seed: UInt64(seed))
    let count = chance.below(CollectiveMessage.announcementLimit + 1)
    let message = CollectiveMessage.news((0..<count).map { _ in Self.announcement(&chance) }, wantsReply: chance.happens(0.5))
    let bytes = message.encode()
    #expect(bytes.count == message.wireSize, "seed \(seed)")
    #expect(try CollectiveMessage.decode(bytes) == message, "seed \(seed)")
    for notice in [
      Notice.model(Self.announcement(&chance)), .hashlist(CID(codec: .dagPB, hashing: [1]), slices: 7),
      .used(CID(codec: .raw, hashing: [2])),
    ] {
      #expect(try Notice.decode(notice.encode()) == notice, "seed \(seed)")
    }
  }

  @Test("a message with too many announcements is refused, not truncated")
  func tooMany() {
    var chance = Chance(seed: 1)
    let one = Self.announcement(&chance)
    let message = CollectiveMessage.news(Array(repeating: one, count: CollectiveMessage.announcementLimit + 1), wantsReply: false)
    #expect(throws: WireError.self) { try CollectiveMessage.decode(message.encode()) }
  }

  @Test("mutated and random bytes are refused or read, never a crash")
  func fuzz() {
    let seed: UInt64 = 20_261_121
    var chance = Chance(seed: seed)
    let rounds = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    var read = 0
    for _ in 0..<rounds {
      var bytes: [UInt8]
      if chance.happens(0.2) {
        bytes = (0..<chance.below(200)).map { _ in UInt8(chance.below(256)) }
      } else {
        let news = (0..<chance.below(4)).map { _ in Self.announcement(&chance) }
        switch chance.below(3) {
        case 0: bytes = CollectiveMessage.news(news, wantsReply: true).encode()
        case 1:
          let signature = [UInt8](repeating: 7, count: 64)
          bytes = CollectiveMessage.sealed(news.map { SealedAnnouncement($0, signature: signature) }, wantsReply: true).encode()
        default: bytes = Notice.model(Self.announcement(&chance)).encode()
        }
        for _ in 0..<(1 + chance.below(4)) where !bytes.isEmpty { bytes[chance.below(bytes.count)] = UInt8(chance.below(256)) }
        if chance.happens(0.2) { bytes.removeLast(chance.below(bytes.count + 1)) }
      }
      if (try? CollectiveMessage.decode(bytes)) != nil { read += 1 }
      if (try? Notice.decode(bytes)) != nil { read += 1 }
    }
    #expect(read > 0 && read < 2 * rounds, "seed \(seed): some mutations leave a message readable, most do not")
  }
}
