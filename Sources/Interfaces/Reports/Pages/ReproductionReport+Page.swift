extension ReproductionReport {
  /// The reproduction as one HTML file, like ``RunReport/html()``.
  public func html() -> String {
    var page = Page()
    page.header(kind: "reproduction", verdict: verdict, lead: [paper])
    page.tiles(tiles)
    for paragraph in introduction { page.add("<p>\(.prose(paragraph))</p>") }
    let all = exhibits.flatMap { exhibit in exhibit.findings.map { (exhibit, $0) } }
    if !all.isEmpty {
      page.heading("Every finding")
      page.add("<div class=\"card exhibit\">\(ReproductionReport.findings(all.map { ($0.0.number, $0.1) }))</div>")
    }
    page.heading("Figures and tables")
    for exhibit in exhibits { add(exhibit, to: &page) }
    if !notes.isEmpty {
      page.heading("What to bear in mind")
      page.add(Page.list(notes))
    }
    page.heading("Run it again")
    if !command.isEmpty { page.add(Page.command(command)) }
    let seeds =
      seeds.isEmpty ? [] : [Fact(self.seeds.count == 1 ? "seed" : "seeds", self.seeds.map(String.init).joined(separator: ", "))]
    page.add(Page.facts(seeds + facts))
    return page.document(title: title)
  }

  /// The outcome in a sentence.
  public var verdict: String {
    let judged = exhibits.flatMap(\.findings).filter { $0.outcome != .open }
    guard !judged.isEmpty else { return title }
    let held = judged.count { $0.outcome == .holds }
    let partly = judged.count { $0.outcome == .partly }
    var sentence = "\(title): \(held) of \(Numerals.count(judged.count, "finding")) \(held == 1 ? "holds" : "hold")"
    if partly > 0 { sentence += ", \(partly) in part" }
    return sentence + "."
  }

  private var tiles: [Page.Tile] {
    let findings = exhibits.flatMap(\.findings)
    return Outcome.allCases.compactMap { outcome in
      let count = findings.count { $0.outcome == outcome }
      return count == 0
        ? nil : Page.Tile(name: outcome.rawValue, value: String(count), aside: count == 1 ? "finding" : "findings")
    }
  }

  private func add(_ exhibit: Exhibit, to page: inout Page) {
    var parts: [Markup] = ["<p class=\"number\">\(exhibit.number)</p><h3>\(exhibit.title)</h3>"]
    parts += exhibit.text.map { paragraph -> Markup in "<p>\(.prose(paragraph))</p>" }
    if !exhibit.figures.isEmpty {
      let single = exhibit.figures.count == 1
      let pictures = exhibit.figures.map { page.picture($0, wide: single, card: false) }
      parts.append("<div class=\"charts\">\(.joined(pictures))</div>")
    }
    parts += exhibit.tables.map(\.markup)
    if !exhibit.findings.isEmpty { parts.append(ReproductionReport.findings(exhibit.findings.map { (nil, $0) })) }
    page.add("<section class=\"card exhibit\">\(.joined(parts, separator: "\n"))</section>")
  }

  private static func findings(_ findings: [(number: String?, finding: Finding)]) -> Markup {
    let numbered = findings.contains { $0.number != nil }
    let rows = findings.map { number, finding -> Markup in
      let first: Markup = numbered ? cell("where", .prose(number ?? "")) : Markup()
      let remark: Markup = finding.remark.isEmpty || numbered ? Markup() : "<br><small>\(.prose(finding.remark))</small>"
      let badge: Markup = "<span class=\"badge \(finding.outcome.mark)\">\(finding.outcome.rawValue)</span>"
      return """
        <tr>\(first)\(cell("what", "\(.prose(finding.subject))\(remark)"))\(cell("paper", .prose(finding.paper)))\
        \(cell("ours", .prose(finding.ours)))\(cell("outcome", badge))</tr>
        """
    }
    let first: Markup = numbered ? "<th scope=\"col\">where</th>" : Markup()
    return """
      <div class="scroll"><table class="stack"><thead><tr>\(first)<th scope="col">what</th><th scope="col">paper</th>\
      <th scope="col">ours</th><th scope="col">outcome</th></tr></thead><tbody>\(.joined(rows, separator: "\n"))</tbody></table></div>
      """
  }

  /// A cell that carries its column's name for narrow windows, where rows become little lists.
  private static func cell(_ name: String, _ content: Markup) -> Markup {
    "<td class=\"t\" data-name=\"\(name)\"><span>\(content)</span></td>"
  }
}

extension ReproductionReport.Outcome {
  /// The badge's class.
  var mark: String {
    switch self {
    case .holds: "holds"
    case .partly: "partly"
    case .fails: "fails"
    case .open: "open"
    }
  }
}
