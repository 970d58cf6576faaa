public import MurmurIdentity
public import MurmurWire

/// One entry of the ledger: a tag and a payload, signed by who issued it, approving two earlier entries.
///
/// Its bytes are DAG-CBOR in canonical form, an array of eleven:
///
///     [1, issuer (32 bytes), sequence, time, [link, link], previous or null, tag, payload, difficulty, nonce (8 bytes), signature (64 bytes)]
///
/// The *body* is everything before the nonce. The *work* is a nonce such that the digest of the body's digest and the nonce begins with
/// ``difficulty`` zero bits. The issuer signs both (``signedBytes(of:nonce:)``): with another nonce nobody can make a second transaction of it. The transaction's name is the CID of all bytes.
///
/// A value that never changes, as a class: a simulator's thousand peers share one, and so do tables within one peer.
public final class Transaction: Sendable {
  /// The encoded transaction.
  public let bytes: [UInt8]
  /// The SHA-256 of ``bytes``, of which ``id`` is made.
  public let digest: Digest
  /// Who issued it.
  public let issuer: PeerID
  /// The issuer's number for it: 0, 1, 2 …
  public let sequence: UInt64
  /// When it was issued, in milliseconds since 1970, as the issuer says.
  public let time: Int64
  /// The two transactions it approves, by their digests; they may be the same.
  public let links: (Digest, Digest)
  /// The issuer's own last transaction before it; `nil` for the first.
  public let previous: Digest?
  /// What it is found by; may be empty.
  public let tag: [UInt8]
  /// How many zero bits its work has at least.
  public let difficulty: Int
  /// What the issuer found by trying.
  public let nonce: UInt64
  let payloadRange: Range<Int>
  /// A short name of the tag, for indices.
  let tagKey: UInt64

  /// The most bytes of a tag.
  public static let mostTagBytes = 64
  /// The most bytes of a payload.
  public static let mostPayloadBytes = 256 << 10
  /// The most bytes of an encoded transaction.
  public static let mostBytes = mostPayloadBytes + 512
  /// The most zero bits that are asked for.
  public static let mostDifficulty = 64
  /// The highest number of a transaction: there is always one after it, also where numbers are kept as one more.
  public static let mostSequence: UInt64 = 1 << 62 - 1
  /// The latest time that is understood: the year 9999.
  public static let latestTime: Int64 = 253_402_300_799_000

  init(
    bytes: [UInt8], body: Body, payloadRange: Range<Int>, nonce: UInt64
  ) {
    self.bytes = bytes
    digest = .sha256(of: bytes)
    issuer = body.issuer
    sequence = body.sequence
    time = body.time
    links = body.links
    previous = body.previous
    tag = body.tag
    difficulty = body.difficulty
    self.nonce = nonce
    self.payloadRange = payloadRange
    tagKey = body.tag.isEmpty ? 0 : Digest.sha256(of: body.tag).a
  }

  /// Its name.
  public var id: CID { CID(codec: .dagCBOR, digest: digest) }

  /// What it says.
  public var payload: [UInt8] { Array(bytes[payloadRange]) }

  /// How many bytes it says.
  public var payloadBytes: Int { payloadRange.count }

  /// Whether it says nothing and only approves.
  public var isNod: Bool { payloadRange.isEmpty && tag.isEmpty }

  /// What the issuer signs: a fixed phrase, the digest of the body, the nonce.
  public static func signedBytes(of body: Digest, nonce: UInt64) -> [UInt8] { domain + body.bytes + Challenge.bytes(of: nonce) }

  private static let domain = Array("murmur-ledger-transaction:".utf8)
}

extension Transaction: Hashable {
  /// Whether both have the same bytes.
  public static func == (left: Transaction, right: Transaction) -> Bool { left.digest == right.digest }

  /// Feeds one word of the digest.
  public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// Why bytes are no transaction, or none that counts.
public enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The bytes cannot be read.
  case malformed(WireError)
  /// Its work is less than it says, or less than everybody must do.
  case workless(issuer: PeerID, difficulty: Int)
  /// The signature is not the issuer's.
  case forged(issuer: PeerID)

  /// One sentence.
  public var description: String {
    switch self {
    case .malformed(let error): "\(error)"
    case .workless(let issuer, let difficulty): "a transaction in the name of \(issuer) lacks the work of \(difficulty) bits"
    case .forged(let issuer): "a transaction in the name of \(issuer) is not signed by it"
    }
  }
}
