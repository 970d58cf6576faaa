public import MurmurCollective
public import MurmurIdentity
public import MurmurMachines
public import MurmurPeer

/// What the world does to a node: a fault plan, acted at the boundary between its peer and the sockets. Everything is asked on the node's
/// loop, with the session's time.
public protocol Adversity: AnyObject, Sendable {
  /// What becomes of a message of `bytes` bytes that is about to be sent: no passage if it is lost, two if it is doubled.
  func passages(of bytes: Int, to peer: PeerID, at now: Instant) -> [Passage]
  /// Whether what a peer sent gets through.
  func admits(from peer: PeerID, at now: Instant) -> Bool
  /// How many times longer a job takes here.
  func slowdown(at now: Instant) -> Double
  /// What this peer makes of its own result before it shows it: a liar's is another one.
  func told(_ result: WorkResult, by peer: borrowing Peer, at now: Instant) -> WorkResult
}

/// One way of a message to its receiver.
public struct Passage: Hashable, Sendable {
  /// How long it is held back.
  public var after: Instant.Span
  /// Whether a bit of it is flipped on the way. The cipher's tag catches that, and the connection breaks.
  public var isCorrupt: Bool

  /// A message held back that long.
  public init(after: Instant.Span = .zero, isCorrupt: Bool = false) {
    self.after = after
    self.isCorrupt = isCorrupt
  }
}
