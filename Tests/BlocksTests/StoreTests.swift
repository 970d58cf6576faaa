import MurmurBlocks
import MurmurMachines
import MurmurWire
import Testing

/// A store keeps what is pinned, drops what was not used for longest, and never exceeds its budget.
@Suite struct StoreTests {
  private func block(_ number: Int, size: Int = 100) -> Block {
    Block([UInt8(number & 0xff), UInt8(number >> 8)] + [UInt8](repeating: 9, count: size - 2))
  }

  @Test func `the least recently used blocks go first`() {
    var store = BlockStore(budget: 300)
    for number in 0..<3 { #expect(store.put(block(number)) == .stored) }
    _ = store.get(block(0).cid)
    #expect(store.put(block(3)) == .stored)
    #expect(store.cids == [0, 2, 3].map { block($0).cid }.sorted())
    #expect(store.put(block(0)) == .present)
    #expect(store.put(block(4, size: 250)) == .stored)
    #expect(store.cids == [block(4, size: 250).cid] && store.byteCount == 250)
    #expect(store.statistics.evicted == 4)
    store.budget = 10
    #expect(store.count == 0)
  }

  @Test func `pinned blocks stay, and leave no room for what does not fit beside them`() {
    var store = BlockStore(budget: 300)
    store.pin(block(0).cid, as: "own")
    for number in 0..<3 { store.put(block(number)) }
    #expect(store.put(block(3)) == .stored && store.has(block(0).cid))
    #expect(store.put(block(4, size: 201)) == .full && store.count == 3)
    #expect(store.remove(block(0).cid) == false)
    #expect(store.collectGarbage() == 200 && store.count == 1)
    #expect(store.unpin(block(0).cid, as: "other") == false)
    #expect(store.unpin(block(0).cid, as: "own") && !store.isPinned(block(0).cid))
    #expect(store.put(block(4, size: 201)) == .stored && !store.has(block(0).cid))
    #expect(store.put(block(5, size: Block.mostBytes + 1)) == .tooLarge)
  }

  @Test func `a pin set twice needs two removals`() {
    var store = BlockStore(budget: 100)
    for _ in 0..<2 { store.pin(block(0).cid, recursive: false) }
    store.put(block(0))
    store.unpin(block(0).cid, recursive: false)
    #expect(store.put(block(1)) == .full)
    store.unpin(block(0).cid, recursive: false)
    #expect(store.put(block(1)) == .stored)
    #expect(store.allPins.isEmpty)
  }

  @Test func `a recursive pin holds what is below it, also what comes later; a direct one does not`() {
    let object = Object.build(randomBytes(1_000_000, seed: 1))
    var store = BlockStore()
    store.pin(object.root)
    for index in [4, 0, 2] { store.put(object.blocks[index]) }  // the root is the last of five
    #expect(store.isPinned(object.blocks[3].cid) && store.isPinned(object.blocks[0].cid))
    store.put(object)
    store.put(block(1))
    #expect(store.collectGarbage() == 100 && store.count == 5)
    store.pin(object.root, as: "direct", recursive: false)
    store.unpin(object.root)
    store.collectGarbage()
    #expect(store.cids == [object.root])
    store.unpin(object.root, as: "direct", recursive: false)
    #expect(store.collectGarbage() > 0 && store.count == 0 && store.pinnedBytes == 0)
  }

  @Test(arguments: Effort.seeds) func `the counts agree with a slow account of everything`(seed: UInt64) {
    var chance = Chance(seed: seed)
    let objects = (0..<3).map { number in
      // Small chunks from few values: objects share chunks with each other and with themselves.
      Object.build((0..<chance.below(2_000)).map { _ in UInt8(chance.below(2)) } + [UInt8(number)], chunk: 3)
    }
    let blocks = objects.flatMap(\.blocks)
    var store = BlockStore(budget: 3_000 + chance.below(8_000))
    var pins: [(CID, Bool)] = []
    for _ in 0..<600 {
      let root = objects[chance.below(3)].root
      switch chance.below(12) {
      case 0:
        pins.append((root, chance.happens(0.7)))
        store.pin(pins[pins.count - 1].0, recursive: pins[pins.count - 1].1)
      case 1 where !pins.isEmpty:
        let (cid, recursive) = pins.remove(at: chance.below(pins.count))
        #expect(store.unpin(cid, recursive: recursive) == true)
      case 2: store.remove(blocks[chance.below(blocks.count)].cid)
      case 3 where chance.happens(0.1): store.collectGarbage()
      case 4: _ = store.get(blocks[chance.below(blocks.count)].cid)
      default: store.put(blocks[chance.below(blocks.count)])
      }
      var kept = Set(pins.map(\.0))
      var rest = pins.filter(\.1).map(\.0)
      while let cid = rest.popLast() {
        guard let block = store.peek(cid) else { continue }
        for child in Object.children(of: block) where kept.insert(child).inserted { rest.append(child) }
      }
      let held = store.cids.compactMap { store.peek($0) }
      #expect(store.byteCount == held.reduce(0) { $0 + $1.bytes.count } && store.byteCount <= store.budget, "seed \(seed)")
      #expect(store.pinnedBytes == held.reduce(0) { $0 + (kept.contains($1.cid) ? $1.bytes.count : 0) }, "seed \(seed)")
      #expect(held.allSatisfy { store.isPinned($0.cid) == kept.contains($0.cid) }, "seed \(seed)")
    }
  }

  @Test func `resilience counts the other holders of each chunk`() {
    var stores = [BlockStore](repeating: BlockStore(), count: 4)
    for peer in 0..<4 { stores[peer].put(block(0)) }
    stores[1].put(block(1))
    stores[2].put(block(1))
    let index = Resilience(of: [block(0).cid, block(1).cid], in: stores)
    #expect(index.mean == 2 && index.least == 1 && index.most == 3 && index.spread == 2 && index.deviation == 1)
    #expect(Resilience(holders: []).mean == 0 && Resilience(holders: [0]).mean == -1)
  }
}
