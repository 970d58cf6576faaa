import ArgumentParser
import Foundation
import MurmurDatasets
import MurmurLibrary
import MurmurReports
import MurmurSimulator

extension ReproduceCommand {
  /// `murmur reproduce farm`.
  struct Farm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A farm's soil sensors (Cook Farm): a station's water from the others, as stations die.",
      discussion: """
        A device per station that sees its own readings alone; neighbours estimate a station that says nothing. Errors with 0, 25 and
        50 % of the stations dead, beside what needs no learning and one central model. Needs cookfarm/ in the folder MURMUR_DATA names.
        """)

    @OptionGroup var options: FieldsOptions

    func run() async throws {
      try Attempt.run {
        let console = Console()
        let data = try Library().cookFarm()
        let field = try Field.farm(data.readings, data.near)
        try options.run(field, .farm, console)
      }
    }
  }

  /// `murmur reproduce city`.
  struct City: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A city's traffic sensors (METR-LA): speeds 15 minutes ahead, as sensors die.",
      discussion: """
        A device per sensor that sees its own readings alone; neighbours by the road estimate a sensor that says nothing. Errors with
        0, 25 and 50 % of the sensors dead, beside what needs no learning and one central model. Needs metr_la/ in the folder
        MURMUR_DATA names.
        """)

    @OptionGroup var options: FieldsOptions

    func run() async throws {
      try Attempt.run {
        let console = Console()
        let data = try Library().metrLA()
        let field = try Field.city(data.readings, data.near)
        try options.run(field, .city, console)
      }
    }
  }
}

/// What `farm` and `city` have in common.
struct FieldsOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How many seeds, from 1.", valueName: "N"))
  var seeds: Int?
  @Option(help: ArgumentHelp("The folder for the report; runs/farm or runs/city.", valueName: "DIR"))
  var out: String?
  @Flag(help: "A look: one seed, a fifth of the steps, no comparison of policies.")
  var quick = false

  /// Runs everything and leaves the report, with what is complete whenever it is stopped.
  func run(_ field: Field, _ recipe: FieldRecipe, _ console: Console) throws {
    let count = seeds ?? (quick ? 1 : 3)
    guard (1...100).contains(count) else { throw Failure("--seeds \(count): give a number from 1 to 100") }
    var recipe = recipe
    if quick { (recipe.steps, recipe.centralSteps) = (recipe.steps / 5, recipe.centralSteps / 5) }
    let folder = try RunFolder(out ?? "runs/\(field.name)")
    let interruption = Interruption(console)
    var runs = FieldsRuns(field: field, recipe: recipe, seeds: (1...UInt64(count)).map { $0 }, command: command(field))
    console.say(
      "\(field.name): \(Numerals.count(field.stations, "device")), \(Numerals.count(count, "seed")), "
        + "\(runs.experiment.shares.map { Numerals.share($0) }.joined(separator: ", ")) dead")
    let begun = ContinuousClock.now
    var saved = 0
    runs.run(withPolicies: !quick, isStopped: { interruption.isWanted }) { share, label, runs in
      console.progress(field.name, share, label)
      guard runs.lines.count > saved, share < 1 else { return }
      saved = runs.lines.count
      var partial = runs
      partial.interrupted = "This is what was complete while it still ran."
      try? write(partial, folder)
    }
    runs.wallSeconds = Double(begun.duration(to: .now).components.seconds)
    guard !runs.lines.isEmpty else {
      console.say("stopped before anything was complete: there is nothing to report")
      throw ExitCode(130)
    }
    try write(runs, folder)
    // Where there is no terminal, lines may be as long as they need.
    let width = Console.columns(STDOUT_FILENO).map { max($0, 80) } ?? 160
    console.show(runs.report().terminal(width: width, colour: console.isColoured))
    console.show(runs.errorTable(.all).text(width: width, colour: console.isColoured))
    if let interrupted = runs.interrupted { console.say(interrupted) }
    console.show("report: \(folder.path)/report.html")
    if runs.interrupted != nil { throw ExitCode(130) }
  }

  private func write(_ runs: FieldsRuns, _ folder: RunFolder) throws {
    try folder.write(runs.report().html(), to: "report.html")
    try folder.write(runs.json.indented() + "\n", to: "results.json")
  }

  private func command(_ field: Field) -> String {
    var words = ["murmur reproduce \(field.name)"]
    if let seeds { words.append("--seeds \(seeds)") }
    if quick { words.append("--quick") }
    if let out { words.append("--out \(out)") }
    return words.joined(separator: " ")
  }
}
