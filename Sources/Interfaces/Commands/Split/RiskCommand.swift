import ArgumentParser
import Foundation
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSimulator
import MurmurSplit

/// `murmur risk`: what a trained split network loses under faults.
struct RiskCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "risk", abstract: "Print what a trained split network loses when devices die and links fail.",
    usage: """
      murmur risk RUN [--dead LIST] [--link-loss LIST] [--deadlines LIST] [--latency TIME] [--jitter X] [--ideal RUN]
                      [--out DIR]
      """,
    discussion: """
      RUN is a folder that murmur split simulate wrote. For each fault it prints the risk (the mean cross-entropy of the answers of all \
      living devices) with its 95 % confidence interval, the gap to the network with nobody dead, and what an answer costs. With \
      --ideal gaps are those to another run with nobody dead, which stands for G*: the complete graph where nothing fails. With --out \
      it also draws the curves.
      """)

  @Argument(help: ArgumentHelp("The folder of a run of murmur split simulate.", valueName: "RUN"))
  var trained: String
  @Option(help: ArgumentHelp("Dead devices: shares or numbers, e.g. 25%,0.5,3; the run's own.", valueName: "LIST"))
  var dead: String?
  @Option(help: ArgumentHelp("Shares of links down, e.g. 0.3,0.6; the run's own.", valueName: "LIST"))
  var linkLoss: String?
  @Option(help: ArgumentHelp("Deadlines of a stage, e.g. 2ms,5ms,20ms; the run's own.", valueName: "LIST"))
  var deadlines: String?
  @Option(help: ArgumentHelp("The latency of a link, e.g. 5ms; the run's own.", valueName: "TIME"))
  var latency: String?
  @Option(
    help: ArgumentHelp("The spread of latencies, the standard deviation of their logarithm; the run's own.", valueName: "X"))
  var jitter: String?
  @Option(help: ArgumentHelp("The folder of the run that gaps are measured against; the first fault's.", valueName: "RUN"))
  var ideal: String?
  @Option(help: ArgumentHelp("The folder for the report.", valueName: "DIR"))
  var out: String?

  func run() async throws {
    try Attempt.run {
      let console = Console()
      let interruption = Interruption(console)
      var options: [String] = []
      if let dead { options += ["--dead", dead] }
      if let linkLoss { options += ["--link-loss", linkLoss] }
      if let deadlines { options += ["--deadlines", deadlines] }
      if let latency { options += ["--latency", latency] }
      if let jitter { options += ["--jitter", jitter] }
      let (experiment, trainedWorld) = try RiskCommand.load(trained, options, console)
      let folder = try out.map { try RunFolder($0) }
      let ideal = try ideal.flatMap { path in
        let (other, idealWorld) = try RiskCommand.load(path, [], console)
        var world = idealWorld
        console.say("asking the ideal, \(path) …")
        return other.risk(other.levels[0], &world, asking: 0) { interruption.isWanted }
      }
      var world = trainedWorld
      let scenario = experiment.setup.scenario
      let latency = world.ask(0, rows: [Int32(experiment.setup.test.lowerBound)]).time
      let risks = experiment.risks(&world, asking: 0, progress: { console.progress("risk", 0, $0) }) { interruption.isWanted }
      console.clear()
      console.show(
        RiskCommand.table(risks, ideal, isOfNumbers: experiment.setup.classes == 0).text(
          width: console.tableWidth, colour: console.isColoured))
      if let folder, !risks.isEmpty {
        let outcome = SplitOutcome(asked: risks, of: world, seed: scenario.seed, latency: latency)
        var results = SplitResults(
          experiment: experiment, outcomes: [outcome], central: nil,
          command: "murmur " + CommandLine.arguments.dropFirst().joined(separator: " "))
        results.ideal = ideal
        try folder.write(results.report.html(), to: "report.html")
        try folder.write(results.json.indented() + "\n", to: "result.json")
        console.show("report: \(folder.path)/report.html")
      }
      if interruption.isWanted { throw ExitCode(130) }
    }
  }

  /// A trained network from the folder of its run.
  private static func load(_ path: String, _ options: [String], _ console: Console) throws -> (SplitExperiment, SplitWorld) {
    guard FileManager.default.fileExists(atPath: path + "/scenario.yaml") else {
      throw Failure("\(path): it holds no scenario.yaml; name a folder that murmur split simulate wrote")
    }
    let scenario = try SplitOptions.parse([path + "/scenario.yaml"] + options).resolve()
    let experiment = try SplitOptions.setup(scenario, console)
    let (plan, graph) = try experiment.setup.plan(seed: scenario.seed, links: experiment.links)
    var world = SplitWorld(
      plan: plan, graph: graph, reach: .init(rawValue: scenario.devices.reach.rawValue) ?? .direct, rows: experiment.setup.rows,
      conditions: experiment.setup.conditions.quiet)
    try NetworkFolder(path: path + "/network").read(into: &world)
    return (experiment, world)
  }

  /// A row for each fault; gaps are those to the ideal, or to the first fault.
  static func table(_ risks: [SplitRisk], _ ideal: SplitRisk? = nil, isOfNumbers: Bool) -> Table {
    let accuracy: [Table.Column] = isOfNumbers ? [] : [.number("accuracy, %"), .number("95 % interval")]
    var table = Table(
      "Risk",
      columns: [.text("fault"), .number(isOfNumbers ? "risk (mean squared error)" : "risk"), .number("gap")] + accuracy + [
        .number("messages"), .number("bytes a sample"), .number("multiply-adds a sample"), .number("time to an answer"),
      ])
    for risk in risks {
      let accuracy = [
        Numerals.decimal(risk.accuracy * 100, places: 2),
        "\(Numerals.decimal(risk.interval.low * 100, places: 2)) … \(Numerals.decimal(risk.interval.high * 100, places: 2))",
      ]
      let loss = [
        risk.level.name, "\(Numerals.decimal(risk.loss, places: 4)) ± \(Numerals.decimal(risk.lossMargin, places: 4))",
        Numerals.decimal(risk.loss - (ideal ?? risks[0]).loss, places: 4),
      ]
      table.rows.append(
        loss + (isOfNumbers ? [] : accuracy) + [
          Numerals.count(Int(risk.messages.rounded())), Numerals.count(Int(risk.bytes.rounded())),
          Numerals.count(Int(risk.multiplyAdds.rounded())), Numerals.duration(risk.latency.seconds),
        ])
    }
    return table
  }
}
