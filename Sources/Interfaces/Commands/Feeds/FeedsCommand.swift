import ArgumentParser
import Foundation
import MurmurCompute
import MurmurDatasets
import MurmurLibrary
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSimulator

extension ReproduceCommand {
  /// `murmur reproduce feeds`.
  struct Feeds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "LEARNAE's sensors: streams from a thin feeder to verified rows (its table 5), and learning from them alone.",
      discussion: """
        Three real peers and a feeder as processes of this machine: packets of 50 HIGGS rows of about 750 bytes, once undisturbed, once \
        with 30 % of messages lost, the feeder's gateway killed half-way and the feeder killed ten times. Then simulated sessions whose \
        rows all come from sensors, beside the same rows held by every peer from the beginning, and a ledger of a thousand peers. Needs \
        higgs/ in the folder MURMUR_DATA names.
        """)

    @Option(help: ArgumentHelp("Packets of a trial.", valueName: "N")) var packets: Int?
    @Option(help: ArgumentHelp("How many seeds, from 1.", valueName: "N")) var seeds: Int?
    @Option(help: ArgumentHelp("The folder for the report; runs/feeds.", valueName: "DIR")) var out: String?
    @Flag(help: "A look: 100 packets, one seed, a ledger of fifty peers.") var quick = false

    func run() async throws {
      try Attempt.run {
        let console = Console()
        let interruption = Interruption(console)
        let folder = try RunFolder(out ?? "runs/feeds")
        let count = seeds ?? (quick ? 1 : 3)
        guard (1...100).contains(count) else { throw Failure("--seeds \(count): give a number from 1 to 100") }
        let packets = packets ?? (quick ? 100 : 1_000)
        guard (20...1_000_000).contains(packets) else { throw Failure("--packets \(packets): give 20 to 1000000") }
        var runs = FeedRuns(packets: packets, seeds: (1...UInt64(count)).map { $0 }, command: command)
        let (header, lines) = try FeedRuns.higgs()
        let begun = ContinuousClock.now
        for trial in FeedRuns.Trial.allCases where !interruption.isWanted {
          let attempt = try FeedTrial(
            trial.plan(packets), lines: lines, header: header, folder: folder.path + "/\(trial.rawValue)",
            isStopped: { interruption.isWanted })
          runs.trials.append((trial, try attempt.run { console.progress(trial.title, $0, "") }))
          try write(runs, folder)
        }
        try runs.learn(isStopped: { interruption.isWanted }) { console.progress("learning from streams", $0, $1) }
        if !interruption.isWanted {
          runs.ledger = FeedRuns.tangle(isQuick: quick, isStopped: { interruption.isWanted }) {
            console.progress("a ledger", $0, "")
          }
        }
        console.clear()
        runs.wallSeconds = Double(begun.duration(to: .now).components.seconds)
        if interruption.isWanted { runs.interrupted = "It was stopped: this is what was complete." }
        try write(runs, folder)
        console.show(runs.report().terminal(width: max(console.width, 80), colour: console.isColoured))
        if let interrupted = runs.interrupted { console.say(interrupted) }
        console.show("report: \(folder.path)/report.html")
        if interruption.isWanted { throw ExitCode(130) }
      }
    }

    private func write(_ runs: FeedRuns, _ folder: RunFolder) throws {
      try folder.write(runs.report().html(), to: "report.html")
      try folder.write(runs.json.indented() + "\n", to: "results.json")
    }

    private var command: String {
      var words = ["murmur reproduce feeds"]
      if let packets { words.append("--packets \(packets)") }
      if let seeds { words.append("--seeds \(seeds)") }
      if quick { words.append("--quick") }
      if let out { words.append("--out \(out)") }
      return words.joined(separator: " ")
    }
  }
}
