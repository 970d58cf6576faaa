import Foundation
import MurmurLibrary
import MurmurReports
import MurmurScenario
import MurmurSimulator

/// The classifiers of Internet Learning (section 5.4), per scheme and graph, while devices die and links fail; joining; deadlines.
struct InternetLearningClassifiers {
  /// One network, as a split scenario without name, runs and seed.
  struct Case {
    let name: String
    let title: String
    var set = "mnist"
    let yaml: String
  }

  /// What came of a case.
  struct Outcome {
    let of: Case
    let experiment: SplitExperiment
    let runs: [SplitOutcome]
    let central: Double?
  }

  private static let trained = "{epochs: 8, rate: 0.004, drop: 95 %, links: 60 %}"
  private static let levels = "{dead: [0, 2, 4, 8, 12], links: [30 %, 60 %]}"
  private static let unlabelled = "training: {epochs: 8, rate: 0.003, drop: 80 %, links: 60 %}"

  private static func full(_ scheme: String) -> String {
    """
    devices: {count: 16}
    network: {hidden: 40, scheme: \(scheme)}
    training: \(trained)
    test: \(levels)
    """
  }

  private static func undrilled(_ missing: String) -> String {
    """
    devices: {count: 16}
    network: {hidden: 40, missing: \(missing)}
    training: {epochs: 8, rate: 0.004, drop: 0 %, links: 0 %}
    test: \(levels)
    """
  }

  /// All of them. Settings are those that Documentation/Results.md tells of.
  static let all: [Case] = [
    Case(name: "sixteen", title: "16 devices, own heads, with drop", yaml: full("backpropagation")),
    Case(
      name: "four", title: "4 devices, own heads, with drop",
      yaml: """
        devices: {count: 4}
        network: {hidden: 64}
        training: {epochs: 10, rate: 0.003, drop: 80 %, links: 60 %}
        test: {dead: [0, 1, 2, 3], links: [30 %, 60 %]}
        """),
    Case(name: "greedy", title: "16 devices, greedy local heads, with drop", yaml: full("greedy")),
    Case(
      name: "plain", title: "16 devices, one summed answer, no drop",
      yaml: """
        devices: {count: 16}
        network: {hidden: 40, scheme: summed}
        training: {epochs: 8, rate: 0.002, drop: 0 %, links: 0 %}
        test: \(levels)
        """),
    Case(name: "undrilled", title: "16 devices, own heads, no drop", yaml: undrilled("flagged")),
    Case(
      name: "estimate", title: "16 devices, own heads, no drop; what is missing is estimated", yaml: undrilled("estimate")),
    Case(
      name: "forward-forward", title: "16 devices, Forward-Forward, with drop",
      yaml: """
        devices: {count: 16}
        network: {hidden: 32, scheme: {forward-forward: 0.3}}
        training: {epochs: 10, rate: 0.003, drop: 80 %, links: 60 %}
        test: \(levels)
        """),
    Case(
      name: "softhebb", title: "16 devices, SoftHebb and a read-out, with drop",
      yaml: """
        devices: {count: 16}
        network: {hidden: 64, depth: 1, scheme: {softhebb: 0.015}}
        \(unlabelled)
        test: \(levels)
        """),
    Case(
      name: "barlow-twins", title: "16 devices, Barlow Twins and a read-out, with drop",
      yaml: """
        devices: {count: 16}
        network: {hidden: 64, depth: 1, scheme: {barlow-twins: 0.01}}
        \(unlabelled)
        test: \(levels)
        """),
    Case(
      name: "geometric", title: "16 devices on a geometric graph of degree 4",
      yaml: """
        devices: {count: 16, graph: {geometric: 4}}
        network: {hidden: 48, depth: 6}
        training: {epochs: 8, rate: 0.003, drop: 50 %, links: 60 %}
        test: {dead: [0, 2, 4, 8], links: [60 %], answers: {flood: 8}, central: false}
        """),
    Case(
      name: "preferential", title: "16 devices on a graph of Barabási and Albert",
      yaml: """
        devices: {count: 16, graph: {preferential: 2}}
        network: {hidden: 48, depth: 6}
        training: {epochs: 8, rate: 0.003, drop: 50 %, links: 60 %}
        test: {dead: [0, 2, 4, 8], links: [60 %], answers: {flood: 8}, central: false}
        """),
    Case(
      name: "flapping", title: "16 devices, half of which come and go while all learn",
      yaml: """
        devices: {count: 16}
        network: {hidden: 40}
        training: \(trained)
        faults: [{flapping: {share: 50 %, on: 1 s, off: 1 s}}]
        test: \(levels)
        """),
    Case(
      name: "joining", title: "12 devices, and 4 that join half-way",
      yaml: """
        devices: {count: 16}
        network: {hidden: 40}
        training: {epochs: 3, rate: 0.004, drop: 90 %, links: 60 %}
        faults: [{joins: {device: 5, step: 1400}}, {joins: {device: 6, step: 1400}}, {joins: {device: 9, step: 1400}}, {joins: {device: 10, step: 1400}}]
        test: {dead: [0], links: [], central: false, steps: [1300, 1350, 1399, 1401, 1405, 1410, 1415, 1420, 1425, 1430, 1440, 1460, 1500, 1600, 1800]}
        """),
    Case(
      name: "deadlines", title: "16 devices over links of 5 ms, some of them much later",
      yaml: """
        devices: {count: 16, latency: 5 ms, jitter: 0.8}
        network: {hidden: 40}
        training: \(trained)
        test: {dead: [0], links: [], deadlines: [1 ms, 2 ms, 4 ms, 6 ms, 10 ms, 20 ms, 50 ms], central: false}
        """),
    Case(
      name: "fashion", title: "16 devices, own heads, with drop", set: "fashion-mnist",
      yaml: full("backpropagation")),
    Case(
      name: "fashion-greedy", title: "16 devices, greedy local heads, with drop", set: "fashion-mnist",
      yaml: full("greedy")),
  ]

  /// The scenario of a case.
  static func scenario(_ wanted: Case, runs: Int, isQuick: Bool) throws -> SplitScenario {
    let text =
      "name: \(wanted.name)\nruns: \(runs)\nseed: 1\ndata: {set: \(wanted.set)\(isQuick ? ", test: 1000" : "")}\n\(wanted.yaml)\n"
    var scenario = try SplitScenario(bytes: Array(text.utf8), file: wanted.name)
    if isQuick {
      let share = 0.5 / (scenario.training.epochs ?? 0.5)
      scenario.training.epochs = 0.5
      // Who joins does so as far into the shorter training.
      scenario.faults = scenario.faults.map { fault in
        guard case .joins(let device, let when) = fault, let step = when.step else { return fault }
        return .joins(device: device, when: .init(step: Int(Double(step) * share)))
      }
      scenario.test.steps = scenario.test.steps.map { Int(Double($0) * share) }
    }
    return scenario
  }

  /// Runs the cases whose data are here, one after the other; what was complete when it was stopped is returned.
  static func run(
    _ chosen: [Case], runs: Int, isQuick: Bool, _ console: Console, isStopped: @escaping @Sendable () -> Bool,
    checkpoint: ([Outcome]) throws -> Void
  ) throws -> [Outcome] {
    var outcomes: [Outcome] = []
    for (number, wanted) in chosen.enumerated() where !isStopped() {
      guard Library().list().contains(where: { $0.isHere && $0.entry.name == wanted.set }) else {
        console.say(
          "\(wanted.name): \(wanted.set) is not on this machine and is left out; murmur data fetch \(wanted.set) brings it")
        continue
      }
      console.say("\(wanted.name), \(number + 1) of \(chosen.count): \(wanted.title)")
      let experiment = try SplitOptions.setup(try scenario(wanted, runs: runs, isQuick: isQuick), console)
      let (done, _) = try SplitSimulateCommand.outcomes(experiment, console, isStopped: isStopped)
      guard done.count == runs else { break }
      let central =
        experiment.setup.scenario.test.central && !isStopped() ? try experiment.central(seed: 1, isStopped: isStopped) : nil
      outcomes.append(Outcome(of: wanted, experiment: experiment, runs: done, central: central))
      console.clear()
      try checkpoint(outcomes)
    }
    return outcomes
  }

  /// All as one page.
  static func report(_ outcomes: [Outcome], command: String) -> ReproductionReport {
    ReproductionReport(
      title: "Internet Learning: classifiers",
      paper:
        "S. Ganguli, A. Amalanshu, A. Ranjan, D. I. Inouye: Internet Learning. Workshop on Localized Learning, ICML 2023, section 5.4.",
      introduction: [
        """
        Every device sees a part of each image and talks with its neighbours alone. A dead device sends nothing, passes nothing on and gives no \
        answer; which are dead, and which links are down, is drawn anew for every sample. Official test images.
        """
      ], command: command, seeds: outcomes.first?.runs.map(\.seed) ?? [],
      exhibits: outcomes.map { outcome in
        let results = SplitResults(
          experiment: outcome.experiment, outcomes: outcome.runs, central: outcome.central, command: command)
        return ReproductionReport.Exhibit(
          number: outcome.of.set, title: outcome.of.title, figures: results.figures, tables: [results.table] + results.courses)
      })
  }

  /// All as JSON.
  static func json(_ outcomes: [Outcome], command: String) -> String {
    JSON.object([
      .init("command", .string(command)),
      .init(
        "cases",
        .array(
          outcomes.map { outcome in
            SplitResults(experiment: outcome.experiment, outcomes: outcome.runs, central: outcome.central, command: command).json
          })),
    ]).indented() + "\n"
  }
}
