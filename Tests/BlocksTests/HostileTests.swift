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
