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

  /// The entries that are neither among `digests` nor in their past, what they approve before them, and how many entries were looked at.
  ///
  /// Both pasts are walked in the order of serial numbers, newest first, until only the known past is left: the cost is that of the
  /// difference and of what was added since.
  func notIn(past digests: [Digest]) -> (lacking: [Int], visits: Int) {
    var marks = [Mark](repeating: .unseen, count: entries.count)
    /// Those marked as ours that were not come by yet.
    var ours = 0
    func mark(_ slot: Int, isTheirs: Bool) {
      switch marks[slot] {
      case .theirs: return
      case .ours:
        guard isTheirs else { return }
        ours -= 1
      case .unseen: if !isTheirs { ours += 1 }
      }
      marks[slot] = isTheirs ? .theirs : .ours
    }
    for digest in digests {
      if let slot = slot(digest) { mark(slot, isTheirs: true) }
    }
    for who in tipped {
      for tip in issuers[Int(who)].tips { mark(Int(tip), isTheirs: false) }
    }
    var lacking: [Int] = []
    var place = order.count
    while ours > 0, place > 0 {
      place -= 1
      let slot = Int(order[place])
      // All that approve it have higher numbers, so its mark is final.
      guard marks[slot] != .unseen else { continue }
      let isTheirs = marks[slot] == .theirs
      if !isTheirs {
        ours -= 1
        lacking.append(slot)
      }
      let entry = entries[slot]
      for reference in [entry.first, entry.second, entry.previous] {
        if let parent = resolve(reference, from: entry.serial) { mark(parent, isTheirs: isTheirs) }
      }
    }
    return (lacking.reversed(), order.count - place)
  }

  private enum Mark: UInt8 {
    case unseen, ours, theirs
  }
}
