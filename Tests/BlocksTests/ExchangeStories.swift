import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// How blocks travel, told one situation at a time.
@Suite struct ExchangeStories {
  private func store(_ objects: Object.Built...) -> BlockStore {
    var store = BlockStore()
    for object in objects { store.put(object) }
    return store
  }

  @Test func `a model of one block costs one want and one block, and one timer`() {
    let model = Object.build(randomBytes(20_000, seed: 1))
    var net = Network([BlockStore(), store(model)], seed: 1)
    net.give(.want(root: model.root, providers: [Network.id(1)], deadline: Instant(nanoseconds: 60_000_000_000)), to: 0)
    net.run(until: Instant(nanoseconds: 1_000_000_000))
    #expect(net.completed.map(\.root) == [model.root])
    #expect(net.traffic.count == 2)
    #expect(net.traffic[0].message == BitswapMessage(wants: [.init(model.root)]))
    #expect(net.traffic[1].message == BitswapMessage(blocks: model.blocks))
    #expect(net.timersArmed == 1)
    #expect(net.peers[0].ledger(of: Network.id(1))?.received == 20_000)
    #expect(net.peers[1].ledger(of: Network.id(0))?.sent == 20_000)
  }

  @Test func `what is here already is complete at once, without a message`() {
    let object = Object.build(randomBytes(600_000, seed: 2))
    var net = Network([store(object)], seed: 1)
    net.give(.want(root: object.root, providers: [], deadline: nil), to: 0)
    #expect(net.completed.map(\.root) == [object.root])
    #expect(net.traffic.isEmpty && net.timersArmed == 0)
  }

  @Test func `a large object comes from several peers at once, each block once`() throws {
    let bytes = randomBytes(10_000_000, seed: 3)
    let object = Object.build(bytes)
    var net = Network([BlockStore(), store(object), store(object), store(object)], seed: 1)
    net.give(.want(root: object.root, providers: [1, 2, 3].map(Network.id), deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    #expect(try Object.read(object.root, from: net.peers[0].store) == bytes)
    for peer in 1...3 {
      let share = net.peers[peer].statistics.blocksSent
      #expect(share >= object.blocks.count / 5, "peer \(peer) gave \(share) of \(object.blocks.count) blocks")
    }
    #expect(net.peers[0].statistics.unwanted == 0)
    #expect(net.peers[0].statistics.blocksReceived == object.blocks.count)
  }

  @Test func `whoever sends the small root instead of saying that it has it is asked on at once`() throws {
    // Nobody is known to have it, so everybody is asked; the root lists three leaves and is sent by all three.
    let object = Object.build(randomBytes(700_000, seed: 14))
    var net = Network([BlockStore(), store(object), store(object), store(object)], seed: 1)
    for peer in 1...3 { net.give(.connected(Network.id(peer)), to: 0) }
    net.give(.want(root: object.root, providers: [], deadline: nil), to: 0)
    net.run(until: .origin + .seconds(2))
    #expect(net.completed.map(\.root) == [object.root])
    #expect(net.peers[0].statistics.silences == 0)
    #expect(net.peers[0].contradictions.isEmpty, "\(net.peers[0].contradictions)")
  }

  @Test func `a provider that does not have it is replaced by the next`() {
    let model = Object.build(randomBytes(5_000, seed: 4))
    var net = Network([BlockStore(), BlockStore(), store(model)], seed: 1)
    net.give(.want(root: model.root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    #expect(net.traffic.count == 4)
    #expect(net.now < Instant(nanoseconds: 10_000_000_000))
  }

  @Test func `a dead provider costs its patience, then the next is asked`() {
    let model = Object.build(randomBytes(5_000, seed: 5))
    var net = Network([BlockStore(), BlockStore(), store(model)], seed: 1)
    net.dead = [1]
    net.give(.want(root: model.root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
    net.run(until: Instant(nanoseconds: 4_000_000_000))
    #expect(net.completed.count == 1)
  }

  @Test func `patience is learnt: a known fast peer that dies is noticed within a second`() {
    let models = (0..<20).map { Object.build(randomBytes(5_000, seed: 100 + $0)) }
    var full = BlockStore()
    for model in models { full.put(model) }
    var net = Network([BlockStore(), full, full], seed: 1)
    for model in models.dropLast() {
      net.give(.want(root: model.root, providers: [Network.id(1)], deadline: nil), to: 0)
      net.run()
    }
    net.dead = [1]
    let start = net.now
    net.give(.want(root: models[19].root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
    net.run(until: start + .seconds(1))
    #expect(net.completed.count == 20)
  }

  @Test func `without providers the connected peers are asked who has it`() {
    let model = Object.build(randomBytes(700_000, seed: 6))
    var net = Network([BlockStore(), BlockStore(), store(model), BlockStore()], seed: 1)
    net.connectAll()
    net.give(.want(root: model.root, providers: [], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    #expect(net.peers[2].statistics.blocksSent == model.blocks.count)
  }

  @Test func `a hundred neighbours are asked in turns until the one that has it is found`() {
    let model = Object.build(randomBytes(5_000, seed: 7))
    var stores = [BlockStore](repeating: BlockStore(), count: 101)
    stores[87].put(model)
    var net = Network(stores, seed: 1)
    for peer in 1...100 { net.give(.connected(Network.id(peer)), to: 0) }
    net.give(.want(root: model.root, providers: [], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    #expect(net.peers[0].store.holdsAll(of: model.root))
  }

  @Test func `a failure says how far it came, whom it asked and why`() throws {
    let model = Object.build(randomBytes(5_000, seed: 8))
    var net = Network([BlockStore(), BlockStore(), BlockStore()], seed: 1)
    net.give(.want(root: model.root, providers: [], deadline: nil), to: 0)
    #expect(net.failed.last?.failure.reason == .nobodyToAsk)
    #expect(net.failed.last?.failure.phase == .finding)
    net.give(.want(root: model.root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
    net.run()
    let refusal = try #require(net.failed.last).failure
    #expect(refusal.reason == .nobodyHasIt && refusal.phase == .root && refusal.asked == [Network.id(1), Network.id(2)])
    #expect(refusal.description.contains("nobody has it"))
    net.dead = [1]
    net.give(.want(root: model.root, providers: [Network.id(1)], deadline: net.now + .seconds(30)), to: 0)
    let start = net.now
    net.run()
    let late = try #require(net.failed.last).failure
    #expect(late.reason == .deadline && late.elapsed == .seconds(30) && net.now >= start + .seconds(30))
    net.give(.want(root: model.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(net.failed.last?.failure.reason == .silence)
    #expect(net.peers[0].fetching.isEmpty)
  }

  @Test func `a provider that disconnects in the middle is replaced, and one that returns is asked again`() throws {
    let bytes = randomBytes(5_000_000, seed: 9)
    let object = Object.build(bytes)
    var net = Network([BlockStore(), store(object), store(object)], seed: 1)
    net.give(.want(root: object.root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
    net.run(until: Instant(nanoseconds: 90_000_000))
    #expect(net.peers[0].statistics.blocksReceived > 1)
    net.dead = [1]
    net.give(.disconnected(Network.id(1)), to: 0)
    net.run()
    #expect(try Object.read(object.root, from: net.peers[0].store) == bytes)
    #expect(net.failed.isEmpty)
  }

  @Test func `a cancelled want is taken back from those who were asked`() {
    let object = Object.build(randomBytes(5_000_000, seed: 10))
    var net = Network([BlockStore(), store(object)], seed: 1)
    net.give(.want(root: object.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run(until: Instant(nanoseconds: 50_000_000))
    net.give(.cancel(object.root), to: 0)
    #expect(net.traffic.last?.message.wants.allSatisfy { $0.kind == .cancel } == true)
    net.run()
    #expect(net.completed.isEmpty && net.failed.isEmpty && net.peers[0].fetching.isEmpty)
    #expect(net.peers[0].store.pinnedBytes == 0)
  }

  @Test func `who asks without wanting a refusal is served when the block turns up`() {
    let model = Object.build(randomBytes(5_000, seed: 11))
    var net = Network([BlockStore(), BlockStore()], seed: 1)
    let want = BitswapMessage(wants: [.init(model.root, .block, sendDontHave: false)])
    net.give(.received(from: Network.id(0), want), to: 1)
    #expect(net.traffic.isEmpty)
    net.peers[1].store.put(model)
    net.give(.added(model.root), to: 1)
    #expect(net.traffic.map(\.message) == [BitswapMessage(blocks: model.blocks)])
  }

  @Test func `two objects that share chunks fetch these once`() throws {
    var bytes = randomBytes(3 << 20, seed: 12)
    let first = Object.build(bytes)
    bytes[bytes.count - 1] ^= 1
    let second = Object.build(bytes)
    var net = Network([BlockStore(), store(first, second)], seed: 1)
    net.give(.want(root: first.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.give(.want(root: second.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 2)
    #expect(net.peers[0].statistics.unwanted == 0)
    #expect(try Object.read(second.root, from: net.peers[0].store) == bytes)
    #expect(net.peers[1].statistics.blocksSent == Set(first.blocks + second.blocks).count)
  }
}
