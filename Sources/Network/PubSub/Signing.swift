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

    /// A signer made of the two functions.
    public init(
      sign: @escaping @Sendable ([UInt8]) -> (signature: [UInt8], key: [UInt8]), verify: @escaping @Sendable (Message) -> Bool
    ) {
      self.sign = sign
      self.verify = verify
    }
  }
}
