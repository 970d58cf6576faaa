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
  private var young = NameTable()
  private var old = NameTable()
  private var secret: NameTable.Secret?
  private var since = Instant.origin
  private var first: UInt32 = 0
  private var bytes = 0
  /// How many of the messages kept wait for a verdict.
  private(set) var awaiting = 0

  struct Entry: Sendable {
    let id: MessageID
    let message: Message
    /// The heartbeat before which it came.
    let tick: Int64
    /// Who brought it; `nil` for our own.
    let source: PeerID?
    /// Who may see it.
    var standing: Standing
    /// How often it was handed to whom.
    var handed: [(peer: PeerID, times: Int)] = []
    /// Who brought it as well, where that counts.
    var bringers: [PeerID] = []
    /// When it came.
    var arrivedAt = Instant.origin
  }

  /// Who may see a message.
  enum Standing: Sendable {
    /// Everybody.
    case open
    /// Nobody before the application's verdict.
    case awaiting
    /// Nobody.
    case withheld
    /// Nobody, and whoever brings it is to blame.
    case rejected
  }

  /// Whether the message is known, kept or not.
  func hasSeen(_ id: MessageID) -> Bool { number(of: id) != nil }

  private func number(of id: MessageID) -> UInt32? {
    guard let secret else { return nil }
    return young.number(of: id, secret) ?? old.number(of: id, secret)
  }

  /// Draws what the tables need before the first message can be kept.
  mutating func prepare(_ chance: inout Chance) {
    if secret == nil { secret = NameTable.Secret(&chance) }
  }

  /// How many names are known.
  var seenCount: Int { young.count + old.count }

  /// Where the message is kept; `nil` if it is not.
  func index(of id: MessageID) -> Int? {
    guard let number = number(of: id) else { return nil }
    let index = Int(number &- first)
    return index < entries.count && entries[index].id == id ? index : nil
  }

  /// Notes the name of a new message and keeps the message; ``prepare(_:)`` must have been called.
  mutating func put(_ entry: Entry, at now: Instant, _ configuration: PubSub.Configuration) {
    let limits = configuration.limits
    if young.isEmpty && old.isEmpty { since = now }
    if young.count >= limits.seen { turn(at: now) }
    sweep(at: now, configuration)
    guard let secret else { preconditionFailure("a cache that was not prepared keeps nothing") }
    young.insert(entry.id, first &+ UInt32(truncatingIfNeeded: entries.count), secret)
    entries.append(entry)
    if entry.standing == .awaiting { awaiting += 1 }
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
  mutating func shift(before tick: Int64, at now: Instant, _ configuration: PubSub.Configuration) {
    var gone = 0
    while gone < entries.count, entries[gone].tick < tick {
      bytes -= entries[gone].message.data.count
      gone += 1
    }
    if gone > 0 { drop(gone) }
    sweep(at: now, configuration)
  }

  /// When names are to be forgotten next; `nil` if there are none.
  func nextSweep(_ configuration: PubSub.Configuration) -> Instant? {
    young.isEmpty && old.isEmpty ? nil : since + configuration.seenTime
  }

  /// Settles who may see a message.
  mutating func settle(_ index: Int, _ standing: Standing) {
    if entries[index].standing == .awaiting { awaiting -= 1 }
    entries[index].standing = standing
  }

  /// How many of those that wait for a verdict `peer` brought.
  func awaiting(of peer: PeerID) -> Int { entries.count { $0.standing == .awaiting && $0.source == peer } }

  /// Whether `peer` brings the message for the first time, of at most `most` peers that are noted.
  mutating func bring(_ index: Int, by peer: PeerID, most: Int) -> Bool {
    guard entries[index].bringers.count < most, !entries[index].bringers.contains(peer) else { return false }
    entries[index].bringers.append(peer)
    return true
  }

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
    if awaiting > 0 { awaiting -= entries.prefix(count).count { $0.standing == .awaiting } }
    if count == entries.count { entries = [] } else { entries.removeFirst(count) }
  }

  private mutating func sweep(at now: Instant, _ configuration: PubSub.Configuration) {
    guard now - since >= configuration.seenTime else { return }
    if now - since >= configuration.seenTime * 2 { young = NameTable() }
    turn(at: now)
  }

  private mutating func turn(at now: Instant) {
    old = young
    young = NameTable()
    since = now
  }
}
