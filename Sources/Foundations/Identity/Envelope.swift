public import MurmurWire

/// Content, its kind, and who vouches for it: libp2p's signed envelope (RFC 0002).
///
/// What is signed is the domain, the kind and the content, each behind its length, so that a signature made for one purpose is
/// worth nothing for another. An envelope that exists was checked: the only ways to get one are to seal and to open.
public struct Envelope: Hashable, Sendable {
  /// The key that signed.
  public let publicKey: PublicKey
  /// What the content is.
  public let kind: [UInt8]
  /// The content.
  public let payload: [UInt8]
  /// The signature.
  public let signature: [UInt8]

  /// The most bytes an encoded envelope may have.
  public static let mostBytes = 64 << 10

  /// Who signed.
  public var signer: PeerID { publicKey.peerID }

  /// Signs `payload` for the purpose that `domain` names.
  public static func seal(_ payload: [UInt8], kind: [UInt8], domain: String, with keys: KeyPair) -> Envelope {
    Envelope(
      publicKey: keys.publicKey, kind: kind, payload: payload,
      signature: keys.sign(signedBytes(payload, kind: kind, domain: domain)))
  }

  /// Opens an encoded envelope for the purpose that `domain` names; throws unless it is well-formed, of `kind` and rightly signed.
  public static func open(_ bytes: [UInt8], kind: [UInt8], domain: String) throws(EnvelopeError) -> Envelope {
    let envelope: Envelope
    do { envelope = try read(bytes) } catch { throw .malformed(error) }
    guard envelope.kind == kind else { throw .wrongKind(envelope.kind) }
    let signed = signedBytes(envelope.payload, kind: kind, domain: domain)
    let isValid: Bool
    do { isValid = try envelope.publicKey.isValid(envelope.signature, for: signed) } catch { throw .signature(error) }
    guard isValid else { throw .signature(.invalid) }
    return envelope
  }

  /// The encoded envelope.
  public var encoded: [UInt8] {
    var message = Murmur_Records_Envelope()
    message.publicKey = publicKey.message
    message.payloadType = .init(wire: kind)
    message.payload = .init(wire: payload)
    message.signature = .init(wire: signature)
    return message.wire
  }

  private static func read(_ bytes: [UInt8]) throws(WireError) -> Envelope {
    guard bytes.count <= mostBytes else {
      throw WireError("signed envelope", "has \(bytes.count) bytes; at most \(mostBytes) are read")
    }
    try ProtobufScan.bound(bytes[...], what: "signed envelope", fields: 16)
    let message = try Murmur_Records_Envelope(wire: bytes, what: "signed envelope", depth: 2)
    guard message.hasPublicKey else { throw WireError("signed envelope", "has no public key") }
    return Envelope(
      publicKey: try PublicKey(message.publicKey), kind: message.payloadType.array, payload: message.payload.array,
      signature: message.signature.array)
  }

  /// What is signed: domain, kind and payload, each behind its length as a varint.
  static func signedBytes(_ payload: [UInt8], kind: [UInt8], domain: String) -> [UInt8] {
    var out: [UInt8] = []
    for part in [Array(domain.utf8), kind, payload] {
      Varint.append(UInt64(part.count), to: &out)
      out += part
    }
    return out
  }
}

/// Why an envelope was not opened.
public enum EnvelopeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The bytes are no envelope, or not what its kind says.
  case malformed(WireError)
  /// The content is of another kind.
  case wrongKind([UInt8])
  /// The signature does not count.
  case signature(SignatureError)

  /// One sentence.
  public var description: String {
    switch self {
    case .malformed(let error): "\(error)"
    case .wrongKind(let kind):
      "signed envelope: its content is of kind \(Multibase.base16.encode(kind).dropFirst()), not the expected one"
    case .signature(let error): "signed envelope: \(error)"
    }
  }
}
