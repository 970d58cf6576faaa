extension RunReport {
  /// The report as one HTML file: no scripts, nothing loaded, light and dark, phone and paper.
  public func html() -> String {
    var page = Page()
    page.header(kind: "run report", verdict: result.verdict, lead: [result.summary, result.disruptions])
    page.tiles(tiles)
    if let interrupted = result.interrupted { page.add("<p class=\"banner\" role=\"note\">\(.prose(interrupted.sentence))</p>") }
    let pictures = figures()
    if !pictures.isEmpty { page.heading("How it went") }
    page.figures(pictures, hero: true)
    if !result.notes.isEmpty {
      page.heading("What to bear in mind")
      page.add(Page.list(result.notes))
    }
    page.heading("Details")
    page.details("Figures in a table", outcome.markup)
    if !result.peers.isEmpty { page.details("Every peer", peerTable().markup) }
    if let configuration = result.configuration { page.details("Configuration", "<pre>\(configuration)</pre>") }
    page.heading("Run it again")
    page.add(again)
    return page.document(title: result.name.isEmpty ? "Murmuration run" : result.name)
  }

  /// The command, and how to know that the same came out.
  var again: Markup {
    var facts = [ReproductionReport.Fact("seed", String(result.seed))]
    if !result.trace.isEmpty { facts.append(.init("trace hash", result.trace)) }
    facts += result.versions.map { .init($0.part, $0.version) }
    if let threads = result.threads { facts.append(.init("worker threads", "\(threads) (the outcome does not depend on it)")) }
    let command: Markup = result.command.isEmpty ? Markup() : Page.command(result.command)
    let promise = "The same seed gives the same run, to the last bit of every model. Equal trace hashes prove it."
    return "\(command)<p>\(promise)</p>\(Page.facts(facts))"
  }

  /// The key figures.
  var tiles: [Page.Tile] {
    var tiles: [Page.Tile] = []
    if let together = result.together {
      tiles.append(
        .init(
          name: "Accuracy together", value: Numerals.percent(together.mean),
          aside: result.alone.map { "alone \(Numerals.percent($0.mean))" } ?? "mean over peers"))
      tiles.append(
        .init(
          name: "Spread over peers", value: Numerals.decimal(together.spread),
          aside: result.alone.map { "points; alone \(Numerals.decimal($0.spread))" } ?? "points, best less worst"))
    }
    if let gap = result.gapClosed {
      tiles.append(.init(name: "Gap closed", value: Numerals.share(gap), aside: "100 % = as good as one place"))
    }
    if let online = result.onlineMean {
      tiles.append(
        .init(
          name: "Peers online", value: Numerals.trimmed(online, places: 1),
          aside: "of \(Numerals.count(result.peerCount)), mean over time"))
    }
    if let resilience = result.resilience {
      tiles.append(
        .init(name: "Resilience", value: Numerals.trimmed(resilience.mean, places: 1), aside: "other peers hold each block"))
    }
    if let bytes = result.bytesSentPerPeer {
      let aside = result.bytesPerPeerAndCycle.map { "\(Numerals.bytes($0)) per work cycle" } ?? "in the whole session"
      tiles.append(.init(name: "Sent per peer", value: Numerals.bytes(bytes), aside: aside))
    }
    if let rate = result.averaging?.rate, let attempts = result.averaging?.attempts {
      tiles.append(.init(name: "Averaging kept", value: Numerals.share(rate), aside: "of \(Numerals.count(attempts, "attempt"))"))
    }
    return tiles
  }

  /// All figures that describe the run, as a table.
  var outcome: Table {
    var table = Table(columns: [
      .text("what"), .number("mean or total"), .number("spread"), .number("lowest"), .number("highest"),
    ])
    func add(
      _ name: String, _ distribution: Distribution?, spread: ((Double) -> String)? = nil, _ write: @escaping (Double) -> String
    ) {
      guard let distribution else { return }
      table.rows.append(
        [
          name, write(distribution.mean), (spread ?? write)(distribution.spread), write(distribution.minimum),
          write(distribution.maximum),
        ])
    }
    func add(_ name: String, _ value: String?) {
      if let value { table.rows.append([name, value]) }
    }
    let percent = { (value: Double) in Numerals.percent(value, places: 2) }
    let points = { (value: Double) in Numerals.decimal(value, places: 2) }
    add("accuracy alone", result.alone, spread: points, percent)
    add("accuracy together", result.together, spread: points, percent)
    add("accuracy central", result.central.map(percent))
    add("gap closed", result.gapClosed.map { Numerals.decimal($0, places: 3) })
    add("peers online", result.onlineMean.map { Numerals.decimal($0, places: 2) })
    add("resilience (other holders of a block)", result.resilience) { Numerals.trimmed($0) }
    add("bytes sent", result.bytesSent.map { Numerals.bytes(Double($0)) })
    add("messages sent", result.messages.map { Numerals.count($0) })
    add("messages per peer and cycle", result.messagesPerPeerAndCycle.map { Numerals.decimal($0) })
    add("bytes per peer and cycle", result.bytesPerPeerAndCycle.map { Numerals.bytes($0) })
    add("averaging attempts", result.averaging.map { Numerals.count($0.attempts) })
    add("averaging outcomes kept", result.averaging.map { Numerals.count($0.successes) })
    add("work cycles", result.cycles.map { Numerals.count($0) })
    add("virtual time", Numerals.duration(result.virtualSeconds))
    add("time on the clock", result.wallSeconds.map { Numerals.duration($0) })
    add("peer-cycles per second on the clock", result.peerCyclesPerSecond.map { Numerals.decimal($0, places: 0) })
    return table
  }

  /// At most this many peers are listed on a page; the rest is in `result.json`.
  static let listed = 200

  /// One row per peer.
  package func peerTable() -> Table {
    let all = result.peers
    var table = Table(
      all.count > RunReport.listed ? "The first \(RunReport.listed) of \(Numerals.count(all.count)); all are in result.json" : "",
      columns: [
        .number("peer"), .text("role"), .number("rows"), .number("alone"), .number("together"), .number("cycles"),
        .number("online"),
        .number("joined at"), .number("sent"), .number("received"), .text("model"),
      ])
    for peer in all.prefix(RunReport.listed) {
      table.rows.append([
        String(peer.id), peer.role, Numerals.count(peer.rows), Numerals.percent(peer.aloneAccuracy),
        Numerals.percent(peer.accuracy),
        Numerals.count(peer.cycles), Numerals.share(peer.onlineShare),
        peer.joinedAt > 0 ? Numerals.duration(peer.joinedAt) : "start",
        Numerals.bytes(Double(peer.bytesSent)), Numerals.bytes(Double(peer.bytesReceived)), peer.model ?? Numerals.unknown,
      ])
    }
    return table
  }
}
