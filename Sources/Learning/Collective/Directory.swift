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

  func index(of peer: PeerID) -> Int? { entries.firstIndex { $0.announcement.peer == peer } }

  /// Takes in what `sender` says. Returns the root of an object that we hold and that this made out of date.
  mutating func hear(_ told: Announcement, from sender: PeerID, at now: Instant) -> CID? {
    var announcement = told
    if announcement.made > now + Directory.tolerance { announcement.made = now }
    let servable = told.held || sender == told.peer
    guard let index = index(of: told.peer) else {
      entries.append(Entry(announcement: announcement, holder: servable ? sender : told.peer, heard: now))
      return entries.count > Directory.capacity ? evict() : nil
    }
    if announcement.root == entries[index].announcement.root {
      if servable {
        entries[index].holder = sender
        entries[index].heard = now
      }
      return nil
    }
    guard (announcement.made, announcement.cycle) > (entries[index].announcement.made, entries[index].announcement.cycle) else {
      return nil
    }
    let old = entries[index]
    entries[index] = Entry(announcement: announcement, holder: servable ? sender : told.peer, heard: now)
    return old.held ? old.announcement.root : nil
  }

  private mutating func evict() -> CID? {
    var oldest = 0
    for index in entries.indices.dropFirst() {
      let (left, right) = (entries[index].announcement, entries[oldest].announcement)
      if (left.made, left.peer) < (right.made, right.peer) { oldest = index }
    }
    let gone = entries.remove(at: oldest)
    return gone.held ? gone.announcement.root : nil
  }

  mutating func update(_ index: Int, _ change: (inout Entry) -> Void) { change(&entries[index]) }

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
