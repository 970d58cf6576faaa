import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What older and newer versions of Bitswap say, byte for byte as go-bitswap writes it.
@Suite struct VersionTests {
  private let raw = Block(Array("hello world\n".utf8))
  private let node = DAGNode(links: [.init(Block([1]).cid, fileBytes: 1, totalBytes: 1)]).block()

  /// A field with bytes behind their length.
  private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    var out = [number << 3 | 2]
    Varint.append(UInt64(content.count), to: &out)
    return out + content
  }

  /// go-bitswap writes the want-list of every message, also an empty one, and priorities from 2³¹ − 1 downwards.
  @Test func `a want-list of Kubo is read line by line, whole or as changes`() throws {
    let priority: [UInt8] = [0x10, 0xff, 0xff, 0xff, 0xff, 0x07]
    let have = field(1, field(1, raw.cid.bytes) + priority + [0x20, 1, 0x28, 1])
    let block = field(1, field(1, node.cid.bytesOfVersion0) + priority + [0x28, 1])
    let cancel = field(1, field(1, raw.cid.bytes) + [0x18, 1])
    let changes = try BitswapMessage.decode(field(1, have + block + cancel))
    #expect(!changes.isFull && changes.wants.map(\.kind) == [.have, .block, .cancel])
    #expect(changes.wants.map(\.priority) == [.max, .max, 0])
    #expect(changes.wants.map(\.sendDontHave) == [true, true, false])
    #expect(changes.wants.map(\.isVersion0) == [false, true, false])
    #expect(changes.wants.map(\.cid) == [raw.cid, node.cid, raw.cid])
    #expect(try BitswapMessage.decode(field(1, have + [0x10, 1])).isFull)
    #expect(changes.encode() == field(1, have + block + cancel), "and we write the same")
  }

  @Test func `blocks and presences of Kubo are read under the names it uses`() throws {
    let payload = field(3, field(1, [0, 0x70, 0x12, 0x20]) + field(2, node.bytes))
    let presences = field(4, field(1, node.cid.bytesOfVersion0)) + field(4, field(1, raw.cid.bytes) + [0x10, 1])
    let message = try BitswapMessage.decode([0x0a, 0] + payload + presences + [0x28, 0x80, 0x80, 0x10])
    #expect(message.blocks == [node] && message.blocks[0].isVersion0 && message.blocks[0].isVerified)
    #expect(message.presences == [.init(node.cid, has: true, isVersion0: true), .init(raw.cid, has: false)])
    #expect(message.pendingBytes == 262_144)
    #expect(message.encode() == payload + presences + [0x28, 0x80, 0x80, 0x10])
  }

  @Test func `who asks by a name of version 0 is answered by it`() throws {
    let object = Importer.kuboFile(randomBytes(600_000, seed: 1))
    var store = BlockStore()
    for block in object { store.put(block) }
    var exchange = Exchange(store: store)
    var chance = Chance(seed: 1)
    var effects = Effects<Exchange.Effect>()
    var message = BitswapMessage(wants: object.map { .init($0.cid, $0 == object[1] ? .have : .block) })
    message.wants.append(.init(Block([9], codec: .dagPB).cid))
    for index in message.wants.indices { message.wants[index].isVersion0 = true }
    let asked = try BitswapMessage.decode(message.encode())
    #expect(asked == message)
    exchange.step(.received(from: PeerID(simulated: 1), asked), at: .origin, chance: &chance, effects: &effects)
    var blocks: [Block] = []
    var presences: [BitswapMessage.Presence] = []
    for effect in effects.take() {
      guard case .send(_, let answer) = effect else { continue }
      #expect(try BitswapMessage.decode(answer.encode()).blocks.allSatisfy(\.isVersion0))
      blocks += answer.blocks
      presences += answer.presences
    }
    #expect(blocks.count == object.count - 1 && blocks.allSatisfy(\.isVersion0))
    #expect(presences.count == 2 && presences.allSatisfy(\.isVersion0))
  }

  @Test func `each version is told what it understands`() throws {
    let message = BitswapMessage(
      wants: [.init(raw.cid, .have), .init(node.cid)], blocks: [raw], presences: [.init(raw.cid, has: true)], pendingBytes: 5)
    let (new, middle, old) = (message.encode(for: .v12), message.encode(for: .v11), message.encode(for: .v10))
    #expect(new == message.encode())
    let read = try BitswapMessage.decode(try #require(middle))
    #expect(read.wants.map(\.kind) == [.block, .block] && read.wants.allSatisfy { !$0.sendDontHave })
    #expect(read.presences.isEmpty && read.blocks == [raw] && read.pendingBytes == 5)
    #expect(old == message.encode(for: .unversioned))
    #expect(try #require(old).suffix(14) == [0x12, 12] + raw.bytes)
    #expect(BitswapMessage(presences: [.init(raw.cid, has: true)]).encode(for: .v11) == nil, "nothing is left to say")
    #expect(BitswapVersion.preference.first == "/ipfs/bitswap/1.2.0")
  }

  @Test func `a stream is cut into messages however it arrives, and long ones are refused at their length`() throws {
    var chance = Chance(seed: 2)
    let messages = (0..<50).map { randomBytes(chance.below(3) * chance.below(40_000), seed: UInt64($0)) }
    let stream = messages.flatMap { BitswapFrames.frame($0) }
    var frames = BitswapFrames()
    var read: [[UInt8]] = []
    var place = 0
    while place < stream.count {
      let count = min(stream.count - place, 1 + chance.below(30_000))
      frames.append(stream[place..<place + count])
      place += count
      while let message = try frames.next() { read.append(message) }
    }
    #expect(read == messages && frames.held == 0)
    var long: [UInt8] = []
    Varint.append(UInt64(BitswapMessage.mostBytes + 1), to: &long)
    frames.append(long)
    #expect(throws: WireError.self) { try frames.next() }
    var endless = BitswapFrames()
    endless.append([UInt8](repeating: 0x80, count: 9))
    #expect(throws: WireError.self) { try endless.next() }
  }
}

extension Importer {
  /// The blocks of a file as Kubo cuts it by default.
  static func kuboFile(_ bytes: [UInt8]) -> [Block] {
    var importer = Importer(.kubo)
    var blocks: [Block] = []
    importer.append(bytes) { blocks.append($0) }
    _ = importer.finish { blocks.append($0) }
    return blocks
  }
}
