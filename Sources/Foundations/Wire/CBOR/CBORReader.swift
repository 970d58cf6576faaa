/// A walk over DAG-CBOR (ipld.io/specs/codecs/dag-cbor): strict, bounded, and only what is in the one canonical form.
///
/// CBOR (RFC 8949) allows many encodings of a value; DAG-CBOR allows one: definite lengths, numbers and lengths in their shortest form,
/// keys of maps unique and in order, no tag but 42 (a link). A reader that insists on it makes the bytes follow from the value, so that
/// the hash of the bytes names the value. Nothing is allocated on the word of a length that the bytes do not back.
public struct CBORReader {
  /// What is being read, for errors.
  let what: String
  private let bytes: [UInt8]
  /// How far it is.
  public private(set) var position: Int

  /// A walk over `bytes`, from `position` on.
  public init(_ bytes: [UInt8], at position: Int = 0, what: String) {
    self.bytes = bytes
    self.what = what
    self.position = position
  }

  /// Bytes that were not read yet.
  public var left: Int { bytes.count - position }

  /// What comes next, by its first byte.
  enum Kind: UInt8 {
    case unsigned = 0
    case negative, bytes, text, array, map, tag, simple
  }

  /// An error at the present position, or at another one.
  func fault(_ problem: String, at place: Int? = nil) -> WireError { WireError(what, at: place ?? position, problem) }

  /// The kind of the next item, without moving.
  func peek() throws(WireError) -> Kind {
    guard left > 0, let kind = Kind(rawValue: bytes[position] >> 5) else { throw fault("it is cut off") }
    return kind
  }

  /// The first byte of the next item, without moving.
  func peekByte() throws(WireError) -> UInt8 {
    guard left > 0 else { throw fault("it is cut off") }
    return bytes[position]
  }

  /// A head: the kind and its number, in the shortest form.
  mutating func head() throws(WireError) -> (kind: Kind, value: UInt64) {
    let start = position
    let kind = try peek()
    let short = bytes[position] & 31
    position += 1
    guard short >= 24 else { return (kind, UInt64(short)) }
    guard short <= 27 else { throw fault("lengths must be definite", at: start) }
    let count = 1 << Int(short - 24)
    guard left >= count else { throw fault("a number is cut off", at: start) }
    var value: UInt64 = 0
    for index in 0..<count { value = value << 8 | UInt64(bytes[position + index]) }
    position += count
    let least: UInt64 = count == 1 ? 24 : 1 << UInt64(4 * count)
    guard value >= least || kind == .simple else { throw fault("\(value) is not in its shortest form", at: start) }
    return (kind, value)
  }

  private mutating func head(_ wanted: Kind, _ name: String) throws(WireError) -> UInt64 {
    let start = position
    let (kind, value) = try head()
    guard kind == wanted else { throw fault("\(name) was expected, not \(kind)", at: start) }
    return value
  }

  /// An unsigned number of at most `limit`.
  public mutating func number(_ limit: UInt64 = .max) throws(WireError) -> UInt64 {
    let start = position
    let value = try head(.unsigned, "a number")
    guard value <= limit else { throw fault("\(value) is more than \(limit)", at: start) }
    return value
  }

  /// The head of an array; its items follow, each of which takes a byte at least.
  public mutating func array(_ limit: Int = .max) throws(WireError) -> Int { try count(.array, "an array", limit) }

  /// Throws unless an array of `count` items follows.
  public mutating func array(of count: Int) throws(WireError) {
    let start = position
    let found = try array()
    guard found == count else { throw fault("an array of \(count) was expected, not of \(found)", at: start) }
  }

  /// Bytes, at most `limit` of them.
  public mutating func content(_ limit: Int) throws(WireError) -> [UInt8] { Array(bytes[try range(limit)]) }

  /// Where bytes are, at most `limit` of them; moves past them.
  public mutating func range(_ limit: Int) throws(WireError) -> Range<Int> {
    let count = try count(.bytes, "a byte string", limit)
    defer { position += count }
    return position..<position + count
  }

  /// Bytes, exactly `count` of them, as a digest is.
  public mutating func digest() throws(WireError) -> Digest {
    let start = position
    let range = try range(Digest.count)
    guard let digest = Digest(bytes[range]) else { throw fault("\(Digest.count) bytes were expected", at: start) }
    return digest
  }

  /// Text, at most `limit` bytes of it; it must be UTF-8.
  mutating func text(_ limit: Int) throws(WireError) -> String {
    let start = position
    let count = try count(.text, "text", limit)
    defer { position += count }
    let slice = bytes[position..<position + count]
    guard let text = String(validating: slice, as: UTF8.self) else { throw fault("text is not UTF-8", at: start) }
    return text
  }

  /// A link: tag 42 and the binary form of a CID behind a zero byte.
  public mutating func link() throws(WireError) -> CID {
    let start = position
    guard try head(.tag, "a link") == 42 else { throw fault("the only tag is 42, a link", at: start) }
    let range = try range(128)
    guard range.count > 1, bytes[range.lowerBound] == 0, bytes[range.lowerBound + 1] == 1 else {
      throw fault("a link is a zero byte and a CID of version 1", at: start)
    }
    do { return try CID(bytes: Array(bytes[(range.lowerBound + 1)..<range.upperBound])) } catch {
      throw fault("a link cannot be read: \(error)", at: start)
    }
  }

  /// Moves past a null, if one comes next.
  public mutating func isNull() throws(WireError) -> Bool {
    guard try peekByte() == 0xf6 else { return false }
    position += 1
    return true
  }

  /// Throws unless all was read.
  public func end() throws(WireError) {
    guard left == 0 else { throw fault("\(left) bytes follow its end") }
  }

  private mutating func count(_ kind: Kind, _ name: String, _ limit: Int) throws(WireError) -> Int {
    let start = position
    let value = try head(kind, name)
    guard value <= UInt64(left) else { throw fault("\(name) of \(value) is cut off", at: start) }
    guard value <= UInt64(limit) else { throw fault("\(name) of \(value) is longer than \(limit)", at: start) }
    return Int(value)
  }

  /// The head of a map; its pairs follow, each of which takes two bytes at least.
  mutating func map(_ limit: Int) throws(WireError) -> Int {
    let start = position
    let found = try count(.map, "a map", limit)
    guard found <= left / 2 else { throw fault("a map of \(found) is cut off", at: start) }
    return found
  }

  /// Eight bytes of a number with a fraction, which must be finite.
  mutating func fraction() throws(WireError) -> Double {
    let start = position
    guard left >= 9, bytes[position] == 0xfb else { throw fault("fractions have eight bytes") }
    var word: UInt64 = 0
    for index in 1...8 { word = word << 8 | UInt64(bytes[position + index]) }
    position += 9
    let value = Double(bitPattern: word)
    guard value.isFinite else { throw fault("numbers must be finite", at: start) }
    return value
  }

  /// Moves on by one byte.
  mutating func skip() { position += 1 }
}
