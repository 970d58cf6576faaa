public import MurmurMachines
public import MurmurWire

/// What others say our own address is, and when that is believed: when enough of them in different address groups say the same.
///
/// One peer, or a hundred in one data centre, cannot talk us into advertising a victim's address. Votes grow old; each observer group has
/// one vote for each address. Source: what go-libp2p does beyond libp2p/specs identify, with groups of addresses instead of single ones.
public struct ObservedAddresses: Sendable {
  /// How many groups must agree, for how long a vote counts, and how much is kept.
  public struct Rule: Hashable, Sendable {
    /// Groups of observers that must say the same; in a local network, where all are one group, addresses stay local anyway.
    public var groups = 4
    /// How long a vote counts.
    public var age = Instant.Span.minutes(40)
    /// Addresses that votes are kept for; beyond, the one whose last vote is oldest is forgotten.
    public var candidates = 32
    /// Votes kept for an address; beyond, the oldest is forgotten.
    public var votes = 64
    /// Addresses believed at once, those of most votes first.
    public var believed = 4

    /// The default rule.
    public init() {}
  }

  private struct Candidate: Sendable {
    let address: Multiaddr
    /// In order of time, the latest last.
    var votes: [(group: Multiaddr.Group, at: Instant)]
  }

  private let rule: Rule
  private var candidates: [Candidate] = []

  /// No votes yet.
  public init(_ rule: Rule = Rule()) { self.rule = rule }

  /// An observer at `observer` says that we are at `address`; only addresses that can be reached from the internet are counted, and
  /// only observers there count.
  public mutating func vote(for address: Multiaddr, by observer: Multiaddr, at now: Instant) {
    let address = address.withoutPeer
    guard address.reach == .global, observer.reach == .global, let group = observer.group else { return }
    expire(at: now)
    let place: Int
    if let known = candidates.firstIndex(where: { $0.address == address }) {
      place = known
    } else {
      if candidates.count >= rule.candidates {
        var oldest = 0
        for index in candidates.indices where last(index) < last(oldest) { oldest = index }
        candidates.remove(at: oldest)
      }
      candidates.append(Candidate(address: address, votes: []))
      place = candidates.count - 1
    }
    candidates[place].votes.removeAll { $0.group == group }
    candidates[place].votes.append((group, now))
    if candidates[place].votes.count > rule.votes { candidates[place].votes.removeFirst() }
  }

  /// The addresses that are believed at `now`, those of most votes first.
  public func believed(at now: Instant) -> [Multiaddr] {
    let ranked = candidates.map { candidate in
      (candidate.address, candidate.votes.count { now - $0.at < rule.age })
    }
    // The order of candidates, oldest first, breaks ties.
    return ranked.enumerated().filter { $0.element.1 >= rule.groups }
      .sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }
      .prefix(rule.believed).map(\.element.0)
  }

  /// When a vote is to be forgotten next; `nil` if there is none.
  public var nextExpiry: Instant? { candidates.compactMap { $0.votes.first.map { $0.at + rule.age } }.min() }

  /// How many addresses have votes.
  package var candidateCount: Int { candidates.count }

  private func last(_ index: Int) -> Instant { candidates[index].votes.last?.at ?? .origin }

  /// Forgets votes that are too old.
  public mutating func expire(at now: Instant) {
    for index in candidates.indices { candidates[index].votes.removeAll { now - $0.at >= rule.age } }
    candidates.removeAll(where: \.votes.isEmpty)
  }
}
