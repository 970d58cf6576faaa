public import MurmurWire

/// Which message: where readers look for it, and its name.
///
/// Tags are not names: all heads of a session may share one, and whoever sees a tag can publish something else under it. So feeders and
/// gateways speak of a message by the hash of tag and content.
public struct FeedKey: Hashable, Sendable {
  /// Where readers look for it.
  public let tag: [UInt8]
  /// SHA-256 of the tag's length in one byte, the tag and the content.
  public let name: Digest

  /// The key of a message whose name is known.
  public init(tag: [UInt8], name: Digest) {
    self.tag = tag
    self.name = name
  }

  /// The key of a message.
  public init(tag: [UInt8], content: [UInt8]) {
    precondition(tag.count <= FeedLimits.tagBytes, "a tag has at most \(FeedLimits.tagBytes) bytes")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1 + tag.count + content.count)
    bytes.append(UInt8(tag.count))
    bytes += tag
    bytes += content
    self.init(tag: tag, name: .sha256(of: bytes))
  }
}

/// What messages between feeders and gateways may hold at most. A message beyond is refused whole.
public enum FeedLimits {
  /// Bytes of a tag.
  public static let tagBytes = 64
  /// Bytes of a message's content.
  public static let contentBytes = 256 << 10
  /// Keys of a question, and names of an answer.
  public static let names = 256
  /// Bytes of a session's codename.
  public static let sessionBytes = 256
  /// Bytes of a reason in words.
  public static let problemBytes = 1_024
  /// Messages published and not answered.
  public static let window = 1_024
  /// Seconds that a feeder may be told to wait.
  public static let slowSeconds = 3_600.0
  /// Bytes of a frame, without its length.
  public static let frameBytes = contentBytes + tagBytes + 64
}
