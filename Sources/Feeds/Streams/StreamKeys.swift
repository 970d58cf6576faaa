internal import Crypto
import MurmurIdentity
public import MurmurWire

/// The secret a stream is made of: 32 bytes that give all its keys.
public struct StreamSeed: Hashable, Sendable {
  let bytes: [UInt8]

  /// The seed of these bytes; draw them at random, and keep them secret.
  public init(_ seed: MurmurWire.Digest) { bytes = seed.bytes }

  /// The key pair of leaf `index` of tree `tree`.
  func leaf(_ tree: UInt32, _ index: Int) -> KeyPair {
    let seed = StreamKeys.derive(bytes, "leaf", StreamKeys.big(tree) + StreamKeys.big(UInt16(index)))
    return KeyPair(seed: seed)
  }

  /// Where the hash ratchet of tree `tree` begins.
  func chain(_ tree: UInt32) -> MurmurWire.Digest { StreamKeys.derive(bytes, "chain", StreamKeys.big(tree)) }
}

/// A secret that the readers of a restricted stream share.
public struct SideKey: Hashable, Sendable, CustomStringConvertible {
  let bytes: [UInt8]

  /// The side key of these bytes.
  public init(_ key: MurmurWire.Digest) { bytes = key.bytes }

  /// Never the key itself: descriptions end up in logs.
  public var description: String { "side key" }
}

/// How keys and addresses follow from each other: HKDF-SHA256 (RFC 5869) without salt, and SHA-256 for what is no secret.
enum StreamKeys {
  /// What everything derived here begins with, so that no other use of a key gives the same bytes.
  static let domain = "murmur/stream/1 "

  static func derive(_ secret: [UInt8], _ label: String, _ more: [UInt8] = []) -> MurmurWire.Digest {
    let info = Array((domain + label).utf8) + more
    let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: SymmetricKey(data: secret), info: info, outputByteCount: 32)
    return unsafe key.withUnsafeBytes { bytes in
      guard let digest = unsafe MurmurWire.Digest(Array(bytes)) else { preconditionFailure("32 bytes were derived") }
      return digest
    }
  }

  static func hash(_ label: String, _ parts: [UInt8]...) -> MurmurWire.Digest {
    .sha256(of: Array((domain + label).utf8) + parts.joined())
  }

  static func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
  }

  /// The next value of the ratchet; there is no way back.
  static func next(_ chain: MurmurWire.Digest) -> MurmurWire.Digest { derive(chain.bytes, "next") }

  /// Address and key of a masked message.
  static func masked(_ chain: MurmurWire.Digest, _ side: SideKey?) -> (address: MurmurWire.Digest, key: MurmurWire.Digest) {
    let secret = chain.bytes + (side?.bytes ?? [])
    return (derive(secret, "address"), derive(secret, "key"))
  }

  /// The address of a public message.
  static func address(_ root: MurmurWire.Digest, _ index: Int) -> MurmurWire.Digest {
    hash("public address", root.bytes, big(UInt16(index)))
  }
}

/// Encryption of whole messages: ChaCha20-Poly1305 (RFC 8439) under a key that is used for one message. The nonce follows from the text,
/// so that even a key used twice by accident gives nothing away but that two texts are the same.
enum StreamBox {
  static let overhead = 12 + 16

  static func seal(_ text: [UInt8], _ key: MurmurWire.Digest, context: [UInt8]) -> [UInt8] {
    let nonce = Array(StreamKeys.derive(key.bytes, "nonce", MurmurWire.Digest.sha256(of: text).bytes).bytes.prefix(12))
    do {
      let box = try ChaChaPoly.seal(
        text, using: SymmetricKey(data: key.bytes), nonce: ChaChaPoly.Nonce(data: nonce), authenticating: context)
      return Array(box.combined)
    } catch { preconditionFailure("text of any length up to 256 GB is sealed under 32 bytes: \(error)") }
  }

  static func open(_ box: ArraySlice<UInt8>, _ key: MurmurWire.Digest, context: [UInt8]) throws(StreamError) -> [UInt8] {
    guard let sealed = try? ChaChaPoly.SealedBox(combined: Array(box)),
      let text = try? ChaChaPoly.open(sealed, using: SymmetricKey(data: key.bytes), authenticating: context)
    else { throw .locked }
    return Array(text)
  }
}
