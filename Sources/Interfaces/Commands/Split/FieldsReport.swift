import MurmurReports
import MurmurSimulator
import MurmurSplit

/// A field's figures as a report.
extension FieldsRuns {
  func report() -> ReproductionReport {
    var exhibits = [errors]
    if !field.isForecast, let ages = ages { exhibits.append(ages) }
    if !policies.isEmpty { exhibits.append(policyExhibit) }
    return ReproductionReport(
      title: (field.isForecast ? "A city" : "A farm") + (interrupted == nil ? "" : ", not everything run"),
      paper: field.isForecast
        ? "METR-LA: speeds at 207 sensors of Los Angeles' roads, every five minutes for a week, and which of them are near by road."
        : "Cook Agronomy Farm: 42 stations that read soil water, temperature and conductivity at five depths, daily for two years.",
      introduction: introduction, command: command, seeds: seeds, exhibits: exhibits, notes: notes, facts: facts)
  }

  private var introduction: [String] {
    let task =
      field.isForecast
      ? """
      Every sensor is a device that sees its own readings alone and answers with its own speed in 15 minutes and with that of sensors \
      nearby. Who lives is asked about itself. A dead sensor sends nothing and nobody knows its reading: the mean of what its living \
      neighbours say of it counts, and what is usual for it at that time where none is left.
      """
      : """
      Every station is a device that sees its own readings alone and answers with today's water at 0.3 m of stations nearby. Only dead \
      stations are asked about, as those that live say themselves: a dead one sends nothing and nobody knows its readings, and the mean \
      of what its living neighbours say of it counts. With 0 % dead each station in turn is the only one; with more, each of many sets.
      """
    return [
      task,
      """
      Time is cut in order: \(Numerals.count(field.training.count)) moments to learn from, \(Numerals.count(field.validation.count)) to \
      choose settings on, \(Numerals.count(field.test.count)) to report. Who is dead dies just before the first reported moment and stays \
      dead, in the very world of messages in which the devices learnt. In training, devices are drawn dead for every sample. Dead \
      stations are the same for every way. Values are means over seeds ± the standard deviation over seeds.
      """,
    ]
  }

  private var notes: [String] {
    var notes = [
      """
      While they learn, a device's neighbours are told what they are to estimate: the device's later readings, from the time when it lived.
      """,
      """
      'Last value' gives a dead station what it said before it died; 'last value, usual where dead' gives it its own mean instead, by the time \
      of day in the city. The other two also look at living neighbours. All know what the network knows, and nothing is fitted but means.
      """,
      "The central model sees all features at once, with those of dead stations zero and flagged, and is trained with the same deaths.",
      """
      'Pre-trained without targets' is the split network after half as many steps in which every hidden stage learnt by itself, from readings \
      alone, that two views of a moment with different parts left out say the same (Barlow Twins). No gradient crosses a link in them.
      """,
    ]
    if recipe.halving > 0 {
      notes.append(
        """
        When a station has died, its neighbours compare what they would have said of it in its last \(recipe.tail) moments with what it \
        said, and correct by the difference, whose weight halves every \(Numerals.trimmed(recipe.halving)) moments. So does the central \
        model.
        """)
    }
    if seeds.count == 1 { notes.append("One seed: small differences mean nothing without more seeds.") }
    if let interrupted { notes.insert(interrupted, at: 0) }
    return notes
  }

  private var facts: [ReproductionReport.Fact] {
    var facts: [ReproductionReport.Fact] = []
    if wallSeconds > 0 { facts.append(.init("duration", Numerals.duration(wallSeconds))) }
    facts.append(.init("links between devices", Numerals.count(field.graph.links.count)))
    if let cost = costs[seeds[0]] {
      facts += [
        .init("parameters, all devices", Numerals.count(cost.parameters.split)),
        .init("parameters, central model", Numerals.count(cost.parameters.central)),
        .init("messages a device and step", Numerals.decimal(cost.messages)),
        .init("bytes a device and step", Numerals.bytes(cost.bytes)), .init("trace, seed \(seeds[0])", cost.trace),
      ]
    }
    return facts
  }

  private static let tints: [(FieldMethod, Tint)] = [
    (.split, .together), (.central, .central), (.baseline(.last), Tint(3)), (.baseline(.lastOrUsual), Tint(4)),
    (.baseline(.neighbours), Tint(5)), (.baseline(.change), Tint(6)), (.alone, .alone),
  ]

  private var errors: ReproductionReport.Exhibit {
    var figures = [shareFigure(.all, "Error by the share of dead stations")]
    if field.isForecast {
      figures += [
        shareFigure(.live, "Error at stations that live"), shareFigure(.dead, "Error at stations that are dead"),
      ]
    }
    return ReproductionReport.Exhibit(
      number: "Row 15", title: "Errors as stations die",
      text: [
        """
        Mean absolute errors, and in brackets roots of the mean square, in \(field.unit); lower is better. A finding stands beside what \
        it is compared with; it holds if so from every seed and by both measures, in part if in the mean over seeds by one of them. \
        Compared are the last value, what needs no learning and errs least, the central model, and devices without communication.
        """
      ],
      figures: figures.compactMap { $0 },
      tables: field.isForecast ? [errorTable(.all), errorTable(.live), errorTable(.dead)] : [errorTable(.all)],
      findings: findings)
  }

  private func shareFigure(_ group: Group, _ title: String) -> Figure? {
    var lines: [LineChart.Line] = []
    for (method, tint) in FieldsRuns.tints {
      var (points, lower, upper) = ([Point](), [Point](), [Point]())
      for share in experiment.shares {
        guard let value = figure(method, share, { group.errors($0).mean }) else { continue }
        points.append(Point(share * 100, value.mean))
        lower.append(Point(share * 100, value.mean - value.deviation))
        upper.append(Point(share * 100, value.mean + value.deviation))
      }
      guard !points.isEmpty else { continue }
      let band = method == .split && seeds.count > 1 ? LineChart.Band("± sd over seeds", lower: lower, upper: upper) : nil
      lines.append(LineChart.Line(method.name, points: points, band: band, tint: tint))
    }
    guard !lines.isEmpty else { return nil }
    return Figure(
      title, caption: "Mean absolute error in \(field.unit).",
      chart: .line(
        LineChart(x: Axis("stations dead", unit: .percent, limits: 0...100), y: Axis("mean absolute error"), lines: lines)))
  }

  /// Errors of every way: absolute, and the root of the mean square.
  func errorTable(_ group: Group) -> Table {
    let title =
      switch group {
      case .all: field.isForecast ? "All stations" : "Stations that are dead"
      case .live: "Stations that live"
      case .dead: "Stations that are dead"
      }
    var table = Table(
      "\(title), \(field.unit): mean absolute error (root of the mean square)",
      columns: [.text("")] + experiment.shares.map { .number("\(Numerals.share($0)) dead") })
    for method in FieldMethod.all where lines.contains(where: { $0.method == method }) {
      table.rows.append(
        [method.name]
          + experiment.shares.map { share in
            guard let mean = figure(method, share, { group.errors($0).mean }),
              let root = figure(method, share, { group.errors($0).root })
            else { return Numerals.unknown }
            return "\(mean.text(places: 2)) (\(root.text(places: 2)))"
          })
    }
    return table
  }

  private var findings: [ReproductionReport.Finding] {
    var findings: [ReproductionReport.Finding] = []
    for share in experiment.shares {
      let others: [FieldMethod] =
        [.baseline(.last)] + (bestGuess(share).map { [$0] } ?? []).filter { $0 != .baseline(.last) } + [.central, .alone]
      findings += others.compactMap { finding($0, share) }
    }
    return findings
  }

  /// What needs no learning and errs least in the mean.
  private func bestGuess(_ share: Double) -> FieldMethod? {
    FieldBaseline.allCases.map { FieldMethod.baseline($0) }
      .compactMap { method in figure(method, share) { $0.all.mean }.map { (method, $0.mean) } }
      .min { $0.1 < $1.1 }?.0
  }

  /// Whether the network errs less: from every seed and by both measures, or in the mean over seeds by one of them.
  private func finding(_ other: FieldMethod, _ share: Double) -> ReproductionReport.Finding? {
    guard let ours = figure(.split, share, { $0.all.mean }), let theirs = figure(other, share, { $0.all.mean }),
      let oursRoot = figure(.split, share, { $0.all.root }), let theirsRoot = figure(other, share, { $0.all.root }),
      ours.values.count == theirs.values.count
    else { return nil }
    let always =
      zip(ours.values, theirs.values).allSatisfy { $0 < $1 } && zip(oursRoot.values, theirsRoot.values).allSatisfy { $0 < $1 }
    let once = ours.mean < theirs.mean || oursRoot.mean < theirsRoot.mean
    return ReproductionReport.Finding(
      "\(Numerals.share(share)) dead: less than \(other.name)",
      paper: "\(theirs.text(places: 2)) (\(theirsRoot.text(places: 2)))",
      ours: "\(ours.text(places: 2)) (\(oursRoot.text(places: 2)))", outcome: always ? .holds : once ? .partly : .fails)
  }

  /// Errors by how long a station has been dead.
  private var ages: ReproductionReport.Exhibit? {
    var drawn: [LineChart.Line] = []
    let methods: [(FieldMethod, Tint)] = [
      (.split, .together), (.central, .central), (.baseline(.last), Tint(3)), (.baseline(.change), Tint(6)),
    ]
    for (method, tint) in methods {
      let scores = lines.filter { $0.method == method && $0.share == 0.25 }.map(\.score)
      guard let count = scores.first?.byAge.count, count >= 7 else { continue }
      let points = stride(from: 0, to: count - 6, by: 7).compactMap { start -> Point? in
        var (sum, number) = (0.0, 0.0)
        for score in scores {
          for errors in score.byAge[start..<start + 7] where errors.count > 0 {
            sum += errors.mean * Double(errors.count)
            number += Double(errors.count)
          }
        }
        return number > 0 ? Point(Double(start) + 3.5, sum / number) : nil
      }
      drawn.append(LineChart.Line(method.name, points: points, tint: tint))
    }
    guard !drawn.isEmpty else { return nil }
    return ReproductionReport.Exhibit(
      number: "Age", title: "Errors by how long a station has been dead",
      text: [
        "With 25 % dead, week by week. Soil dries and wets slowly: what a station said last is the better guess while it is fresh."
      ],
      figures: [
        Figure(
          "", caption: "Mean absolute error in \(field.unit).",
          chart: .line(LineChart(x: Axis("days since it died"), y: Axis("mean absolute error", includes: [0]), lines: drawn)))
      ])
  }

  private var policyExhibit: ReproductionReport.Exhibit {
    var table = Table(
      "Validation moments, seed \(seeds[0]): mean absolute error (root of the mean square)",
      columns: [.text("a missing message is")] + experiment.shares.map { .number("\(Numerals.share($0)) dead") })
    for (policy, lines) in policies {
      table.rows.append(
        [policy.rawValue]
          + lines.map { "\(Numerals.decimal($0.score.all.mean, places: 2)) (\(Numerals.decimal($0.score.all.root, places: 2)))" })
    }
    return ReproductionReport.Exhibit(
      number: "Policy", title: "What stands for a message that did not come",
      text: [
        """
        Each trained with its policy. Batches are drawn from all training moments, not in order, so that in training the last outputs \
        of a neighbour are those of some other moment.
        """
      ], tables: [table])
  }
}
