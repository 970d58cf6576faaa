public import MurmurIdentity
public import MurmurMachines

/// What survives of ledgers when the process ends.
extension Exchange {
  /// What this peer and another one gave each other.
  public struct Credit: Hashable, Sendable {
    /// The other peer.
    public var peer: PeerID
    /// Bytes given to it.
    public var sent: Int
    /// Bytes that came from it.
    public var received: Int

    /// What was given and taken.
    public init(peer: PeerID, sent: Int, received: Int) {
      self.peer = peer
      self.sent = sent
      self.received = received
    }
  }

  /// The ledgers of all peers with whom anything was exchanged, by peer.
  public var credits: [Credit] {
    ledgers.filter { $0.sent > 0 || $0.received > 0 }.map { Credit(peer: $0.peer, sent: $0.sent, received: $0.received) }
      .sorted { $0.peer < $1.peer }
  }

  /// Takes over ledgers from an earlier life, before anything happened in this one; negative numbers count as none.
  public mutating func restore(_ credits: [Credit], at now: Instant) {
    for credit in credits.prefix(limits.ledgers) {
      let slot = ledger(for: credit.peer, now)
      ledgers[slot].sent = max(0, credit.sent)
      ledgers[slot].received = max(0, credit.received)
    }
  }
}
