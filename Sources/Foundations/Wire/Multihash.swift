/// A digest with the name of its function: multiformats/multihash, of which we speak `identity` and `sha2-256`.
public enum Multihash: Hashable, Sendable {
  /// Code 0x00: the bytes themselves, at most ``longestIdentity`` of them.
  case identity([UInt8])
  /// Code 0x12: a SHA-256 digest.
  case sha256(Digest)

  /// The most bytes an identity multihash may carry; libp2p allows keys of 42 bytes, IPFS inlines up to 128.
  public static let longestIdentity = 128

  /// The encoded form: code, length, digest.
  public var bytes: [UInt8] {
    switch self {
    case .identity(let content):
      var out: [UInt8] = [0x00]
      Varint.append(UInt64(content.count), to: &out)
      return out + content
    case .sha256(let digest):
      var out: [UInt8] = [0x12, 0x20]
      digest.append(to: &out)
      return out
    }
  }

  /// Reads one multihash at `position` of `bytes` and moves past it; other functions are refused by name.
  public static func read(_ bytes: [UInt8], at position: inout Int) throws(WireError) -> Multihash {
    let start = position
    let code = try Varint.read(bytes, at: &position, what: "multihash")
    let length = try Varint.read(bytes, at: &position, what: "multihash")
    guard length <= UInt64(bytes.count - position) else {
      throw WireError("multihash", at: start, "says its digest has \(length) bytes, but only \(bytes.count - position) follow")
    }
    let content = bytes[position..<position + Int(length)]
    switch code {
    case 0x00:
      guard content.count <= longestIdentity else {
        throw WireError("multihash", at: start, "carries \(length) bytes in itself; at most \(longestIdentity) are read")
      }
      position += content.count
      return .identity(Array(content))
    case 0x12:
      guard let digest = Digest(content) else {
        throw WireError("multihash", at: start, "a sha2-256 digest has 32 bytes, not \(length); truncated digests are not read")
      }
      position += content.count
      return .sha256(digest)
    default:
      throw WireError("multihash", at: start, "hash function \(name(of: code)) is not supported; use sha2-256")
    }
  }

  private static func name(of code: UInt64) -> String {
    let known: [(UInt64, String)] = [
      (0x11, "sha1"), (0x13, "sha2-512"), (0x14, "sha3-512"), (0x16, "sha3-256"), (0x1b, "keccak-256"), (0x1e, "blake3"),
      (0xb220, "blake2b-256"),
    ]
    return known.first { $0.0 == code }?.1 ?? "0x" + String(code, radix: 16)
  }
}
