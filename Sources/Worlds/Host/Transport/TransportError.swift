public import MurmurChannels
public import MurmurIdentity
public import MurmurWire

/// Why a transport could not listen or dial: where, with whom, why, and what to do.
public struct TransportError: Error, Sendable, CustomStringConvertible {
  /// What was tried.
  public enum Attempt: String, Sendable {
    /// To wait for connections.
    case listening
    /// To connect.
    case dialling
  }

  /// What was tried.
  public let attempt: Attempt
  /// Where.
  public let address: Multiaddr
  /// Who was expected there.
  public let peer: PeerID?
  /// What went wrong.
  public let problem: String
  /// The connection's own error, if it came so far.
  public let cause: ConnectionError?

  init(_ attempt: Attempt, _ address: Multiaddr, _ peer: PeerID? = nil, _ problem: String, cause: ConnectionError? = nil) {
    self.attempt = attempt
    self.address = address
    self.peer = peer
    self.problem = problem
    self.cause = cause
  }

  /// One sentence.
  public var description: String {
    "\(attempt.rawValue)\(attempt == .listening ? " at" : "") \(address)\(peer.map { " for peer \($0)" } ?? ""): \(problem)"
  }
}
