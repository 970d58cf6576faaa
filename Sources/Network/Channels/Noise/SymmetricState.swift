import Crypto

/// Hash, chaining key and cipher of a handshake under way (Noise, section 5.2), with SHA-256.
struct SymmetricState: Sendable {
  /// The hash of all that was said so far; both sides have the same or nothing decrypts.
  private(set) var hash: [UInt8]
  private var chaining: SymmetricKey
  private var cipher: CipherState?

  /// The state before the first message of the protocol with that name.
  init(protocolName: String) {
    let name = Array(protocolName.utf8)
    hash = name.count <= 32 ? name + [UInt8](repeating: 0, count: 32 - name.count) : Array(SHA256.hash(data: name))
    chaining = SymmetricKey(data: hash)
  }

  /// Adds `bytes` to what both sides agree on.
  mutating func mix(hash bytes: [UInt8]) {
    var digest = SHA256()
    digest.update(data: hash)
    digest.update(data: bytes)
    hash = Array(digest.finalize())
  }

  /// Derives new keys from a shared secret.
  mutating func mix(key secret: SharedSecret) {
    let keys = SymmetricState.derive(secret, chaining)
    chaining = keys.0
    cipher = CipherState(key: keys.1)
  }

  /// Encrypts `plaintext` once there is a key, and adds the outcome to the hash.
  mutating func encrypt(_ plaintext: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    if cipher == nil { out = plaintext } else { cipher?.seal(plaintext, context: hash, into: &out) }
    mix(hash: out)
    return out
  }

  /// Decrypts `ciphertext` once there is a key, and adds it to the hash; `nil` if it is not genuine.
  mutating func decrypt(_ ciphertext: [UInt8]) -> [UInt8]? {
    guard cipher != nil else {
      mix(hash: ciphertext)
      return ciphertext
    }
    var box = [UInt8](repeating: 0, count: CipherState.nonceBytes) + ciphertext
    guard let plaintext = cipher?.open(&box, context: hash) else { return nil }
    mix(hash: ciphertext)
    return [UInt8](plaintext)
  }

  /// The ciphers after the handshake: what the initiator sends with, what the responder sends with.
  func split() -> (initiator: CipherState, responder: CipherState) {
    let keys = SymmetricState.expand(SymmetricKey(data: [UInt8]()), chaining)
    return (CipherState(key: keys.0), CipherState(key: keys.1))
  }

  /// Noise's HKDF with two outputs is that of RFC 5869 with the chaining key as salt, without info.
  private static func derive(_ secret: SharedSecret, _ salt: SymmetricKey) -> (SymmetricKey, SymmetricKey) {
    expand(unsafe secret.withUnsafeBytes { unsafe SymmetricKey(data: $0) }, salt)
  }

  private static func expand(_ input: SymmetricKey, _ salt: SymmetricKey) -> (SymmetricKey, SymmetricKey) {
    let salt = unsafe salt.withUnsafeBytes { unsafe [UInt8]($0) }
    let both = HKDF<SHA256>.deriveKey(inputKeyMaterial: input, salt: salt, info: [UInt8](), outputByteCount: 64)
    return unsafe both.withUnsafeBytes { bytes in
      (unsafe SymmetricKey(data: bytes[..<32]), unsafe SymmetricKey(data: bytes[32...]))
    }
  }
}
