import Foundation
import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurStorage
import MurmurWire
import Testing

/// What a peer's folder keeps, told one situation at a time.
@Suite struct StoreTests {
  @Test(arguments: StoreOptions.Durability.allCases)
  func `blocks are there again after the store was closed and opened`(durability: StoreOptions.Durability) throws {
    let folder = try Folder("reopen-\(durability)")
    var options = StoreOptions()
    options.durability = durability
    let object = Object.build(randomBytes(1_000_000, seed: 1))
    let store = try Store(at: folder.path, options: options)
    try store.put(object.blocks)
    try store.put(object.blocks)
    #expect(store.count == object.blocks.count && store.byteCount == object.blocks.reduce(0) { $0 + $1.bytes.count })
    try store.close()
    #expect(throws: StoreError(folder.path, .writing, .closed)) { try store.put([Block([9])]) }
    let again = try Store(at: folder.path, options: options)
    #expect(again.opening.wasClosed && again.opening.adopted == 0 && again.opening.lost == 0)
    for block in object.blocks { #expect(try again.get(block.cid)?.bytes == block.bytes) }
    #expect(try again.inventory().filter(\.isNode).map(\.cid) == [object.root])
    #expect(try again.get(Block([1, 2, 3]).cid) == nil)
  }

  @Test func `two peers never share a folder, and the second is told whose it is`() throws {
    let folder = try Folder("lock")
    let store = try Store(at: folder.path)
    let pid = Int(ProcessInfo.processInfo.processIdentifier)
    #expect(throws: StoreError(folder.path + "/lock", .opening, .inUse(process: pid))) { try Store(at: folder.path) }
    try store.close()
  }

  @Test func `a store of a newer version is refused`() throws {
    let folder = try Folder("newer")
    try Store(at: folder.path).close()
    // The version stands in bytes 60 to 63 of the database's header.
    let path = folder.path + "/index.sqlite"
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    bytes[63] = 7
    try Data(bytes).write(to: URL(filePath: path))
    let error = #expect(throws: StoreError.self) { try Store(at: folder.path) }
    #expect(error?.cause == .newer(version: 7, known: 2))
    #expect("\(try #require(error))".contains("update the program"))
  }

  @Test func `a damaged block is found when it is read, and is gone then`() throws {
    let folder = try Folder("damaged")
    let blocks = (0..<4).map { Block(randomBytes(5_000, seed: 10 + $0)) }
    let store = try Store(at: folder.path)
    try store.put(blocks)
    try store.close()
    for (index, block) in blocks.prefix(2).enumerated() {
      let path = "\(folder.path)/blocks/\(hex(block.cid))/\(block.cid)"
      let bytes = index == 0 ? Array(block.bytes.dropLast()) : [block.bytes[0] ^ 1] + block.bytes.dropFirst()
      try Data(bytes).write(to: URL(filePath: path))
    }
    let again = try Store(at: folder.path)
    #expect(again.count == 4, "a regular closing is trusted")
    #expect(try again.get(blocks[0].cid) == nil)
    let found = try again.verify()
    #expect(found.sound == 2 && found.damaged == [blocks[1].cid])
    #expect(again.count == 2 && !again.has(blocks[0].cid))
  }

  @Test func `the limit holds: what nobody pinned goes, the longest unused first; what is pinned stays`() throws {
    let folder = try Folder("limit")
    var options = StoreOptions()
    options.limit = 1_000_000
    let store = try Store(at: folder.path, options: options)
    let object = Object.build(randomBytes(400_000, seed: 3))
    try store.pin(BlockStore.Pin(name: "mine", root: object.root))
    try store.put(object.blocks)
    let blocks = (0..<10).map { Block(randomBytes(100_000, seed: 20 + $0)) }
    for block in blocks {
      try store.put([block])
      _ = try store.get(blocks[0].cid)
      try store.flush()
    }
    #expect(store.byteCount <= 1_000_000)
    #expect(object.blocks.allSatisfy { store.has($0.cid) })
    #expect(store.has(blocks[0].cid) && store.has(blocks[9].cid), "what is used stays")
    #expect(!store.has(blocks[1].cid), "what was unused for longest goes first")
    #expect(throws: StoreError.self) { try store.put(Object.build(randomBytes(700_000, seed: 4)).blocks) }
    #expect(try store.unpin(BlockStore.Pin(name: "mine", root: object.root)))
    let (count, bytes) = (store.count, store.byteCount)
    let collected = try store.collectGarbage()
    #expect(collected.blocks == count && collected.bytes == bytes && collected.pinned == 0)
    #expect(store.count == 0 && store.byteCount == 0)
  }

  @Test func `pins, ledgers, peers, states and sessions are kept`() throws {
    let folder = try Folder("records")
    var options = StoreOptions()
    options.peers = 3
    let peers = (0..<5).map { number in
      KnownPeer(
        id: PeerID(simulated: number), addresses: [], record: [UInt8(number)], lastSeen: Int64(100 + number), successes: number)
    }
    let pin = BlockStore.Pin(name: "model", root: Block([1]).cid)
    let credit = Exchange.Credit(peer: PeerID(simulated: 1), sent: 5, received: 1 << 40)
    var session = SessionState(session: "digits", seed: .max)
    session.model = Block([2]).cid
    session.cycle = 7
    session.optimizer = randomBytes(3_000, seed: 1)
    session.sequences = [.init(name: "pubsub", last: .max - 1)]
    do {
      let store = try Store(at: folder.path, options: options)
      try store.pin(pin)
      try store.save([credit], at: 1)
      try store.remember(peers)
      try store.save(session)
      try store.save([SavedState(area: "kad/values", key: [1, 2], version: 3, value: [4])])
      try store.close()
    }
    let store = try Store(at: folder.path, options: options)
    #expect(try store.pins() == [pin])
    #expect(try store.credits() == [credit])
    #expect(try store.knownPeers() == [peers[4], peers[3], peers[2]])
    #expect(try store.session(named: "digits") == session)
    #expect(try store.session(named: "other") == nil)
    #expect(try store.states("kad/values") == [SavedState(area: "kad/values", key: [1, 2], version: 3, value: [4])])
    try store.removeState("kad/values", [1, 2])
    #expect(try store.state("kad/values", [1, 2]) == nil)
    #expect(try store.unpin(pin))
    #expect(try store.unpin(pin) == false)
  }

  @Test func `session states that were garbled are refused, never believed`() throws {
    var chance = Chance(seed: Effort.seed)
    var session = SessionState(session: "digits", seed: 3)
    session.model = Block([2]).cid
    session.sequences = [.init(name: "a", last: 1), .init(name: "b", last: 2)]
    let bytes = session.encode()
    #expect(try SessionState(decoding: bytes) == session)
    var refused = 0
    for _ in 0..<Effort.inputs {
      var garbled = bytes
      for _ in 0...chance.below(3) {
        switch chance.below(3) {
        case 0: if !garbled.isEmpty { garbled[chance.below(garbled.count)] = UInt8(chance.below(256)) }
        case 1: garbled.removeLast(chance.below(garbled.count + 1))
        default: garbled.insert(UInt8(chance.below(256)), at: chance.below(garbled.count + 1))
        }
      }
      do {
        let read = try SessionState(decoding: garbled)
        #expect(try SessionState(decoding: read.encode()) == read, "seed \(Effort.seed)")
      } catch {
        refused += 1
      }
    }
    #expect(refused > Effort.inputs / 4)
  }
}

/// The folder of a block: the first hexadecimal digit of its digest.
func hex(_ cid: CID) -> String { String(cid.digest.bytes[0] >> 4, radix: 16) }
