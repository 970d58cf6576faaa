/// A file fits a mind, a function fits a screen.
enum SizeRules {
  static let fileLimit = 500
  static let functionLimit = 70

  static func check(_ file: SourceFile) -> [Violation] {
    guard !file.isGenerated else { return [] }
    var found: [Violation?] = []
    if file.raw.lineCount > fileLimit {
      found.append(
        file.violation(
          .size, line: 1, "\(file.raw.lineCount) lines, more than \(fileLimit)",
          do: "Cut along its concepts; data may stay: // house:allow-file(size) what it is"))
    }
    for function in file.code.functions(file.language) where function.length > functionLimit {
      found.append(
        file.violation(
          .functions, line: function.line, "`\(function.name)` has \(function.length) lines, more than \(functionLimit)",
          do: "Give its steps names of their own"))
    }
    return found.compactMap { $0 }
  }
}
