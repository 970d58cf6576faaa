/// What is printed: YAML in block style, lists and maps of plain words in flow style where they fit a line.
indirect enum Tree: Hashable {
  case word(String)
  case list([Tree])
  case map([(key: String, value: Tree)])

  static func == (one: Tree, other: Tree) -> Bool { one.flow == other.flow }
  func hash(into hasher: inout Hasher) { hasher.combine(flow) }

  /// On one line.
  var flow: String {
    switch self {
    case .word(let text): Tree.scalar(text)
    case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
    case .map(let pairs): "{" + pairs.map { Tree.scalar($0.key) + ": " + $0.value.flow }.joined(separator: ", ") + "}"
    }
  }

  /// As a document.
  var document: String {
    guard case .map(let pairs) = self, !pairs.isEmpty else { return flow + "\n" }
    return Tree.lines(pairs, indent: "")
  }

  private static func lines(_ pairs: [(key: String, value: Tree)], indent: String) -> String {
    var result = ""
    for (key, value) in pairs {
      result += indent + scalar(key) + ":"
      let line = value.flow
      switch value {
      case .map(let children) where !value.isFlat || indent.utf8.count + key.utf8.count + line.utf8.count > 100:
        result += "\n" + lines(children, indent: indent + "  ")
      case .list(let items) where items.contains { if case .map = $0 { true } else { false } }:
        result += "\n" + items.map { "\(indent)  - \($0.flow)\n" }.joined()
      case .word, .list, .map: result += " " + line + "\n"
      }
    }
    return result
  }

  private var isFlat: Bool {
    switch self {
    case .word: return true
    case .list(let items): return items.allSatisfy(\.isFlat)
    case .map(let pairs):
      return !pairs.isEmpty
        && pairs.allSatisfy { pair in
          if case .word = pair.value { true } else { false }
        }
    }
  }

  /// A word as YAML, quoted unless it is plainly plain.
  private static func scalar(_ text: String) -> String {
    let isPlain =
      !text.isEmpty && text.first != " " && text.last != " " && !"-?:%@`!&*~=<>|'\"#,".contains(text.first!)
      && text.unicodeScalars.allSatisfy { scalar in
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
          || " ._-+/%()µ".unicodeScalars.contains(scalar)
      }
    if isPlain { return text }
    if let first = text.first, first == "-", text.dropFirst().first?.isNumber == true,
      text.allSatisfy({ $0.isASCII && $0 != ":" }),
      text.unicodeScalars.allSatisfy({
        ("a"..."z").contains($0) || ("0"..."9").contains($0) || " .-µ".unicodeScalars.contains($0)
      })
    {
      return text
    }
    return "\"" + text.unicodeScalars.map(escaped).joined() + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case " "..."~": return String(scalar)
    default:
      let digits = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
  }
}
