/// A walk over the fields of one encoded protobuf message, without building anything.
///
/// Decoders use it to bound hostile messages before the generated code allocates: two bytes on the wire can become a hundred in
/// memory, so a limit on bytes alone is not enough.
package struct ProtobufScan {
  /// What the scanned message is called in errors.
  let what: String
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  /// One field as it stands on the wire.
  package struct Field {
    /// The field's number.
    package let number: Int
    /// The bytes of a length-delimited field; empty for numbers.
    package let payload: ArraySlice<UInt8>
  }

  /// A walk over `bytes`.
  package init(_ bytes: ArraySlice<UInt8>, what: String) {
    self.bytes = bytes
    self.what = what
    self.position = bytes.startIndex
  }

  /// The next field; `nil` at the end. Groups, which no protocol of ours has, are refused.
  package mutating func next() throws(WireError) -> Field? {
    guard position < bytes.endIndex else { return nil }
    let start = position
    let tag = try varint()
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw WireError(what, at: start, "field number \(tag >> 3) is not in 1…2²⁹−1") }
    let number = Int(tag >> 3)
    switch tag & 7 {
    case 0:
      _ = try varint()
    case 1:
      try skip(8)
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.endIndex - position) else {
        throw WireError(
          what, at: start, "field \(number) says it has \(length) bytes, but only \(bytes.endIndex - position) follow")
      }
      let payload = bytes[position..<position + Int(length)]
      position += Int(length)
      return Field(number: number, payload: payload)
    case 5:
      try skip(4)
    default:
      throw WireError(what, at: start, "field \(number) has wire type \(tag & 7), which is not a number, fixed or delimited one")
    }
    return Field(number: number, payload: bytes[position..<position])
  }

  /// Throws unless field `number` appears at most `limit` times and no more than `fields` fields appear at all.
  package static func bound(
    _ bytes: ArraySlice<UInt8>, what: String, fields limit: Int, counting limits: [(number: Int, most: Int)] = []
  ) throws(WireError) {
    var scan = ProtobufScan(bytes, what: what)
    var all = 0
    var counts = [Int](repeating: 0, count: limits.count)
    while let field = try scan.next() {
      all += 1
      guard all <= limit else { throw WireError(what, "more than \(limit) fields") }
      for index in limits.indices where limits[index].number == field.number {
        counts[index] += 1
        guard counts[index] <= limits[index].most else {
          throw WireError(what, "field \(field.number) appears more than \(limits[index].most) times")
        }
      }
    }
  }

  private mutating func varint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    let start = position
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < bytes.endIndex else { throw WireError(what, at: start, "a number is cut off") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw WireError(what, at: start, "a number has more than ten bytes")
  }

  private mutating func skip(_ count: Int) throws(WireError) {
    guard bytes.endIndex - position >= count else { throw WireError(what, at: position, "a fixed-size number is cut off") }
    position += count
  }
}
