/// Unsigned variable-length integers as multiformats/unsigned-varint defines them: seven bits a byte, low ones first, minimal, at
/// most nine bytes (63 bits).
public enum Varint {
  /// The longest encoding that multiformats allows, in bytes.
  public static let longest = 9

  /// How many bytes `value` takes.
  @inlinable public static func size(_ value: UInt64) -> Int {
    value == 0 ? 1 : (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7
  }

  /// Appends `value`, which must be below 2⁶³.
  public static func append(_ value: UInt64, to out: inout [UInt8]) {
    precondition(value >> 63 == 0, "a varint has at most 63 bits")
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }

  /// Reads one number at `position` of `bytes` and moves past it.
  ///
  /// Refuses encodings that are cut off, longer than nine bytes or not minimal.
  public static func read(_ bytes: [UInt8], at position: inout Int, what: String = "varint") throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    let start = position
    for count in 0..<longest {
      guard position < bytes.count else { throw WireError(what, at: start, "the number is cut off after \(count) bytes") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << UInt64(7 * count)
      guard byte < 0x80 else { continue }
      guard byte != 0 || count == 0 else {
        throw WireError(what, at: start, "the number is not in its shortest form, it ends in a zero byte")
      }
      return value
    }
    throw WireError(what, at: start, "the number is longer than \(longest) bytes")
  }
}
