import Yams

/// A value in a file together with where it stands, so that every complaint about it can name file, line, column and key.
struct Item {
  let node: Node
  let report: Report
  /// The keys that lead here, `session.training.rate`.
  let path: String
  /// Where it stands, if the node itself does not know.
  let mark: (line: Int, column: Int)

  init(_ node: Node, path: String, report: Report, near mark: (line: Int, column: Int)) {
    self.node = node
    self.path = path
    self.report = report
    self.mark = node.mark.map { ($0.line, $0.column) } ?? mark
  }

  /// A value from somewhere else than a file, such as a command-line option.
  init(_ text: String, report: Report) { self.init(Node(text), path: "", report: report, near: (0, 0)) }

  /// The value's text if it is a single value.
  var text: String? { node.scalar?.string }

  /// Whether it is a list.
  var isList: Bool { node.sequence != nil }

  /// The text as it is shown in a message: one line, not too long.
  var shown: String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : quoted(scalar.string)
    case .mapping: "a map"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  /// The values of a list, or a single value as a list of one.
  var values: [Item] {
    guard let sequence = node.sequence else { return [self] }
    return sequence.enumerated().map { index, child in
      Item(child, path: "\(path)[\(index)]", report: report, near: mark)
    }
  }

  /// The keys and values of a map in the order of the file; `nil` if it is not one.
  var pairs: [(key: Item, value: Item)]? {
    guard let mapping = node.mapping else { return nil }
    return mapping.map { pair in
      let key = Item(pair.key, path: path, report: report, near: mark)
      let name = path.isEmpty ? key.text ?? "" : "\(path).\(key.text ?? "")"
      return (key, Item(pair.value, path: name, report: report, near: key.mark))
    }
  }

  /// A problem with this value.
  func problem(_ message: String, _ advice: String) -> ScenarioError.Problem {
    let whole = path.isEmpty ? message : "\(path): \(message)"
    return ScenarioError.Problem(file: report.file, line: mark.line, column: mark.column, message: whole, advice: advice)
  }

  /// The complaint that this value is not what belongs here.
  func expected(_ kind: String) -> ScenarioError.Problem { problem("expected \(kind), found \(shown)", "write \(kind)") }
}

/// The problems found so far in one file: a map's fields are read on after one of them fails, so that a person sees all at once.
final class Report {
  let file: String
  private(set) var problems: [ScenarioError.Problem] = []

  init(file: String) { self.file = file }

  func add(_ problem: ScenarioError.Problem) {
    if problems.count < ScenarioError.limit { problems.append(problem) }
  }

  /// Throws if there was anything to complain about.
  func conclude() throws(ScenarioError) {
    guard problems.isEmpty else { throw ScenarioError(problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) }) }
  }
}

/// `text` between quotes, on one line, cut where it gets long.
func quoted(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars.prefix(40) {
    result +=
      scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029 ? " " : String(scalar)
  }
  return "'" + result + (text.unicodeScalars.count > 40 ? "…" : "") + "'"
}
