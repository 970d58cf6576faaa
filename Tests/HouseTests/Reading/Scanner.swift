/// Which lexical rules a source file follows.
enum Language {
  case swift, c
}

/// A source file with everything that is not code blanked out: comments and the insides of string literals become spaces, code
/// interpolated into a string stays. Same length, same line breaks, so that positions and lines are those of the file.
struct Scanner {
  /// A comment, without its delimiters.
  struct Comment: Equatable {
    var line: Int
    var text: String
  }

  /// The code, blanked.
  private(set) var code: [UInt8]
  /// The comments, in order.
  private(set) var comments: [Comment] = []

  private let source: [UInt8]
  private let language: Language
  private var position = 0
  private var line = 1

  /// Scans `text`; never fails: what is unterminated ends with the file.
  init(_ text: String, _ language: Language) {
    source = Array(text.utf8)
    code = source
    self.language = language
    scanCode(untilParenthesis: false)
  }

  // MARK: - Moving

  private func at(_ text: StaticString, _ offset: Int = 0) -> Bool {
    let bytes = text.description.utf8
    guard position + offset + bytes.count <= source.count else { return false }
    return source[(position + offset)...].starts(with: bytes)
  }

  private mutating func keep(_ count: Int = 1) {
    for _ in 0..<count where position < source.count {
      if source[position] == .newline { line += 1 }
      position += 1
    }
  }

  private mutating func blank(_ count: Int = 1) {
    for _ in 0..<count where position < source.count {
      if source[position] != .newline { code[position] = .space }
      keep()
    }
  }

  // MARK: - Code

  /// Goes over code, to the end of the file or past the parenthesis that closes an interpolation.
  private mutating func scanCode(untilParenthesis: Bool) {
    var depth = 0
    while position < source.count {
      if at("//") {
        scanLineComment()
      } else if at("/*") {
        scanBlockComment()
      } else if let hashes = openingHashes() {
        scanString(hashes)
      } else if language == .c, at("'") {
        scanCharacter()
      } else {
        if at("(") { depth += 1 }
        if at(")") {
          depth -= 1
          if untilParenthesis, depth < 0 { return blank() }
        }
        keep()
      }
    }
  }

  private mutating func scanLineComment() {
    let begun = line
    var text: [UInt8] = []
    while position < source.count, source[position] != .newline {
      text.append(source[position])
      blank()
    }
    comments.append(Comment(line: begun, text: String(decoding: text.drop { $0 == .slash }, as: UTF8.self)))
  }

  private mutating func scanBlockComment() {
    let begun = line
    let start = position
    var depth = 0
    repeat {
      if at("/*"), depth == 0 || language == .swift {
        depth += 1
        blank(2)
      } else if at("*/") {
        depth -= 1
        blank(2)
      } else {
        blank()
      }
    } while depth > 0 && position < source.count
    let lines = String(decoding: source[start..<position], as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    for (offset, text) in lines.enumerated() { comments.append(Comment(line: begun + offset, text: String(text))) }
  }

  private mutating func scanCharacter() {
    blank()
    while position < source.count, source[position] != .newline {
      if at("\\") {
        blank(2)
      } else if at("'") {
        return blank()
      } else {
        blank()
      }
    }
  }

  // MARK: - Strings

  /// The number of `#` before a string literal that begins here; `nil` if none begins here.
  private func openingHashes() -> Int? {
    var hashes = 0
    if language == .swift { while at("#", hashes) { hashes += 1 } }
    return at("\"", hashes) ? hashes : nil
  }

  private mutating func scanString(_ hashes: Int) {
    blank(hashes)
    let isLong = language == .swift && at("\"\"\"")
    let quotes = isLong ? 3 : 1
    blank(quotes)
    while position < source.count {
      if closes(quotes, hashes) { return blank(quotes + hashes) }
      if !isLong, source[position] == .newline { return }
      guard at("\\"), hasHashes(hashes, at: 1) else {
        blank()
        continue
      }
      if language == .swift, at("(", 1 + hashes) {
        blank(2 + hashes)
        scanCode(untilParenthesis: true)
      } else {
        blank(1 + hashes)
        if position < source.count, source[position] != .newline { blank() }
      }
    }
  }

  private func closes(_ quotes: Int, _ hashes: Int) -> Bool {
    for offset in 0..<quotes where !at("\"", offset) { return false }
    return hasHashes(hashes, at: quotes)
  }

  private func hasHashes(_ count: Int, at offset: Int) -> Bool {
    for index in 0..<count where !at("#", offset + index) { return false }
    return true
  }
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let space = UInt8(ascii: " ")
  static let slash = UInt8(ascii: "/")

  /// Whether the byte may stand in an identifier; every byte of a non-ASCII character may.
  var isWord: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  var isBlank: Bool { self == .space || self == .newline || self == 9 || self == 13 }
}
