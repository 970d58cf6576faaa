/// A function, initialiser, subscript or computed property with a body.
struct Function: Equatable {
  var name: String
  var line: Int
  /// Lines from its first word to its closing brace.
  var length: Int
}

extension Code {
  /// Everything with a body that a reader has to take in at once.
  func functions(_ language: Language) -> [Function] {
    language == .swift ? swiftFunctions : cFunctions
  }

  // MARK: - Swift

  private var swiftFunctions: [Function] {
    words.compactMap { position, word in
      let name: String
      switch word {
      case "func", "var": name = token(after: position + word.utf8.count)
      case "init", "subscript", "deinit": name = word
      default: return nil
      }
      let before = token(before: position)
      if before == "." || before == "`" { return nil }
      if word == "var", ["if", "guard", "while", "case", "for", ",", "("].contains(before) { return nil }
      guard let open = bodyStart(from: position + word.utf8.count, isProperty: word == "var") else { return nil }
      return Function(name: name, line: line(position), length: line(closing(open)) - line(position) + 1)
    }
  }

  /// The brace that opens the body of the declaration whose keyword ended at `start`; `nil` if it has no body.
  private func bodyStart(from start: Int, isProperty: Bool) -> Int? {
    var position = start
    while position < count {
      switch bytes[position] {
      case UInt8(ascii: "{"): return position
      case UInt8(ascii: "("), UInt8(ascii: "["): position = closing(position)
      case UInt8(ascii: "}"), UInt8(ascii: ";"): return nil
      case UInt8(ascii: "=") where isProperty: return nil
      case .newline:
        let next = skipBlanks(position)
        guard next < count, continues(at: next, isProperty: isProperty) else { return nil }
      default: break
      }
      position += 1
    }
    return nil
  }

  /// Whether a declaration goes on in the line that begins at `position`.
  private func continues(at position: Int, isProperty: Bool) -> Bool {
    switch bytes[position] {
    case UInt8(ascii: "{"): true
    case UInt8(ascii: "("), UInt8(ascii: "-"), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ":"): !isProperty
    default: ["where", "throws", "rethrows", "async"].contains(word(at: position)) && !isProperty
    }
  }

  private func token(after position: Int) -> String {
    let start = skipBlanks(position)
    let name = word(at: start)
    if !name.isEmpty { return name }
    var end = start
    while end < count, !bytes[end].isBlank, bytes[end] != UInt8(ascii: "(") { end += 1 }
    return text(start..<end)
  }

  // MARK: - C

  /// Functions of C: a brace at the top level after a closing parenthesis. Preprocessor lines are none of the language's business.
  private var cFunctions: [Function] {
    let code = withoutPreprocessor
    var found: [Function] = []
    var start = 0
    var position = 0
    while position < code.count {
      switch code.bytes[position] {
      case UInt8(ascii: ";"), UInt8(ascii: "}"): start = position + 1
      case UInt8(ascii: "{") where code.text(start..<position).contains("extern") && !code.text(start..<position).contains("("):
        start = position + 1
      case UInt8(ascii: "{"):
        let end = code.closing(position)
        if code.token(before: position) == ")" {
          let first = code.skipBlanks(start)
          found.append(Function(name: code.name(in: first..<position), line: line(first), length: line(end) - line(first) + 1))
          start = end + 1
        }
        position = end
      default: break
      }
      position += 1
    }
    return found
  }

  /// The first identifier before a parenthesis, with the parenthesis's contents if it is a macro that makes a name: `K(product)`.
  private func name(in range: Range<Int>) -> String {
    guard let open = bytes[range].firstIndex(of: UInt8(ascii: "(")) else { return "?" }
    let name = token(before: open)
    let end = closing(open)
    let next = skipBlanks(end + 1)
    return next < range.upperBound && bytes[next] == UInt8(ascii: "(") ? "\(name)\(text(open..<(end + 1)))" : name
  }

  private var withoutPreprocessor: Code {
    var bytes = bytes
    var isDirective = false
    for number in 1...max(lineCount, 1) {
      let text = text(line: number)
      isDirective = isDirective || text.drop { $0 == " " || $0 == "\t" }.first == "#"
      if isDirective { for position in lineRange(number) { bytes[position] = .space } }
      isDirective = isDirective && text.hasSuffix("\\")
    }
    return Code(bytes)
  }

  private func lineRange(_ number: Int) -> Range<Int> {
    let start = lineStart(number)
    return start..<(start + text(line: number).utf8.count)
  }
}
