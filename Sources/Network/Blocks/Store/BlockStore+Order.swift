internal import MurmurWire

/// The order of use: a doubly linked list through the table of entries, so that using, storing and evicting take constant time.
/// Only blocks that nobody holds are in it.
extension BlockStore {
  /// Drops the least recently used blocks until `size` more bytes fit; false if pinned blocks leave no room.
  mutating func makeRoom(for size: Int) -> Bool {
    guard byteCount > budget - size else { return true }
    guard pinnedBytes <= budget - size else { return false }
    while byteCount > budget - size, oldest >= 0 {
      drop(oldest)
      statistics.evicted += 1
    }
    return byteCount <= budget - size
  }

  mutating func insert(_ block: Block, holds: Holds) {
    let entry = Entry(block: block, holds: holds, older: -1, newer: -1)
    let slot: Int32
    if let reused = free.popLast() {
      slot = reused
      entries[Int(slot)] = entry
    } else {
      slot = Int32(entries.count)
      entries.append(entry)
    }
    index[block.cid] = slot
    byteCount += block.bytes.count
    if holds.isEmpty { link(slot) }
  }

  mutating func drop(_ slot: Int32) {
    let block = entries[Int(slot)].block
    unlink(slot)
    index[block.cid] = nil
    byteCount -= entries[Int(slot)].size
    if shelf != nil { takeOffShelf(slot) }
    entries[Int(slot)].block = Block.none
    free.append(slot)
  }

  mutating func touch(_ slot: Int32) {
    guard entries[Int(slot)].holds.isEmpty, newest != slot else { return }
    unlink(slot)
    link(slot)
  }

  /// Appends the slot at the newest end.
  mutating func link(_ slot: Int32) {
    entries[Int(slot)].older = newest
    entries[Int(slot)].newer = -1
    if newest >= 0 { entries[Int(newest)].newer = slot } else { oldest = slot }
    newest = slot
  }

  /// Takes the slot out of the list.
  mutating func unlink(_ slot: Int32) {
    let older = entries[Int(slot)].older
    let newer = entries[Int(slot)].newer
    if older >= 0 { entries[Int(older)].newer = newer } else { oldest = newer }
    if newer >= 0 { entries[Int(newer)].older = older } else { newest = older }
    entries[Int(slot)].older = -1
    entries[Int(slot)].newer = -1
  }
}

extension Block {
  /// What a free entry keeps, so that the old block's bytes are released.
  static let none = Block(trusted: CID(codec: .raw, digest: Digest(0, 0, 0, 0)), bytes: [])
}
