import MurmurBlocks
import MurmurMachines
import MurmurWire
import Testing

/// Bitswap messages mean the same as values and as bytes.
@Suite struct MessageTests {
  /// Any message that may be sent.
  private func message(_ chance: inout Chance) -> BitswapMessage {
    func cid(_ chance: inout Chance) -> CID {
      CID(codec: CID.Codec.allCases[chance.below(3)], digest: Digest(chance.next(), chance.next(), chance.next(), chance.next()))
    }
    var message = BitswapMessage(isFull: chance.happens(0.1), pendingBytes: chance.happens(0.3) ? chance.below(1 << 33) : 0)
    for _ in 0..<chance.below(5) * chance.below(30) {
      let priority = Int32(truncatingIfNeeded: chance.happens(0.5) ? chance.next() : chance.next() % 3)
      let kind: BitswapMessage.Want.Kind = [.block, .have, .cancel][chance.below(3)]
      message.wants.append(.init(cid(&chance), kind, priority: priority, sendDontHave: chance.happens(0.5)))
    }
    for _ in 0..<chance.below(4) {
      let size = [0, 1, 100, 127, 128, 5_000, 20_000][chance.below(7)]
      message.blocks.append(Block(randomBytes(size, seed: chance.next()), codec: CID.Codec.allCases[chance.below(3)]))
    }
    for _ in 0..<chance.below(4) * chance.below(30) { message.presences.append(.init(cid(&chance), has: chance.happens(0.5))) }
    return message
  }

  @Test(arguments: Effort.seeds) func `the counted size is the encoded size, and decoding gives the message back`(seed: UInt64)
    throws
  {
    var chance = Chance(seed: seed)
    for _ in 0..<20 {
      var message = message(&chance)
      let bytes = message.encode()
      #expect(bytes.count == message.wireSize, "seed \(seed)")
      message.pendingBytes = min(message.pendingBytes, Int(Int32.max))
      #expect(try BitswapMessage.decode(bytes) == message, "seed \(seed)")
    }
    #expect(BitswapMessage().wireSize == 0 && BitswapMessage().encode().isEmpty)
  }

  /// The bytes of a want for `hello world\n` as the schema of Bitswap 1.2.0 lays them out, put together by hand.
  @Test func `a want looks on the wire as the specification says`() throws {
    let cid = try CID(parsing: "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4")
    let entry: [UInt8] = [0x0a, 36] + cid.bytes + [0x10, 1, 0x28, 1]
    #expect(BitswapMessage(wants: [.init(cid)]).encode() == [0x0a, UInt8(entry.count + 2), 0x0a, UInt8(entry.count)] + entry)
    let data = Array("hello world\n".utf8)
    let payload: [UInt8] = [0x0a, 4, 1, 0x55, 0x12, 0x20, 0x12, 12] + data
    let block = BitswapMessage(blocks: [Block(data)])
    #expect(block.encode() == [0x1a, UInt8(payload.count)] + payload)
    #expect(try BitswapMessage.decode([0x12, 12] + data).blocks == [Block(data, codec: .dagPB)], "Bitswap 1.0.0")
  }

  @Test func `lines about foreign identifiers are skipped, the rest is read`() throws {
    let cid = CID(codec: .raw, hashing: [1])
    let foreign: [UInt8] = [0x0a, 8, 0x0a, 6, 0x0a, 4, 1, 0x71, 0x11, 0]  // dag-cbor, sha1
    let read = try BitswapMessage.decode(foreign + BitswapMessage(presences: [.init(cid, has: true)]).encode())
    #expect(read.wants.isEmpty && read.presences.count == 1)
  }

  @Test func `limits are refused by name before memory is taken`() {
    let entries = [UInt8](repeatElement([0x0a, 0] as [UInt8], count: 2_000).joined())
    var list: [UInt8] = [0x0a]
    Varint.append(UInt64(entries.count), to: &list)
    #expect(throws: WireError("Bitswap want-list", "field 1 appears more than 1024 times")) {
      try BitswapMessage.decode(list + entries)
    }
    let presences = [UInt8](repeatElement([0x22, 0] as [UInt8], count: 2_100).joined())
    #expect(throws: WireError.self) { try BitswapMessage.decode(presences) }
    #expect(throws: WireError.self) { try BitswapMessage.decode([UInt8](repeating: 0, count: BitswapMessage.mostBytes + 1)) }
    let large = BitswapMessage(blocks: [Block([UInt8](repeating: 0, count: Block.mostBytes + 1))]).encode()
    #expect(throws: WireError.self) { try BitswapMessage.decode(large) }
    #expect(throws: WireError.self, "two want-lists would escape the count") { try BitswapMessage.decode([0x0a, 0, 0x0a, 0]) }
  }

  @Test func `hostile messages never trap`() {
    var chance = Chance(seed: 5)
    for _ in 0..<Effort.inputs / 20 {
      let bytes = message(&chance).encode()
      for _ in 0..<20 {
        guard let read = try? BitswapMessage.decode(mutated(bytes, &chance)) else { continue }
        let again = read.encode()
        #expect(again.count == read.wireSize)
      }
    }
  }
}
