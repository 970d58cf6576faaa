import MurmurMachines
package import MurmurReports

/// The paper's figures and tables, drawn from our runs.
extension ReproduceRuns {
  /// Everything as a report; with not everything run, of what was run.
  package func report(command: String) -> ReproductionReport {
    let one = Policy.paper(epochs: 1)
    let ten = Policy.paper(epochs: 10)
    var notes = self.notes
    if let interrupted { notes.insert(interrupted, at: 0) }
    notes += [
      """
      The paper used 5,000 rows of HEPMASS for each of 20 peers; ours are other and smaller data, so that points of accuracy cannot be \
      compared directly. Directions, shares and orders of size can.
      """,
      """
      Offline is meant as in the paper: every 15 minutes each peer is redrawn, and with that probability it neither sends, receives nor \
      serves anything for 15 minutes; it goes on training on its own rows.
      """,
      """
      The paper's policy and the default session share everything but the policy: rows, initial model, optimiser, learning rate and its \
      fall, batch, the final phase, the pace of one work cycle every 5 minutes, and the length. The paper does not say all of these.
      """,
      "Alone and central train until their validation stops improving and keep the best parameters, so that neither is handicapped.",
    ]
    if plan.seeds.count == 1 { notes.append("One seed: differences of a point or less mean nothing without more seeds.") }
    let policies = exhibits(one, ten)
    return ReproductionReport(
      title: interrupted == nil ? "LEARNAE" : "LEARNAE, not everything run", paper: Learnae.paper, introduction: introduction,
      command: command, seeds: plan.seeds, exhibits: policies, notes: notes, facts: facts)
  }

  private var introduction: [String] {
    let sets = plan.data.map { "\($0.name) (\(plan.peers) peers × \(Numerals.count($0.perPeer)) rows, \($0.model))" }
    return [
      """
      Every experiment of the paper on \(sets.joined(separator: ", ")), in privacy mode: rows stay home, only models travel. The paper's \
      work cycle: train or average, one in two at random; one model that reports more than one's own; kept only if better on own \
      rows; announced to everybody. \(Numerals.count(plan.cycles, "cycle")) in \
      \(Numerals.duration(ReproducePlan.pace.seconds * Double(plan.cycles))) of virtual time. Beside it, at the end of this page, the \
      default session of this project. Values are means over seeds ± the standard deviation over seeds.
      """
    ]
  }

  private var facts: [ReproductionReport.Fact] {
    var facts: [ReproductionReport.Fact] = [
      .init("sessions", "\(runs.count) of \(plan.data.count * plan.seeds.count * Policy.all.count * plan.probabilities.count)")
    ]
    if wallSeconds > 0 { facts.append(.init("duration", Numerals.duration(wallSeconds))) }
    for version in runs.first?.report.result.versions ?? [] { facts.append(.init(version.part, version.version)) }
    for run in runs where run.probability == plan.probabilities.last && run.seed == plan.seeds.first {
      facts.append(.init("trace, \(run.report.result.name)", run.report.result.trace))
    }
    return facts
  }

  private func exhibits(_ one: Policy, _ ten: Policy) -> [ReproductionReport.Exhibit] {
    [
      .init(
        number: "Figure 6", title: "Peers online over time",
        text: ["Connectivity is drawn from the seed alone, so that it is the same on every data set. Drawn is the first seed."],
        figures: names.prefix(1).compactMap { onlineFigure($0) }, findings: onlineFindings()),
      .init(
        number: "Figure 7", title: "Mean accuracy over time, 1 epoch a cycle", figures: figures(.accuracy, one),
        findings: accuracyFindings(one)),
      .init(
        number: "Figure 8", title: "Spread over time, 1 epoch a cycle", figures: figures(.spread, one),
        findings: spreadFindings(one)),
      .init(
        number: "Figure 9", title: "Resilience over time",
        text: [
          """
          From how many other peers a block can be fetched; the table has the extremes over blocks at the end. A model that is replaced \
          in the next cycles finds few holders; when training has stopped, copies gather.
          """
        ],
        figures: figures(.resilience, ten), tables: [resilienceTable(ten)], findings: resilienceFindings(ten)),
      .init(
        number: "Figure 10", title: "Mean accuracy over time, 10 epochs a cycle", text: ["Ten epochs are the paper's optimum."],
        figures: figures(.accuracy, ten), findings: harmlessFindings(ten, spread: false)),
      .init(
        number: "Figure 11", title: "Spread over time, 10 epochs a cycle", figures: figures(.spread, ten),
        findings: harmlessFindings(ten, spread: true)),
      .init(number: "Figure 12", title: "Bytes sent by each peer", figures: figures(.talkers, ten), findings: traffic(ten)),
      .init(
        number: "Figure 13", title: "Peers training and averaging over time",
        figures: names.flatMap { data in
          [plan.probabilities.first, plan.probabilities.last].compactMap { $0 }.compactMap { activityFigure(data, ten, $0) }
        },
        findings: activity(ten)),
      .init(
        number: "Figure 14", title: "Averaging attempts that succeeded", figures: figures(.success, ten),
        findings: successFindings(ten)),
      .init(
        number: "Table 6", title: "Spread between the best and the worst peer",
        text: ["In points. The paper: alone 5.60, together 3.04 / 2.39 / 2.52 / 2.36 / 3.15 at 0 / 20 / 40 / 60 / 80 % offline."],
        tables: names.map { spreadTable($0) }, findings: tableSixFindings()),
      .init(
        number: "Table 7", title: "Mean accuracy, alone and together, in privacy mode",
        text: ["Nobody offline, 10 epochs a cycle."],
        findings: tableSevenFindings(ten)),
      .init(
        number: "Beyond the paper", title: "The paper's policy beside the default session",
        text: [
          """
          Mean test accuracy in percent, same rows, same virtual time. The default session averages with some of the freshest models \
          and trains on the outcome in every cycle, and gossips instead of telling everybody. The gap closed says how much of the way \
          from alone to central was made.
          """
        ], figures: figures(.accuracy, .standard), tables: names.map { policyTable($0) }),
    ]
  }

  // MARK: Pictures

  /// One picture for each data set, a line for each offline probability.
  private func figures(_ subject: Subject, _ policy: Policy) -> [Figure] {
    names.compactMap { data in
      let lines = plan.probabilities.compactMap { probability in
        pooled(data, policy, probability).map { ComparisonReport.Run("\(ReproducePlan.percent(probability)) offline", $0) }
      }
      guard var figure = ComparisonReport(title: data, runs: lines).figure(subject) else { return nil }
      figure.title = "\(data): \(figure.title.prefix(1).lowercased() + figure.title.dropFirst())"
      return subject == .spread ? figure.closer(lines.first?.report.result.alone?.spread) : figure
    }
  }

  private func onlineFigure(_ data: String) -> Figure? {
    let lines = plan.probabilities.compactMap { probability -> ComparisonReport.Run? in
      guard let run = runs.first(where: { $0.data == data && $0.probability == probability }) else { return nil }
      var report = run.report
      report.series.samples.removeAll { $0.time >= report.result.virtualSeconds }
      return ComparisonReport.Run("\(ReproducePlan.percent(probability)) offline", report)
    }
    return ComparisonReport(title: data, runs: lines).figure(.online)
  }

  private func activityFigure(_ data: String, _ policy: Policy, _ probability: Double) -> Figure? {
    guard var figure = pooled(data, policy, probability)?.figure(.activity) else { return nil }
    figure.title = "\(data), \(ReproducePlan.percent(probability)) offline"
    return figure
  }

  // MARK: Tables

  private func resilienceTable(_ policy: Policy) -> Table {
    var table = Table(
      "Other peers that hold a block at the end: mean over blocks (lowest to highest)",
      columns: [.text("data")] + plan.probabilities.map { .number(ReproducePlan.percent($0)) })
    for data in names {
      table.rows.append(
        [data]
          + plan.probabilities.map { probability in
            let all = runs(data, policy, probability).map(\.report.result.resilience)
            guard let ours = Distribution.mean(all) else { return Numerals.unknown }
            return
              "\(Numerals.decimal(ours.mean)) (\(Numerals.trimmed(ours.minimum, places: 1)) to \(Numerals.trimmed(ours.maximum, places: 1)))"
          })
    }
    return table
  }

  private func spreadTable(_ data: String) -> Table {
    var table = Table(
      data, columns: [.text(""), .number("alone")] + plan.probabilities.map { .number(ReproducePlan.percent($0)) })
    let published = plan.probabilities.map { probability in
      Learnae.spreads.first { $0.probability == probability }.map { Numerals.decimal($0.spread, places: 2) } ?? Numerals.unknown
    }
    table.rows.append(["the paper, HEPMASS", Numerals.decimal(Learnae.aloneSpread, places: 2)] + published)
    for policy in Policy.all {
      let alone = figure(data, policy, plan.probabilities[0]) { $0.report.result.alone?.spread }
      let cells = plan.probabilities.map { probability in
        figure(data, policy, probability) { $0.report.result.together?.spread }?.text(places: 2) ?? Numerals.unknown
      }
      table.rows.append([policy.name, alone?.text(places: 2) ?? Numerals.unknown] + cells)
    }
    return table
  }

  private func policyTable(_ data: String) -> Table {
    let first = plan.probabilities[0]
    func whole(_ value: @escaping (RunResult) -> Double?) -> String {
      for policy in Policy.all {
        if let found = figure(data, policy, first, { value($0.report.result) }) { return found.text() }
      }
      return Numerals.unknown
    }
    var table = Table(
      "\(data): alone \(whole { $0.alone?.mean }) %, central \(whole { $0.central }) %",
      columns: [.text("")] + plan.probabilities.map { .number("\(ReproducePlan.percent($0)) offline") })
    for policy in Policy.all {
      table.rows.append(
        [policy.name]
          + plan.probabilities.map { probability in
            figure(data, policy, probability) { $0.report.result.together?.mean }?.text() ?? Numerals.unknown
          })
      table.rows.append(
        ["  gap closed"]
          + plan.probabilities.map { probability in
            figure(data, policy, probability) { $0.report.result.gapClosed }?.text(places: 2) ?? Numerals.unknown
          })
    }
    return table
  }
}

extension Figure {
  /// The same picture without the disagreement of the first cycles, which would squeeze the rest flat.
  fileprivate func closer(_ alone: Double?) -> Figure {
    guard let alone, alone > 0, case .line(var chart) = chart else { return self }
    let top = (alone * 2).rounded(.up)
    guard chart.lines.contains(where: { $0.points.contains { $0.y > top } }) else { return self }
    chart.y.limits = 0...top
    return Figure(
      title, caption: "\(caption) The scale ends at twice alone's; the first cycles are above it.", chart: .line(chart))
  }
}
