internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Where each peer's ledger is.
///
/// An open-addressed table of two-byte places rather than a dictionary, which would keep every identity a second time: with ten
/// thousand exchanges in one process that is a hundred megabytes. The first word of an identity is its hash; as long as the table
/// is bounded by ``Limits/ledgers``, identities made to collide cost their owners more than us.
struct LedgerIndex: Sendable {
  /// Places, counted from one; zero is free. A power of two, at least twice as long as the ledgers are many.
  private var buckets: [UInt16] = []

  /// The most ledgers there can be.
  static let most = 1 << 15

  /// The place of the peer's ledger in `ledgers`; `nil` if it has none.
  func find(_ peer: PeerID, in ledgers: [Ledger]) -> Int? {
    guard !buckets.isEmpty else { return nil }
    var bucket = LedgerIndex.hash(peer) & (buckets.count - 1)
    while buckets[bucket] != 0 {
      let place = Int(buckets[bucket]) - 1
      if ledgers[place].peer == peer { return place }
      bucket = (bucket + 1) & (buckets.count - 1)
    }
    return nil
  }

  /// Notes the last of `ledgers`, which was just appended.
  mutating func noteLast(of ledgers: [Ledger]) {
    if 2 * ledgers.count > buckets.count { rebuild(ledgers) } else { insert(ledgers.count - 1, ledgers) }
  }

  /// Notes all of `ledgers` anew.
  mutating func rebuild(_ ledgers: [Ledger]) {
    var size = 8
    while size < 2 * ledgers.count + 2 { size *= 2 }
    buckets = [UInt16](repeating: 0, count: size)
    for place in ledgers.indices { insert(place, ledgers) }
  }

  private mutating func insert(_ place: Int, _ ledgers: [Ledger]) {
    var bucket = LedgerIndex.hash(ledgers[place].peer) & (buckets.count - 1)
    while buckets[bucket] != 0 { bucket = (bucket + 1) & (buckets.count - 1) }
    buckets[bucket] = UInt16(place + 1)
  }

  private static func hash(_ peer: PeerID) -> Int { Int(truncatingIfNeeded: peer.word.a ^ peer.word.a >> 32) }
}

/// The table of ledgers.
extension Exchange {
  /// The place of the peer's ledger, made if there is none.
  mutating func ledger(for peer: PeerID, _ now: Instant) -> Int {
    if let slot = ledgerIndex.find(peer, in: ledgers) {
      ledgers[slot].lastUse = now
      return slot
    }
    if ledgers.count >= min(limits.ledgers, LedgerIndex.most) { forget() }
    ledgers.append(Ledger(peer, at: now))
    ledgerIndex.noteLast(of: ledgers)
    return ledgers.count - 1
  }

  /// Forgets an eighth of the ledgers: the longest unused, connected ones last.
  private mutating func forget() {
    var order: [(key: Int64, slot: Int)] = []
    order.reserveCapacity(ledgers.count)
    for slot in ledgers.indices {
      // Connected peers count as used far in the future.
      order.append((ledgers[slot].lastUse.nanoseconds &+ (ledgers[slot].isConnected ? 1 << 62 : 0), slot))
    }
    order.sort { left, right in
      left.key != right.key ? left.key < right.key : ledgers[left.slot].peer < ledgers[right.slot].peer
    }
    for slot in order.prefix(max(1, ledgers.count / 8)).map(\.slot).sorted(by: >) {
      if !ledgers[slot].waiting.isEmpty { waiting -= 1 }
      if !outgoing.isEmpty { forgetOutgoing(ledgers[slot].peer) }
      ledgers.swapAt(slot, ledgers.count - 1)
      ledgers.removeLast()
    }
    ledgerIndex.rebuild(ledgers)
  }
}
