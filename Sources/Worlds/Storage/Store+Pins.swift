internal import Foundation
internal import GRDB
public import MurmurBlocks
internal import MurmurWire

/// Pins, the limit and the collection of garbage.
extension Store {
  /// Keeps what the pin names; safe when it returns.
  public func pin(_ pin: BlockStore.Pin) throws(StoreError) {
    try commit { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO pins (name, root, is_recursive) VALUES (?, ?, ?)",
        arguments: [pin.name, Data(Store.key(pin.root)), pin.isRecursive])
    }
  }

  /// Takes a pin back; false if it was not set.
  @discardableResult public func unpin(_ pin: BlockStore.Pin) throws(StoreError) -> Bool {
    try commit { database in
      try database.execute(
        sql: "DELETE FROM pins WHERE name = ? AND root = ? AND is_recursive = ?",
        arguments: [pin.name, Data(Store.key(pin.root)), pin.isRecursive])
      return database.changesCount > 0
    }
  }

  /// All pins, in ascending order.
  public func pins() throws(StoreError) -> [BlockStore.Pin] {
    let all = try fetch { database in
      try Row.fetchAll(database, sql: "SELECT name, root, is_recursive FROM pins").compactMap { row in
        let key: Data = row[1]
        return Store.cid([UInt8](key)).map { BlockStore.Pin(name: row[0], root: $0, isRecursive: row[2]) }
      }
    }
    return all.sorted()
  }

  /// What a collection did.
  public struct Collection: Hashable, Sendable {
    /// Blocks removed.
    public var blocks = 0
    /// Bytes of them.
    public var bytes = 0
    /// Bytes that stay because they are pinned.
    public var pinned = 0
  }

  /// Removes blocks that no pin holds, the longest unused first, until at most `target` bytes are left; all of them without one.
  @discardableResult public func collectGarbage(to target: Int = 0) throws(StoreError) -> Collection {
    let all = try inventory()
    let kept = try pinned(among: all)
    var result = Collection()
    for held in all where kept.contains(held.cid) { result.pinned += held.size }
    var left = byteCount
    var doomed: [CID] = []
    for held in all where !kept.contains(held.cid) {
      guard left > target else { break }
      left -= held.size
      result.bytes += held.size
      result.blocks += 1
      doomed.append(held.cid)
      guard doomed.count >= 1_024 else { continue }
      try remove(doomed)
      doomed = []
    }
    try remove(doomed)
    return result
  }

  /// Every block that a pin holds. Only nodes are read; leaves are known by their names.
  private func pinned(among all: [Held]) throws(StoreError) -> Set<CID> {
    let nodes = Set(all.filter(\.isNode).map(\.cid))
    var kept: Set<CID> = []
    var open: Set<CID> = []
    for pin in try pins() {
      kept.insert(pin.root)
      guard pin.isRecursive else { continue }
      var rest = [pin.root]
      while let cid = rest.popLast() {
        kept.insert(cid)
        guard nodes.contains(cid), open.insert(cid).inserted, let block = try get(cid) else { continue }
        rest += Object.children(of: block)
      }
    }
    return kept
  }

  /// Collects garbage if `size` more bytes would exceed the limit, a tenth more than needed; throws if that does not suffice.
  func makeRoom(for size: Int) throws(StoreError) {
    guard byteCount > options.limit - size else { return }
    let target = options.limit - size
    let collected = try collectGarbage(to: max(0, target - options.limit / 10))
    guard byteCount <= target else {
      throw StoreError(path, .writing, .full(pinned: collected.pinned, limit: options.limit))
    }
  }
}

/// The way from the disk into the machine and back.
extension Store {
  /// A ``BlockStore`` that knows everything in this store: nodes in memory, leaves elsewhere, pins set.
  public func blockStore(memory: Int) throws(StoreError) -> BlockStore {
    BlockStore(budget: options.limit, memory: memory, try belongings())
  }

  /// Everything in this store, as far as a ``BlockStore`` has to know it.
  public func belongings() throws(StoreError) -> BlockStore.Belongings {
    var all = BlockStore.Belongings(pins: try pins())
    for held in try inventory() {
      if held.isNode {
        if let block = try get(held.cid) { all.held.append(.node(block)) }
      } else {
        all.held.append(.leaf(held.cid, size: held.size))
      }
    }
    return all
  }

  /// What came of some errands.
  public struct Performed: Sendable {
    /// What to tell the machine, in order.
    public var outcomes: [BlockStore.Outcome] = []
    /// What went wrong, for the log; the machine was told as much as it needs.
    public var failures: [StoreError] = []
  }

  /// Does what a block store wants done; what is `stored` is safe by then, as far as the durability goes. Takes several errands so
  /// that they share what it costs to make files safe.
  public func perform(_ errands: [BlockStore.Errand]) -> Performed {
    var done = Performed()
    var place = 0
    while place < errands.count {
      var blocks: [Block] = []
      while place < errands.count, case .store(let block) = errands[place] {
        blocks.append(block)
        place += 1
      }
      if blocks.isEmpty {
        perform(errands[place], &done)
        place += 1
        continue
      }
      do throws(StoreError) {
        try put(blocks)
        try flush()
        done.outcomes += blocks.map { .stored($0.cid) }
      } catch {
        done.outcomes += blocks.map { .notStored($0.cid) }
        done.failures.append(error)
      }
    }
    return done
  }

  private func perform(_ errand: BlockStore.Errand, _ done: inout Performed) {
    do throws(StoreError) {
      switch errand {
      case .store(let block): try put([block])
      case .load(let cid): done.outcomes.append(.loaded(cid, try get(cid)))
      case .discard(let cid): try remove([cid])
      case .pin(let pin): try self.pin(pin)
      case .unpin(let pin): try unpin(pin)
      }
    } catch {
      if case .load(let cid) = errand { done.outcomes.append(.loaded(cid, nil)) }
      done.failures.append(error)
    }
  }
}
