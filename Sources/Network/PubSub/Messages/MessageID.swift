public import MurmurIdentity
public import MurmurWire

/// What tells one message from all others: a plain value without heap storage, because machines keep thousands of them.
///
/// libp2p leaves the choice to the application (pubsub, "Message Identification"); two choices are here, and all peers of a topic must
/// make the same one.
public struct MessageID: Sendable {
  private let word: Digest
  private let seqno: UInt64
  private let kind: Kind

  private enum Kind: UInt8 {
    case ed25519, sha256, secp256k1Even, secp256k1Odd, content

    init(_ kind: PeerID.Kind) {
      switch kind {
      case .ed25519: self = .ed25519
      case .sha256: self = .sha256
      case .secp256k1Even: self = .secp256k1Even
      case .secp256k1Odd: self = .secp256k1Odd
      }
    }
  }

  /// The author and the author's number for the message: libp2p's default.
  public init(from author: PeerID, seqno: UInt64) {
    word = author.word
    kind = Kind(author.kind)
    self.seqno = seqno
  }

  /// The hash of what the message says, for content-addressed messaging.
  public init(content digest: Digest) {
    word = digest
    kind = .content
    seqno = 0
  }

  /// The identifier whose bytes are `bytes`; `nil` if it is of neither kind.
  public init?(bytes: [UInt8]) {
    if let digest = Digest(bytes) {
      self.init(content: digest)
      return
    }
    guard bytes.count > 8 else { return nil }
    let author: PeerID
    do { author = try PeerID(bytes: Array(bytes.dropLast(8))) } catch { return nil }
    self.init(from: author, seqno: bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// How many bytes the identifier has on the wire.
  public var byteCount: Int { author.map { $0.byteCount + 8 } ?? Digest.count }

  /// The identifier as it stands on the wire: the author's binary form and the number, or the digest.
  public var bytes: [UInt8] { author.map { $0.bytes + seqno.bigEndianBytes } ?? word.bytes }

  /// A hash under two secret words: the halves of a full product, folded.
  func mixed(_ a: UInt64, _ b: UInt64) -> Int {
    let product = (word.a ^ a).multipliedFullWidth(by: seqno ^ b)
    return Int(truncatingIfNeeded: product.high ^ product.low)
  }

  private var author: PeerID? {
    switch kind {
    case .ed25519: PeerID(kind: .ed25519, word: word)
    case .sha256: PeerID(kind: .sha256, word: word)
    case .secp256k1Even: PeerID(kind: .secp256k1Even, word: word)
    case .secp256k1Odd: PeerID(kind: .secp256k1Odd, word: word)
    case .content: nil
    }
  }
}

extension MessageID: Hashable {
  /// Whether both name the same message.
  public static func == (left: MessageID, right: MessageID) -> Bool {
    left.seqno == right.seqno && left.word == right.word && left.kind == right.kind
  }

  /// Feeds every word to the hasher. Peers name messages that nobody has, so whatever were left out, they could choose the rest alike.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(word)
    hasher.combine(seqno)
  }
}

extension UInt64 {
  /// The eight bytes, highest first.
  var bigEndianBytes: [UInt8] { stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> UInt64($0)) } }
}
