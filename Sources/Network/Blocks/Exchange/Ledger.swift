public import MurmurIdentity
public import MurmurMachines
internal import MurmurWire

/// What this peer and another one gave each other, and what is known about the other.
public struct Ledger: Sendable {
  /// The other peer.
  public let peer: PeerID
  /// Bytes of blocks given to it.
  public internal(set) var sent = 0
  /// Bytes of wanted blocks that came from it.
  public internal(set) var received = 0
  /// Whether the world said that it is connected.
  public internal(set) var isConnected = false

  /// Smoothed answer time and its variation in microseconds; both zero before the first answer.
  var smoothed: UInt32 = 0
  var variation: UInt32 = 0
  var unwanted: UInt16 = 0
  /// When anything last happened between the two.
  var lastUse: Instant
  /// When its service window began and what it was sent since.
  var windowStart = Instant.origin
  var windowSpent = 0
  /// Blocks to be sent to it, the most urgent first.
  var orders: [Order] = []
  /// Blocks it wants that are not here.
  var waiting: [BitswapMessage.Want] = []

  /// A block to be sent.
  struct Order: Sendable {
    var cid: CID
    var priority: Int32
    var isVersion0 = false
  }

  init(_ peer: PeerID, at now: Instant) {
    self.peer = peer
    self.lastUse = now
  }

  /// How deep the peer is in debt: bytes given per byte gotten, both counted from one. What lies within the grace of
  /// ``Limits/grace`` is a gift.
  public func debtRatio(grace: Int) -> Double { Double(max(0, sent - grace)) / Double(received + 1) }

  /// The share of the full service that the peer gets: the white paper's probability 1 − 1 / (1 + e^(6 − 3r)) of serving a peer
  /// with debt ratio r, used as a share so that nothing is left to chance.
  public func share(grace: Int) -> Double {
    guard sent > grace else { return 1 }
    return 1 - 1 / (1 + Portable.exp(6 - 3 * min(debtRatio(grace: grace), 100)))
  }

  /// How long the peer usually takes to answer; `nil` before its first answer.
  public var latency: Instant.Span? {
    smoothed == 0 ? nil : Instant.Span(nanoseconds: Int64(smoothed) * 1_000)
  }

  /// How long to wait for its next answer after `failures` silences.
  func patience(_ limits: Limits, failures: Int) -> Instant.Span {
    let learnt = Instant.Span(nanoseconds: (Int64(smoothed) + 4 * Int64(variation)) * 1_000)
    let base = smoothed == 0 ? limits.firstPatience : max(learnt, limits.leastPatience)
    return min(Instant.Span(nanoseconds: base.nanoseconds << Int64(min(failures, 16))), limits.mostPatience)
  }

  /// Learns from an answer that took `span` (RFC 6298, section 2, in whole microseconds).
  mutating func learn(_ span: Instant.Span) {
    let sample = Int64(min(max(span.nanoseconds / 1_000, 1), Int64(UInt32.max / 8)))
    guard smoothed > 0 else {
      smoothed = UInt32(sample)
      variation = UInt32(sample / 2)
      return
    }
    let error = abs(Int64(smoothed) - sample)
    variation = UInt32((3 * Int64(variation) + error) / 4)
    smoothed = UInt32(max(1, (7 * Int64(smoothed) + sample) / 8))
  }
}
