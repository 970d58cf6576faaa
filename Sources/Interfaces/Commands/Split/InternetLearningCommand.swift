import ArgumentParser
import Foundation
import MurmurLibrary
import MurmurReports
import MurmurSimulator

extension ReproduceCommand {
  /// `murmur reproduce internet-learning`.
  struct InternetLearning: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "internet-learning",
      abstract: "Internet Learning (Ganguli et al. 2023): table 1, figure 3, what reconstructs more, and classifiers.",
      discussion: """
        Four devices each see a quarter of an MNIST image. Trains the frozen autoencoder, the paper's network of perceptrons under link \
        faults, backup heads, and joint codes; measures reconstructions with none, one and two devices dead and with links down. \
        Writes report.html with pictures and results.json. Then classifiers with 4 and 16 devices on MNIST and, where it is here, \
        Fashion-MNIST, per scheme and graph, with devices dead, links down, joining late and short deadlines: classifiers.html and \
        classifiers.json. Documentation/Reproductions.md and Results.md show what came of it here.
        """)

    @Option(help: ArgumentHelp("How many seeds for backup heads and joint codes, from 1.", valueName: "N"))
    var seeds: Int?
    @Option(help: ArgumentHelp("How many runs for each cell of table 1, from seed 1.", valueName: "N"))
    var runs: Int?
    @Option(help: ArgumentHelp("The folder for the report.", valueName: "DIR"))
    var out = "runs/internet-learning"
    @Option(help: ArgumentHelp("What to run: codes, classifiers or all.", valueName: "PART"))
    var part = Part.all
    @Option(
      help: ArgumentHelp(
        "Of the classifiers only these: \(InternetLearningClassifiers.all.map(\.name).joined(separator: ", ")).",
        valueName: "NAME,…"))
    var only: String?
    @Flag(help: "A look: 6,000 images, one seed, two runs a cell; classifiers half an epoch, 1,000 test images.")
    var quick = false

    enum Part: String, ExpressibleByArgument, CaseIterable {
      case codes
      case classifiers
      case all
    }

    func run() async throws {
      try Attempt.run {
        let console = Console()
        let (seeds, cells) = (self.seeds ?? (quick ? 1 : 3), self.runs ?? (quick ? 2 : 10))
        guard (1...1000).contains(seeds) else { throw Failure("--seeds \(seeds): give a number from 1 to 1000") }
        guard (1...1000).contains(cells) else { throw Failure("--runs \(cells): give a number from 1 to 1000") }
        let chosen = try classifiers()
        guard Library().list().contains(where: { $0.isHere && $0.entry.name == "mnist" }) else {
          throw Failure("mnist is not on this machine; murmur data fetch mnist brings it")
        }
        let folder = try RunFolder(out)
        let interruption = Interruption(console)
        if part != .classifiers { try codes(folder, seeds: seeds, cells: cells, console, interruption) }
        if part != .codes { try classify(chosen, folder, runs: seeds, console, interruption) }
      }
    }

    /// The classifiers that are wanted.
    private func classifiers() throws -> [InternetLearningClassifiers.Case] {
      guard let only else { return InternetLearningClassifiers.all }
      return try only.split(separator: ",").map { name in
        guard let found = InternetLearningClassifiers.all.first(where: { $0.name == name }) else {
          let known = InternetLearningClassifiers.all.map(\.name).joined(separator: ", ")
          throw Failure("--only \(only): there is no '\(name)'; known are \(known)")
        }
        return found
      }
    }

    private func classify(
      _ chosen: [InternetLearningClassifiers.Case], _ folder: RunFolder, runs: Int, _ console: Console,
      _ interruption: Interruption
    ) throws {
      func write(_ outcomes: [InternetLearningClassifiers.Outcome]) throws {
        try folder.write(InternetLearningClassifiers.json(outcomes, command: command), to: "classifiers.json")
        try folder.write(InternetLearningClassifiers.report(outcomes, command: command).html(), to: "classifiers.html")
      }
      let outcomes = try InternetLearningClassifiers.run(
        chosen, runs: runs, isQuick: quick, console, isStopped: { interruption.isWanted }, checkpoint: write)
      for outcome in outcomes {
        let results = SplitResults(
          experiment: outcome.experiment, outcomes: outcome.runs, central: outcome.central, command: command)
        console.show("\(outcome.of.set): \(outcome.of.title)")
        for table in [results.table] + results.courses {
          console.show(table.text(width: console.tableWidth, colour: console.isColoured))
        }
      }
      if !outcomes.isEmpty { console.show("report: \(folder.path)/classifiers.html") }
      if interruption.isWanted { throw ExitCode(130) }
    }

    private func codes(_ folder: RunFolder, seeds: Int, cells: Int, _ console: Console, _ interruption: Interruption) throws {
      console.progress("reading", 0, "mnist")
      let images = try PatchImages(Library().load("mnist"), limit: quick ? 6_000 : .max)
      let runner = InternetLearningRunner(images, isQuick: quick, stopped: { interruption.isWanted })
      func finish(_ runs: InternetLearningRuns) throws {
        let report = runs.report(command: command)
        try folder.write(runs.json(command: command, report: report), to: "results.json")
        try folder.write(report.html(), to: "report.html")
      }
      let runs = try runner.run(
        tableSeeds: (1...cells).map(UInt64.init), strategySeeds: (1...seeds).map(UInt64.init), checkpoint: finish)
      guard !runs.runs.isEmpty else {
        console.say("stopped before the first network was complete: there is nothing to report")
        throw ExitCode(130)
      }
      try finish(runs)
      console.show(runs.terminal(width: console.tableWidth, colour: console.isColoured))
      if let interrupted = runs.interrupted { console.say(interrupted) }
      console.show("report: \(folder.path)/report.html")
      if runs.interrupted != nil { throw ExitCode(130) }
    }

    private var command: String {
      var words = ["murmur reproduce internet-learning"]
      if let seeds { words.append("--seeds \(seeds)") }
      if let runs { words.append("--runs \(runs)") }
      if part != .all { words.append("--part \(part.rawValue)") }
      if let only { words.append("--only \(only)") }
      if quick { words.append("--quick") }
      if out != "runs/internet-learning" { words.append("--out \(out)") }
      return words.joined(separator: " ")
    }
  }
}
