internal import Crypto
internal import CryptoExtras

/// Checking signatures (libp2p/specs `peer-ids`, "Key Types").
extension PublicKey {
  /// The sizes of RSA keys that count, in bits: libp2p asks for 2,048 at least, larger ones than 8,192 only cost time.
  static let rsaBits = 2_048...8_192

  /// Whether `signature` is this key's over `message`; throws ``SignatureError`` if this key can check none.
  public func isValid(_ signature: [UInt8], for message: [UInt8]) throws(SignatureError) -> Bool {
    switch algorithm {
    case .ed25519:
      guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: data) else { return false }
      return key.isValidSignature(signature, for: message)
    case .rsa: return try isValidRSA(signature, for: message)
    case .ecdsa: return try isValidECDSA(signature, for: message)
    case .secp256k1: throw .unsupported(.secp256k1)
    }
  }

  /// RSA with PKCS 1 padding over SHA-256; the key is a SubjectPublicKeyInfo.
  private func isValidRSA(_ signature: [UInt8], for message: [UInt8]) throws(SignatureError) -> Bool {
    guard let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: data) else {
      throw .key(.rsa, "is not a DER encoded public key")
    }
    guard PublicKey.rsaBits.contains(key.keySizeInBits) else {
      throw .key(
        .rsa, "has \(key.keySizeInBits) bits, \(PublicKey.rsaBits.lowerBound) to \(PublicKey.rsaBits.upperBound) are allowed")
    }
    let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
    return key.isValidSignature(signature, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
  }

  /// ECDSA over SHA-256, the signature in DER; the key says its curve, one of NIST's.
  private func isValidECDSA(_ signature: [UInt8], for message: [UInt8]) throws(SignatureError) -> Bool {
    let digest = SHA256.hash(data: message)
    if let key = try? P256.Signing.PublicKey(derRepresentation: data) {
      guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(signature, for: digest)
    }
    if let key = try? P384.Signing.PublicKey(derRepresentation: data) {
      guard let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(signature, for: digest)
    }
    if let key = try? P521.Signing.PublicKey(derRepresentation: data) {
      guard let signature = try? P521.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(signature, for: digest)
    }
    throw .key(.ecdsa, "is not a DER encoded key on P-256, P-384 or P-521")
  }
}
