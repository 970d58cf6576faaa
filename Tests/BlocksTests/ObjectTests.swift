import MurmurBlocks
import MurmurMachines
import MurmurWire
import Testing

/// Objects have the names that IPFS gives them, and come back as they were.
@Suite struct ObjectTests {
  @Test func `a small object is one raw block that shares its bytes`() throws {
    let built = Object.build(Array("hello world\n".utf8))
    #expect(built.root.description == "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4")
    #expect(built.blocks.count == 1)
    #expect(
      Object.build(Array("hello world".utf8)).root.description == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
    #expect(Object.build([]).root.description == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
  }

  /// The UnixFS specification's `multiblock.txt`: 1,026 bytes in chunks of 256, a root of 245 bytes.
  @Test func `the specification's file of five chunks has the specification's root`() throws {
    let leaves = [
      "bafkreie5noke3mb7hqxukzcy73nl23k6lxszxi5w3dtmuwz62wnvkpsscm",
      "bafkreih4ephajybraj6wnxsbwjwa77fukurtpl7oj7t7pfq545duhot7cq",
      "bafkreigu7buvm3cfunb35766dn7tmqyh2um62zcio63en2btvxuybgcpue",
      "bafkreicll3huefkc3qnrzeony7zcfo7cr3nbx64hnxrqzsixpceg332fhe",
      "bafkreifst3pqztuvj57lycamoi7z34b4emf7gawxs74nwrc2c7jncmpaqm",
    ]
    let sizes: [UInt64] = [256, 256, 256, 256, 2]
    let links = try zip(leaves, sizes).map { DAGNode.Link(try CID(parsing: $0), fileBytes: $1, totalBytes: $1) }
    let root = DAGNode(links: links).block()
    #expect(root.cid.description == "bafybeigcisqd7m5nf3qmuvjdbakl5bdnh4ocrmacaqkpuh77qjvggmt2sa")
    #expect(root.bytes.count == 245)
    let (node, inline) = try DAGNode.decode(root.bytes)
    #expect(node.links.map(\.cid) == links.map(\.cid) && node.fileBytes == 1_026 && inline.isEmpty)
  }

  @Test func `links are balanced: 174 to a node, one level more for one chunk more`() throws {
    let chunk = 16
    for (chunks, nodes) in [(1, 0), (2, 1), (174, 1), (175, 3), (174 * 174, 175), (174 * 174 + 1, 178)] {
      // Different bytes in every chunk, so that no two blocks are the same.
      var bytes: [UInt8] = []
      for number in 0..<chunks { for byte in 0..<chunk { bytes.append(byte < 4 ? UInt8(number >> (8 * byte) & 0xff) : 7) } }
      let built = Object.build(bytes, chunk: chunk)
      #expect(built.blocks.count { $0.cid.codec == .dagPB } == nodes, "\(chunks) chunks")
      #expect(built.blocks.count == chunks + nodes)
      #expect(built.blocks.last?.cid == built.root)
      var store = BlockStore()
      store.put(built)
      #expect(try Object.read(built.root, from: store) == bytes)
    }
  }

  @Test(arguments: Effort.seeds) func `what is built is read again, whatever its size`(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    let bytes = randomBytes(chance.below(2_000_000), seed: seed)
    let built = Object.build(bytes)
    var store = BlockStore()
    for block in built.blocks { #expect(block.cid.matches(block.bytes)) }
    chance.shuffleAndPut(built.blocks, into: &store)
    #expect(try Object.read(built.root, from: store) == bytes, "seed \(seed)")
    #expect(store.holdsAll(of: built.root))
    guard let lost = built.blocks.randomElement(using: &chance) else { return }
    store.remove(lost.cid)
    #expect(throws: ObjectError.missing(lost.cid)) { try Object.read(built.root, from: store) }
    #expect(store.missing(of: built.root) == [lost.cid])
  }

  @Test func `repeated chunks are stored once and read as often as they occur`() throws {
    let bytes = [UInt8](repeating: 42, count: 10 * Object.chunkBytes)
    let built = Object.build(bytes)
    #expect(built.blocks.count == 2)
    var store = BlockStore()
    store.put(built)
    #expect(try Object.read(built.root, from: store) == bytes)
    #expect(throws: ObjectError.tooLarge(built.root, bytes: UInt64(bytes.count), limit: 1_000)) {
      try Object.read(built.root, from: store, limit: 1_000)
    }
  }

  @Test func `nodes that are no files are refused by name`() {
    for hex in [
      "", "12240a2212207521fe19c374a97759226dc5c0c8e674e73950e81b211f7dd3b6b30883a08a51", "0a050001020304", "0a00",
      "120b0a09015500050001020304", "0a03010203", "0a020801",
    ] {
      let bytes = stride(from: 0, to: hex.utf8.count, by: 2).map { index in
        UInt8(String(Array(hex)[index...index + 1]), radix: 16) ?? 0
      }
      #expect(throws: WireError.self, "\(hex)") { try DAGNode.decode(bytes) }
    }
  }

  @Test func `hostile nodes never trap`() throws {
    let good = DAGNode(links: (0..<5).map { .init(CID(codec: .raw, hashing: [$0]), fileBytes: 3, totalBytes: 3) }).block().bytes
    var chance = Chance(seed: 77)
    for _ in 0..<Effort.inputs { _ = try? DAGNode.decode(mutated(good, &chance)) }
  }
}

extension Chance {
  mutating func shuffleAndPut(_ blocks: [Block], into store: inout BlockStore) {
    var blocks = blocks
    shuffle(&blocks)
    for block in blocks { store.put(block) }
  }
}

/// `bytes` with a few bytes changed, cut, doubled or inserted; sometimes noise altogether.
func mutated(_ bytes: [UInt8], _ chance: inout Chance) -> [UInt8] {
  if chance.happens(0.1) || bytes.isEmpty { return (0..<chance.below(64)).map { _ in UInt8(truncatingIfNeeded: chance.next()) } }
  var out = bytes
  for _ in 0...chance.below(4) where !out.isEmpty {
    let place = chance.below(out.count)
    switch chance.below(5) {
    case 0: out[place] = UInt8(truncatingIfNeeded: chance.next())
    case 1: out[place] ^= 1 << UInt8(chance.below(8))
    case 2: out.removeLast(chance.below(out.count))
    case 3: out.insert(contentsOf: out[place..<min(out.count, place + chance.below(40))], at: chance.below(out.count))
    default: out[place] = [0, 0x7f, 0x80, 0xff][chance.below(4)]
    }
  }
  return out
}
