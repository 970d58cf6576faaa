import Yams

/// The text of a file, checked against what would make the YAML parser slow, then composed into nodes. (Depth is bounded by libyaml
/// itself, at 1,000 levels.)
struct Source {
  /// Bytes in a file at most.
  static let maximumBytes = 1 << 20
  /// Aliases in a file at most, and the bytes a file that uses any may have: nested aliases multiply what they stand for.
  static let maximumAliases = 16
  static let maximumBytesWithAliases = 64 << 10

  /// The file as the user named it.
  let file: String

  /// The root of the document in `text`; `nil` if there is none.
  func compose(_ text: String) throws(ScenarioError.Problem) -> Node? {
    guard text.utf8.count <= Source.maximumBytes else {
      throw problem(1, 1, "the file has \(text.utf8.count) bytes, more than \(Source.maximumBytes)", "shorten it")
    }
    try checkAliases(text)
    do {
      return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      throw translated(error, in: text)
    } catch {
      throw problem(1, 1, "this is not YAML", "check its indentation")
    }
  }

  /// A problem at a place of this file.
  func problem(_ line: Int, _ column: Int, _ message: String, _ advice: String) -> ScenarioError.Problem {
    ScenarioError.Problem(file: file, line: max(line, 1), column: max(column, 1), message: message, advice: advice)
  }

  /// Bounds aliases by looking at the bytes alone: counts every `*name`, also where quotes or a comment make it harmless.
  private func checkAliases(_ text: String) throws(ScenarioError.Problem) {
    var aliases = 0
    var isAfterStar = false
    for byte in text.utf8 {
      if isAfterStar, isNameByte(byte) { aliases += 1 }
      isAfterStar = byte == UInt8(ascii: "*")
    }
    guard aliases > 0 else { return }
    guard aliases <= Source.maximumAliases else {
      throw problem(1, 1, "the file has more than \(Source.maximumAliases) aliases (*name)", "write the values out")
    }
    guard text.utf8.count <= Source.maximumBytesWithAliases else {
      throw problem(
        1, 1, "a file with aliases (*name) may have \(Source.maximumBytesWithAliases) bytes at most", "write the values out")
    }
  }

  private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private func translated(_ error: YamlError, in text: String) -> ScenarioError.Problem {
    switch error {
    case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _), .composer(_, let what, let mark, _):
      if what.contains("another document") {
        return problem(mark.line, mark.column, "a second document begins here", "keep one document per file")
      }
      if what.contains("nesting level") { return problem(mark.line, mark.column, "nested too deeply", "flatten it") }
      return problem(mark.line, mark.column, "this is not YAML: \(what)", "check indentation, quotes and brackets near here")
    case .reader(let what, let offset, _, _):
      let before = text.prefix(offset ?? 0)
      let line = before.count { $0.isNewline } + 1
      let column = before.reversed().prefix { !$0.isNewline }.count + 1
      return problem(line, column, "a character that YAML does not allow (\(what))", "remove it")
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      return problem(context.mark.line, context.mark.column, "the key \(quoted(key)) is given more than once", "keep one of them")
    default: return problem(1, 1, "this is not YAML", "check its indentation")
    }
  }
}
