/// The metadata of a canonical header, read without making a string of any of it.
enum CanonicalPairs {
  /// Whether `text` is `{"__metadata__":{` and pairs of plain strings in ascending order of their keys, one of them `pair`.
  static func name(_ pair: [UInt8], in text: UnsafeRawBufferPointer) -> Bool {
    let opening: StaticString = "{\"__metadata__\":{"
    let length = opening.utf8CodeUnitCount
    guard text.count > length, unsafe same(text.baseAddress!, opening.utf8Start, length) else { return false }
    var position = length
    var last = 0..<0
    var found = false
    while true {
      let begin = position
      guard let key = unsafe string(in: text, &position), position < text.count, unsafe text[position] == UInt8(ascii: ":") else {
        return false
      }
      position += 1
      guard unsafe string(in: text, &position) != nil else { return false }
      if !last.isEmpty {
        guard unsafe text[last].lexicographicallyPrecedes(text[key]) else { return false }
      }
      last = key
      if position - begin == pair.count {
        let isIt = unsafe pair.withUnsafeBytes { unsafe same($0.baseAddress!, text.baseAddress! + begin, pair.count) }
        found = found || isIt
      }
      guard position < text.count else { return found }
      guard unsafe text[position] == UInt8(ascii: ",") else { return false }
      position += 1
    }
  }

  private static func same(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    for index in 0..<count
    where unsafe left.load(fromByteOffset: index, as: UInt8.self)
      != right.load(fromByteOffset: index, as: UInt8.self)
    { return false }
    return true
  }

  /// A string of printable ASCII without escapes at `position`, which moves behind it; `nil` for anything else.
  private static func string(in text: UnsafeRawBufferPointer, _ position: inout Int) -> Range<Int>? {
    guard position < text.count, unsafe text[position] == UInt8(ascii: "\"") else { return nil }
    let begin = position + 1
    position = begin
    while position < text.count {
      let byte = unsafe text[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return begin < position - 1 ? begin..<position - 1 : nil
      }
      guard byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") else { return nil }
      position += 1
    }
    return nil
  }
}
