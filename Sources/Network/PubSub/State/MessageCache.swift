internal import MurmurIdentity
internal import MurmurMachines

/// The messages of the last heartbeats, and the names of those of the last minutes: gossipsub's `mcache` and `seen` in one.
///
/// Names live in two generations. When the younger is full or as old as names must be remembered, it becomes the older and the older is
/// forgotten, so that a name is known for at least that time (less only under a flood), at most twice, and nothing is ever searched for
/// things to expire. One look-up tells both whether a message is known and where it is kept.
struct MessageCache: Sendable {
  /// The messages kept, in order of arrival.
  private(set) var entries: [Entry] = []
  private var young: [MessageID: UInt32] = [:]
  private var old: [MessageID: UInt32] = [:]
  private var since = Instant.origin
  private var first: UInt32 = 0
  private var bytes = 0

  struct Entry: Sendable {
    let id: MessageID
    let message: Message
    /// The heartbeat before which it came.
    let tick: Int64
    /// Who brought it; `nil` for our own.
    let source: PeerID?
    /// Whether it waits for a verdict, and is not shown to anybody.
    var isHeld: Bool
    /// How often it was handed to whom.
    var handed: [(peer: PeerID, times: Int)] = []
  }

  /// Whether the message is known, kept or not.
  func hasSeen(_ id: MessageID) -> Bool { young[id] != nil || (!old.isEmpty && old[id] != nil) }

  /// How many names are known.
  var seenCount: Int { young.count + old.count }

  /// Where the message is kept; `nil` if it is not.
  func index(of id: MessageID) -> Int? {
    guard let number = young[id] ?? old[id] else { return nil }
    let index = Int(number &- first)
    return index < entries.count && entries[index].id == id ? index : nil
  }

  /// Notes the name of a new message and keeps the message.
  mutating func put(_ entry: Entry, at now: Instant, _ configuration: Configuration) {
    let limits = configuration.limits
    if young.isEmpty && old.isEmpty { since = now }
    if young.count >= limits.seen { turn(at: now) }
    sweep(at: now, configuration)
    young[entry.id] = first &+ UInt32(truncatingIfNeeded: entries.count)
    entries.append(entry)
    bytes += entry.message.data.count
    guard entries.count > limits.cachedMessages || bytes > limits.cachedBytes else { return }
    // A quarter at once, so that a flood does not move the whole cache with every message.
    var gone = 0
    while gone < entries.count - 1,
      entries.count - gone > limits.cachedMessages * 3 / 4 || bytes > limits.cachedBytes / 4 * 3
    {
      bytes -= entries[gone].message.data.count
      gone += 1
    }
    drop(gone)
  }

  /// Lets go of messages that came before heartbeat `tick` and of names whose time is over.
  mutating func shift(before tick: Int64, at now: Instant, _ configuration: Configuration) {
    var gone = 0
    while gone < entries.count, entries[gone].tick < tick {
      bytes -= entries[gone].message.data.count
      gone += 1
    }
    if gone > 0 { drop(gone) }
    sweep(at: now, configuration)
  }

  /// When names are to be forgotten next; `nil` if there are none.
  func nextSweep(_ configuration: Configuration) -> Instant? {
    young.isEmpty && old.isEmpty ? nil : since + configuration.seenTime
  }

  /// Releases a message for passing on.
  mutating func release(_ index: Int) { entries[index].isHeld = false }

  /// Whether the message may be handed to `peer` once more; counts it.
  mutating func hand(_ index: Int, to peer: PeerID, most: Int) -> Bool {
    guard let known = entries[index].handed.firstIndex(where: { $0.peer == peer }) else {
      entries[index].handed.append((peer, 1))
      return most > 0
    }
    guard entries[index].handed[known].times < most else { return false }
    entries[index].handed[known].times += 1
    return true
  }

  private mutating func drop(_ count: Int) {
    first &+= UInt32(truncatingIfNeeded: count)
    if count == entries.count { entries = [] } else { entries.removeFirst(count) }
  }

  private mutating func sweep(at now: Instant, _ configuration: Configuration) {
    guard now - since >= configuration.seenTime else { return }
    if now - since >= configuration.seenTime * 2 { young = [:] }
    turn(at: now)
  }

  private mutating func turn(at now: Instant) {
    old = young
    young = [:]
    since = now
  }
}
