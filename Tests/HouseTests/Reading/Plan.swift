/// The plan of the house: the table of targets in `Documentation/Architecture.md`.
///
/// Columns: target, folder, kind, what it may import, where it is tested, what it is. The test reads the documentation, so that
/// the two cannot differ.
struct Plan {
  enum Kind: String {
    /// Decides in values: no clock, no hidden randomness, no input or output, no threads.
    case pure
    /// Acts: may do what pure targets may not.
    case world
    /// C, or a module map for a library of the system.
    case c
  }

  struct Room: Equatable {
    var target: String
    var folder: String
    var kind: Kind
    var imports: [String]
    var testedIn: [String]
    var line: Int
  }

  static let path = "Documentation/Architecture.md"

  private(set) var rooms: [Room] = []
  /// Rows that could not be read.
  private(set) var violations: [Violation] = []

  init(_ text: String) {
    var isTable = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.drop { $0 == " " }.description.trimmed }
      if line.hasPrefix("| Target | Folder | Kind | May import |") {
        isTable = true
      } else if !line.hasPrefix("|") {
        isTable = false
      } else if isTable, !line.hasPrefix("|--"), !line.hasPrefix("| --") {
        read(cells, index + 1)
      }
    }
  }

  private mutating func read(_ cells: [String], _ line: Int) {
    guard cells.count >= 8, let kind = Kind(rawValue: cells[3]), cells[1].isCode, cells[2].isCode else {
      violations.append(
        Violation(
          path: Self.path, line: line, rule: .table, problem: "this row of the table cannot be read",
          remedy: "Write | `Target` | `Sources/…` | pure, world or c | `Import`, … | `…Tests`, … | what it is |"))
      return
    }
    rooms.append(
      Room(
        target: cells[1].codes[0], folder: cells[2].codes[0], kind: kind, imports: cells[4].codes, testedIn: cells[5].codes,
        line: line))
  }

  /// The room that holds a file.
  func room(of path: String) -> Room? { rooms.first { path.hasPrefix($0.folder + "/") } }
}

extension String {
  fileprivate var trimmed: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// The phrases set in backquotes.
  fileprivate var codes: [String] {
    let parts = split(separator: "`", omittingEmptySubsequences: false)
    return stride(from: 1, to: parts.count, by: 2).map { String(parts[$0]) }
  }

  fileprivate var isCode: Bool { codes.count == 1 }
}
