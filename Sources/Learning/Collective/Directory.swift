import MurmurIdentity
import MurmurMachines
import MurmurWire

/// What a peer knows of the others' newest models, and so of the others: a bounded table, one entry a peer, freshest kept.
///
/// This is the view of Newscast (Jelasity & van Steen 2002): entries are exchanged every cycle and the freshest survive, so peers
/// that left fade away by themselves and no list of members is needed anywhere. The table is an array searched in order, because it
/// is small, its order is the same on every machine, and the simulator holds ten thousand of them.
struct Directory: Sendable {
  /// How many other peers a table holds; the entry made longest ago is dropped first.
  static let capacity = 48
  /// How far ahead of the own clock an announcement's time may lie before it is taken back to now.
  static let tolerance = Instant.Span.seconds(5)

  struct Entry: Sendable {
    var announcement: Announcement
    /// Who told us that it can serve the object, most recently.
    var holder: PeerID
    /// When ``holder`` was last heard.
    var heard: Instant
    /// Whether this very model has entered an average of ours.
    var merged = false
    /// Whether the object is in our own store.
    var held = false
  }

  private(set) var entries: [Entry] = []
  /// The first word of each entry's peer, to be searched quickly; the whole identity decides.
  private var keys: [UInt64] = []
  /// When each entry's model was made, likewise.
  private var mades: [Int64] = []
  /// The signatures of the entries, where announcements are signed.
  private var seals: [Seal] = []
  /// In a full table, what was made no later than this is not even looked at: no entry is older.
  private var oldest = Instant.origin

  func index(of peer: PeerID) -> Int? {
    let key = peer.word.a
    for index in keys.indices where keys[index] == key && entries[index].announcement.peer == peer { return index }
    return nil
  }

  func index(holding root: CID) -> Int? { entries.firstIndex { $0.announcement.root == root } }

  /// Takes in what `sender` says. Returns the root of an object that we hold and that this made out of date.
  mutating func hear(_ told: Announcement, seal: Seal? = nil, from sender: PeerID, at now: Instant) -> CID? {
    var announcement = told
    if announcement.made > now + Directory.tolerance { announcement.made = now }
    let servable = told.held || sender == told.peer
    guard let index = index(of: told.peer) else {
      guard entries.count < Directory.capacity || announcement.made > oldest else { return nil }
      return take(Entry(announcement: announcement, holder: servable ? sender : told.peer, heard: now), seal)
    }
    if announcement.root == entries[index].announcement.root {
      if servable {
        entries[index].holder = sender
        entries[index].heard = now
      }
      return nil
    }
    let known = entries[index].announcement
    guard (announcement.made, announcement.cycle) > (known.made, known.cycle) else { return nil }
    let stale = entries[index].held ? known.root : nil
    entries[index] = Entry(announcement: announcement, holder: servable ? sender : told.peer, heard: now)
    mades[index] = announcement.made.nanoseconds
    if let seal { seals[index] = seal }
    return stale
  }

  /// Whether ``hear(_:seal:from:at:)`` would believe something new; what only says who serves a model that is known is not news.
  func isNews(_ told: Announcement, at now: Instant) -> Bool {
    let made = told.made > now + Directory.tolerance ? now : told.made
    guard let index = index(of: told.peer) else { return entries.count < Directory.capacity || made > oldest }
    let known = entries[index].announcement
    return told.root != known.root && (made, told.cycle) > (known.made, known.cycle)
  }

  /// The owner's signature of a peer's announcement of `root`, if it is known.
  func seal(of peer: PeerID, _ root: CID) -> Seal? {
    guard let index = index(of: peer), entries[index].announcement.root == root, index < seals.count else { return nil }
    return seals[index]
  }

  /// Adds an entry; in a full table it takes the place of the oldest, unless it is older still.
  private mutating func take(_ entry: Entry, _ seal: Seal?) -> CID? {
    let made = entry.announcement.made.nanoseconds
    guard entries.count >= Directory.capacity else {
      if let seal { seals.append(seal) }
      entries.append(entry)
      keys.append(entry.announcement.peer.word.a)
      mades.append(made)
      return nil
    }
    let first = Directory.least(of: mades)
    // Nothing that is as old as what goes now need be looked at next time.
    oldest = Instant(nanoseconds: mades[first])
    guard made > mades[first] else { return nil }
    let gone = entries[first]
    entries[first] = entry
    keys[first] = entry.announcement.peer.word.a
    mades[first] = made
    if let seal { seals[first] = seal }
    return gone.held ? gone.announcement.root : nil
  }

  /// The place of the least value, the first among equals.
  private static func least(of values: [Int64]) -> Int {
    unsafe values.withUnsafeBufferPointer { values in
      var place = 0
      var least = unsafe values[0]
      for index in 1..<values.count {
        let value = unsafe values[index]
        if value < least {
          least = value
          place = index
        }
      }
      return place
    }
  }

  /// This peer was heard of itself, just now.
  mutating func met(_ peer: PeerID, at now: Instant) {
    if let index = index(of: peer) { entries[index].heard = now }
  }

  /// How many fetched models are kept for others; the one made longest ago is let go first.
  static let heldLimit = 20

  /// The object is in our store. Returns the root of one that need not be kept any longer, if there are too many.
  mutating func hold(_ index: Int) -> CID? {
    entries[index].held = true
    var oldest = index
    var count = 0
    for other in entries.indices where entries[other].held {
      count += 1
      if mades[other] < mades[oldest] { oldest = other }
    }
    guard count > Directory.heldLimit else { return nil }
    entries[oldest].held = false
    return entries[oldest].announcement.root
  }

  /// The model has entered an average of ours.
  mutating func merged(_ root: CID) {
    if let index = index(holding: root) { entries[index].merged = true }
  }

  /// The freshest announcements to pass on, those we can serve first, then the newest; at most `limit`.
  func freshest(_ limit: Int) -> [Announcement] {
    guard limit > 0 else { return [] }
    // A few of fifty: the best so far, kept in order, beat sorting all.
    var order: [Int] = []
    order.reserveCapacity(limit + 1)
    for index in entries.indices {
      if order.count == limit, !goes(index, before: order[limit - 1]) { continue }
      var place = order.count
      while place > 0, goes(index, before: order[place - 1]) { place -= 1 }
      order.insert(index, at: place)
      if order.count > limit { order.removeLast() }
    }
    return order.map { index in
      var announcement = entries[index].announcement
      announcement.held = entries[index].held
      return announcement
    }
  }

  /// Whether an entry is passed on rather than another: held ones first, then newer ones, then by identity.
  private func goes(_ left: Int, before right: Int) -> Bool {
    if entries[left].held != entries[right].held { return entries[left].held }
    if mades[left] != mades[right] { return mades[left] > mades[right] }
    return entries[left].announcement.peer < entries[right].announcement.peer
  }
}
