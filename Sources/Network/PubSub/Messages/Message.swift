public import MurmurIdentity
internal import MurmurWire

/// Something published, as it travels: libp2p's pub/sub message, stamped with its origin.
///
/// Unstamped messages (`StrictNoSign`) are not spoken here; the decoder leaves them out.
public struct Message: Hashable, Sendable {
  /// The author, not whoever passed the message on.
  public var from: PeerID
  /// The author's number for it; no two messages of one author have the same.
  public var seqno: UInt64
  /// What it is about.
  public var topic: Topic
  /// What it says.
  public var data: [UInt8]
  /// The author's signature over ``signedBytes``; empty if unsigned.
  public var signature: [UInt8]
  /// The author's public key where the peer ID does not carry it; mostly empty.
  public var key: [UInt8]

  /// A message, unsigned unless a signature is given.
  public init(
    from: PeerID, seqno: UInt64, topic: Topic, data: [UInt8], signature: [UInt8] = [], key: [UInt8] = []
  ) {
    self.from = from
    self.seqno = seqno
    self.topic = topic
    self.data = data
    self.signature = signature
    self.key = key
  }

  /// What ``signature`` signs: a fixed phrase and the encoded message without signature and key (pubsub, "Message Signing").
  public var signedBytes: [UInt8] {
    var bare = self
    bare.signature = []
    bare.key = []
    return Array("libp2p-pubsub:".utf8) + bare.encoded.wire
  }

  /// The message's name under `identification`.
  public func id(_ identification: Identification) -> MessageID {
    switch identification {
    case .origin: MessageID(from: from, seqno: seqno)
    case .content: MessageID(content: .sha256(of: data))
    }
  }

  /// What names a message; all peers of a topic must agree.
  public enum Identification: Hashable, Sendable {
    /// Author and number, libp2p's default.
    case origin
    /// The SHA-256 digest of the data: the same words from two authors are one message.
    case content
  }
}
