/// Blanked source code, to look things up in.
struct Code {
  let bytes: [UInt8]
  private let lineStarts: [Int]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    lineStarts = [0] + bytes.indices.filter { bytes[$0] == .newline }.map { $0 + 1 }
  }

  var count: Int { bytes.count }

  /// The line, counted from 1, that holds `position`.
  func line(_ position: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= position { low = middle } else { high = middle }
    }
    return low + 1
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The text of a line, counted from 1.
  func text(line: Int) -> String {
    let start = lineStarts[line - 1]
    let end = line < lineStarts.count ? lineStarts[line] - 1 : bytes.count
    return text(start..<end)
  }

  /// Where a line, counted from 1, begins.
  func lineStart(_ line: Int) -> Int { lineStarts[line - 1] }

  var lineCount: Int { bytes.last == .newline ? lineStarts.count - 1 : lineStarts.count }

  /// Where `text` stands as it is, not as part of a longer identifier.
  func occurrences(of text: String) -> [Int] {
    let wanted = Array(text.utf8)
    guard let first = wanted.first, let last = wanted.last, bytes.count >= wanted.count else { return [] }
    return (0...(bytes.count - wanted.count)).filter { start in
      guard bytes[start] == first, bytes[start...].starts(with: wanted) else { return false }
      if first.isWord, start > 0, bytes[start - 1].isWord { return false }
      let end = start + wanted.count
      return !(last.isWord && end < bytes.count && bytes[end].isWord)
    }
  }

  /// The first position from `position` on that is not blank.
  func skipBlanks(_ position: Int) -> Int {
    var position = position
    while position < bytes.count, bytes[position].isBlank { position += 1 }
    return position
  }

  /// The identifier that begins at `position`, empty if there is none.
  func word(at position: Int) -> String {
    var end = position
    while end < bytes.count, bytes[end].isWord { end += 1 }
    return text(position..<end)
  }

  /// The last identifier or other character before `position`, blanks left out; empty at the beginning.
  func token(before position: Int) -> String {
    var end = position
    while end > 0, bytes[end - 1].isBlank { end -= 1 }
    guard end > 0 else { return "" }
    var start = end - 1
    if bytes[start].isWord { while start > 0, bytes[start - 1].isWord { start -= 1 } }
    return text(start..<end)
  }

  /// The position of the bracket that closes the one at `open`; the end of the code if none does.
  func closing(_ open: Int) -> Int {
    var depth = 0
    for position in open..<bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { return position }
      default: break
      }
    }
    return bytes.count
  }

  /// Words with their positions.
  var words: [(position: Int, text: String)] {
    var found: [(Int, String)] = []
    var position = 0
    while position < bytes.count {
      guard bytes[position].isWord else {
        position += 1
        continue
      }
      let text = word(at: position)
      found.append((position, text))
      position += text.utf8.count
    }
    return found
  }
}
