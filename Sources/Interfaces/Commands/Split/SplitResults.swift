import Foundation
import MurmurCompute
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSimulator
import MurmurSplit

/// What came of a split experiment, as a report and as files.
struct SplitResults {
  let experiment: SplitExperiment
  let outcomes: [SplitOutcome]
  let central: Double?
  /// The same network on the complete graph where nothing fails.
  var ideal: SplitRisk?
  let command: String
  var wallSeconds = 0.0
  var trainingSeconds: Double?
  var wasInterrupted = false

  /// Mean and standard deviation over runs.
  struct Spread {
    let mean: Double
    let deviation: Double?

    init(_ values: [Double]) {
      let mean = values.reduce(0, +) / Double(max(1, values.count))
      self.mean = mean
      deviation =
        values.count > 1
        ? (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot() : nil
    }

    func text(places: Int, scale: Double = 1) -> String {
      let middle = Numerals.decimal(mean * scale, places: places)
      return deviation.map { "\(middle) ± \(Numerals.decimal($0 * scale, places: places))" } ?? middle
    }
  }

  private func spread(_ level: Int, _ value: (SplitRisk) -> Double) -> Spread {
    Spread(outcomes.compactMap { level < $0.risks.count ? value($0.risks[level]) : nil })
  }

  /// A figure of devices that answered; where nobody did, there is none.
  private func answered(_ level: Int, _ value: (SplitRisk) -> Double, places: Int, scale: Double = 1) -> String {
    let isAnswered = outcomes.contains { level < $0.risks.count && $0.risks[level].isAnswered }
    return isAnswered ? spread(level, value).text(places: places, scale: scale) : Numerals.unknown
  }

  private var levels: [SplitLevel] { outcomes.map(\.risks).max { $0.count < $1.count }?.map(\.level) ?? [] }

  /// Accuracy lost, or error gained, against the ideal; where none was trained, against the same network with nobody dead.
  private func gap(_ level: Int) -> Spread {
    Spread(
      outcomes.compactMap {
        guard level < $0.risks.count else { return nil }
        let ideal = ideal ?? $0.risks[0]
        return isOfNumbers ? $0.risks[level].loss - ideal.loss : ideal.accuracy - $0.risks[level].accuracy
      })
  }

  /// For the terminal.
  func summary(width: Int, colour: Bool) -> String {
    let facts = report.facts.map { "  \($0.name): \($0.value)" }
    return SplitResults.words(experiment.setup) + "\n\n" + table.text(width: width, colour: colour) + "\n"
      + facts.joined(separator: "\n") + (wasInterrupted ? "\nstopped: \(outcomes.count) runs are complete" : "")
  }

  private var isOfNumbers: Bool { experiment.setup.classes == 0 }

  var table: Table {
    if isOfNumbers { return errors }
    var table = Table(
      "Answers of all living devices together",
      columns: [
        .text("fault"), .number("accuracy, %"), .number("95 % interval"), .number("gap, points"), .number("a device's own, %"),
        .number("at who asks, %"),
        .number("loss"), .number("bytes per sample"),
      ])
    for (index, level) in levels.enumerated() {
      let intervals = outcomes.filter { index < $0.risks.count }.map { $0.risks[index].interval }
      let interval =
        "\(Numerals.decimal((intervals.map(\.low).min() ?? 0) * 100, places: 1)) … "
        + Numerals.decimal((intervals.map(\.high).max() ?? 1) * 100, places: 1)
      table.rows.append([
        level.name, spread(index, \.accuracy).text(places: 2, scale: 100), interval, gap(index).text(places: 2, scale: 100),
        answered(index, \.ownAccuracy, places: 2, scale: 100), answered(index, \.askedAccuracy, places: 2, scale: 100),
        spread(index, \.loss).text(places: 3),
        Numerals.count(Int(spread(index, \.bytes).mean.rounded())),
      ])
    }
    return table
  }

  /// Where numbers are told.
  private var errors: Table {
    var table = Table(
      "Mean squared error of all living devices' mean",
      columns: [
        .text("fault"), .number("mean squared error"), .number("95 %"), .number("gap"), .number("a device's own"),
        .number("at who asks"), .number("bytes per sample"),
      ])
    for (index, level) in levels.enumerated() {
      table.rows.append([
        level.name, spread(index, \.loss).text(places: 4), "± " + Numerals.decimal(spread(index, \.lossMargin).mean, places: 4),
        gap(index).text(places: 4), answered(index, \.ownLoss, places: 4), answered(index, \.askedLoss, places: 4),
        Numerals.count(Int(spread(index, \.bytes).mean.rounded())),
      ])
    }
    return table
  }

  var report: ReproductionReport {
    let setup = experiment.setup
    let first = outcomes[0]
    var facts = [
      ReproductionReport.Fact("devices", "\(setup.devices)"),
      .init(
        "one network over all features",
        central.map { isOfNumbers ? Numerals.decimal($0, places: 4) : Numerals.percent($0 * 100, places: 2) } ?? "not trained"),
      .init("steps", Numerals.count(first.steps)),
      .init("messages of a question", Numerals.count(Int(spread(0, \.messages).mean.rounded()))),
      .init("multiply-adds of a sample", Numerals.count(Int(spread(0, \.multiplyAdds).mean.rounded()))),
      .init("time to an answer (virtual)", Numerals.duration(first.latency.seconds)),
      .init("training (virtual)", Numerals.duration(first.trainingTime.seconds)),
      .init("messages late, missed", "\(Numerals.count(first.training.late)), \(Numerals.count(first.training.missed))"),
      .init("steps left out to catch up", Numerals.count(first.training.skipped)),
      .init("longest pause of who lived", Numerals.duration(first.longestPause.seconds)),
      .init("trace of seed \(first.seed)", first.trace),
    ]
    if let ideal {
      let value = isOfNumbers ? Numerals.decimal(ideal.loss, places: 4) : Numerals.percent(ideal.accuracy * 100, places: 2)
      facts.insert(.init("the ideal, complete graph and no faults", value), at: 2)
    }
    if isOfNumbers { facts.append(.init("whoever says the mean", Numerals.decimal(setup.variance, places: 4))) }
    if wallSeconds > 0 { facts.append(.init("time taken", Numerals.duration(wallSeconds))) }
    return ReproductionReport(
      title: setup.scenario.name, paper: "A split network: every device sees some features and talks with its neighbours alone.",
      introduction: [SplitResults.words(setup)], command: command, seeds: outcomes.map(\.seed),
      exhibits: [
        .init(
          number: "Risk", title: "What is left when devices die and links fail", figures: figures, tables: [table])
      ], notes: wasInterrupted ? ["It was stopped: \(outcomes.count) of \(setup.scenario.runs) runs are complete."] : [],
      facts: facts)
  }

  /// The accuracy in the middle of the training, where it was measured.
  var courses: [Table] {
    guard outcomes.contains(where: { !$0.curve.isEmpty }) else { return [] }
    var table = Table("Accuracy while it learns, %", columns: [.text("step")] + outcomes.map { .number("seed \($0.seed)") })
    for (place, point) in (outcomes.first?.curve ?? []).enumerated() {
      table.rows.append(
        ["\(point.step)"]
          + outcomes.map {
            place < $0.curve.count ? Numerals.decimal($0.curve[place].accuracy * 100, places: 2) : Numerals.unknown
          })
    }
    return [table]
  }

  var figures: [Figure] { isOfNumbers ? errorFigures : accuracyFigures }

  /// The error against the share of faults.
  private var errorFigures: [Figure] {
    let lines = [(SplitLevel.Kind.devices, "devices dead", Tint(0)), (.links, "links down", Tint(1))].compactMap {
      kind, name, tint in
      let chosen = levels.indices.filter { levels[$0].kind == kind || (kind == .links && $0 == 0) }
      let points = chosen.map { Point(levels[$0].share * 100, spread($0, \.loss).mean) }.sorted { $0.x < $1.x }
      return points.count > 1 ? LineChart.Line(name, points: points, tint: tint) : nil
    }
    guard !lines.isEmpty else { return [] }
    var references = [LineChart.Reference("the mean", value: experiment.setup.variance, tint: Tint(4))]
    if let central { references.append(LineChart.Reference("one network", value: central, tint: Tint(3))) }
    return [
      Figure(
        "Error under faults", caption: "Test rows; the faults are drawn anew for every sample.",
        chart: .line(
          LineChart(
            x: Axis("share of devices or links, %", includes: [0]), y: Axis("mean squared error", includes: [0]), lines: lines,
            references: references)))
    ]
  }

  private var accuracyFigures: [Figure] {
    var lines: [LineChart.Line] = []
    for (kind, name, tint) in [(SplitLevel.Kind.devices, "devices dead", Tint(0)), (.links, "links down", Tint(1))] {
      let isOfLinks = kind == .links
      let chosen = levels.indices.filter { levels[$0].kind == kind || (isOfLinks && $0 == 0) }
      guard chosen.count > 1 else { continue }
      let points = chosen.map { Point(levels[$0].share * 100, spread($0, \.accuracy).mean * 100) }.sorted { $0.x < $1.x }
      lines.append(LineChart.Line(name, points: points, tint: tint))
      guard !isOfLinks else { continue }
      let own = chosen.map { Point(levels[$0].share * 100, spread($0, \.ownAccuracy).mean * 100) }.sorted { $0.x < $1.x }
      lines.append(LineChart.Line("devices dead, each device's own answer", points: own, tint: Tint(2), style: .dashed))
    }
    let curves = outcomes.enumerated().filter { !$0.element.curve.isEmpty }.map { index, outcome in
      LineChart.Line(
        "seed \(outcome.seed)", points: outcome.curve.map { Point(Double($0.step), $0.accuracy * 100) }, tint: Tint(index))
    }
    var course =
      curves.isEmpty
      ? []
      : [
        Figure(
          "Accuracy while it learns", caption: "All who live then, with nobody dead.",
          chart: .line(
            LineChart(x: Axis("step", unit: .whole), y: Axis("test accuracy", unit: .percent, limits: 0...100), lines: curves)))
      ]
    let timed = levels.indices.filter { levels[$0].kind == .deadlines }
    if !timed.isEmpty { course.append(deadlines(timed)) }
    guard !lines.isEmpty else { return course }
    let references = central.map { [LineChart.Reference("one network", value: $0 * 100, tint: Tint(3))] } ?? []
    return [
      Figure(
        "Accuracy under faults", caption: "Test rows; the faults are drawn anew for every sample.",
        chart: .line(
          LineChart(
            x: Axis("share of devices or links, %", includes: [0]), y: Axis("test accuracy", unit: .percent, limits: 0...100),
            lines: lines, references: references)))
    ] + course
  }

  /// Accuracy against how long a stage's messages are waited for.
  private func deadlines(_ chosen: [Int]) -> Figure {
    func line(_ name: String, _ tint: Tint, _ value: (SplitRisk) -> Double) -> LineChart.Line {
      LineChart.Line(name, points: chosen.map { Point(levels[$0].share, spread($0, value).mean * 100) }, tint: tint)
    }
    return Figure(
      "Accuracy against the deadline", caption: "Nobody is dead; what comes after the deadline of its stage is left out.",
      chart: .line(
        LineChart(
          x: Axis("deadline of a stage", unit: .time, scale: .logarithmic),
          y: Axis("test accuracy", unit: .percent, limits: 0...100),
          lines: [
            line("at who asks", Tint(0)) { $0.askedAccuracy }, line("all living devices together", Tint(1)) { $0.accuracy },
            line("a device's own", Tint(2)) { $0.ownAccuracy },
          ])))
  }

  /// The network in words.
  static func words(_ setup: SplitSetup) -> String {
    let network = setup.scenario.network
    let scheme =
      switch network.scheme {
      case .backpropagation: "gradients walk back over the links, and every device has a head of its own"
      case .summed: "gradients walk back over the links, and the answer is the sum of all devices' outputs"
      case .greedy: "every stage learns by a head of its own, and no gradient crosses a link"
      case .forwardForward: "every unit tells true labels from wrong ones by its activity (Forward-Forward)"
      case .softHebb: "units compete for what they see without labels (SoftHebb), and a read-out learns on each device"
      case .barlowTwins:
        "units say the same of a sample whatever is left out of it (Barlow Twins), and a read-out learns on each device"
      }
    return "\(setup.devices) devices with \(network.depth) hidden stages of \(network.hidden) neurons each; \(scheme)."
  }

  private func score(_ risk: SplitRisk) -> Double { isOfNumbers ? risk.loss : risk.accuracy }

  /// The result as JSON. Names of members are a contract.
  var json: JSON {
    let levels = levels
    return .object([
      .init("name", .string(experiment.setup.scenario.name)), .init("devices", .integer(experiment.setup.devices)),
      .init("seeds", .array(outcomes.map { .string(String($0.seed)) })), .init("central", .optional(central)),
      .init("ideal", .optional(ideal.map { isOfNumbers ? $0.loss : $0.accuracy })),
      isOfNumbers
        ? .init("mse", .number(spread(0, \.loss).mean)) : .init("accuracy", .number(spread(0, \.accuracy).mean)),
      .init("bytesPerSample", .number(spread(0, \.bytes).mean)),
      .init("messagesPerSample", .number(spread(0, \.messages).mean)),
      .init("multiplyAddsPerSample", .number(spread(0, \.multiplyAdds).mean)),
      .init("steps", .integer(outcomes[0].steps)), .init("wallSeconds", .number(wallSeconds)),
      .init("trainingSeconds", .optional(trainingSeconds)),
      .init("skipped", .integer(outcomes[0].training.skipped)), .init("missed", .integer(outcomes[0].training.missed)),
      .init("longestPauseSeconds", .number(outcomes[0].longestPause.seconds)),
      .init("latencySeconds", .number(outcomes[0].latency.seconds)), .init("trace", .string(outcomes[0].trace)),
      .init("interrupted", .bool(wasInterrupted)),
      .init(
        "curve",
        .array(
          outcomes.map { outcome in
            .array(outcome.curve.map { .object([.init("step", .integer($0.step)), .init("accuracy", .number($0.accuracy))]) })
          })),
      .init(
        "levels",
        .array(
          levels.indices.map { index in
            .object([
              .init("name", .string(levels[index].name)), .init("share", .number(levels[index].share)),
              .init("of", .string(levels[index].kind.rawValue)),
              .init(isOfNumbers ? "mse" : "accuracy", .number(spread(index, score).mean)),
              .init("deviation", .optional(spread(index, score).deviation)),
              .init("own", .number(spread(index, isOfNumbers ? \.ownLoss : \.ownAccuracy).mean)),
              .init("asked", .number(spread(index, isOfNumbers ? \.askedLoss : \.askedAccuracy).mean)),
              .init("loss", .number(spread(index, \.loss).mean)),
              .init("gap", .number(gap(index).mean)), .init("bytesPerSample", .number(spread(index, \.bytes).mean)),
              .init("messagesPerSample", .number(spread(index, \.messages).mean)),
              .init("multiplyAddsPerSample", .number(spread(index, \.multiplyAdds).mean)),
              .init("latencySeconds", .number(spread(index, \.latency.seconds).mean)),
              .init("lossMargin", .number(spread(index, \.lossMargin).mean)),
              .init("runs", .array(outcomes.map { index < $0.risks.count ? .number(score($0.risks[index])) : .null })),
            ])
          })),
    ])
  }

  /// Writes everything.
  func write(to folder: RunFolder) throws {
    try folder.write(json.indented() + "\n", to: "result.json")
    try folder.write(report.html(), to: "report.html")
    var scenario = experiment.setup.scenario
    (scenario.out, scenario.threads) = (nil, nil)
    try folder.write(scenario.yaml, to: "scenario.yaml")
    try NetworkFolder(path: folder.path + "/network").write(outcomes[0])
  }
}
