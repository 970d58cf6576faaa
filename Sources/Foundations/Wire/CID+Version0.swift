/// Identifiers of version 0: a bare SHA-256 multihash, which names a dag-pb block. Kubo still makes them by default.
extension CID {
  /// How many bytes the binary form of version 0 has.
  public static let byteCountOfVersion0 = 34

  /// What Bitswap sends as the prefix of a block with a version 0 name: version, codec, hash function, length.
  public static let prefixOfVersion0: [UInt8] = [0, 0x70, 0x12, 0x20]

  /// The binary form of version 0; only dag-pb blocks have one.
  public var bytesOfVersion0: [UInt8] {
    var out: [UInt8] = [0x12, 0x20]
    digest.append(to: &out)
    return out
  }

  /// The text form of version 0 (`Qm…`); `nil` unless the block is dag-pb.
  public var descriptionOfVersion0: String? { codec == .dagPB ? Multibase.base58(bytesOfVersion0) : nil }
}
