internal import MurmurIdentity
internal import MurmurMachines

/// How much each peer may ask: a bucket of tokens that fills with time. Bounded in peers; the one that asked longest ago is forgotten.
struct RateLimit: Sendable {
  private struct Bucket: Sendable {
    var tokens: Double
    var at: Instant
  }

  private let perSecond: Double
  private let burst: Double
  private let peers: Int
  private var table = SortedTable<PeerID, Bucket>()

  init(perSecond: Double, burst: Double, peers: Int) {
    self.perSecond = perSecond
    self.burst = burst
    self.peers = peers
  }

  var count: Int { table.count }

  /// Takes `cost` tokens of `peer`; false if it has not so many.
  mutating func take(_ cost: Double, of peer: PeerID, at now: Instant) -> Bool {
    guard let index = table.index(of: peer) else {
      if table.count >= peers { forgetOldest() }
      table[peer] = Bucket(tokens: burst - cost, at: now)
      return burst >= cost
    }
    let passed = max((now - table[at: index].at).seconds, 0)
    let tokens = min(burst, table[at: index].tokens + passed * perSecond)
    table[at: index].at = now
    guard tokens >= cost else {
      table[at: index].tokens = tokens
      return false
    }
    table[at: index].tokens = tokens - cost
    return true
  }

  private mutating func forgetOldest() {
    var oldest = 0
    for index in table.order.indices where table[at: index].at < table[at: oldest].at { oldest = index }
    table.remove(at: oldest)
  }
}
