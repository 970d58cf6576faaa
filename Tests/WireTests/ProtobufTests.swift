import MurmurMachines
import MurmurWire
import Testing

/// The doors to the generated messages.
@Suite struct ProtobufTests {
  @Test func `a pub sub frame survives the wire, unknown fields too if they are kept`() throws {
    var message = Murmur_Gossipsub_Message()
    message.from = .init(wire: [1, 2])
    message.data = .init(wire: Array("hello".utf8))
    message.topic = "t"
    var frame = Murmur_Gossipsub_Rpc()
    frame.publish = [message]
    var prune = Murmur_Gossipsub_Control.Prune()
    prune.topic = "t"
    prune.backoff = 60
    frame.control.prune = [prune]
    let bytes = frame.wire
    #expect(try Murmur_Gossipsub_Rpc(wire: bytes, what: "frame") == frame)
    let strange: [UInt8] = bytes + [0xa0, 0x06, 1]  // field 100
    #expect(try Murmur_Gossipsub_Rpc(wire: strange, what: "frame").wire == bytes)
    #expect(try Murmur_Gossipsub_Rpc(wire: strange, what: "frame", keepingUnknown: true).wire == strange)
  }

  @Test func `a scan counts fields and refuses what is too much`() throws {
    let bytes: [UInt8] = [0x0a, 2, 7, 8, 0x10, 0x96, 1, 0x0a, 0, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]
    var scan = ProtobufScan(bytes[...], what: "sample")
    var seen: [Int] = []
    while let field = try scan.next() { seen.append(field.number) }
    #expect(seen == [1, 2, 1, 3, 4])
    try ProtobufScan.bound(bytes[...], what: "sample", fields: 5, counting: [(1, 2)])
    #expect(throws: WireError.self) { try ProtobufScan.bound(bytes[...], what: "sample", fields: 4) }
    #expect(throws: WireError.self) { try ProtobufScan.bound(bytes[...], what: "sample", fields: 9, counting: [(1, 1)]) }
    for wrong: [UInt8] in [[0x0a, 5, 1], [0x0b], [0x00, 1], [0x80], [0x08] + [UInt8](repeating: 0xff, count: 11), [0x0d, 1]] {
      #expect(throws: WireError.self, "\(wrong)") { try ProtobufScan.bound(wrong[...], what: "sample", fields: 9) }
    }
  }

  @Test func `hostile frames never trap`() {
    var message = Murmur_Gossipsub_Message()
    message.data = .init(wire: [1, 2, 3])
    message.topic = "topic"
    var have = Murmur_Gossipsub_Control.IHave()
    have.topic = "topic"
    have.messageIds = [.init(wire: [1, 2, 3, 4]), .init(wire: [5])]
    var frame = Murmur_Gossipsub_Rpc()
    frame.publish = [message, message]
    frame.control.ihave = [have]
    let bytes = frame.wire
    var chance = Chance(seed: 6)
    for _ in 0..<Effort.inputs {
      let hostile = mutated(bytes, &chance)
      try? ProtobufScan.bound(hostile[...], what: "frame", fields: 100)
      _ = try? Murmur_Gossipsub_Rpc(wire: hostile, what: "frame", keepingUnknown: chance.happens(0.5))
    }
  }
}
