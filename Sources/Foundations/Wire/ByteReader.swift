/// A walk over bytes that we wrote ourselves and that may have been garbled since: every read is bounded and throws.
///
/// Numbers are varints or eight bytes (little-endian), everything else stands behind its length.
package struct ByteReader {
  /// What is being read, for errors.
  let what: String
  private let bytes: [UInt8]
  /// How far it is.
  package private(set) var position = 0

  /// A walk over all of `bytes`.
  package init(_ bytes: [UInt8], _ what: String) {
    self.bytes = bytes
    self.what = what
  }

  /// Bytes that were not read yet.
  package var left: Int { bytes.count - position }

  /// One byte.
  package mutating func byte() throws(WireError) -> UInt8 {
    guard left > 0 else { throw WireError(what, at: position, "it is cut off") }
    position += 1
    return bytes[position - 1]
  }

  /// A number of at most `limit`.
  package mutating func number(_ limit: Int = .max) throws(WireError) -> Int {
    let start = position
    let value = try Varint.read(bytes, at: &position, what: what)
    guard value <= UInt64(limit) else { throw WireError(what, at: start, "\(value) is more than \(limit)") }
    return Int(value)
  }

  /// Eight bytes.
  package mutating func word() throws(WireError) -> UInt64 {
    guard left >= 8 else { throw WireError(what, at: position, "a word is cut off") }
    defer { position += 8 }
    var word: UInt64 = 0
    for index in 0..<8 { word |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    return word
  }

  /// Bytes behind their length, at most `limit` of them.
  package mutating func content(_ limit: Int) throws(WireError) -> [UInt8] {
    let start = position
    let count = try number()
    guard count <= limit, count <= left else {
      throw WireError(what, at: start, "a part of \(count) bytes is cut off or longer than \(limit)")
    }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  /// Text behind its length; what is no UTF-8 in it is replaced.
  package mutating func text(_ limit: Int) throws(WireError) -> String { String(decoding: try content(limit), as: UTF8.self) }

  /// Throws unless all was read.
  package func end() throws(WireError) {
    guard left == 0 else { throw WireError(what, at: position, "\(left) bytes follow its end") }
  }
}

/// Writing what a ``ByteReader`` reads.
extension [UInt8] {
  /// Appends a number.
  package mutating func append(number: Int) { Varint.append(UInt64(number), to: &self) }

  /// Appends eight bytes.
  package mutating func append(word: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: word >> shift)) }
  }

  /// Appends bytes behind their length.
  package mutating func append(content: [UInt8]) {
    reserveCapacity(count + content.count + 9)
    append(number: content.count)
    self += content
  }

  /// Appends text behind its length.
  package mutating func append(text: String) { append(content: Array(text.utf8)) }
}
