internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// The peers a peer knows, more of those near it than of those far away: one bucket of at most k for each length of prefix that a peer's
/// point has in common with ours (libp2p/specs kad-dht, "Kademlia routing table").
///
/// Old peers that still answer stay, new ones wait beside a full bucket until one stops answering: who has been there long will be there
/// longer (Maymounkov and Mazières, 2002), and whoever floods us with new identities displaces nobody. Of one group of addresses only a
/// few peers get in at all.
struct RoutingTable: Sendable {
  struct Entry: Sendable {
    var contact: Contact { didSet { groups = RoutingTable.groups(contact) } }
    let point: Digest
    /// The address groups of the contact.
    private(set) var groups: [Multiaddr.Group]
    /// When it last answered or proved to be there.
    var lastSeen: Instant
    /// Requests in a row that it did not answer.
    var failures = 0
    /// Whether a check is under way.
    var isBeingChecked = false

    init(contact: Contact, point: Digest, lastSeen: Instant) {
      self.contact = contact
      self.point = point
      self.lastSeen = lastSeen
      groups = RoutingTable.groups(contact)
    }
  }

  private struct Bucket: Sendable {
    /// The least recently seen first.
    var entries: [Entry] = []
    /// Peers that wait for a place, the latest last.
    var waiting: [Entry] = []
  }

  /// What became of a peer that wanted in.
  enum Admission: Equatable {
    /// It is in, or was.
    case added, refreshed
    /// The bucket is full; the peer waits.
    case waiting
    /// There are enough peers of its address group.
    case crowded
  }

  let own: Digest
  private let configuration: Kademlia.Configuration
  private var buckets: [Bucket] = []
  private(set) var count = 0

  init(own: Digest, _ configuration: Kademlia.Configuration) {
    self.own = own
    self.configuration = configuration
  }

  private func bucketIndex(_ point: Digest) -> Int { own.commonPrefix(with: point) }

  /// How many buckets have ever held a peer: the longest common prefix, and one.
  var depth: Int { buckets.lastIndex { !$0.entries.isEmpty }.map { $0 + 1 } ?? 0 }

  func entry(_ peer: PeerID, _ point: Digest) -> Entry? {
    let index = bucketIndex(point)
    return index < buckets.count ? buckets[index].entries.first { $0.contact.peer == peer } : nil
  }

  /// A peer answered, or proved over its own connection who it is.
  mutating func add(_ contact: Contact, _ point: Digest, at now: Instant) -> Admission {
    let index = bucketIndex(point)
    guard index < 256 else { return .crowded }
    while buckets.count <= index { buckets.append(Bucket()) }
    if let place = buckets[index].entries.firstIndex(where: { $0.contact.peer == contact.peer }) {
      var entry = buckets[index].entries.remove(at: place)
      if !contact.addresses.isEmpty { entry.contact = contact }
      entry.lastSeen = now
      entry.failures = 0
      entry.isBeingChecked = false
      buckets[index].entries.append(entry)
      return .refreshed
    }
    guard !isCrowded(contact, bucket: index) else { return .crowded }
    let entry = Entry(contact: contact, point: point, lastSeen: now)
    buckets[index].waiting.removeAll { $0.contact.peer == contact.peer }
    guard buckets[index].entries.count < configuration.bucketSize else {
      buckets[index].waiting.append(entry)
      if buckets[index].waiting.count > configuration.limits.waitingPerBucket { buckets[index].waiting.removeFirst() }
      return .waiting
    }
    buckets[index].entries.append(entry)
    count += 1
    return .added
  }

  /// Whether a group of the contact's addresses has its share of the bucket or the table already.
  private func isCrowded(_ contact: Contact, bucket: Int) -> Bool {
    guard let mostInBucket = configuration.limits.groupPerBucket, let mostInTable = configuration.limits.groupPerTable else {
      return false
    }
    let groups = RoutingTable.groups(contact)
    guard !groups.isEmpty else { return false }
    for group in groups {
      var here = 0, everywhere = 0
      for index in buckets.indices {
        for entry in buckets[index].entries where entry.groups.contains(group) {
          everywhere += 1
          if index == bucket { here += 1 }
        }
      }
      if here >= mostInBucket || everywhere >= mostInTable { return true }
    }
    return false
  }

  static func groups(_ contact: Contact) -> [Multiaddr.Group] {
    var found: [Multiaddr.Group] = []
    for address in contact.addresses { if let group = address.group, !found.contains(group) { found.append(group) } }
    return found
  }

  /// A peer did not answer. Whether it is out now; then the latest waiting peer took its place.
  mutating func fail(_ peer: PeerID, _ point: Digest, forGood: Bool) -> Bool {
    let index = bucketIndex(point)
    guard index < buckets.count else { return false }
    buckets[index].waiting.removeAll { $0.contact.peer == peer }
    guard let place = buckets[index].entries.firstIndex(where: { $0.contact.peer == peer }) else { return false }
    // Silent for long, asked whether it is there, and silent again: once is enough then.
    let wasChecked = buckets[index].entries[place].isBeingChecked
    buckets[index].entries[place].failures += 1
    buckets[index].entries[place].isBeingChecked = false
    guard forGood || wasChecked || buckets[index].entries[place].failures >= configuration.failuresBeforeEviction else {
      return false
    }
    buckets[index].entries.remove(at: place)
    count -= 1
    if let successor = buckets[index].waiting.popLast() {
      let later = buckets[index].entries.firstIndex { $0.lastSeen > successor.lastSeen } ?? buckets[index].entries.count
      buckets[index].entries.insert(successor, at: later)
      count += 1
    }
    return true
  }

  /// The peer of a bucket that was not seen for longest, if it is due for a check; it is marked as being checked.
  mutating func checkOldest(inBucketOf point: Digest, at now: Instant) -> Contact? {
    let index = bucketIndex(point)
    guard index < buckets.count, let first = buckets[index].entries.first, !first.isBeingChecked,
      now - first.lastSeen >= configuration.livenessAge
    else { return nil }
    buckets[index].entries[0].isBeingChecked = true
    return first.contact
  }

  /// All peers due for a check, in order of buckets; they are marked as being checked.
  mutating func checkAll(at now: Instant, most: Int) -> [Contact] {
    var due: [Contact] = []
    for index in buckets.indices {
      for place in buckets[index].entries.indices where due.count < most {
        let entry = buckets[index].entries[place]
        guard !entry.isBeingChecked, now - entry.lastSeen >= configuration.livenessAge else { continue }
        buckets[index].entries[place].isBeingChecked = true
        due.append(entry.contact)
      }
    }
    return due
  }

  /// The `limit` peers nearest to `target`, nearest first.
  func closest(to target: Digest, limit: Int, excluding: PeerID? = nil) -> [Entry] {
    var all: [(distance: Digest, bucket: Int, place: Int)] = []
    all.reserveCapacity(count)
    func take(_ index: Int) {
      for place in buckets[index].entries.indices where buckets[index].entries[place].contact.peer != excluding {
        all.append((buckets[index].entries[place].point.distance(to: target), index, place))
      }
    }
    // Peers with as long a prefix in common with us as the target, or longer, are nearer to it than those with a shorter one.
    let shared = own.commonPrefix(with: target)
    for index in buckets.indices where index >= shared { take(index) }
    var index = min(shared, buckets.count) - 1
    while index >= 0, all.count < limit {
      take(index)
      index -= 1
    }
    all.sort { $0.distance < $1.distance }
    return all.prefix(limit).map { buckets[$0.bucket].entries[$0.place] }
  }

  /// All peers, by bucket, the least recently seen of each first.
  var contacts: [Contact] { buckets.flatMap { $0.entries.map(\.contact) } }

  /// How many peers wait beside full buckets.
  var waitingCount: Int { buckets.reduce(0) { $0 + $1.waiting.count } }
}
