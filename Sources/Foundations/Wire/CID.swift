/// The name of a block: what its bytes mean (codec) and what they are (SHA-256 digest).
///
/// A content identifier of version 1 as multiformats/cid describes it, restricted to SHA-256 and to the codecs below; anything else
/// is refused with an error that says what it was. The value has no heap storage. Version 0 identifiers (`Qm…`) are read as the
/// version 1 identifier of the same block, since both name the same bytes.
public struct CID: Sendable {
  /// What the block's bytes mean.
  public let codec: Codec
  /// The SHA-256 digest of the block's bytes.
  public let digest: Digest

  /// What the bytes of a block mean.
  public enum Codec: UInt32, Hashable, Sendable, CaseIterable {
    /// Bytes as they are; the leaves of files.
    case raw = 0x55
    /// A Merkle DAG node in protobuf: links and data.
    case dagPB = 0x70
    /// A Merkle DAG node in CBOR: values and links (see ``CBORReader``).
    case dagCBOR = 0x71
    /// Murmuration's own use, from the range that multicodec leaves to private codes.
    case murmur = 0x30_6d75
  }

  /// The identifier with that codec and digest.
  @inlinable public init(codec: Codec, digest: Digest) {
    self.codec = codec
    self.digest = digest
  }

  /// The identifier of a block with these bytes.
  public init(codec: Codec, hashing bytes: [UInt8]) {
    self.init(codec: codec, digest: .sha256(of: bytes))
  }

  /// Whether `bytes` are what this identifier names.
  public func matches(_ bytes: [UInt8]) -> Bool { Digest.sha256(of: bytes) == digest }
}

extension CID: Hashable {
  /// Whether codec and digest agree.
  @inlinable public static func == (left: CID, right: CID) -> Bool {
    left.digest == right.digest && left.codec == right.codec
  }

  /// Feeds the digest to the hasher: few names differ in the codec alone.
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

extension CID: Comparable {
  /// By digest, then by codec: a total order that is the same on every machine.
  @inlinable public static func < (left: CID, right: CID) -> Bool {
    if left.digest != right.digest { return left.digest < right.digest }
    return left.codec.rawValue < right.codec.rawValue
  }
}
