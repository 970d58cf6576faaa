import Crypto
import MurmurWire

/// The handshake pattern XX with Curve25519, ChaCha20-Poly1305 and SHA-256 (Noise revision 34, section 7.5), without libp2p's payload.
///
///     → e
///     ← e, ee, s, es
///     → s, se
package struct NoiseXX: Sendable {
  /// The name both sides start their hash with.
  package static let name = "Noise_XX_25519_ChaChaPoly_SHA256"

  /// Why a message does not count.
  package enum Failure: Error, Hashable, Sendable {
    /// It has fewer bytes than its keys and tags need.
    case short
    /// It does not decrypt.
    case forged
    /// Its key is one of those that lead to no secret.
    case weakKey
  }

  /// Whether this side speaks first.
  package let isInitiator: Bool
  /// How many messages were written and read.
  package private(set) var messages = 0
  /// The other side's static public key, once it said it.
  package private(set) var remoteStatic: [UInt8]?
  private var symmetric = SymmetricState(protocolName: NoiseXX.name)
  private let ephemeral: Curve25519.KeyAgreement.PrivateKey
  private let fixed: Curve25519.KeyAgreement.PrivateKey
  private var remoteEphemeral: [UInt8] = []

  /// A handshake with these private keys; the ephemeral one must not be used for another.
  package init(isInitiator: Bool, secrets: NoiseSecrets, prologue: [UInt8] = []) {
    self.isInitiator = isInitiator
    do {
      ephemeral = try .init(rawRepresentation: secrets.ephemeral.bytes)
      fixed = try .init(rawRepresentation: secrets.fixed.bytes)
    } catch { preconditionFailure("any 32 bytes are an X25519 private key: \(error)") }
    symmetric.mix(hash: prologue)
  }

  /// This side's static public key.
  package var localStatic: [UInt8] { Array(fixed.publicKey.rawRepresentation) }

  /// Whether it is this side's turn.
  package var isWriting: Bool { messages < 3 && (messages % 2 == 0) == isInitiator }

  /// Whether the third message is through.
  package var isComplete: Bool { messages == 3 }

  /// The hash of the whole handshake, which names this channel.
  package var hash: [UInt8] { symmetric.hash }

  /// The next message, with `payload`.
  package mutating func write(_ payload: [UInt8]) throws(Failure) -> [UInt8] {
    precondition(isWriting, "message \(messages + 1) of the handshake is the other side's")
    var out: [UInt8] = []
    if messages < 2 {
      let key = Array(ephemeral.publicKey.rawRepresentation)
      out += key
      symmetric.mix(hash: key)
    }
    if messages == 1 { try agree(ephemeral, remoteEphemeral) }
    if messages > 0 {
      out += symmetric.encrypt(localStatic)
      try agree(fixed, remoteEphemeral)
    }
    out += symmetric.encrypt(payload)
    messages += 1
    return out
  }

  /// The payload of the next message.
  package mutating func read(_ message: [UInt8]) throws(Failure) -> [UInt8] {
    precondition(!isWriting && !isComplete, "message \(messages + 1) of the handshake is this side's")
    var rest = message[...]
    if messages < 2 {
      guard rest.count >= 32 else { throw .short }
      remoteEphemeral = Array(rest.prefix(32))
      rest = rest.dropFirst(32)
      symmetric.mix(hash: remoteEphemeral)
    }
    if messages == 1 { try agree(ephemeral, remoteEphemeral) }
    if messages > 0 {
      guard rest.count >= 32 + CipherState.tag else { throw .short }
      guard let key = symmetric.decrypt(Array(rest.prefix(32 + CipherState.tag))) else { throw .forged }
      rest = rest.dropFirst(32 + CipherState.tag)
      remoteStatic = key
      try agree(ephemeral, key)
    }
    guard let payload = symmetric.decrypt(Array(rest)) else { throw .forged }
    messages += 1
    return payload
  }

  private mutating func agree(_ key: Curve25519.KeyAgreement.PrivateKey, _ other: [UInt8]) throws(Failure) {
    do {
      symmetric.mix(key: try key.sharedSecretFromKeyAgreement(with: .init(rawRepresentation: other)))
    } catch { throw .weakKey }
  }

  /// The ciphers after the handshake, for what this side sends and for what it receives.
  package func split() -> (sending: CipherState, receiving: CipherState) {
    precondition(isComplete, "the handshake is not complete")
    let (first, second) = symmetric.split()
    return isInitiator ? (first, second) : (second, first)
  }
}
