/// The binary and the text form of identifiers.
extension CID: CustomStringConvertible, LosslessStringConvertible {
  /// The binary form of version 1: version, codec, hash function, length, digest.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  /// How many bytes the binary form has.
  @inlinable public var byteCount: Int { prefixByteCount + Digest.count }

  /// How many bytes the binary form has without the digest.
  @inlinable public var prefixByteCount: Int { 3 + Varint.size(UInt64(codec.rawValue)) }

  /// Appends the binary form to `out`.
  public func append(to out: inout [UInt8]) {
    out.reserveCapacity(out.count + byteCount)
    appendPrefix(to: &out)
    digest.append(to: &out)
  }

  /// The binary form without the digest, which Bitswap sends beside each block's bytes.
  public var prefix: [UInt8] {
    var out: [UInt8] = []
    appendPrefix(to: &out)
    return out
  }

  private func appendPrefix(to out: inout [UInt8]) {
    out.append(1)
    Varint.append(UInt64(codec.rawValue), to: &out)
    out.append(0x12)
    out.append(0x20)
  }

  /// The identifier whose binary form is `bytes`, all of them. Version 0 (a bare multihash) is read as dag-pb.
  public init(bytes: [UInt8]) throws(WireError) {
    var position = 0
    self = try CID.read(bytes, at: &position)
    guard position == bytes.count else {
      throw WireError("CID", at: position, "\(bytes.count - position) bytes follow the identifier")
    }
  }

  /// Reads one identifier at `position` of `bytes` and moves past it.
  public static func read(_ bytes: [UInt8], at position: inout Int) throws(WireError) -> CID {
    let start = position
    if bytes.count - position >= 34, bytes[position] == 0x12, bytes[position + 1] == 0x20 {
      guard case .sha256(let digest) = try Multihash.read(bytes, at: &position) else { preconditionFailure("0x12 is sha2-256") }
      return CID(codec: .dagPB, digest: digest)
    }
    let codec = try readCodec(bytes, at: &position)
    guard case .sha256(let digest) = try Multihash.read(bytes, at: &position) else {
      throw WireError("CID", at: start, "carries its content in itself (identity hash), which is not supported; use sha2-256")
    }
    return CID(codec: codec, digest: digest)
  }

  /// The codec that `prefix` (an identifier without its digest) names; throws unless it names SHA-256 as well.
  public static func codec(ofPrefix prefix: [UInt8]) throws(WireError) -> Codec {
    if prefix == [0x12, 0x20] || prefix == prefixOfVersion0 { return .dagPB }
    var position = 0
    let codec = try readCodec(prefix, at: &position)
    guard Array(prefix[position...]) == [0x12, 0x20] else {
      throw WireError("CID prefix", at: position, "the hash function is not a whole sha2-256, the only one supported")
    }
    return codec
  }

  private static func readCodec(_ bytes: [UInt8], at position: inout Int) throws(WireError) -> Codec {
    let start = position
    let version = try Varint.read(bytes, at: &position, what: "CID")
    guard version == 1 else { throw WireError("CID", at: start, "version \(version) does not exist; this is no CID") }
    let code = try Varint.read(bytes, at: &position, what: "CID")
    guard let raw = UInt32(exactly: code), let codec = Codec(rawValue: raw) else {
      throw WireError(
        "CID", at: start + 1,
        "codec 0x\(String(code, radix: 16)) is not supported; use raw, dag-pb or dag-cbor (0x55, 0x70, 0x71)")
    }
    return codec
  }

  /// The text form: `b` and base32.
  public var description: String { Multibase.base32.encode(bytes) }

  /// The identifier that `text` names: version 1 in base32, base58btc or base16, or version 0 (`Qm…`).
  public init(parsing text: some StringProtocol) throws(WireError) {
    if text.utf8.count == 46, text.hasPrefix("Qm") {
      try self.init(bytes: try Multibase.decodeBase58(text))
    } else {
      let bytes = try Multibase.decode(text)
      guard bytes.first == 1 else { throw WireError("CID", at: 0, "this is not a CID of version 1") }
      try self.init(bytes: bytes)
    }
  }

  /// The identifier that `description` names; `nil` if it names none.
  public init?(_ description: String) {
    do { try self.init(parsing: description) } catch { return nil }
  }
}
