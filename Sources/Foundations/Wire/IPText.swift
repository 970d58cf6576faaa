/// Internet addresses as text: dotted quads, and RFC 4291 and RFC 5952 for version 6.
enum IPText {
  /// The four bytes of a dotted quad.
  static func ip4(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var out: [UInt8] = []
    for part in parts {
      guard !part.isEmpty, part.utf8.count <= 3, part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
      guard part.utf8.count == 1 || part.first != "0", let byte = UInt8(part) else { return nil }
      out.append(byte)
    }
    return out
  }

  /// The sixteen bytes of an address of version 6, with or without `::` and a dotted quad at the end.
  static func ip6(_ text: some StringProtocol) -> [UInt8]? {
    guard text.utf8.count <= 45 else { return nil }
    let whole = String(text)
    guard let gap = firstGap(whole) else {
      let bytes = groups(whole)
      return bytes?.count == 16 ? bytes : nil
    }
    guard let head = groups(String(whole[..<gap.lowerBound])), let tail = groups(String(whole[gap.upperBound...])) else {
      return nil
    }
    guard head.count + tail.count <= 14 else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  private static func firstGap(_ text: String) -> Range<String.Index>? {
    var index = text.startIndex
    while index < text.endIndex {
      let next = text.index(after: index)
      if next < text.endIndex, text[index] == ":", text[next] == ":" { return index..<text.index(after: next) }
      index = next
    }
    return nil
  }

  /// The bytes of groups between colons; a dotted quad may be the last.
  private static func groups(_ text: String) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 8 else { return nil }
    var out: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains(".") {
        guard let quad = ip4(part) else { return nil }
        out += quad
        continue
      }
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ isHex($0) }), let value = UInt16(part, radix: 16) else {
        return nil
      }
      out += [UInt8(value >> 8), UInt8(value & 0xff)]
    }
    return out
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }

  /// The shortest text of an address of version 6 (RFC 5952): the first longest run of two or more zero groups becomes `::`.
  static func text(ip6 address: [UInt8]) -> String {
    guard address.count == 16 else { return "" }
    let groups = stride(from: 0, to: 16, by: 2).map { UInt16(address[$0]) << 8 | UInt16(address[$0 + 1]) }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start >= 2, end - start > best.count { best = start..<end }
      start = max(end, start + 1)
    }
    let text = { (range: Range<Int>) in range.map { String(groups[$0], radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }
}
