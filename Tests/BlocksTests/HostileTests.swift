import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Peers that break the rules harm nobody but themselves.
@Suite struct HostileTests {
  @Test func `forged bytes are refused and reported, and an honest peer is asked instead`() throws {
    let bytes = randomBytes(5_000, seed: 1)
    let model = Object.build(bytes)
    var honest = BlockStore()
    honest.put(model)
    var net = Network([BlockStore(), BlockStore(), honest], seed: 1)
    net.dead = [1]
    net.give(.want(root: model.root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
    let forged = Block(claimed: model.root, bytes: randomBytes(5_000, seed: 2))
    net.give(.received(from: Network.id(1), BitswapMessage(blocks: [forged])), to: 0)
    #expect(net.reports.map(\.offence) == [.forgedBlock(model.root)])
    #expect(!net.peers[0].store.has(model.root))
    net.run()
    #expect(try Object.read(model.root, from: net.peers[0].store) == bytes)
    #expect(net.peers[0].ledger(of: Network.id(1))?.received == 0)
  }

  @Test func `a claimed block with the right bytes is taken`() {
    let model = Object.build(randomBytes(5_000, seed: 3))
    var net = Network([BlockStore(), BlockStore()], seed: 1)
    net.give(.want(root: model.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.give(
      .received(from: Network.id(1), BitswapMessage(blocks: [Block(claimed: model.root, bytes: model.blocks[0].bytes)])), to: 0)
    #expect(net.completed.count == 1 && net.reports.isEmpty)
  }

  @Test func `unsolicited blocks are not stored, earn no credit and are reported`() {
    var net = Network([BlockStore(), BlockStore()], seed: 1)
    for number in 0..<200 {
      net.give(.received(from: Network.id(1), BitswapMessage(blocks: [Block([UInt8(number), 1])])), to: 0)
    }
    #expect(net.peers[0].store.count == 0)
    #expect(net.peers[0].ledger(of: Network.id(1))?.received == 0)
    #expect(net.reports.map(\.offence) == [.unsolicitedBlocks, .unsolicitedBlocks, .unsolicitedBlocks], "once for every 64")
  }

  @Test func `a want-list beyond the limit is refused whole; within it the queue stays bounded`() {
    var store = BlockStore()
    var wants: [BitswapMessage.Want] = []
    for number in 0..<1_500 {
      let block = Block(Array(repeating: UInt8(number & 0xff), count: 2_000) + [UInt8(number >> 8)])
      store.put(block)
      wants.append(.init(block.cid))
    }
    var limits = Limits()
    limits.windowBytesPerPeer = 100_000
    var net = Network([store, BlockStore()], seed: 1, limits: limits)
    net.give(.received(from: Network.id(1), BitswapMessage(wants: wants)), to: 0)
    #expect(net.reports.map(\.offence) == [.oversizedMessage] && net.traffic.isEmpty)
    for start in stride(from: 0, to: 1_500, by: 500) {
      net.give(.received(from: Network.id(1), BitswapMessage(wants: Array(wants[start..<start + 500]))), to: 0)
    }
    let sent = net.traffic.reduce(0) { $0 + $1.message.blocks.count }
    let denied = net.traffic.reduce(0) { $0 + $1.message.presences.count { !$0.has } }
    #expect(sent < 60, "one window's worth, not \(sent) blocks")
    #expect(denied + sent + limits.ordersPerPeer == 1_500)
    #expect(net.traffic.contains { $0.message.pendingBytes > 1_000_000 })
    net.give(.disconnected(Network.id(1)), to: 0)
    let before = net.traffic.count
    net.run()
    #expect(net.traffic.count == before, "nothing is sent to who left")
  }

  @Test func `a root that is no file, or lies about its parts, is fetched but cannot be read`() {
    let odd = Block([1, 2, 3], codec: .dagPB)
    let leaf = Block(randomBytes(100, seed: 4))
    let liar = DAGNode(links: [.init(leaf.cid, fileBytes: 99, totalBytes: 100)]).block()
    var store = BlockStore()
    for block in [odd, leaf, liar] { store.put(block) }
    #expect(throws: ObjectError.self) { try Object.read(odd.cid, from: store) }
    #expect(throws: ObjectError.wrongSize(leaf.cid, says: 99)) { try Object.read(liar.cid, from: store) }
    var net = Network([BlockStore(), store], seed: 1)
    net.give(.want(root: odd.cid, providers: [Network.id(1)], deadline: nil), to: 0)
    net.give(.want(root: liar.cid, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 2)
  }

  @Test func `a bomb of nested links is refused before memory is taken for it`() {
    var store = BlockStore()
    var block = Block(randomBytes(1_000, seed: 5))
    var size: UInt64 = 1_000
    store.put(block)
    for _ in 0..<30 {
      block = DAGNode(links: [DAGNode.Link](repeating: .init(block.cid, fileBytes: size, totalBytes: size), count: 2)).block()
      size *= 2
      store.put(block)
    }
    #expect(throws: ObjectError.self) { try Object.read(block.cid, from: store) }
    #expect(store.holdsAll(of: block.cid))
  }

  @Test func `a few blocks that stand for gigabytes end the fetch with the root`() {
    let leaf = Block(randomBytes(Block.mostBytes, seed: 7))
    let size = UInt64(leaf.bytes.count)
    let root = DAGNode(links: [DAGNode.Link](repeating: .init(leaf.cid, fileBytes: size, totalBytes: size), count: 2_000)).block()
    var store = BlockStore()
    for block in [leaf, root] { store.put(block) }
    var net = Network([BlockStore(), store], seed: 1)
    net.give(.want(root: root.cid, providers: [Network.id(1)], deadline: nil, mostBytes: 3 << 20), to: 0)
    net.run()
    #expect(net.failed.map(\.failure.reason) == [.tooLarge] && net.completed.isEmpty)
    #expect(!net.peers[0].store.has(leaf.cid), "it need not come to be refused")
    // The root is here now, and is not believed the next time either; without a limit both blocks come.
    net.give(.want(root: root.cid, providers: [Network.id(1)], deadline: nil, mostBytes: 3 << 20), to: 0)
    #expect(net.failed.map(\.failure.reason) == [.tooLarge, .tooLarge])
    net.give(.want(root: root.cid, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1 && net.peers[0].store.pinnedBytes == 0)
  }

  @Test func `an object that never ends is fetched to its limit and no further, in memory and to the disk`() {
    let leaves = (0..<400).map { Block(randomBytes(20_000, seed: UInt64(100 + $0))) }
    let size = UInt64(20_000)
    let many = DAGNode(links: leaves.map { .init($0.cid, fileBytes: size, totalBytes: size) }).block()
    // The root says that it is small.
    let root = DAGNode(links: [.init(many.cid, fileBytes: 1_000, totalBytes: 1_000)]).block()
    for keeping in [Exchange.Keeping.memory, .disk] {
      var store = BlockStore()
      for block in leaves + [many, root] { store.put(block) }
      var net = Network([BlockStore(memory: 100_000), store], seed: 1)
      net.give(
        .want(root: root.cid, providers: [Network.id(1)], deadline: nil, keeping: keeping, mostBytes: 1_000_000), to: 0)
      net.run()
      #expect(net.failed.map(\.failure.reason) == [.tooLarge])
      #expect(net.failed.allSatisfy { $0.failure.bytes > 1_000_000 && $0.failure.bytes < 2_000_000 })
      #expect(net.peers[0].store.byteCount < 2_000_000 && net.peers[0].store.pinnedBytes == 0)
    }
  }

  @Test func `an object has as many bytes as its limit says and is whole`() throws {
    let bytes = randomBytes(3_000_000, seed: 8)
    let object = Object.build(bytes)
    var store = BlockStore()
    store.put(object)
    var net = Network([BlockStore(), store], seed: 1)
    net.give(.want(root: object.root, providers: [Network.id(1)], deadline: nil, mostBytes: bytes.count), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    #expect(try Object.read(object.root, from: net.peers[0].store, limit: bytes.count) == bytes)
  }

  @Test func `a file of very many tiny parts is refused before it takes long`() throws {
    let leaf = Block([1])
    let inner = DAGNode(links: [DAGNode.Link](repeating: .init(leaf.cid, fileBytes: 1, totalBytes: 1), count: 16_000)).block()
    let root = DAGNode(links: [DAGNode.Link](repeating: .init(inner.cid, fileBytes: 16_000, totalBytes: 1), count: 16_000))
      .block()
    var store = BlockStore()
    for block in [leaf, inner, root] { store.put(block) }
    let begun = ContinuousClock.now
    #expect(throws: ObjectError.tooManyParts(root.cid)) { try Object.read(root.cid, from: store) }
    #expect(ContinuousClock.now - begun < .seconds(20), "a quarter of a billion parts would take longer")
    // A short file may be cut as small as one likes.
    var few = DAGNode(links: [])
    few.links = [DAGNode.Link](repeating: .init(leaf.cid, fileBytes: 1, totalBytes: 1), count: 4_000)
    let short = few.block()
    store.put(short)
    #expect(try Object.read(short.cid, from: store) == [UInt8](repeating: 1, count: 4_000))
  }

  @Test func `names that agree in their first bytes cost no more than others`() {
    // Names of blocks that nobody has: their maker need not hash anything.
    let links = (0..<UInt64(16_000)).map { number in
      DAGNode.Link(CID(codec: .raw, digest: Digest(7, 7, 7, number)), fileBytes: 1, totalBytes: 1)
    }
    let nodes = (0..<4).map { number in DAGNode(links: Array(links.dropFirst(number))).block() }
    var store = BlockStore()
    for node in nodes { store.put(node) }
    let clock = ContinuousClock()
    let span = clock.measure {
      for node in nodes {
        store.pin(node.cid)
        #expect(store.missing(of: node.cid).count == Object.children(of: node).count)
      }
    }
    #expect(span < .seconds(5), "\(span)")
  }

  @Test func `a fetch ends when its object has too many blocks or the store is full`() {
    var limits = Limits()
    limits.blocksPerFetch = 10
    let object = Object.build(randomBytes(5_000_000, seed: 6))
    var full = BlockStore()
    full.put(object)
    var net = Network([BlockStore(), full], seed: 1, limits: limits)
    net.give(.want(root: object.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(net.failed.map(\.failure.reason) == [.tooManyBlocks])
    var small = Network([BlockStore(budget: 1_000_000), full], seed: 1)
    small.give(.want(root: object.root, providers: [Network.id(1)], deadline: nil), to: 0)
    small.run()
    #expect(small.failed.map(\.failure.reason) == [.storeFull])
    #expect(small.peers[0].store.byteCount <= 1_000_000 && small.peers[0].store.pinnedBytes == 0)
  }
}
