import ArgumentParser
import Dispatch
import Foundation
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSimulator
import Synchronization

/// `murmur split simulate`: one split network in the simulated world, measured under faults.
struct SplitSimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Train a split network in the simulated world and measure it under faults.",
    usage: """
      murmur split simulate [SCENARIO.yaml] [--data NAME|FILE] [--label COLUMN] [--devices N] [--graph GRAPH] [--scheme SCHEME]
                            [--missing POLICY] [--hidden K] [--depth L] [--epochs E] [--drop SHARE[,LINKS]] [--dead LIST]
                            [--link-loss LIST] [--validation SHARE] [--ideal] [--seed S] [--runs N] [--threads T] [--out DIR]
      """,
    discussion: """
      Every device is a machine that sees its own features and talks with its neighbours alone. Writes report.html, result.json, \
      scenario.yaml and the units of every device (network/) to a folder, and prints a table. Without a scenario sixteen devices \
      see four pixels each of the embedded handwritten digits.
      """)

  @OptionGroup var options: SplitOptions

  func run() async throws {
    try Attempt.run {
      let console = Console()
      let scenario = try options.resolve()
      let folder = try RunFolder(scenario.out ?? "runs/\(scenario.name)-seed\(scenario.seed)")
      let interruption = Interruption(console)
      let experiment = try SplitOptions.setup(scenario, console)
      let setup = experiment.setup
      console.say(
        "\(scenario.name): \(Numerals.count(setup.devices, "device")), \(Numerals.count(setup.training)) training rows, "
          + "\(Numerals.count(setup.test.count)) test rows, \(Numerals.count(scenario.runs, "run"))")
      let begun = ContinuousClock.now
      let (outcomes, trainingSeconds) = try SplitSimulateCommand.outcomes(experiment, console) { interruption.isWanted }
      let central =
        scenario.test.central && !interruption.isWanted
        ? try experiment.central(seed: scenario.seed) { interruption.isWanted } : nil
      let ideal =
        scenario.test.ideal && !interruption.isWanted
        ? try experiment.ideal(seed: scenario.seed) { interruption.isWanted } : nil
      console.clear()
      guard !outcomes.isEmpty else {
        console.say("stopped before a run was complete: there is nothing to report")
        throw ExitCode(130)
      }
      var results = SplitResults(
        experiment: experiment, outcomes: outcomes, central: central,
        command: "murmur " + CommandLine.arguments.dropFirst().joined(separator: " "))
      results.wallSeconds = (ContinuousClock.now - begun) / .seconds(1)
      results.trainingSeconds = trainingSeconds
      results.ideal = ideal
      results.wasInterrupted = outcomes.count < scenario.runs
      try results.write(to: folder)
      console.show(results.summary(width: console.tableWidth, colour: console.isColoured))
      console.show("report: \(folder.path)/report.html")
      if results.wasInterrupted || interruption.isWanted { throw ExitCode(130) }
    }
  }

  /// How far the runs are.
  private struct Course {
    var next = 0
    var shares: [Double]
    var begun: [ContinuousClock.Instant?]
    /// Wall seconds of each training.
    var seconds: [Double?]
    var outcomes: [SplitOutcome] = []
    var problem: (any Error)?
    var shown = ContinuousClock.now

    init(runs: Int) {
      shares = Array(repeating: 0, count: runs)
      begun = Array(repeating: nil, count: runs)
      seconds = Array(repeating: nil, count: runs)
    }

    /// The run that is to begin, if there is one.
    mutating func take() -> Int? {
      guard next < shares.count, problem == nil else { return nil }
      defer { next += 1 }
      return next
    }

    /// Notes how far a run is, first when its devices are made and the training begins; the share of all, now and then.
    mutating func note(_ run: Int, _ share: Double, hasTrained: Bool) -> Double? {
      shares[run] = share
      if begun[run] == nil { begun[run] = .now }
      if hasTrained, seconds[run] == nil, let begun = begun[run] {
        seconds[run] = (ContinuousClock.now - begun) / .seconds(1)
      }
      guard shown + .milliseconds(200) < .now else { return nil }
      shown = .now
      return shares.reduce(0, +) / Double(shares.count)
    }
  }

  /// Runs all seeds, several at a time, in the order of the seeds; those that were stopped are left out. With them the wall seconds that the
  /// first training took.
  static func outcomes(
    _ experiment: SplitExperiment, _ console: Console, isStopped: @escaping @Sendable () -> Bool
  ) throws -> (outcomes: [SplitOutcome], trainingSeconds: Double?) {
    let scenario = experiment.setup.scenario
    let threads = min(scenario.threads ?? ProcessInfo.processInfo.activeProcessorCount, scenario.runs)
    let course = Mutex(Course(runs: scenario.runs))
    DispatchQueue.concurrentPerform(iterations: max(1, threads)) { _ in
      while !isStopped(), let run = course.withLock({ $0.take() }) {
        do {
          let outcome = try experiment.run(
            seed: scenario.seed &+ UInt64(run),
            progress: { share, what in
              let all = course.withLock { $0.note(run, share, hasTrained: what != "training") }
              if let all { console.progress("split network", all, what) }
            }, isStopped: isStopped)
          if let outcome { course.withLock { $0.outcomes.append(outcome) } }
        } catch { course.withLock { $0.problem = error } }
      }
    }
    return try course.withLock { course in
      if let problem = course.problem { throw problem }
      return (course.outcomes.sorted { $0.seed < $1.seed }, course.seconds.first.flatMap { $0 })
    }
  }
}
