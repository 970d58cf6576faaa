package import Crypto
#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// One direction of an encrypted channel: a key and the number of the next message (Noise, section 5.1), ChaCha20-Poly1305.
package struct CipherState: Sendable {
  /// The bytes that authentication adds to each message.
  package static let tag = 16
  /// The bytes of a nonce.
  static let nonceBytes = 12

  private let key: SymmetricKey
  private var counter: UInt64 = 0

  /// The state with that key of 32 bytes, about to send or receive its first message.
  package init(key: SymmetricKey) { self.key = key }

  /// The twelve bytes of the next nonce, which is used up thereby: four zeros and the counter, little-endian.
  private mutating func nextNonce() -> ChaChaPoly.Nonce {
    precondition(counter < .max, "a channel carries fewer than 2⁶⁴ messages")
    var bytes = [UInt8](repeating: 0, count: CipherState.nonceBytes)
    for index in 0..<8 { bytes[4 + index] = UInt8(truncatingIfNeeded: counter >> UInt64(8 * index)) }
    counter += 1
    do { return try ChaChaPoly.Nonce(data: bytes) } catch { preconditionFailure("a nonce has twelve bytes: \(error)") }
  }

  /// Appends `plaintext`, encrypted and authenticated together with `context`, to `out`.
  package mutating func seal(_ plaintext: [UInt8], context: [UInt8] = [], into out: inout [UInt8]) {
    let box: ChaChaPoly.SealedBox
    do {
      box = try ChaChaPoly.seal(plaintext, using: key, nonce: nextNonce(), authenticating: context)
    } catch {
      preconditionFailure("a key of 32 bytes seals any message: \(error)")
    }
    // Nonce, ciphertext and tag in one piece: the nonce is not sent, both sides count.
    unsafe box.combined.withUnsafeBytes { bytes in unsafe out.append(contentsOf: bytes[CipherState.nonceBytes...]) }
  }

  /// The plaintext of a message that was authenticated together with `context`; `nil` if it is not genuine.
  ///
  /// `box` is the message with twelve bytes of room before it, for the nonce.
  package mutating func open(_ box: inout [UInt8], context: [UInt8] = []) -> Data? {
    guard box.count >= CipherState.nonceBytes + CipherState.tag else { return nil }
    for index in 0..<4 { box[index] = 0 }
    for index in 0..<8 { box[4 + index] = UInt8(truncatingIfNeeded: counter >> UInt64(8 * index)) }
    precondition(counter < .max, "a channel carries fewer than 2⁶⁴ messages")
    guard let sealed = try? ChaChaPoly.SealedBox(combined: box),
      let plaintext = try? ChaChaPoly.open(sealed, using: key, authenticating: context)
    else { return nil }
    counter += 1
    return plaintext
  }
}
