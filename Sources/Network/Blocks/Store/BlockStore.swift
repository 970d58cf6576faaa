public import MurmurWire

/// The blocks one peer holds, within a budget of bytes.
///
/// A value: copying a store copies its tables, never the blocks' bytes. When a new block needs room, the blocks that nobody pinned
/// go, least recently used first; the order depends on nothing but the calls, so that a replay evicts the same blocks. Blocks
/// under a recursive pin are held by counting references: a pinned root holds its children, they theirs, and blocks that are
/// still to come are held from the moment they arrive.
public struct BlockStore: Sendable {
  /// The most bytes of blocks that are kept; what does not fit beside pinned blocks is refused.
  public var budget: Int { didSet { _ = makeRoom(for: 0) } }
  /// Bytes of all blocks held.
  public internal(set) var byteCount = 0
  /// Bytes of blocks that are pinned, themselves or through a parent.
  public internal(set) var pinnedBytes = 0
  /// What happened so far.
  public internal(set) var statistics = Statistics()

  var index: [CID: Int32] = [:]
  var entries: [Entry] = []
  var free: [Int32] = []
  /// The ends of the list of unpinned blocks in order of use.
  var oldest: Int32 = -1
  var newest: Int32 = -1
  /// Named pins and how often each was set.
  var pins: [Pin: Int] = [:]
  /// Holds on blocks that are not here yet.
  var expected: [CID: Holds] = [:]
  /// What is on a disk and what is to be done there; `nil` if everything is in memory.
  var shelf: Shelf?

  /// One block and its place in the order of use.
  struct Entry: Sendable {
    var block: Block
    /// The pins and held parents that hold it.
    var holds: Holds
    var older: Int32
    var newer: Int32
    /// The block's size if its bytes are elsewhere; −1 if they are here.
    var elsewhere: Int32 = -1

    var size: Int { elsewhere < 0 ? block.bytes.count : Int(elsewhere) }
  }

  /// What happened to a block that was put.
  public enum Admission: Hashable, Sendable {
    /// It is stored.
    case stored
    /// It was there already.
    case present
    /// It is larger than ``Block/mostBytes``.
    case tooLarge
    /// The budget is taken up by pinned blocks.
    case full
  }

  /// What happened in a store so far.
  public struct Statistics: Hashable, Sendable {
    /// Blocks that were stored.
    public var stored = 0
    /// Reads that found their block.
    public var hits = 0
    /// Reads that did not.
    public var misses = 0
    /// Blocks that were dropped to make room.
    public var evicted = 0
    /// Blocks that were refused.
    public var refused = 0
  }

  /// An empty store that keeps at most `budget` bytes.
  public init(budget: Int = .max) {
    precondition(budget >= 0, "a budget of \(budget) bytes does not exist")
    self.budget = budget
  }

  /// How many blocks are held.
  public var count: Int { index.count }

  /// Whether the block is here, or elsewhere within reach.
  public func has(_ cid: CID) -> Bool { index[cid] != nil }

  /// The block, as a use that keeps it longer; `nil` if its bytes are not here.
  public mutating func get(_ cid: CID) -> Block? {
    guard let slot = index[cid] else {
      statistics.misses += 1
      return nil
    }
    statistics.hits += 1
    touch(slot)
    return entries[Int(slot)].elsewhere < 0 ? entries[Int(slot)].block : nil
  }

  /// The block, without counting as a use; `nil` if its bytes are not here.
  public func peek(_ cid: CID) -> Block? {
    guard let slot = index[cid], entries[Int(slot)].elsewhere < 0 else { return nil }
    return entries[Int(slot)].block
  }

  /// Stores a block that is known to be what it is called; makes room if there is need.
  @discardableResult public mutating func put(_ block: Block) -> Admission {
    precondition(block.isVerified, "only blocks whose bytes were hashed may be stored")
    if let slot = index[block.cid] {
      touch(slot)
      return .present
    }
    let size = block.bytes.count
    guard size <= Block.mostBytes else {
      statistics.refused += 1
      return .tooLarge
    }
    guard makeRoom(for: size) else {
      statistics.refused += 1
      return .full
    }
    let holds = expected.isEmpty ? Holds() : expected.removeValue(forKey: block.cid) ?? Holds()
    insert(block, holds: holds)
    if !holds.isEmpty { pinnedBytes += size }
    if holds.recursive > 0 { cascade(from: block, by: 1) }
    statistics.stored += 1
    shelf?.errands.append(.store(block))
    return .stored
  }

  /// Stores all blocks of a built object; the first that is not taken ends it.
  @discardableResult public mutating func put(_ object: Object.Built) -> Admission {
    var last = Admission.present
    for block in object.blocks {
      let admission = put(block)
      guard admission != .full, admission != .tooLarge else { return admission }
      if admission == .stored { last = .stored }
    }
    return last
  }

  /// Drops a block unless it is pinned; tells whether it is gone.
  @discardableResult public mutating func remove(_ cid: CID) -> Bool {
    guard let slot = index[cid] else { return true }
    guard entries[Int(slot)].holds.isEmpty else { return false }
    drop(slot)
    return true
  }

  /// Drops all blocks of an object that are not pinned, as far as nodes that are here name them.
  public mutating func remove(object root: CID) {
    var rest = [root]
    while let cid = rest.popLast() {
      if let block = peek(cid) { rest += Object.children(of: block) }
      remove(cid)
    }
  }

  /// Drops every block that is not pinned; returns how many bytes that freed.
  @discardableResult public mutating func collectGarbage() -> Int {
    let before = byteCount
    while oldest >= 0 { drop(oldest) }
    return before - byteCount
  }

  /// All identifiers held, in ascending order.
  public var cids: [CID] { index.keys.sorted() }

  /// Whether every block of the object is here. Blocks that are no file nodes count as leaves.
  public func holdsAll(of root: CID) -> Bool { missing(of: root, limit: 1).isEmpty }

  /// Identifiers of the object's blocks that are not here, in the order of the file, as far as nodes that are here name them; at
  /// most `limit`.
  public func missing(of root: CID, limit: Int = .max) -> [CID] {
    guard let top = peek(root) else { return has(root) ? [] : [root] }
    guard top.cid.codec == .dagPB else { return [] }
    var out: [CID] = []
    var seen: Set<CID> = [root]
    var rest: [CID] = Object.children(of: top).reversed()
    while let cid = rest.popLast() {
      guard seen.insert(cid).inserted else { continue }
      guard let block = peek(cid) else {
        if shelf != nil, has(cid) { continue }
        out.append(cid)
        guard out.count < limit else { return out }
        continue
      }
      rest += Object.children(of: block).reversed()
    }
    return out
  }
}
