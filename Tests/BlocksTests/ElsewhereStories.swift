import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Blocks on a disk: objects larger than memory are served, fetched and kept.
@Suite struct ElsewhereStories {
  private let memory = 4 << 20
  private var limits: Limits {
    var limits = Limits.host
    limits.unsettledBytes = 4 << 20
    limits.loadingBytes = 2 << 20
    limits.unwrittenBytesPerPeer = 2 << 20
    return limits
  }

  /// A store that has an object on its disk from an earlier life.
  private func shelved(_ object: Object.Built) -> (BlockStore, [CID: Block]) {
    var store = BlockStore(memory: memory)
    var disk: [CID: Block] = [:]
    for block in object.blocks {
      disk[block.cid] = block
      if Object.children(of: block).isEmpty {
        store.restore(leaf: block.cid, size: block.bytes.count)
      } else {
        store.restore(block)
      }
    }
    return (store, disk)
  }

  /// One asker with an empty disk, and providers with the object on theirs.
  private func network(_ object: Object.Built, providers: Int, seed: UInt64) -> Network {
    let (store, disk) = shelved(object)
    var net = Network([BlockStore(memory: memory)] + Array(repeating: store, count: providers), seed: seed, limits: limits)
    for peer in 1...providers { net.disks[peer] = disk }
    net.links = .init(delay: .milliseconds(1), rates: Array(repeating: 100e6, count: providers + 1))
    return net
  }

  @Test func `an object of forty times the memory goes from disk to disk`() throws {
    let bytes = randomBytes(40_000_000, seed: 1)
    let object = Object.build(bytes)
    var net = network(object, providers: 2, seed: 1)
    net.keepsTraffic = false
    net.give(.want(root: object.root, providers: [1, 2].map(Network.id), deadline: nil, keeping: .disk), to: 0)
    net.run()
    #expect(net.completed.count == 1 && net.failed.isEmpty)
    #expect(object.blocks.allSatisfy { net.disks[0][$0.cid] != nil })
    var exporter = Exporter(object.root)
    var read: [UInt8] = []
    while let cid = exporter.needed { read += try exporter.take(try #require(net.disks[0][cid])) }
    #expect(read == bytes)
    let most = net.mostMemory
    #expect(most[0] <= memory + limits.unsettledBytes + (20 << 20), "the asker held \(most[0]) bytes")
    #expect(most[1] <= memory + limits.loadingBytes + 100_000, "a provider held \(most[1]) bytes")
    #expect(net.peers[0].store.byteCount == object.blocks.reduce(0) { $0 + $1.bytes.count })
    #expect(net.peers[0].statistics.unwanted == 0)
  }

  @Test func `an object wanted in memory is brought there from the disk, and read`() throws {
    let bytes = randomBytes(6_000_000, seed: 2)
    let object = Object.build(bytes)
    var net = network(object, providers: 1, seed: 2)
    net.readsCompleted = true
    net.give(.want(root: object.root, providers: [], deadline: nil), to: 1)
    #expect(net.completed.isEmpty, "the disk takes its time")
    net.run()
    #expect(net.completed.map(\.root) == [object.root] && net.traffic.isEmpty)
    net.give(.want(root: object.root, providers: [Network.id(1)], deadline: nil), to: 0)
    net.run()
    #expect(try net.read.map { try $0.get() } == [bytes, bytes])
    net.give(.disconnected(Network.id(1)), to: 0)
    #expect(net.peers[0].store.memoryBytes <= memory, "and then it goes again")
  }

  @Test func `a store whose blocks come and go for ever remembers those it has, not those it had`() {
    var store = BlockStore(memory: memory)
    var recent: [CID] = []
    for number in 0..<5_000 {
      let block = Block(randomBytes(32, seed: UInt64(number)))
      store.put(block)
      _ = store.takeErrands()
      store.note(.stored(block.cid))
      #expect(store.lineLength <= 2 * store.count + 64, "after \(number + 1) blocks")
      recent.append(block.cid)
      if recent.count > 40 { store.remove(recent.removeFirst()) }
    }
    #expect(store.count == 40)
  }

  @Test func `what the disk lost is fetched again, and denied to others`() {
    let object = Object.build(randomBytes(1_000_000, seed: 3))
    var net = network(object, providers: 2, seed: 3)
    let lost = object.blocks[1].cid
    net.disks[1][lost] = nil
    net.give(.want(root: object.root, providers: [1, 2].map(Network.id), deadline: nil), to: 0)
    net.run()
    #expect(net.completed.count == 1)
    net.give(.want(root: object.root, providers: [Network.id(2)], deadline: nil), to: 1)
    net.run()
    #expect(net.completed.count == 2 && net.disks[1][lost] != nil)
  }

  @Test func `a fetch whose blocks cannot be written fails and says so`() {
    let object = Object.build(randomBytes(1_000_000, seed: 4))
    var net = network(object, providers: 1, seed: 4)
    net.brokenDisks = [0]
    net.give(.want(root: object.root, providers: [Network.id(1)], deadline: nil, keeping: .disk), to: 0)
    net.run()
    #expect(net.failed.map(\.failure.reason) == [.notStored] && net.completed.isEmpty)
    #expect(net.peers[0].store.unsettledBytes == 0)
  }

  @Test func `a peer that does not read costs the disk nothing`() {
    let object = Object.build(randomBytes(20_000_000, seed: 5))
    let (store, disk) = shelved(object)
    var net = Network([store, BlockStore()], seed: 5, limits: limits)
    net.disks[0] = disk
    // Without a rate nothing is ever reported as written.
    let leaves = object.blocks.filter { $0.cid.codec == .raw }
    net.give(.received(from: Network.id(1), BitswapMessage(wants: leaves.map { .init($0.cid) })), to: 0)
    net.run(until: .origin + .seconds(10))
    let sent = net.peers[0].statistics.bytesSent
    #expect(sent >= limits.unwrittenBytesPerPeer && sent <= limits.unwrittenBytesPerPeer + (1 << 20), "\(sent)")
    net.give(.written(to: Network.id(1), bytes: sent), to: 0)
    net.run(until: .origin + .seconds(20))
    #expect(net.peers[0].statistics.bytesSent > sent)
  }

  @Test func `pins hold what is on the disk, garbage goes from it`() {
    let object = Object.build(randomBytes(2_000_000, seed: 6))
    let other = Object.build(randomBytes(2_000_000, seed: 7))
    var net = network(object, providers: 1, seed: 6)
    net.peers[1].store.pin(object.root, as: "mine")
    for block in other.blocks { net.peers[1].store.put(block) }
    net.give(.added(other.root), to: 1)
    net.run()
    #expect(net.disks[1].count == object.blocks.count + other.blocks.count)
    #expect(net.diskPins[1] == [BlockStore.Pin(name: "mine", root: object.root)])
    net.peers[1].store.collectGarbage()
    net.give(.added(other.root), to: 1)
    #expect(net.disks[1].count == object.blocks.count && net.peers[1].store.holdsAll(of: object.root))
    net.peers[1].store.unpin(object.root, as: "mine")
    net.peers[1].store.collectGarbage()
    net.give(.added(other.root), to: 1)
    #expect(net.disks[1].isEmpty && net.diskPins[1].isEmpty && net.peers[1].store.byteCount == 0)
    #expect(net.peers[1].store.memoryBytes == 0)
  }

  @Test(arguments: Effort.seeds) func `after any course of events with disks, the accounts agree`(seed: UInt64) {
    var chance = Chance(seed: seed)
    let objects = (0..<3).map { Object.build(randomBytes(chance.below(30_000), seed: seed &* 7 &+ UInt64($0)), chunk: 1_000) }
    var small = limits
    small.unsettledBytes = 3_000
    small.loadingBytes = 2_000
    small.unwrittenBytesPerPeer = 3_000
    var stores = (0..<4).map { _ in BlockStore(budget: 60_000, memory: 5_000) }
    for block in objects.flatMap(\.blocks) { stores[1 + chance.below(3)].put(block) }
    var net = Network(stores, seed: seed, limits: small)
    net.links = .init(delay: .milliseconds(5), jitter: .milliseconds(5), loss: 0.1, rates: [1e6, 1e6, 1e5, 1e6])
    net.diskDelay = .milliseconds(20)
    net.connectAll()
    for _ in 0..<60 {
      let root = objects[chance.below(3)].root
      let peer = chance.below(4)
      switch chance.below(8) {
      case 0: net.give(.cancel(root), to: peer)
      case 1: net.give(.disconnected(Network.id(chance.below(4))), to: peer)
      case 2: net.give(.connected(Network.id(chance.below(4))), to: peer)
      case 3: net.disks[peer][objects[chance.below(3)].blocks[0].cid] = nil
      case 4: net.peers[peer].store.pin(root)
      default:
        let until = net.now + .seconds(20)
        net.give(.want(root: root, providers: [], deadline: until, keeping: chance.happens(0.5) ? .disk : .memory), to: peer)
      }
      net.run(until: net.now + .milliseconds(Double(chance.below(200))))
      for peer in net.peers { #expect(peer.contradictions.isEmpty, "seed \(seed): \(peer.contradictions)") }
    }
    net.run(most: 100_000)
    for peer in net.peers {
      #expect(peer.fetching.isEmpty && peer.contradictions.isEmpty, "seed \(seed): \(peer.fetching) \(net.now)")
      #expect(peer.store.unsettledBytes == 0, "seed \(seed)")
      #expect(peer.store.memoryBytes >= 0 && peer.store.memoryBytes <= peer.store.byteCount, "seed \(seed)")
    }
  }
}
