import ArgumentParser
import Foundation
import MurmurLibrary
import MurmurReports

/// `murmur reproduce`: a paper's experiments, beside what the paper says of them.
struct ReproduceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce", abstract: "Run a paper's experiments again and hold its findings against ours.",
    subcommands: [Learnae.self, InternetLearning.self, Farm.self, City.self, Feeds.self])

  /// `murmur reproduce learnae`.
  struct Learnae: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "LEARNAE (Nikolaidis & Refanidis 2021): figures 6 to 14, tables 6 and 7.",
      discussion: """
        Runs the paper's own work cycle with 1 and with 10 epochs, and beside it the default session, at 0, 20, 40, 60 and 80 %
        offline. Writes report.html, results.json and series.csv. Documentation/Reproductions.md shows what came of it here.
        """)

    @Option(
      help: ArgumentHelp("Data sets, of digits, mnist, higgs, hepmass; all of the first three that are here.", valueName: "NAMES")
    )
    var data: String?
    @Option(help: ArgumentHelp("How many seeds, from 1.", valueName: "N"))
    var seeds: Int?
    @Option(help: ArgumentHelp("Threads that compute; the result does not depend on it.", valueName: "T"))
    var threads: Int?
    @Option(help: ArgumentHelp("The folder for the report.", valueName: "DIR"))
    var out = "runs/learnae"
    @Flag(help: "A look: digits only, one seed, a third of the time.")
    var quick = false

    func run() async throws {
      try Attempt.run {
        let console = Console()
        var notes: [String] = []
        var plan = try plan(&notes)
        for note in notes { console.say(note) }
        if quick { plan.cycles = 40 }
        let folder = try RunFolder(out)
        let interruption = Interruption(console)
        console.say(
          "LEARNAE: \(plan.data.map(\.name).joined(separator: ", ")) × \(Numerals.count(plan.seeds.count, "seed")) × "
            + "\(ReproducePlan.Policy.all.count) ways to run a session × \(plan.probabilities.count) offline probabilities")
        let runner = ReproduceRunner(
          threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, stopped: { interruption.isWanted })
        func finish(_ runs: ReproduceRuns) throws -> ReproductionReport {
          var runs = runs
          runs.notes = notes
          let report = runs.report(command: command)
          for (name, text) in runs.files(report, command: command) { try folder.write(text, to: name) }
          return report
        }
        let runs = try runner.run(plan) { _ = try finish($0) }
        guard !runs.runs.isEmpty else {
          console.say("stopped before the first session was complete: there is nothing to report")
          throw ExitCode(130)
        }
        let report = try finish(runs)
        console.show(report.terminal(width: columns, colour: console.isColoured))
        if let interrupted = runs.interrupted { console.say(interrupted) }
        console.show("report: \(folder.path)/report.html")
        if runs.interrupted != nil { throw ExitCode(130) }
      }
    }

    /// How wide the table may be: as the terminal is, or whatever it needs where there is none.
    private var columns: Int {
      var size = winsize()
      guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 240 }
      return max(Int(size.ws_col), 80)
    }

    private var command: String {
      var words = ["murmur reproduce learnae"]
      if let data { words.append("--data \(data)") }
      if let seeds { words.append("--seeds \(seeds)") }
      if quick { words.append("--quick") }
      if out != "runs/learnae" { words.append("--out \(out)") }
      return words.joined(separator: " ")
    }

    /// What was asked for, as far as it can be had here.
    private func plan(_ notes: inout [String]) throws -> ReproducePlan {
      let count = seeds ?? (quick ? 1 : 3)
      guard (1...1000).contains(count) else { throw Failure("--seeds \(count): give a number from 1 to 1000") }
      if let threads, !(1...1024).contains(threads) { throw Failure("--threads \(threads): give a number from 1 to 1024") }
      let known = ReproducePlan.Rows.known
      var wanted: [ReproducePlan.Rows] = []
      let names = data ?? (quick ? "digits" : "digits,mnist,higgs")
      for name in names.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces).lowercased() }) where !name.isEmpty {
        guard let rows = known.first(where: { $0.name == name }) else {
          throw Failure("--data \(name): this reproduction runs on \(known.map(\.name).joined(separator: ", "))")
        }
        if !wanted.contains(rows) { wanted.append(rows) }
      }
      let here = Library().list().filter(\.isHere).map(\.entry.name)
      let present = wanted.filter { here.contains($0.name) }
      for rows in wanted where !here.contains(rows.name) {
        notes.append("\(rows.name) is not on this machine and is left out; murmur data fetch \(rows.name) brings it.")
      }
      guard !present.isEmpty else {
        throw Failure("none of the data sets is on this machine: \(names); murmur data list shows what is")
      }
      return ReproducePlan(data: present, seeds: (1...count).map(UInt64.init))
    }
  }
}
