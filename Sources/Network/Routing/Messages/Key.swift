public import MurmurIdentity
public import MurmurWire

/// A key of the hash table: the bytes that travel, and the point on the ring of distances that they hash to.
///
/// Peers, contents and values share one key space: the SHA-256 of a peer's binary identity, of a content's multihash, of a value's key
/// (libp2p/specs kad-dht, "Distance").
public struct Key: Hashable, Comparable, Sendable {
  /// The key as it travels.
  public let bytes: [UInt8]
  /// Its SHA-256 digest.
  public let point: Digest

  /// The key whose bytes are `bytes`.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    point = .sha256(of: bytes)
  }

  /// Where a peer stands.
  public init(_ peer: PeerID) { self.init(peer.bytes) }

  /// Where the providers of a block are kept; the codec does not matter.
  public init(providersOf content: CID) { self.init(Multihash.sha256(content.digest).bytes) }

  /// The key of a value, `/namespace/name`.
  public init(namespace: String, name: [UInt8]) { self.init(Array("/\(namespace)/".utf8) + name) }

  /// Feeds one word of the point to the hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(point.a) }

  /// Whether the bytes are the same.
  public static func == (left: Key, right: Key) -> Bool { left.point == right.point && left.bytes == right.bytes }

  /// By point.
  public static func < (left: Key, right: Key) -> Bool { left.point < right.point }
}

extension Digest {
  /// How far two points are from each other: the exclusive or of their bits, read as a number.
  func distance(to other: Digest) -> Digest { Digest(a ^ other.a, b ^ other.b, c ^ other.c, d ^ other.d) }

  /// How many bits two points have in common from the first one on, 0 … 256.
  func commonPrefix(with other: Digest) -> Int {
    let apart = distance(to: other)
    if apart.a != 0 { return apart.a.leadingZeroBitCount }
    if apart.b != 0 { return 64 + apart.b.leadingZeroBitCount }
    if apart.c != 0 { return 128 + apart.c.leadingZeroBitCount }
    return 192 + apart.d.leadingZeroBitCount
  }
}
