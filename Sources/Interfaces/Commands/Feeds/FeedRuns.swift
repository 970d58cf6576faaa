import Foundation
import MurmurCompute
import MurmurDatasets
import MurmurLibrary
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSimulator

/// Everything `murmur reproduce feeds` runs, and what came of it.
struct FeedRuns {
  /// The trials with real processes.
  enum Trial: String, CaseIterable {
    case quiet, disturbed

    var title: String { self == .quiet ? "undisturbed" : "30 % lost, gateway and feeder killed" }

    func plan(_ packets: Int) -> FeedTrial.Plan {
      var plan = FeedTrial.Plan()
      plan.packets = packets
      guard self == .disturbed else { return plan }
      (plan.loss, plan.killsGateway, plan.feederKills) = (0.3, 0.5, 10)
      return plan
    }
  }

  /// A simulated session: what is learnt from streams, beside the same rows held by every peer from the beginning.
  struct Lesson {
    var name: String
    var seed: UInt64
    var streamed: Double
    var held: Double
    var central: Double?
    /// Rows that every peer had at the end, the fewest, and how many there were.
    var rows: Int
    var all: Int
    var trace: String
  }

  let packets: Int
  let seeds: [UInt64]
  let command: String
  var trials: [(trial: Trial, figures: FeedTrial.Figures)] = []
  var lessons: [Lesson] = []
  var ledger: LedgerExperiment.Figures?
  var wallSeconds = 0.0
  var interrupted: String?

  init(packets: Int, seeds: [UInt64], command: String) {
    (self.packets, self.seeds, self.command) = (packets, seeds, command)
  }

  /// HIGGS rows as the original file writes them: 29 numbers of 24 characters, about 750 bytes with what JSON adds.
  static func higgs() throws -> (header: String, lines: [String]) {
    let dataset = try Library().load("higgs")
    let header = dataset.featureNames.joined(separator: ",") + ",label"
    let lines = (0..<min(dataset.count, 10_000)).map { row in
      let numbers = dataset.samples.row(row).map { String(format: "%.18e", Double($0)) }
      return numbers.joined(separator: ",") + "," + String(format: "%.18e", Double(dataset.samples.labels[row]))
    }
    return (header, lines)
  }

  /// The sessions that are simulated: three sensors at a few peers, and a hundred at a dozen.
  static func scenarios() throws -> [(name: String, scenario: Scenario)] {
    let three = """
      name: three sensors
      data: {set: digits, rows: 460}
      model: {hidden: [64]}
      peers: {count: 12}
      feeds: {sensors: 3, rate: 0.5}
      session: {length: 60 min, cycle: 30 s}
      network: {degree: 6}
      baselines: {alone: false, central: true}
      """
    let storm =
      three.replacing("three sensors", with: "three sensors in a storm")
      .replacing("degree: 6", with: "degree: 6, loss: 30 %")
      + "\nfaults:\n  - crash: {peers: 50 %, at: 10 %, over: 30 %, restart: 3 min}\n  - offline: {probability: 20 %}\n"
    let hundred = three.replacing("three sensors", with: "a hundred sensors").replacing("rows: 460", with: "rows: 13")
      .replacing("sensors: 3, rate: 0.5", with: "sensors: 100, rate: 0.02, packet: 5")
    return try [three, storm, hundred].map { text in
      let scenario = try Scenario(yaml: text.hasSuffix("\n") ? text : text + "\n", file: "the scenario of this experiment")
      return (scenario.name, scenario)
    }
  }

  mutating func learn(isStopped: @escaping @Sendable () -> Bool, progress: (Double, String) -> Void) throws {
    let scenarios = try FeedRuns.scenarios()
    for (number, (name, scenario)) in scenarios.enumerated() {
      for (place, seed) in seeds.enumerated() where !isStopped() {
        progress((Double(number) + Double(place) / Double(seeds.count)) / Double(scenarios.count), "\(name), seed \(seed)")
        var scenario = scenario
        scenario.seed = seed
        let streamed = try FeedRuns.run(scenario)
        scenario.feeds.held = true
        scenario.faults = FaultPlan()
        let held = try FeedRuns.run(scenario)
        lessons.append(
          Lesson(
            name: name, seed: seed, streamed: streamed.accuracy, held: held.accuracy, central: held.central, rows: streamed.rows,
            all: streamed.all, trace: streamed.trace))
      }
    }
  }

  private static func run(
    _ scenario: Scenario
  ) throws -> (accuracy: Double, central: Double?, rows: Int, all: Int, trace: String) {
    let setup = try Setup(scenario, try Library().load(scenario.data.set[0]))
    let experiment = Experiment(setup, threads: ProcessInfo.processInfo.activeProcessorCount)
    let controls = scenario.feeds.held ? experiment.controls { _ in true } : nil
    let outcome = experiment.run { _ in true }
    let accuracies = outcome.peers.compactMap(\.accuracy)
    return (
      100 * accuracies.reduce(0, +) / Double(max(1, accuracies.count)), controls?.central.map { 100 * $0 },
      outcome.peers.map(\.rows).min() ?? 0, setup.sensorRows.reduce(0) { $0 + $1.count }, outcome.trace
    )
  }

  static func tangle(
    isQuick: Bool, isStopped: @escaping @Sendable () -> Bool, progress: (Double) -> Void
  ) -> LedgerExperiment.Figures {
    var experiment = LedgerExperiment()
    if isQuick { (experiment.peers, experiment.transactions) = (50, 1_000) }
    return experiment.run(isStopped: isStopped, progress: progress)
  }
}
