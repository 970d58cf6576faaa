public import MurmurIdentity

/// How messages are signed and checked; what a world without keys counts instead.
public enum Signing: Sendable {
  /// Messages carry no signature.
  case none
  /// Messages carry zeros of the length that a signature (and a key, where the peer ID does not hold it) would have, so that bytes
  /// are counted rightly; nobody checks them.
  case standIn(signatureBytes: Int, keyBytes: Int)
  /// Messages are signed, and what is not rightly signed is dropped (pubsub, "StrictSign").
  case strict(Signer)

  /// The two functions that a host injects.
  public struct Signer: Sendable {
    /// The signature over given bytes, and the key if the peer ID does not carry it.
    public var sign: @Sendable ([UInt8]) -> (signature: [UInt8], key: [UInt8])
    /// Whether a message is signed by the author it names.
    public var verify: @Sendable (Message) -> Bool

    /// A signer with keys: Ed25519, as libp2p's pub/sub signs (pubsub, "Message Signing").
    public init(_ keys: KeyPair) {
      let carriesKey = PublicKey(of: keys.peerID) == nil
      sign = { bytes in (keys.sign(bytes), carriesKey ? keys.publicKey.encoded : []) }
      verify = { message in
        do {
          let key: PublicKey
          if let inline = PublicKey(of: message.from) { key = inline } else { key = try PublicKey(encoded: message.key) }
          return try key.peerID == message.from && key.isValid(message.signature, for: message.signedBytes)
        } catch {
          return false
        }
      }
    }

    /// A signer made of the two functions.
    public init(
      sign: @escaping @Sendable ([UInt8]) -> (signature: [UInt8], key: [UInt8]), verify: @escaping @Sendable (Message) -> Bool
    ) {
      self.sign = sign
      self.verify = verify
    }
  }
}
