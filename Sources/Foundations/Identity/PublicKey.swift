public import MurmurWire

/// A public key in libp2p's encoding (libp2p/specs `peer-ids`).
///
/// Ed25519, RSA and ECDSA keys verify signatures. Keys on the curve secp256k1 are read and give identities; verifying with them is refused.
public struct PublicKey: Hashable, Sendable {
  /// The algorithm.
  public let algorithm: Algorithm
  /// The key in the algorithm's own form: 32 bytes for Ed25519, 33 for secp256k1, DER for RSA and ECDSA.
  public let data: [UInt8]

  /// The algorithms libp2p knows.
  public enum Algorithm: Int, Hashable, Sendable, CaseIterable {
    /// RSA with PKCS 1 padding and SHA-256; what Kubo's older nodes have.
    case rsa = 0
    /// Ed25519 (RFC 8032); what every libp2p peer must have and ours do.
    case ed25519 = 1
    /// The curve of Bitcoin.
    case secp256k1 = 2
    /// ECDSA over a curve that the key names.
    case ecdsa = 3
  }

  /// The most bytes a key may have; an RSA key of 8,192 bits has 1,062.
  public static let mostBytes = 2_048

  /// A key of an algorithm; throws if `data` cannot be one.
  public init(_ algorithm: Algorithm, _ data: [UInt8]) throws(WireError) {
    switch algorithm {
    case .ed25519:
      guard data.count == 32 else { throw WireError("public key", "an Ed25519 key has 32 bytes, not \(data.count)") }
    case .secp256k1:
      guard data.count == 33, data[0] == 2 || data[0] == 3 else {
        throw WireError("public key", "a secp256k1 key has 33 bytes, the first of them 2 or 3")
      }
    case .rsa, .ecdsa:
      guard data.count > 42, data.count <= PublicKey.mostBytes, data[0] == 0x30 else {
        throw WireError("public key", "an RSA or ECDSA key is a DER sequence of 43 to \(PublicKey.mostBytes) bytes")
      }
    }
    self.algorithm = algorithm
    self.data = data
  }

  /// The key that a libp2p `PublicKey` message encodes.
  public init(encoded bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= PublicKey.mostBytes + 16 else { throw WireError("public key", "has \(bytes.count) bytes, too many") }
    try ProtobufScan.bound(bytes[...], what: "public key", fields: 2)
    let message = try Murmur_Keys_PublicKey(wire: bytes, what: "public key", depth: 1)
    try self.init(message)
  }

  init(_ message: Murmur_Keys_PublicKey) throws(WireError) {
    guard message.hasKind, message.hasData else { throw WireError("public key", "lacks its type or its data") }
    guard let algorithm = Algorithm(rawValue: message.kind.rawValue) else {
      throw WireError("public key", "type \(message.kind.rawValue) does not exist")
    }
    try self.init(algorithm, message.data.array)
  }

  var message: Murmur_Keys_PublicKey {
    var message = Murmur_Keys_PublicKey()
    message.kind = .init(rawValue: algorithm.rawValue) ?? .rsa
    message.data = .init(wire: data)
    return message
  }

  /// The key as a libp2p `PublicKey` message, the one encoding that identities are made from.
  public var encoded: [UInt8] { message.wire }

  /// The identity of whoever holds the private key.
  public var peerID: PeerID {
    switch algorithm {
    case .ed25519: PeerID(kind: .ed25519, word: PublicKey.word(data[...]))
    case .secp256k1: PeerID(kind: data[0] == 2 ? .secp256k1Even : .secp256k1Odd, word: PublicKey.word(data.dropFirst()))
    case .rsa, .ecdsa: PeerID(kind: .sha256, word: .sha256(of: encoded))
    }
  }

  /// The key of an identity that carries it whole; `nil` if the identity is a digest.
  public init?(of peer: PeerID) {
    switch peer.kind {
    case .ed25519: (algorithm, data) = (.ed25519, peer.word.bytes)
    case .secp256k1Even: (algorithm, data) = (.secp256k1, [2] + peer.word.bytes)
    case .secp256k1Odd: (algorithm, data) = (.secp256k1, [3] + peer.word.bytes)
    case .sha256: return nil
    }
  }

  /// The identity for a key found inside an identity multihash; throws if such a key belongs into a digest.
  func peerID(inline: Bool) throws(WireError) -> PeerID {
    guard algorithm == .ed25519 || algorithm == .secp256k1 else {
      throw WireError("peer ID", "carries a key of more than 42 bytes, which belongs into a sha2-256 multihash")
    }
    return peerID
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> MurmurWire.Digest {
    guard let word = MurmurWire.Digest(bytes) else { preconditionFailure("the key's size was checked when it was made") }
    return word
  }
}

/// Why a signature does not count.
public enum SignatureError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Signatures of this kind cannot be checked.
  case unsupported(PublicKey.Algorithm)
  /// The key is not one of its algorithm, or weaker than libp2p allows.
  case key(PublicKey.Algorithm, String)
  /// The signature is not the key's.
  case invalid
  /// The signed content names another peer than the one who signed.
  case foreign(named: PeerID, signer: PeerID)

  /// One sentence.
  public var description: String {
    switch self {
    case .unsupported(let algorithm):
      "\(algorithm) signatures are not checked here, the cryptography library has no such curve; use a peer with an Ed25519 key"
    case .key(let algorithm, let problem): "the \(algorithm) key \(problem); use a peer with an Ed25519 key"
    case .invalid: "the signature is not valid for this content and key"
    case .foreign(let named, let signer): "signed by \(signer), but it speaks for \(named)"
    }
  }
}
