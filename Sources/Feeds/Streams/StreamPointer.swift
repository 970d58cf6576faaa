public import MurmurWire

/// A place in a stream from which it can be read on, and not back: what a reader keeps, and what the creator of a private stream hands out.
///
/// With a masked stream a pointer is a secret.
public struct StreamPointer: Hashable, Sendable {
  /// Who may read the stream.
  public let mode: StreamMode
  /// The height of its trees.
  public let height: Int
  /// The number of the next message, from 0; its tree and its leaf follow from it.
  public private(set) var number: UInt64
  /// The root of that message's tree.
  public private(set) var root: Digest
  /// The ratchet at that message; zero in a public stream.
  public private(set) var chain: Digest
  /// The next tree's root and ratchet, once a message of this tree was read.
  private(set) var next: (root: Digest, chain: Digest)?

  init(mode: StreamMode, height: Int, number: UInt64, root: Digest, chain: Digest) {
    (self.mode, self.height, self.number, self.root, self.chain) = (mode, height, number, root, chain)
  }

  /// Which leaf signs the message.
  var leaf: Int { Int(number & (1 << UInt64(height) - 1)) }
  /// Which tree it belongs to.
  var tree: UInt64 { number >> UInt64(height) }
  /// Whether no message can follow: the trees are used up.
  var isFinal: Bool { !StreamPointer.isPlace(number + 1, height) }

  /// Whether a stream of trees of that height has a message of that number.
  static func isPlace(_ number: UInt64, _ height: Int) -> Bool { number >> UInt64(height) < StreamLimits.trees }
  /// Whether it is the last of its tree.
  var isLast: Bool { leaf == 1 << height - 1 }

  /// Where the message is to be found; under a side key if the stream is restricted.
  public func address(_ side: SideKey? = nil) -> Digest {
    mode.isMasked ? StreamKeys.masked(chain, mode == .restricted ? side : nil).address : StreamKeys.address(root, leaf)
  }

  /// Keeps what a message of this tree says of the next.
  mutating func learn(_ root: Digest, _ chain: Digest) { next = (root, chain) }

  /// Takes over what another place of the same tree knows of the next.
  public mutating func adopt(_ other: StreamPointer) {
    if tree == other.tree, root == other.root, let next = other.next { self.next = next }
  }

  /// The place after this one; `nil` where nothing is known of it yet, or there is none.
  public func following() -> StreamPointer? {
    guard !isFinal else { return nil }
    var after = self
    after.number += 1
    if isLast {
      guard let next else { return nil }
      (after.root, after.chain, after.next) = (next.root, next.chain, nil)
    } else if mode.isMasked {
      after.chain = StreamKeys.next(chain)
    }
    return after
  }

  /// Whether two pointers say the same.
  public static func == (left: StreamPointer, right: StreamPointer) -> Bool { left.encoded == right.encoded }
  /// Feeds place and root.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(number)
    hasher.combine(root)
  }

  // MARK: As bytes and as text

  /// The pointer as bytes: version, mode, height, number, root, ratchet, and the next tree's if it is known.
  public var encoded: [UInt8] {
    var out: [UInt8] = [1, mode.rawValue, UInt8(height)] + StreamKeys.big(number) + root.bytes
    if mode.isMasked { out += chain.bytes }
    if let next {
      out += next.root.bytes
      if mode.isMasked { out += next.chain.bytes }
    }
    return out
  }

  /// The pointer that `bytes` hold.
  public init(encoded bytes: [UInt8]) throws(StreamError) {
    var reader = StreamScan(bytes[...])
    guard try reader.byte() == 1 else { throw .malformed("a pointer of another version") }
    guard let mode = StreamMode(rawValue: try reader.byte()) else { throw .malformed("a pointer of an unknown mode") }
    let height = Int(try reader.byte())
    guard height <= StreamLimits.height else { throw .malformed("a tree of height \(height)") }
    let number: UInt64 = try reader.number()
    guard StreamPointer.isPlace(number, height) else { throw .malformed("message \(number), which no stream has") }
    let root = try reader.digest()
    let chain = mode.isMasked ? try reader.digest() : Digest(0, 0, 0, 0)
    self.init(mode: mode, height: height, number: number, root: root, chain: chain)
    guard reader.left > 0 else { return }
    learn(try reader.digest(), mode.isMasked ? try reader.digest() : Digest(0, 0, 0, 0))
    try reader.end()
  }

  /// The pointer as text that can be handed on, beginning with `stream1`.
  public var text: String { "stream1" + Multibase.base32.encode(encoded) }

  /// The pointer that `text` holds.
  public init(text: String) throws(StreamError) {
    guard text.hasPrefix("stream1"), text.utf8.count <= 512, let bytes = try? Multibase.decode(String(text.dropFirst(7))) else {
      throw .malformed("a pointer begins with \"stream1b\"")
    }
    try self.init(encoded: bytes)
  }
}

/// A walk over bytes from elsewhere: every read is bounded and throws. Numbers are big-endian.
struct StreamScan {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var left: Int { rest.count }

  mutating func bytes(_ count: Int) throws(StreamError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= rest.count else { throw .malformed("it is cut off") }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func byte() throws(StreamError) -> UInt8 {
    guard let byte = try bytes(1).first else { throw .malformed("it is cut off") }
    return byte
  }

  mutating func number<Number: FixedWidthInteger & UnsignedInteger>() throws(StreamError) -> Number {
    try bytes(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
  }

  mutating func digest() throws(StreamError) -> Digest {
    guard let digest = Digest(try bytes(Digest.count)) else { throw .malformed("it is cut off") }
    return digest
  }

  /// Bytes behind their length as 32 bits.
  mutating func content(_ most: Int) throws(StreamError) -> [UInt8] {
    let count: UInt32 = try number()
    guard count <= UInt32(most) else { throw .malformed("a part of \(count) bytes, at most \(most) are allowed") }
    return Array(try bytes(Int(count)))
  }

  func end() throws(StreamError) {
    guard rest.isEmpty else { throw .malformed("\(rest.count) bytes follow its end") }
  }
}
