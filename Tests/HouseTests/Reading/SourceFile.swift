/// A source file as the rules see it.
struct SourceFile {
  /// Its path from the root.
  let path: String
  /// Its text as it is.
  let raw: Code
  /// Its text without comments and strings.
  let code: Code
  /// Its comments.
  let comments: [Scanner.Comment]
  let language: Language
  /// The exceptions it claims.
  let exceptions: [Exception]

  init(_ path: String, _ text: String) {
    self.path = path
    language = path.hasSuffix(".swift") ? .swift : .c
    let scanner = Scanner(text, language)
    raw = Code(Array(text.utf8))
    code = Code(scanner.code)
    comments = scanner.comments
    exceptions = comments.compactMap(Exception.init)
  }

  /// Whether a tool wrote it.
  var isGenerated: Bool { path.hasSuffix(".pb.swift") }

  /// A violation at a position, unless the file claims an exception there.
  func violation(_ rule: Rule, at position: Int, _ problem: String, do remedy: String) -> Violation? {
    violation(rule, line: code.line(position), problem, do: remedy)
  }

  /// A violation in a line, unless the file claims an exception there.
  func violation(_ rule: Rule, line: Int, _ problem: String, do remedy: String) -> Violation? {
    if exceptions.contains(where: { $0.covers(rule, line) }) { return nil }
    return Violation(path: path, line: line, rule: rule, problem: problem, remedy: remedy)
  }
}

/// What the house asks of its files. The names are those an exception uses.
enum Rule: String, CaseIterable {
  /// A target imports only what the table in `Documentation/Architecture.md` lists.
  case imports
  /// The table, `Package.swift` and the folders agree.
  case table
  /// No clocks, hidden randomness, input or output, threads in pure targets.
  case purity
  /// Nothing is decided by the order of a dictionary or a set.
  case order
  /// No elementary functions of the C library where bits count.
  case bits
  /// Files of at most 500 lines.
  case size
  /// Functions of at most 70 lines.
  case functions
  /// Tests see what is public or `package`, never sleep, draw chance from a seed.
  case tests
  /// Nothing is left for later without an issue.
  case unfinished
  /// No paths of one machine.
  case paths
  /// Every target is tested, every schema is generated, every link leads somewhere.
  case complete
}

/// What is wrong, where, and what to do.
struct Violation: Equatable, CustomStringConvertible {
  var path: String
  var line: Int
  var rule: Rule
  var problem: String
  var remedy: String

  var description: String { "\(path):\(line): [\(rule.rawValue)] \(problem). \(remedy)." }
}

/// A claim that a rule does not hold somewhere, with the reason: `house:allow(order) sums of whole numbers`
/// in the same line or the one before, or `house:allow-file(size) 1,797 rows of data` for a whole file.
struct Exception: Equatable {
  var rule: String
  var line: Int
  var isForFile: Bool
  var reason: String

  init?(_ comment: Scanner.Comment) {
    for (mark, isForFile) in [("house:allow(", false), ("house:allow-file(", true)] {
      guard let start = comment.text.firstRange(of: mark) else { continue }
      let parts = comment.text[start.upperBound...].split(separator: ")", maxSplits: 1, omittingEmptySubsequences: false)
      rule = String(parts[0])
      reason = parts.count > 1 ? parts[1].drop { $0 == " " || $0 == ":" || $0 == "—" }.description : ""
      line = comment.line
      self.isForFile = isForFile
      return
    }
    return nil
  }

  /// Whether the rule exists and the reason says something.
  var isValid: Bool { Rule(rawValue: rule) != nil && reason.count >= 8 }

  func covers(_ wanted: Rule, _ line: Int) -> Bool {
    isValid && rule == wanted.rawValue && (isForFile || line == self.line || line == self.line + 1)
  }
}
