import MurmurMachines
import MurmurWire

/// What one ledger has and another lacks.
extension Tangle {
  /// The newest tips, at most `most`, then entries at distances that double, back to the oldest.
  func frontier(tips most: Int) -> [Digest] {
    var slots: [Int] = []
    for who in tipped {
      for tip in issuers[Int(who)].tips { slots.append(Int(tip)) }
    }
    slots.sort { entries[$0].serial > entries[$1].serial }
    slots.removeLast(max(0, slots.count - most))
    var digests = slots.compactMap { entries[$0].transaction?.digest }
    var distance = 1
    while distance <= order.count {
      if let digest = entries[Int(order[order.count - distance])].transaction?.digest { digests.append(digest) }
      distance *= 2
    }
    if let first = order.first, let digest = entries[Int(first)].transaction?.digest { digests.append(digest) }
    return digests
  }

  /// The entries that are neither among `digests` nor in their past, what they approve before them.
  ///
  /// Both pasts are walked in the order of serial numbers, newest first, until only the known past is left: the cost is that of the
  /// difference and of what was added since.
  func notIn(past digests: [Digest]) -> [Int] {
    var walk = Walk(entries)
    for digest in digests {
      if let slot = slot(digest) { walk.add(slot, isTheirs: true) }
    }
    for who in tipped {
      for tip in issuers[Int(who)].tips { walk.add(Int(tip), isTheirs: false) }
    }
    var lacking: [Int] = []
    while let (slot, isTheirs) = walk.next() {
      if !isTheirs { lacking.append(slot) }
      let entry = entries[slot]
      for reference in [entry.first, entry.second, entry.previous] {
        if let parent = resolve(reference, from: entry.serial) { walk.add(parent, isTheirs: isTheirs) }
      }
    }
    return lacking.reversed()
  }

  /// Slots by serial number, highest first, until only theirs are left.
  private struct Walk {
    private let entries: [Entry]
    private var heap: [(serial: Int, slot: Int)] = []
    private var marks: [Int: Bool] = [:]
    private var ours = 0

    init(_ entries: [Entry]) { self.entries = entries }

    mutating func add(_ slot: Int, isTheirs: Bool) {
      if let mark = marks[slot] {
        if isTheirs, !mark {
          marks[slot] = true
          ours -= 1
        }
        return
      }
      marks[slot] = isTheirs
      if !isTheirs { ours += 1 }
      heap.append((entries[slot].serial, slot))
      var child = heap.count - 1
      while child > 0, heap[(child - 1) / 2].serial < heap[child].serial {
        heap.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
    }

    mutating func next() -> (slot: Int, isTheirs: Bool)? {
      guard ours > 0, let top = heap.first else { return nil }
      let last = heap.removeLast()
      if !heap.isEmpty {
        heap[0] = last
        sift()
      }
      // All that approve it have higher numbers, so its mark is final; it never comes back.
      let isTheirs = marks[top.slot] ?? true
      if !isTheirs { ours -= 1 }
      return (top.slot, isTheirs)
    }

    private mutating func sift() {
      var parent = 0
      while true {
        var child = 2 * parent + 1
        guard child < heap.count else { return }
        if child + 1 < heap.count, heap[child + 1].serial > heap[child].serial { child += 1 }
        guard heap[child].serial > heap[parent].serial else { return }
        heap.swapAt(child, parent)
        parent = child
      }
    }
  }
}
