import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What holds whatever the seed draws.
@Suite struct ExchangeProperties {
  @Test(arguments: Effort.seeds)
  func `an object arrives if some connected peer holds each block, over bad links and past dead peers`(
    seed: UInt64
  ) throws {
    var chance = Chance(seed: seed)
    let bytes = randomBytes(chance.below(6_000_000), seed: seed)
    let object = Object.build(bytes)
    let count = 3 + chance.below(10)
    var stores = [BlockStore](repeating: BlockStore(), count: count)
    let dead = Set((1..<count).filter { _ in chance.happens(0.3) }).subtracting([count - 1])
    let alive = (1..<count).filter { !dead.contains($0) }
    for block in object.blocks {
      stores[alive[chance.below(alive.count)]].put(block)
      for peer in 1..<count where chance.happens(0.3) { stores[peer].put(block) }
    }
    var net = Network(stores, seed: seed)
    net.links.loss = chance.uniform() * 0.25
    net.links.jitter = .milliseconds(200 * chance.uniform())
    net.encodes = seed % 4 == 0
    net.dead = dead
    net.connectAll()
    let providers = chance.pick(chance.below(count), from: Array(1..<count)).map(Network.id)
    net.give(.want(root: object.root, providers: providers, deadline: net.now + .minutes(60)), to: 0)
    let isOver = net.run(most: 200_000)
    #expect(isOver, "seed \(seed): events without end")
    #expect(net.completed.count == 1, "seed \(seed): \(net.failed.map(\.failure.description))")
    #expect(net.reports.isEmpty, "seed \(seed)")
    guard net.completed.count == 1 else { return }
    #expect(try Object.read(object.root, from: net.peers[0].store) == bytes, "seed \(seed)")
  }

  @Test(arguments: 0..<10) func `the same seed gives the same course`(seed: UInt64) {
    func course() -> ([BitswapMessage], Instant) {
      let object = Object.build(randomBytes(3_000_000, seed: seed))
      var full = BlockStore()
      full.put(object)
      var net = Network([BlockStore(), full, full, full], seed: seed)
      net.links = .init(delay: .milliseconds(10), jitter: .milliseconds(50), loss: 0.1)
      net.connectAll()
      net.give(.want(root: object.root, providers: [Network.id(2)], deadline: nil), to: 0)
      net.run()
      return (net.traffic.map(\.message), net.now)
    }
    let (first, second) = (course(), course())
    #expect(first.0 == second.0 && first.1 == second.1, "seed \(seed)")
  }

  @Test func `who gives is served before who only takes, and a debtor gets a trickle`() throws {
    var limits = Limits()
    limits.grace = 1 << 20
    limits.windowBytesPerPeer = 1 << 20
    limits.windowBytes = 1 << 20
    let objects = (0..<2).map { Object.build(randomBytes(6 << 20, seed: UInt64(20 + $0))) }
    let gift = Object.build(randomBytes(8 << 20, seed: 22))
    var rich = BlockStore()
    for object in objects { rich.put(object) }
    var giver = BlockStore()
    giver.put(gift)
    var net = Network([rich, giver, BlockStore()], seed: 1, limits: limits)
    net.give(.want(root: gift.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    // Both ask for an object at the same moment; the taker even asks first.
    net.give(.want(root: objects[0].root, providers: [Network.id(0)], deadline: nil), to: 2)
    net.give(.want(root: objects[1].root, providers: [Network.id(0)], deadline: nil), to: 1)
    let start = net.now
    net.run()
    #expect(net.completed.map(\.peer) == [0, 1, 2])
    let taker = try #require(net.peers[0].ledger(of: Network.id(2)))
    let friend = try #require(net.peers[0].ledger(of: Network.id(1)))
    #expect(friend.share(grace: limits.grace) > 0.9)
    #expect(taker.share(grace: limits.grace) < 0.01 && taker.debtRatio(grace: limits.grace) > 1_000)
    #expect(net.now > start + .seconds(10), "a debtor's 5 MiB take a window for each block")
  }

  @Test(arguments: 0..<10) func `tables stay bounded however many strangers come`(seed: UInt64) {
    var limits = Limits()
    limits.ledgers = 32
    var exchange = Exchange(limits: limits)
    var chance = Chance(seed: seed)
    var effects = Effects<Exchange.Effect>()
    for number in 0..<3_000 {
      let peer = PeerID(simulated: chance.below(2_000))
      let cid = CID(codec: .raw, digest: .sha256(of: [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)]))
      let input: Exchange.Input =
        switch chance.below(6) {
        case 0: .connected(peer)
        case 1: .disconnected(peer)
        case 2: .received(from: peer, BitswapMessage(wants: [.init(cid, sendDontHave: false)]))
        case 3: .received(from: peer, BitswapMessage(wants: [.init(cid)], presences: [.init(cid, has: true)]))
        case 4: .want(root: cid, providers: [peer], deadline: Instant(nanoseconds: Int64(number) * 1_000_000 + 5_000_000_000))
        default: .timerFired(chance.happens(0.5) ? .patience : .service)
        }
      exchange.step(input, at: Instant(nanoseconds: Int64(number) * 1_000_000), chance: &chance, effects: &effects)
      effects.removeAll()
      #expect(exchange.ledgerCount <= 32 && exchange.fetching.count <= limits.fetches, "seed \(seed)")
    }
    exchange.step(.timerFired(.patience), at: Instant(nanoseconds: .max / 2), chance: &chance, effects: &effects)
    #expect(exchange.fetching.isEmpty)
  }
}
