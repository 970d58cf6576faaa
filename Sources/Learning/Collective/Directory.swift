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
  /// When the oldest entry was made, while the table is full: what is older is not even looked at.
  private var oldest = Instant.origin

  func index(of peer: PeerID) -> Int? {
    let key = peer.word.a
    for index in keys.indices where keys[index] == key && entries[index].announcement.peer == peer { return index }
    return nil
  }

  func index(holding root: CID) -> Int? { entries.firstIndex { $0.announcement.root == root } }

  /// Takes in what `sender` says. Returns the root of an object that we hold and that this made out of date.
  mutating func hear(_ told: Announcement, from sender: PeerID, at now: Instant) -> CID? {
    var announcement = told
    if announcement.made > now + Directory.tolerance { announcement.made = now }
    let servable = told.held || sender == told.peer
    guard let index = index(of: told.peer) else {
      return take(Entry(announcement: announcement, holder: servable ? sender : told.peer, heard: now))
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
    return stale
  }

  /// Adds an entry; in a full table it takes the place of the oldest, unless it is older still.
  private mutating func take(_ entry: Entry) -> CID? {
    let made = entry.announcement.made.nanoseconds
    guard entries.count >= Directory.capacity else {
      entries.append(entry)
      keys.append(entry.announcement.peer.word.a)
      mades.append(made)
      return nil
    }
    guard made > oldest.nanoseconds else { return nil }
    var first = 0
    var second = made
    for index in mades.indices.dropFirst() {
      if mades[index] < mades[first] {
        second = min(second, mades[first])
        first = index
      } else {
        second = min(second, mades[index])
      }
    }
    // What is older than the oldest that remains need not be looked at next time.
    oldest = Instant(nanoseconds: second)
    guard made > mades[first] else { return nil }
    let gone = entries[first]
    entries[first] = entry
    keys[first] = entry.announcement.peer.word.a
    mades[first] = made
    return gone.held ? gone.announcement.root : nil
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
    var order = Array(entries.indices)
    order.sort { left, right in
      let (a, b) = (entries[left], entries[right])
      if a.held != b.held { return a.held }
      if a.announcement.made != b.announcement.made { return a.announcement.made > b.announcement.made }
      return a.announcement.peer < b.announcement.peer
    }
    return order.prefix(limit).map { index in
      var announcement = entries[index].announcement
      announcement.held = entries[index].held
      return announcement
    }
  }
}
