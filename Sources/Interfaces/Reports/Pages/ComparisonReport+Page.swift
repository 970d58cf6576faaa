extension ComparisonReport {
  /// The comparison as one HTML file, like ``RunReport/html()``.
  public func html() -> String {
    var page = Page()
    page.header(kind: "comparison", verdict: sentence, lead: lead)
    page.tiles(tiles)
    page.heading("Side by side")
    page.figures(figures(), hero: true)
    page.add("<div class=\"card exhibit\">\(table.markup)</div>")
    let notes = self.notes + runs.flatMap { run in run.report.result.notes.filter { !self.notes.contains($0) } }
    var said: [String] = []
    for note in notes where !said.contains(note) { said.append(note) }
    if !said.isEmpty {
      page.heading("What to bear in mind")
      page.add(Page.list(said))
    }
    page.heading("Each run")
    for run in runs {
      let pictures = run.report.figures().map { page.picture($0, wide: false, card: true) }
      let content: Markup = """
        <p>\(.prose(run.report.result.verdict))</p><p>\(.prose(run.report.result.summary + " " + run.report.result.disruptions))</p><div class="charts">\(.joined(pictures))</div>\
        <h4>Figures</h4>\(run.report.outcome.markup)<h4>Run it again</h4>\(run.report.again)
        """
      page.details(run.label, content)
    }
    if !command.isEmpty {
      page.heading("Run it again")
      page.add(Page.command(command))
    }
    return page.document(title: title)
  }

  /// The outcome: the one given, or one written from the figures.
  public var sentence: String {
    if let verdict { return verdict }
    let ends = runs.filter { $0.report.result.together != nil }
    guard let first = ends.first, let last = ends.last, ends.count > 1, let best = first.report.result.together?.mean,
      let mean = last.report.result.together?.mean
    else { return runs.first?.report.result.verdict ?? title }
    var text = "\(last.label): \(Numerals.percent(mean)) together; \(first.label): \(Numerals.percent(best))"
    if let away = last.report.result.offlineProbability, first.report.result.offlineProbability == 0, away > 0 {
      let still = mean > (first.report.result.alone?.mean ?? .infinity) ? "still reach" : "reach"
      text = "Peers \(still) \(Numerals.percent(mean)) together with \(Numerals.share(away)) of them offline at any time"
      text += "; with nobody offline \(Numerals.percent(best))"
    }
    if let alone = first.report.result.alone { text += "; alone \(Numerals.percent(alone.mean))" }
    if let central = first.report.result.central { text += "; with all rows pooled \(Numerals.percent(central))" }
    return text + "."
  }

  private var lead: [String] { [runs.first.map { "\(title). Each run: \($0.report.result.summary)" } ?? title] }

  private var tiles: [Page.Tile] {
    var tiles: [Page.Tile] = []
    if let baseline = runs.first?.report.result {
      if let alone = baseline.alone {
        tiles.append(.init(name: "Alone", value: Numerals.percent(alone.mean), aside: "each peer on its own rows"))
      }
    }
    for run in runs.prefix(6) {
      guard let together = run.report.result.together else { continue }
      let gap = run.report.result.gapClosed.map { "\(Numerals.share($0)) of the gap closed" } ?? "mean over peers"
      tiles.append(.init(name: "Together, \(run.label)", value: Numerals.percent(together.mean), aside: gap))
    }
    if let central = runs.first?.report.result.central {
      tiles.append(.init(name: "Central", value: Numerals.percent(central), aside: "all rows in one place"))
    }
    return tiles
  }

  /// One row per run.
  var table: Table {
    var table = Table(columns: [
      .text("run"), .number("alone"), .number("central"), .number("together"), .number("spread"), .number("gap closed"),
      .number("online"), .number("sent per peer"), .number("trace"),
    ])
    for run in runs {
      let result = run.report.result
      table.rows.append([
        run.label, Numerals.percent(result.alone?.mean), Numerals.percent(result.central),
        Numerals.percent(result.together?.mean),
        result.together.map { Numerals.decimal($0.spread) } ?? Numerals.unknown, Numerals.share(result.gapClosed),
        result.onlineMean.map { Numerals.trimmed($0, places: 1) } ?? Numerals.unknown, Numerals.bytes(result.bytesSentPerPeer),
        String(result.trace.prefix(12)),
      ])
    }
    return table
  }
}
