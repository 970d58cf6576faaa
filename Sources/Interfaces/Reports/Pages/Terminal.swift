extension Table {
  /// The table as plain text: columns aligned, no line wider than `width` columns.
  ///
  /// Where room is short, columns of text are cut off with an ellipsis, the widest first; numbers never are, rather the last columns
  /// are left out.
  ///
  /// - Parameters:
  ///   - width: how many columns the terminal has.
  ///   - colour: whether to set the heading apart with escape sequences.
  /// - Returns: lines that each end in a line feed.
  public func text(width: Int = 80, colour: Bool = false) -> String {
    let head = columns.map { Table.plain($0.name) }
    let cells = [head] + rows.map { row in columns.indices.map { $0 < row.count ? Table.plain(row[$0]) : "" } }
    let widths = widths(of: cells, within: width)
    var lines: [String] = []
    for (index, row) in cells.enumerated() {
      let parts = widths.indices.map { Table.pad(row[$0], to: widths[$0], right: columns[$0].isNumeric) }
      var line = parts.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      lines.append(index == 0 && colour ? "\u{1b}[1m\(line)\u{1b}[0m" : line)
      if index == 0 { lines.append(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")) }
    }
    let heading = title.isEmpty ? "" : Table.plain(title).wrapped(to: width) + "\n"
    return heading + lines.joined(separator: "\n") + "\n"
  }

  /// The width of each column that is shown.
  private func widths(of cells: [[String]], within width: Int) -> [Int] {
    let least = 8
    var widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    func total() -> Int { widths.reduce(0, +) + 2 * max(0, widths.count - 1) }
    let smallest = columns.indices.map { columns[$0].isNumeric ? widths[$0] : min(widths[$0], least) }
    while widths.count > 1, smallest.prefix(widths.count).reduce(2 * (widths.count - 1), +) > width { widths.removeLast() }
    while total() > width {
      guard let widest = widths.indices.filter({ widths[$0] > smallest[$0] }).max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
    }
    return widths
  }

  /// The text without control characters, which would move the cursor or change its colour.
  static func plain(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let control = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || (0x202a...0x202e).contains(scalar.value)
      result.unicodeScalars.append(control ? " " : scalar)
    }
    return result
  }

  private static func pad(_ text: String, to width: Int, right: Bool) -> String {
    if text.count > width { return String(text.prefix(max(0, width - 1))) + "…" }
    let space = String(repeating: " ", count: width - text.count)
    return right ? space + text : text + space
  }
}

extension RunReport {
  /// What is printed at the end of a run: the verdict and the figures.
  public func terminal(width: Int = 80, colour: Bool = false) -> String {
    let verdict = Table.plain(result.verdict).wrapped(to: width)
    var text = (colour ? "\u{1b}[1m\(verdict)\u{1b}[0m" : verdict) + "\n\n"
    if let interrupted = result.interrupted { text += Table.plain(interrupted.sentence).wrapped(to: width) + "\n\n" }
    text += outcome.text(width: width, colour: colour)
    if !result.trace.isEmpty { text += "\nseed \(result.seed), trace \(Table.plain(result.trace))\n" }
    return text
  }
}

extension ComparisonReport {
  /// What is printed at the end of several runs: the verdict and a row for each.
  public func terminal(width: Int = 80, colour: Bool = false) -> String {
    let verdict = Table.plain(sentence).wrapped(to: width)
    var figures = table
    figures.columns.removeLast()  // the trace, in full below
    var text = (colour ? "\u{1b}[1m\(verdict)\u{1b}[0m" : verdict) + "\n\n" + figures.text(width: width, colour: colour) + "\n"
    for run in runs where !run.report.result.trace.isEmpty {
      text += Table.plain("seed \(run.report.result.seed), trace \(run.report.result.trace) (\(run.label))") + "\n"
    }
    return text
  }
}

extension ReproductionReport {
  /// What is printed at the end of a reproduction: the verdict and a row for each finding.
  public func terminal(width: Int = 100, colour: Bool = false) -> String {
    var table = Table(columns: [.text("where"), .text("what"), .text("paper"), .text("ours"), .text("outcome")])
    for exhibit in exhibits {
      for finding in exhibit.findings {
        table.rows.append([exhibit.number, finding.subject, finding.paper, finding.ours, finding.outcome.rawValue])
      }
    }
    let verdict = Table.plain(self.verdict).wrapped(to: width)
    return (colour ? "\u{1b}[1m\(verdict)\u{1b}[0m" : verdict) + "\n\n" + table.text(width: width, colour: colour)
  }
}

extension String {
  /// The text broken at spaces so that no line is longer than `width`, unless a single word is.
  func wrapped(to width: Int) -> String {
    var lines: [String] = []
    for word in split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n")
  }
}
