internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// The values others asked us to keep: bounded in number, bytes, age and by peer.
struct RecordStore: Sendable {
  struct Stored: Sendable {
    let key: Key
    let value: [UInt8]
    let receivedAt: Instant
    /// Who brought it; `nil` for our own.
    let bringer: PeerID?
  }

  private let own: Digest
  private let configuration: Kademlia.Configuration
  private var table = SortedTable<Digest, Stored>()
  private(set) var bytes = 0
  private var perPeer = SortedTable<PeerID, Int>()

  init(own: Digest, _ configuration: Kademlia.Configuration) {
    self.own = own
    self.configuration = configuration
  }

  var count: Int { table.count }

  func value(_ key: Key, at now: Instant) -> [UInt8]? {
    guard let stored = table[key.point], stored.key == key, now - stored.receivedAt < configuration.recordAge else { return nil }
    return stored.value
  }

  /// Keeps a value that was found valid and better than what is there. Whether it is kept.
  ///
  /// A peer that brought too many is refused. With the store full, the key farthest from us goes if the new one is nearer.
  mutating func put(_ value: [UInt8], under key: Key, by bringer: PeerID?, at now: Instant) -> Bool {
    let limits = configuration.limits
    if let bringer, table[key.point]?.bringer != bringer, perPeer[bringer] ?? 0 >= limits.recordsPerPeer { return false }
    remove(key.point)
    while table.count >= limits.records || bytes + value.count > limits.recordBytes {
      guard let farthest = farthest(), key.point.distance(to: own) < farthest.distance(to: own) else { return false }
      remove(farthest)
    }
    table[key.point] = Stored(key: key, value: value, receivedAt: now, bringer: bringer)
    bytes += value.count
    if let bringer { perPeer[bringer] = (perPeer[bringer] ?? 0) + 1 }
    return true
  }

  private func farthest() -> Digest? {
    guard var worst = table.order.first else { return nil }
    for key in table.order where worst.distance(to: own) < key.distance(to: own) { worst = key }
    return worst
  }

  private mutating func remove(_ point: Digest) {
    guard let index = table.index(of: point) else { return }
    let stored = table[at: index]
    table.remove(at: index)
    bytes -= stored.value.count
    guard let bringer = stored.bringer, let count = perPeer[bringer] else { return }
    perPeer[bringer] = count > 1 ? count - 1 : nil
  }

  /// Forgets what is too old.
  mutating func sweep(at now: Instant) {
    for key in table.order where table[key].map({ now - $0.receivedAt >= configuration.recordAge }) == true { remove(key) }
  }
}
