import MurmurReports

/// Something a doctor found: how grave it is, what it is, and what to do about it.
package struct Finding: Hashable, Sendable {
  /// How grave it is.
  package enum Level: String, Hashable, Sendable {
    case ok
    case warning
    case problem
  }

  package var level: Level
  package var what: String
  /// What to do; empty if nothing is to be done.
  package var fix: String

  package init(_ level: Level, _ what: String, fix: String = "") {
    self.level = level
    self.what = what
    self.fix = fix
  }

  static func ok(_ what: String) -> Finding { Finding(.ok, what) }
  static func warning(_ what: String, fix: String) -> Finding { Finding(.warning, what, fix: fix) }
  static func problem(_ what: String, fix: String) -> Finding { Finding(.problem, what, fix: fix) }

  /// For programs.
  var json: JSON {
    .object([.init("level", .string(level.rawValue)), .init("what", .string(what)), .init("fix", .string(fix))])
  }

  /// For people: lines of at most `width` columns.
  func text(width: Int, colour: Bool) -> String {
    let codes: [Level: String] = [.ok: "32", .warning: "33", .problem: "31;1"]
    let name = level.rawValue + String(repeating: " ", count: 9 - level.rawValue.count)
    let head = colour ? "\u{1b}[\(codes[level] ?? "0")m\(name)\u{1b}[0m" : name
    let indent = String(repeating: " ", count: 9)
    var lines = Finding.wrap(what, width - 9).enumerated().map { ($0.offset == 0 ? head : indent) + $0.element }
    if !fix.isEmpty {
      lines += Finding.wrap(fix, width - 11).enumerated().map { indent + ($0.offset == 0 ? "→ " : "  ") + $0.element }
    }
    return lines.joined(separator: "\n")
  }

  private static func wrap(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
