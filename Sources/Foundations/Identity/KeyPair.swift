internal import Crypto
public import MurmurWire

/// An Ed25519 key pair: what lets a peer prove who it is.
///
/// It is made from 32 bytes, so that a seed gives the same peers every time; a host draws them from the system once and keeps them.
/// Signatures are made as RFC 8032 says, but are not the same bits every time: the library mixes randomness into the nonce on some
/// platforms. Nothing may depend on a signature's bits.
public struct KeyPair: Sendable {
  private let key: Curve25519.Signing.PrivateKey
  /// The public half.
  public let publicKey: PublicKey
  /// The identity that the public half gives.
  public let peerID: PeerID

  /// The pair whose private key is the 32 bytes of `seed`.
  public init(seed: MurmurWire.Digest) {
    let made: Curve25519.Signing.PrivateKey
    do { made = try Curve25519.Signing.PrivateKey(rawRepresentation: seed.bytes) } catch {
      preconditionFailure("any 32 bytes are an Ed25519 private key: \(error)")
    }
    key = made
    do { publicKey = try PublicKey(.ed25519, Array(made.publicKey.rawRepresentation)) } catch {
      preconditionFailure("an Ed25519 public key has 32 bytes: \(error)")
    }
    peerID = publicKey.peerID
  }

  /// The pair that a libp2p `PrivateKey` message encodes: Ed25519 as private and public key, 64 bytes, or with the public key
  /// twice, 96 bytes.
  public init(encoded bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= 4_096 else { throw WireError("private key", "has \(bytes.count) bytes, too many") }
    try ProtobufScan.bound(bytes[...], what: "private key", fields: 2)
    let message = try Murmur_Keys_PrivateKey(wire: bytes, what: "private key", depth: 1)
    guard message.hasKind, message.kind == .ed25519 else {
      throw WireError("private key", "only Ed25519 keys are supported; make one with a current libp2p")
    }
    let data = message.data.array
    guard data.count == 64 || data.count == 96, let seed = MurmurWire.Digest(data[..<32]) else {
      throw WireError("private key", "an Ed25519 key has 64 or 96 bytes, not \(data.count)")
    }
    self.init(seed: seed)
    guard Array(data[32..<64]) == publicKey.data, data.count == 64 || data[32..<64] == data[64...] else {
      throw WireError("private key", "its public half does not belong to it")
    }
  }

  /// The pair as a libp2p `PrivateKey` message; keep it secret.
  public var encoded: [UInt8] {
    var message = Murmur_Keys_PrivateKey()
    message.kind = .ed25519
    message.data = .init(wire: Array(key.rawRepresentation) + publicKey.data)
    return message.wire
  }

  /// The signature over `message`, 64 bytes.
  public func sign(_ message: [UInt8]) -> [UInt8] {
    do { return Array(try key.signature(for: message)) } catch {
      preconditionFailure("Ed25519 signs any message: \(error)")
    }
  }
}
