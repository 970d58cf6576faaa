/// The reference of the scenario file, made from the tables that read it.
package enum Reference {
  /// Every key of a scenario file, as `session.training.rate`.
  package static var keys: [String] { Schema.rows.map(\.path) }

  /// One Markdown table per top-level key.
  package static var tables: String { tables(Schema.rows, "###") }

  /// The same for split scenario files.
  package static var splitTables: String { tables(Schema.split.rows(SplitScenario()), "####") }

  private static func tables(_ rows: [KeyRow], _ heading: String) -> String {
    var result = ""
    var section = ""
    for row in rows {
      let top = String(row.path.prefix { $0 != "." && $0 != "[" })
      if top != section {
        section = top
        result += "\n\(heading) `\(top)`\n\n| key | what belongs there | default | meaning |\n|---|---|---|---|\n"
      }
      let standard = row.standard.isEmpty || row.standard.hasPrefix("{") && row.kind == "a map" ? "" : "`\(row.standard)`"
      result += "| `\(row.path)` | \(row.kind) | \(standard) | \(row.summary) |\n"
    }
    return result
  }
}
