public import MurmurWire

/// Who a peer is: the multihash of its public key.
///
/// libp2p's peer identity (libp2p/specs `peer-ids`): keys of at most 42 encoded bytes are carried whole in an identity multihash,
/// longer ones as their SHA-256 digest. Either way 32 bytes tell peers apart, so the value has no heap storage, hashes one word
/// and compares in a few instructions. Its order is the deterministic tie-break used all over Murmuration.
public struct PeerID: Sendable {
  /// How the 32 bytes name the key.
  public let kind: Kind
  /// The Ed25519 public key itself, the abscissa of a secp256k1 key, or the digest of the encoded key.
  public let word: Digest

  /// How a peer identity names its key.
  public enum Kind: UInt8, Hashable, Sendable {
    /// The identity multihash of an Ed25519 public key.
    case ed25519
    /// The SHA-256 digest of an encoded key (RSA, ECDSA).
    case sha256
    /// The identity multihash of a compressed secp256k1 key whose ordinate is even.
    case secp256k1Even
    /// The identity multihash of a compressed secp256k1 key whose ordinate is odd.
    case secp256k1Odd
  }

  /// The identity of that kind with those 32 bytes.
  @inlinable public init(kind: Kind, word: Digest) {
    self.kind = kind
    self.word = word
  }

  /// The identity of simulated peer number `index`, made without a key: the SHA-256 digest of a fixed phrase and the number
  /// (eight bytes, little-endian). Nobody holds the private key of such an identity, so it can sign nothing; a simulator of ten
  /// thousand peers spares the key generation.
  public init(simulated index: Int) {
    var bytes = Array("murmur simulated peer ".utf8)
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: index >> shift)) }
    self.init(kind: .sha256, word: .sha256(of: bytes))
  }
}

extension PeerID: Hashable {
  /// Whether kind and bytes agree.
  @inlinable public static func == (left: PeerID, right: PeerID) -> Bool { left.word == right.word && left.kind == right.kind }

  /// Feeds one word, the first of the 32 bytes, to the hasher.
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(word.a) }
}

extension PeerID: Comparable {
  /// By the 32 bytes, then by kind: a total order that is the same on every machine.
  @inlinable public static func < (left: PeerID, right: PeerID) -> Bool {
    if left.word != right.word { return left.word < right.word }
    return left.kind.rawValue < right.kind.rawValue
  }
}
