public import MurmurWire

/// Pins: who wants which blocks kept.
extension BlockStore {
  /// A wish that a block be kept, under a name; setting it twice needs two removals.
  public struct Pin: Hashable, Comparable, Sendable {
    /// Who wishes it, e.g. "own model"; any text.
    public let name: String
    /// The block.
    public let root: CID
    /// Whether all blocks below it are kept too.
    public let isRecursive: Bool

    /// A wish.
    public init(name: String = "", root: CID, isRecursive: Bool = true) {
      self.name = name
      self.root = root
      self.isRecursive = isRecursive
    }

    /// Feeds the root alone to the hasher: few pins share one.
    public func hash(into hasher: inout Hasher) { hasher.combine(root) }

    /// By root, then name, then kind.
    public static func < (left: Pin, right: Pin) -> Bool {
      if left.root != right.root { return left.root < right.root }
      if left.name != right.name { return left.name < right.name }
      return left.isRecursive && !right.isRecursive
    }
  }

  /// Keeps `root`, and with `recursive` everything below it, also what is still to come.
  public mutating func pin(_ root: CID, as name: String = "", recursive: Bool = true) {
    let pin = Pin(name: name, root: root, isRecursive: recursive)
    pins[pin, default: 0] += 1
    if shelf != nil, pins[pin] == 1 { shelf?.errands.append(.pin(pin)) }
    hold(root, cascading: recursive)
  }

  /// Takes back one ``pin(_:as:recursive:)``; false if there is none to take back.
  @discardableResult public mutating func unpin(_ root: CID, as name: String = "", recursive: Bool = true) -> Bool {
    let pin = Pin(name: name, root: root, isRecursive: recursive)
    guard let count = pins[pin] else { return false }
    pins[pin] = count == 1 ? nil : count - 1
    if count == 1 { shelf?.errands.append(.unpin(pin)) }
    release(root, cascading: recursive)
    return true
  }

  /// All pins, in ascending order.
  public var allPins: [Pin] { pins.keys.sorted() }

  /// Whether the block is kept, by a pin of its own or through a parent.
  public func isPinned(_ cid: CID) -> Bool {
    if let slot = index[cid] { return !entries[Int(slot)].holds.isEmpty }
    return expected[cid] != nil
  }
}

/// Counting references. A block's recursive holds are the recursive pins on it plus the held parents that name it, each parent
/// once; the first hold is passed on to the children and the last one taken back from them. No cycle can exist, since a block
/// cannot name what hashes over it.
extension BlockStore {
  /// How many hold a block.
  struct Holds: Hashable, Sendable {
    /// Holds that extend to the children.
    var recursive: Int32 = 0
    /// Holds that do not.
    var direct: Int32 = 0

    var isEmpty: Bool { recursive == 0 && direct == 0 }
  }

  mutating func hold(_ cid: CID, cascading: Bool) {
    guard change(cid, by: 1, recursive: cascading), cascading, let block = peek(cid) else { return }
    cascade(from: block, by: 1)
  }

  mutating func release(_ cid: CID, cascading: Bool) {
    guard change(cid, by: -1, recursive: cascading), cascading, let block = peek(cid) else { return }
    cascade(from: block, by: -1)
  }

  /// Passes a first hold on to everything below `top`, or takes a last one back.
  mutating func cascade(from top: Block, by step: Int32) {
    guard top.cid.codec == .dagPB else { return }
    var parents = [top]
    while let parent = parents.popLast() {
      var seen: Set<CID> = []
      for child in Object.children(of: parent) where seen.insert(child).inserted {
        guard change(child, by: step, recursive: true), child.codec == .dagPB, let block = peek(child) else { continue }
        parents.append(block)
      }
    }
  }

  /// Changes one count; true if it was the first recursive hold or the last, so that the children are concerned.
  private mutating func change(_ cid: CID, by step: Int32, recursive: Bool) -> Bool {
    guard let slot = index[cid] else {
      var holds = expected[cid] ?? Holds()
      let turned = holds.change(by: step, recursive: recursive)
      expected[cid] = holds.isEmpty ? nil : holds
      return turned
    }
    let was = entries[Int(slot)].holds.isEmpty
    let turned = entries[Int(slot)].holds.change(by: step, recursive: recursive)
    let isFree = entries[Int(slot)].holds.isEmpty
    let size = entries[Int(slot)].size
    if was, !isFree {
      unlink(slot)
      pinnedBytes += size
    } else if !was, isFree {
      link(slot)
      pinnedBytes -= size
    }
    return turned
  }
}

extension BlockStore.Holds {
  fileprivate mutating func change(by step: Int32, recursive isRecursive: Bool) -> Bool {
    if isRecursive { recursive += step } else { direct += step }
    precondition(recursive >= 0 && direct >= 0, "a hold was released that nobody had")
    return isRecursive && recursive == (step > 0 ? 1 : 0)
  }
}
