public import MurmurWire

/// Blocks whose bytes are not in memory: a host keeps them on a disk, so that it can serve objects larger than its memory.
///
/// The store stays what decides: it knows the name and size of every block, holds, pins and evicts them as ever, and says what is
/// to be done as ``Errand``s; the world does it and answers with ``Outcome``s. A block's bytes leave memory once the world said that
/// they are safe and more than ``memoryBudget`` bytes of blocks lie in memory, the longest settled first. Only blocks that name no
/// others may be elsewhere: nodes stay, because pins and fetches walk them; those of an object of 16 GiB take 3.3 MB.
extension BlockStore {
  /// What the world is asked to do with its disk. In order: a `store` and a `discard` of the same block mean what the last one says.
  public enum Errand: Sendable {
    /// Keep these bytes, and answer ``Outcome/stored(_:)`` when they would survive a crash.
    case store(Block)
    /// Bring these bytes, and answer ``Outcome/loaded(_:_:)``.
    case load(CID)
    /// The block is not kept any longer.
    case discard(CID)
    /// The owner wants blocks kept.
    case pin(Pin)
    /// The owner does not want them kept any longer.
    case unpin(Pin)
  }

  /// What came of an errand.
  public enum Outcome: Sendable {
    /// The block would survive a crash.
    case stored(CID)
    /// The block could not be stored; it stays in memory.
    case notStored(CID)
    /// The bytes that were asked for; `nil` if they are not there or are not what the block is called.
    case loaded(CID, Block?)
  }

  /// What is kept beside the entries when blocks may be elsewhere.
  struct Shelf: Sendable {
    var memoryBudget: Int
    /// Bytes of blocks that are elsewhere.
    var bytes = 0
    var errands: [Errand] = []
    /// Blocks whose bytes are safe and may leave memory, in the order in which they became so; from `head` on.
    var settled: [CID] = []
    var head = 0
    /// The sizes of blocks handed out to be stored, of which nothing was heard yet; and their sum.
    var unsettled: [CID: Int] = [:]
    var unsettledBytes = 0

    mutating func handOut(_ block: Block) {
      unsettledBytes += block.bytes.count - (unsettled.updateValue(block.bytes.count, forKey: block.cid) ?? 0)
    }

    /// The block that was settled first.
    mutating func next() -> CID? {
      guard head < settled.count else { return nil }
      head += 1
      return settled[head - 1]
    }

    mutating func hear(of cid: CID) { unsettledBytes -= unsettled.removeValue(forKey: cid) ?? 0 }
  }

  /// An empty store for at most `budget` bytes, of which about `memory` stay in memory; the rest is kept by the world.
  public init(budget: Int = .max, memory: Int) {
    self.init(budget: budget)
    precondition(memory >= 0, "a budget of \(memory) bytes does not exist")
    shelf = Shelf(memoryBudget: memory)
  }

  /// What the world kept from an earlier life.
  public struct Belongings: Sendable {
    /// A block that is there.
    public enum Held: Sendable {
      /// One that names others, or that is in memory for another reason.
      case node(Block)
      /// One whose bytes stay where they are.
      case leaf(CID, size: Int)
    }

    /// The owner's wishes.
    public var pins: [Pin]
    /// The blocks, the longest unused first.
    public var held: [Held]

    /// Pins and blocks.
    public init(pins: [Pin] = [], held: [Held] = []) {
      self.pins = pins
      self.held = held
    }
  }

  /// A store for at most `budget` bytes, of which about `memory` stay in memory, that has what an earlier life left.
  public init(budget: Int, memory: Int, _ belongings: Belongings) {
    self.init(budget: budget, memory: memory)
    for pin in belongings.pins { restore(pin) }
    for held in belongings.held {
      switch held {
      case .node(let block): restore(block)
      case .leaf(let cid, let size): restore(leaf: cid, size: size)
      }
    }
  }

  /// Bytes of blocks that may lie in memory; `nil` if all do.
  public var memoryBudget: Int? { shelf?.memoryBudget }

  /// Bytes of blocks that lie in memory.
  public var memoryBytes: Int { byteCount - (shelf?.bytes ?? 0) }

  /// The block's size in bytes, wherever it is; `nil` if it is nowhere.
  public func size(of cid: CID) -> Int? {
    guard let slot = index[cid] else { return nil }
    return entries[Int(slot)].size
  }

  /// Whether the block is within reach, but not in memory.
  public func isElsewhere(_ cid: CID) -> Bool {
    guard shelf != nil, let slot = index[cid] else { return false }
    return entries[Int(slot)].elsewhere >= 0
  }

  /// Takes over a block that the world has kept from an earlier life: a leaf by its name and `size` in bytes. Nodes are put with
  /// ``restore(_:)``.
  @discardableResult public mutating func restore(leaf cid: CID, size: Int) -> Admission {
    precondition(shelf != nil, "a store all in memory has no block elsewhere")
    guard index[cid] == nil else { return .present }
    guard size <= Block.mostBytes, makeRoom(for: size) else {
      statistics.refused += 1
      shelf?.errands.append(.discard(cid))
      return size <= Block.mostBytes ? .full : .tooLarge
    }
    let holds = expected.removeValue(forKey: cid) ?? Holds()
    insert(Block(trusted: cid, bytes: []), holds: holds)
    guard let slot = index[cid] else { preconditionFailure("a block that was inserted is not there") }
    entries[Int(slot)].elsewhere = Int32(size)
    byteCount += size
    shelf?.bytes += size
    if !holds.isEmpty { pinnedBytes += size }
    return .stored
  }

  /// Takes over a block with its bytes that the world has kept from an earlier life.
  @discardableResult public mutating func restore(_ block: Block) -> Admission {
    let before = shelf?.errands.count ?? 0
    let admission = put(block)
    // It need not be stored again.
    if admission == .stored, let count = shelf?.errands.count, count > before { shelf?.errands.removeLast() }
    if admission == .stored { settle(block.cid) }
    return admission
  }

  /// Takes over a pin that the world has kept from an earlier life.
  public mutating func restore(_ pin: Pin) {
    let before = shelf?.errands.count ?? 0
    self.pin(pin.root, as: pin.name, recursive: pin.isRecursive)
    if let count = shelf?.errands.count, count > before { shelf?.errands.removeLast() }
  }

  /// Whether there is something for the world to do.
  public var hasErrands: Bool { shelf.map { !$0.errands.isEmpty } ?? false }

  /// What the world has to do, in order; each errand is handed out once.
  public mutating func takeErrands() -> [Errand] {
    guard hasErrands else { return [] }
    let taken = shelf?.errands ?? []
    shelf?.errands = []
    for errand in taken { if case .store(let block) = errand { shelf?.handOut(block) } }
    return taken
  }

  /// Bytes that were handed out to be stored and are not known to be safe.
  public var unsettledBytes: Int { shelf?.unsettledBytes ?? 0 }

  /// Takes note of what the world did. Bytes that were loaded for a block which is still wanted are in memory afterwards.
  package mutating func note(_ outcome: Outcome) {
    switch outcome {
    case .stored(let cid):
      shelf?.hear(of: cid)
      settle(cid)
    case .notStored(let cid): shelf?.hear(of: cid)
    case .loaded(let cid, let block):
      guard let slot = index[cid], entries[Int(slot)].elsewhere >= 0 else { return }
      guard let block else {
        lose(slot)
        return
      }
      precondition(block.isVerified && block.cid == cid, "only blocks whose bytes were hashed may be loaded")
      shelf?.bytes -= entries[Int(slot)].size
      byteCount += block.bytes.count - entries[Int(slot)].size
      entries[Int(slot)].block = block
      entries[Int(slot)].elsewhere = -1
      line(up: cid)
    }
  }

  /// Lets bytes that are safe go until the memory budget holds, those that were settled first first; none that `isNeeded`.
  package mutating func spareMemory(unless isNeeded: (CID) -> Bool) {
    // Blocks that are needed go to the end of the line; a few at a time, so that a step stays cheap.
    var patience = 16
    while patience > 0, memoryBytes > (shelf?.memoryBudget ?? .max), let cid = shelf?.next() {
      if isNeeded(cid) {
        shelf?.settled.append(cid)
        patience -= 1
      } else {
        unload(cid)
      }
    }
    guard let head = shelf?.head, head > 64, head > (shelf?.settled.count ?? 0) / 2 else { return }
    shelf?.settled.removeFirst(head)
    shelf?.head = 0
  }

  /// Drops the bytes of a block that is in memory and safe elsewhere.
  private mutating func unload(_ cid: CID) {
    guard let slot = index[cid], entries[Int(slot)].elsewhere < 0 else { return }
    let size = entries[Int(slot)].block.bytes.count
    entries[Int(slot)].block = Block(trusted: cid, bytes: [])
    entries[Int(slot)].elsewhere = Int32(size)
    shelf?.bytes += size
  }

  /// The block's bytes are safe, so that they may leave memory unless it names others.
  private mutating func settle(_ cid: CID) {
    guard let slot = index[cid], entries[Int(slot)].elsewhere < 0 else { return }
    if Object.children(of: entries[Int(slot)].block).isEmpty { line(up: cid) }
  }

  /// Names in the line of blocks that may leave memory, those among them that were dropped meanwhile.
  package var lineLength: Int { (shelf?.settled.count ?? 0) - (shelf?.head ?? 0) }

  /// Puts a block at the end of the line of those that may leave memory. Where memory is never short nothing leaves it from the front, so
  /// blocks that are gone are taken out once they are most of it.
  private mutating func line(up cid: CID) {
    shelf?.settled.append(cid)
    guard lineLength > 2 * count + 64, let settled = shelf?.settled, let head = shelf?.head else { return }
    var kept: Set<CID> = []
    shelf?.settled = settled[head...].filter { cid in
      index[cid].map { entries[Int($0)].elsewhere < 0 } ?? false && kept.insert(cid).inserted
    }
    shelf?.head = 0
  }

  /// A block elsewhere turned out to be gone; who holds it waits for it again.
  private mutating func lose(_ slot: Int32) {
    let entry = entries[Int(slot)]
    if !entry.holds.isEmpty {
      expected[entry.block.cid] = entry.holds
      pinnedBytes -= entry.size
      entries[Int(slot)].holds = Holds()
      link(slot)
    }
    drop(slot)
  }

  /// Takes note that the block in `slot` is dropped.
  mutating func takeOffShelf(_ slot: Int32) {
    if entries[Int(slot)].elsewhere >= 0 { shelf?.bytes -= entries[Int(slot)].size }
    entries[Int(slot)].elsewhere = -1
    shelf?.errands.append(.discard(entries[Int(slot)].block.cid))
  }
}
