extension Scenario {
  /// Reads a scenario file; what it leaves out keeps its default.
  ///
  /// - Parameters:
  ///   - yaml: The file's text, 1 MiB at most.
  ///   - file: The file as the user named it, for messages.
  /// - Throws: Every problem found, each with line, column and what to do.
  public init(yaml: String, file: String) throws(ScenarioError) {
    self.init()
    try Schema.scenario.read(yaml, file: file, into: &self)
  }

  /// Reads a scenario file's bytes, which must be UTF-8.
  public init(bytes: [UInt8], file: String) throws(ScenarioError) {
    guard bytes.count <= Source.maximumBytes, let text = String(validating: bytes, as: UTF8.self) else {
      let isLong = bytes.count > Source.maximumBytes
      let problem = ScenarioError.Problem(
        file: file, line: 1, column: 1,
        message: isLong ? "the file has \(bytes.count) bytes, more than \(Source.maximumBytes)" : "the file is not UTF-8 text",
        advice: isLong ? "shorten it" : "save it as UTF-8")
      throw ScenarioError([problem])
    }
    try self.init(yaml: text, file: file)
  }

  /// The effective scenario as YAML, every default spelled out; reading it gives an equal scenario.
  public var yaml: String { Schema.scenario.write(self).document }
}

extension Section {
  /// Reads a whole document over `value`.
  func read(_ yaml: String, file: String, into value: inout Value) throws(ScenarioError) {
    let report = Report(file: file)
    do throws(ScenarioError.Problem) {
      guard let root = try Source(file: file).compose(yaml) else { return }
      let item = Item(root, path: "", report: report, near: (1, 1))
      if item.text == "" { return }
      read(item, into: &value)
    } catch { report.add(error) }
    try report.conclude()
  }
}
