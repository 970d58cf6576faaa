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
                            [--hidden K] [--depth L] [--epochs E] [--drop SHARE[,LINKS]] [--dead LIST] [--link-loss LIST]
                            [--seed S] [--runs N] [--threads T] [--out DIR]
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
      let outcomes = try SplitSimulateCommand.outcomes(experiment, console) { interruption.isWanted }
      let central =
        scenario.test.central && !interruption.isWanted
        ? try experiment.central(seed: scenario.seed) { interruption.isWanted } : nil
      console.clear()
      guard !outcomes.isEmpty else {
        console.say("stopped before a run was complete: there is nothing to report")
        throw ExitCode(130)
      }
      var results = SplitResults(
        experiment: experiment, outcomes: outcomes, central: central,
        command: "murmur " + CommandLine.arguments.dropFirst().joined(separator: " "))
      results.wallSeconds = Double((ContinuousClock.now - begun).components.seconds)
      results.wasInterrupted = outcomes.count < scenario.runs
      try results.write(to: folder)
      console.show(results.summary(width: console.width, colour: console.isColoured))
      console.show("report: \(folder.path)/report.html")
      if results.wasInterrupted || interruption.isWanted { throw ExitCode(130) }
    }
  }

  /// Runs all seeds, several at a time, in the order of the seeds; those that were stopped are left out.
  static func outcomes(
    _ experiment: SplitExperiment, _ console: Console, isStopped: @escaping @Sendable () -> Bool
  ) throws -> [SplitOutcome] {
    let scenario = experiment.setup.scenario
    let threads = min(scenario.threads ?? ProcessInfo.processInfo.activeProcessorCount, scenario.runs)
    let state = Mutex<
      (next: Int, shares: [Double], outcomes: [SplitOutcome], problem: (any Error)?, shown: ContinuousClock.Instant)
    >(
      (0, Array(repeating: 0, count: scenario.runs), [], nil, .now))
    DispatchQueue.concurrentPerform(iterations: max(1, threads)) { _ in
      while let run = state.withLock({ $0.next < scenario.runs && $0.problem == nil ? $0.next : nil }), !isStopped() {
        let isMine = state.withLock { state in
          guard state.next == run else { return false }
          state.next += 1
          return true
        }
        guard isMine else { continue }
        do {
          let outcome = try experiment.run(
            seed: scenario.seed &+ UInt64(run),
            progress: { share, what in
              let news: (Double, String)? = state.withLock { state in
                state.shares[run] = share
                guard state.shown + .milliseconds(200) < .now else { return nil }
                state.shown = .now
                let mean = state.shares.reduce(0, +) / Double(scenario.runs)
                return (mean, what)
              }
              if let (share, what) = news { console.progress("split network", share, what) }
            }, isStopped: isStopped)
          if let outcome { state.withLock { $0.outcomes.append(outcome) } }
        } catch { state.withLock { $0.problem = error } }
      }
    }
    return try state.withLock { state in
      if let problem = state.problem { throw problem }
      return state.outcomes.sorted { $0.seed < $1.seed }
    }
  }
}
