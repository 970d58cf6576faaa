public import MurmurIdentity
public import MurmurWire

/// Why a connection or a stream ended: in which phase, with whom, why, and what can be done.
public struct ConnectionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// How far the connection was.
  public let phase: Phase
  /// The peer at the other end, as far as it is known: proven by its key, or only expected.
  public var peer: PeerID?
  /// What went wrong.
  public let reason: Reason

  /// An error in `phase`.
  public init(_ phase: Phase, _ reason: Reason, peer: PeerID? = nil) {
    self.phase = phase
    self.peer = peer
    self.reason = reason
  }

  /// How far a connection is.
  public enum Phase: String, Hashable, Sendable {
    /// Agreeing on Noise.
    case security = "agreeing on a secure channel"
    /// The handshake of Noise.
    case handshake = "the Noise handshake"
    /// Agreeing on yamux.
    case muxer = "agreeing on a stream muxer"
    /// Records of Noise.
    case records = "reading encrypted records"
    /// Frames of yamux.
    case frames = "reading yamux frames"
    /// Agreeing on a stream's protocol.
    case stream = "agreeing on a stream's protocol"
    /// An open connection or stream.
    case open = "the open connection"
  }

  /// What went wrong.
  public enum Reason: Hashable, Sendable {
    /// Bytes that cannot be read.
    case malformed(WireError)
    /// None of these protocols is spoken at the other end.
    case unsupported([String])
    /// The other side took too long for this.
    case late(String)
    /// Another peer answered than the one that was dialled.
    case wrongPeer(PeerID)
    /// This peer answered itself.
    case oneself
    /// The identity's signature does not hold.
    case signature(SignatureError)
    /// Bytes that were changed on the way, or encrypted with other keys.
    case forged
    /// The other side broke a rule of the protocol.
    case violation(String)
    /// A limit of ours was reached.
    case limit(String)
    /// The other side reset the stream.
    case resetByPeer
    /// The other side closed the connection, with yamux's code if it gave one.
    case closedByPeer(code: UInt32?)
    /// This side wanted it.
    case closedHere(String)
    /// The network failed.
    case network(String)
  }

  /// Whether the other side did what no honest peer of today's software does.
  public var isOffence: Bool {
    switch reason {
    case .malformed, .signature, .forged, .violation: true
    case .unsupported, .late, .wrongPeer, .oneself, .limit, .resetByPeer, .closedByPeer, .closedHere, .network: false
    }
  }

  /// The error with the peer it concerns.
  public func about(_ peer: PeerID?) -> ConnectionError {
    var error = self
    error.peer = self.peer ?? peer
    return error
  }

  /// One sentence: who, in which phase, why, what to do.
  public var description: String {
    let who = peer.map { "peer \($0)" } ?? "the other side"
    switch reason {
    case .malformed(let error): return "\(phase.rawValue) with \(who): \(error); check what listens at that address"
    case .unsupported(let protocols):
      return
        "\(phase.rawValue) with \(who): it speaks none of \(protocols.joined(separator: ", ")); update it, or ask another peer"
    case .late(let what):
      return "\(phase.rawValue) with \(who): \(what) took too long; try again, or check the network in between"
    case .wrongPeer(let found):
      return "\(phase.rawValue) with \(who): \(found) answered instead; the address is out of date, look it up anew"
    case .oneself: return "\(phase.rawValue): this peer dialled itself; leave its own addresses out"
    case .signature(let error): return "\(phase.rawValue) with \(who): \(error)"
    case .forged:
      return "\(phase.rawValue) with \(who): a record does not decrypt; something in between changes bytes, or keys differ"
    case .violation(let what): return "\(phase.rawValue) with \(who): \(what); the connection cannot go on"
    case .limit(let what): return "\(phase.rawValue) with \(who): \(what)"
    case .resetByPeer: return "\(phase.rawValue) with \(who): it reset the stream; it may not want this request, or be overloaded"
    case .closedByPeer(let code):
      return "\(phase.rawValue) with \(who): it closed the connection\(code.map { " with code \($0)" } ?? "")"
    case .closedHere(let why): return "\(phase.rawValue) with \(who): closed by this peer, \(why)"
    case .network(let what): return "\(phase.rawValue) with \(who): \(what)"
    }
  }
}
