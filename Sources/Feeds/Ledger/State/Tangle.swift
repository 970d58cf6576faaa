import MurmurIdentity
import MurmurMachines
import MurmurWire

/// The solid transactions of one ledger: entries in slots that are used again, found by digest, in the order in which they became solid.
///
/// What an entry approves has a lower serial number than itself, always. A slot that was given to a newer entry is thereby recognised
/// when an old reference is followed, so references need not be cleared when something is pruned.
struct Tangle: Sendable {
  struct Entry: Sendable {
    var transaction: Transaction?
    /// Counts up with each entry; `Int.max` in a free slot.
    var serial = Int.max
    var arrived = Instant.origin
    /// The time of the newest confirmed transaction known to be in its past, by its two links.
    var anchor = Int64.min
    /// Issuers other than its own that approve it, until it is confirmed; −1 where there is none.
    var approvers = SIMD4<Int32>(repeating: -1)
    /// The slots of what it approves; −1 for what is not kept.
    var first: Int32 = -1
    var second: Int32 = -1
    var previous: Int32 = -1
    var issuer: Int32 = -1
    /// How many approvals of kept entries it has had.
    var children: Int32 = 0
    /// The next older entry with the same tag.
    var nextTagged: Int32 = -1
    var isConfirmed = false
  }

  struct Issuer: Sendable {
    let key: Digest
    /// The last number of its chain, and the transaction.
    var sequence: Int64 = -1
    var last: Digest?
    var lastSlot: Int32 = -1
    /// All up to this number were pruned.
    var prunedSequence: Int64 = -1
    var tips: [Int32] = []
    /// Where it stands among those with tips.
    var place: Int32 = -1
    var kept: Int32 = 0
    var isDistrusted = false
  }

  let genesis: Digest
  let quorum: Int
  var entries: [Entry] = []
  var free: [Int32] = []
  var index: [Digest: Int32] = [:]
  var tags: [UInt64: Int32] = [:]
  var issuers: [Issuer] = []
  var issuerIndex: [Digest: Int32] = [:]
  /// Issuers with tips.
  var tipped: [Int32] = []
  /// What is not kept and need not be had, with the number of reasons: entries that approve it, and one while it is in `retired`.
  var entryPoints: [Digest: Int32] = [:]
  /// Those of the entry points that never were here, as far as is known: others say that they are gone.
  var vouched: Set<Digest> = []
  /// What was pruned last, oldest first.
  var retired = Queue<Digest>()
  /// Slots by serial number, what was pruned in the middle left out.
  var order = Queue<Int32>()
  /// What may need a nod: slot and serial number; and what of it was lazy when it was looked at.
  var unsettled = Queue<Unsettled>()
  var doubtful = Queue<Unsettled>()
  var milestones: Milestones
  var newestConfirmed: Int32 = -1
  var nextSerial = 0
  var count = 0
  var byteCount = 0
  var tipCount = 0
  var unconfirmedCount = 0
  private var stack: [Int32] = []

  struct Unsettled: Sendable {
    let slot: Int32
    let serial: Int
  }

  /// The most pruned transactions whose names are remembered although nothing kept approves them.
  static let mostRetired = 4_096

  init(genesis: Digest, quorum: Int, window: Instant.Span) {
    self.genesis = genesis
    self.quorum = quorum
    milestones = Milestones(window: max(window.nanoseconds / 1_000_000, 1))
  }

  // MARK: Looking

  var isSettled: Bool { unsettled.isEmpty && doubtful.isEmpty }

  func slot(_ digest: Digest) -> Int? { index[digest].map { Int($0) } }

  func transaction(_ digest: Digest) -> Transaction? { slot(digest).flatMap { entries[$0].transaction } }

  func isConfirmed(_ digest: Digest) -> Bool { slot(digest).map { entries[$0].isConfirmed } ?? false }

  func isDistrusted(_ issuer: Digest) -> Bool { issuerIndex[issuer].map { issuers[Int($0)].isDistrusted } ?? false }

  func approvals(of digest: Digest) -> Int? {
    guard let slot = slot(digest) else { return nil }
    if entries[slot].isConfirmed { return quorum }
    return (0..<4).count { entries[slot].approvers[$0] >= 0 }
  }

  /// Whether a transaction is kept, or known and need not be had.
  func isKnown(_ digest: Digest) -> Bool { index[digest] != nil || entryPoints[digest] != nil || digest == genesis }

  /// The slot that an entry refers to, if it still holds what it did.
  func resolve(_ reference: Int32, from serial: Int) -> Int? {
    guard reference >= 0, entries[Int(reference)].serial < serial else { return nil }
    return Int(reference)
  }

  /// Whether it came before and was pruned since. What others say is gone is welcome all the same.
  func isStale(_ transaction: Transaction) -> Bool {
    if entryPoints[transaction.digest] != nil, !vouched.contains(transaction.digest) { return true }
    guard let issuer = issuerIndex[transaction.issuer.word] else { return false }
    return Int64(transaction.sequence) <= issuers[Int(issuer)].prunedSequence
  }

  /// What of a transaction's approvals is not known.
  func missing(_ transaction: Transaction) -> [Digest] {
    var missing: [Digest] = []
    if !isKnown(transaction.links.0) { missing.append(transaction.links.0) }
    if !isKnown(transaction.links.1), !missing.contains(transaction.links.1) { missing.append(transaction.links.1) }
    if let previous = transaction.previous, !isKnown(previous), !missing.contains(previous),
      !isLast(previous, of: transaction.issuer)
    {
      missing.append(previous)
    }
    return missing
  }

  /// Whether a transaction claims as its previous one something pruned that is not its issuer's last: then its issuer's rate cannot be told.
  func isDetached(_ transaction: Transaction) -> Bool {
    guard let previous = transaction.previous, entryPoints[previous] != nil, index[previous] == nil,
      let issuer = issuerIndex[transaction.issuer.word], issuers[Int(issuer)].last != nil
    else { return false }
    return !isLast(previous, of: transaction.issuer)
  }

  private func isLast(_ digest: Digest, of issuer: PeerID) -> Bool {
    issuerIndex[issuer.word].map { issuers[Int($0)].last == digest } ?? false
  }

  func transactions(tagged tag: [UInt8]) -> [Transaction] {
    guard !tag.isEmpty, let first = tags[Digest.sha256(of: tag).a] else { return [] }
    var found: [Transaction] = []
    var next = Int(first), serial = Int.max
    while next >= 0, entries[next].serial < serial, let transaction = entries[next].transaction {
      if transaction.tag == tag { found.append(transaction) }
      (serial, next) = (entries[next].serial, Int(entries[next].nextTagged))
    }
    return found.reversed()
  }

  /// Bytes of the tables, roughly: capacities times strides, and a tenth more for what hash tables note.
  var tableBytes: Int {
    let slots = entries.capacity * MemoryLayout<Entry>.stride + order.count * 4 + unsettled.count * 16
    let names = index.capacity * 36 + tags.capacity * 12 + entryPoints.capacity * 36 + issuerIndex.capacity * 36
    return slots + (names + names / 3) + issuers.capacity * (MemoryLayout<Issuer>.stride + 36)
  }

  func inOrder() -> [Transaction] { order.compactMap { entries[Int($0)].transaction } }

  // MARK: Growing

  /// Takes in a transaction whose past is known and whose work and time were checked; returns the other one if its issuer has
  /// issued twice in one place. Slots that are confirmed by it are appended to `confirmed`.
  mutating func attach(_ transaction: Transaction, at now: Instant, confirmed: inout [Int32]) -> Digest? {
    let who = issuerNumber(transaction.issuer.word)
    var entry = Entry(transaction: transaction, serial: nextSerial, arrived: now)
    nextSerial += 1
    entry.issuer = Int32(who)
    entry.first = touch(transaction.links.0)
    entry.second = touch(transaction.links.1)
    if let previous = transaction.previous { entry.previous = touch(previous) }
    entry.anchor = max(anchor(through: entry.first), anchor(through: entry.second))
    let slot: Int
    if !transaction.tag.isEmpty { entry.nextTagged = tags[transaction.tagKey] ?? -1 }
    if let reused = free.popLast() {
      slot = Int(reused)
      entries[slot] = entry
    } else {
      slot = entries.count
      entries.append(entry)
    }
    index[transaction.digest] = Int32(slot)
    vouched.remove(transaction.digest)
    if !transaction.tag.isEmpty { tags[transaction.tagKey] = Int32(slot) }
    order.append(Int32(slot))
    if !transaction.isNod { unsettled.append(Unsettled(slot: Int32(slot), serial: entry.serial)) }
    count += 1
    byteCount += transaction.bytes.count
    unconfirmedCount += 1
    issuers[who].kept += 1
    let rival = chain(transaction, slot, who)
    addTip(slot, who)
    if !issuers[who].isDistrusted { approve(from: slot, by: Int32(who), &confirmed) }
    return rival
  }

  mutating func issuerNumber(_ key: Digest) -> Int {
    if let known = issuerIndex[key] { return Int(known) }
    issuers.append(Issuer(key: key))
    issuerIndex[key] = Int32(issuers.count - 1)
    return issuers.count - 1
  }

  /// Counts an approval of what has that digest, and finds its slot.
  private mutating func touch(_ digest: Digest) -> Int32 {
    guard let slot = index[digest] else {
      if digest != genesis { entryPoints[digest, default: 0] += 1 }
      return -1
    }
    entries[Int(slot)].children += 1
    if entries[Int(slot)].children == 1 { removeTip(Int(slot)) }
    return slot
  }

  private func anchor(through reference: Int32) -> Int64 {
    guard reference >= 0 else { return .min }
    let entry = entries[Int(reference)]
    return entry.isConfirmed ? max(entry.transaction?.time ?? .min, entry.anchor) : entry.anchor
  }

  /// Puts a transaction into its issuer's chain; returns the one whose place it claims, if there is one.
  private mutating func chain(_ transaction: Transaction, _ slot: Int, _ who: Int) -> Digest? {
    let number = Int64(transaction.sequence)
    if number > issuers[who].sequence, number > issuers[who].sequence + 1 || transaction.previous == issuers[who].last {
      issuers[who].sequence = number
      issuers[who].last = transaction.digest
      issuers[who].lastSlot = Int32(slot)
      return nil
    }
    guard !issuers[who].isDistrusted else { return nil }
    // Look for the one with the same number.
    var place = Int(issuers[who].lastSlot), serial = Int.max
    while place >= 0, entries[place].serial < serial, let other = entries[place].transaction {
      if Int64(other.sequence) <= number {
        guard other.sequence == transaction.sequence, other.digest != transaction.digest else { break }
        issuers[who].isDistrusted = true
        return other.digest
      }
      (serial, place) = (entries[place].serial, Int(entries[place].previous))
    }
    if number > issuers[who].sequence, let last = issuers[who].last {
      // It goes on from another one than the last.
      issuers[who].isDistrusted = true
      return last
    }
    return nil
  }

  // MARK: Tips

  private mutating func addTip(_ slot: Int, _ who: Int) {
    issuers[who].tips.append(Int32(slot))
    tipCount += 1
    guard issuers[who].place < 0 else { return }
    issuers[who].place = Int32(tipped.count)
    tipped.append(Int32(who))
  }

  mutating func removeTip(_ slot: Int) {
    let who = Int(entries[slot].issuer)
    guard let place = issuers[who].tips.firstIndex(of: Int32(slot)) else { return }
    issuers[who].tips.remove(at: place)
    tipCount -= 1
    guard issuers[who].tips.isEmpty else { return }
    let gap = Int(issuers[who].place)
    let moved = tipped.removeLast()
    if gap < tipped.count {
      tipped[gap] = moved
      issuers[Int(moved)].place = Int32(gap)
    }
    issuers[who].place = -1
  }

  // MARK: Confirmation

  /// Counts `issuer` as approving all that `slot` approves. Each entry is come by at most once for each approver until it is confirmed.
  private mutating func approve(from slot: Int, by issuer: Int32, _ confirmed: inout [Int32]) {
    stack.removeAll(keepingCapacity: true)
    push(slot)
    while let next = stack.popLast() {
      let place = Int(next)
      guard !entries[place].isConfirmed, entries[place].issuer != issuer else { continue }
      var count = 0
      while count < quorum, entries[place].approvers[count] >= 0, entries[place].approvers[count] != issuer { count += 1 }
      guard count < quorum, entries[place].approvers[count] < 0 else { continue }
      entries[place].approvers[count] = issuer
      if count + 1 == quorum { confirm(place, &confirmed) } else { push(place) }
    }
  }

  private mutating func push(_ slot: Int) {
    let entry = entries[slot]
    if let first = resolve(entry.first, from: entry.serial) { stack.append(Int32(first)) }
    if entry.second != entry.first, let second = resolve(entry.second, from: entry.serial) { stack.append(Int32(second)) }
    if entry.previous != entry.first, entry.previous != entry.second, let previous = resolve(entry.previous, from: entry.serial) {
      stack.append(Int32(previous))
    }
  }

  /// Confirms an entry and its past.
  private mutating func confirm(_ slot: Int, _ confirmed: inout [Int32]) {
    let bottom = stack.count
    stack.append(Int32(slot))
    while stack.count > bottom, let next = stack.popLast() {
      let place = Int(next)
      guard !entries[place].isConfirmed else { continue }
      entries[place].isConfirmed = true
      unconfirmedCount -= 1
      confirmed.append(next)
      if let time = entries[place].transaction?.time {
        if milestones.note(time) { newestConfirmed = next }
      }
      push(place)
    }
  }
}

/// A queue in an array.
struct Queue<Element: Sendable>: Sendable, Sequence {
  private var items: [Element] = []
  private var start = 0

  var count: Int { items.count - start }
  var isEmpty: Bool { start == items.count }
  var first: Element? { start < items.count ? items[start] : nil }

  subscript(index: Int) -> Element { items[start + index] }

  mutating func append(_ element: Element) { items.append(element) }

  mutating func popFirst() -> Element? {
    guard start < items.count else { return nil }
    start += 1
    if start > 64, start * 2 > items.count {
      defer {
        items.removeFirst(start)
        start = 0
      }
      return items[start - 1]
    }
    return items[start - 1]
  }

  /// Replaces the first `count` elements by `others`.
  mutating func replaceFirst(_ count: Int, by others: [Element]) {
    items.replaceSubrange(start..<start + count, with: others)
  }

  func makeIterator() -> IndexingIterator<ArraySlice<Element>> { items[start...].makeIterator() }
}
