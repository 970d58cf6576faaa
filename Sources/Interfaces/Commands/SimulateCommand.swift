import ArgumentParser
import MurmurReports
import MurmurScenario

/// `murmur simulate`: one scenario in the simulated world.
struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run a session in the simulated world, beside peers alone and one central model.",
    usage: """
      murmur simulate [SCENARIO.yaml] [--data NAME|FILE] [--label COLUMN] [--peers N] [--rows N-per-peer]
                      [--hidden 64,64] [--epochs E] [--offline P] [--seed S] [--threads T] [--out DIR]
      """,
    discussion: """
      Writes report.html, result.json, series.csv, events.jsonl and run.json to a folder and prints a table. Without a scenario \
      file it runs 20 peers with 70 rows each of the embedded handwritten digits.
      """)

  @OptionGroup var options: ScenarioOptions

  func run() async throws {
    try Attempt.run {
      let console = Console()
      let scenario = try options.resolve()
      let folder = try RunFolder(scenario.run.out ?? "runs/\(scenario.name)-seed\(scenario.seed)")
      let runner = try Runner(scenario, console: console, interruption: Interruption(console))
      console.say(runner.headline)
      let finished = try runner.run(command: "murmur " + CommandLine.arguments.dropFirst().joined(separator: " "))
      console.show(finished.report.terminal(width: console.width, colour: console.isColoured))
      try finished.write(to: folder)
      console.show("report: \(folder.path)/report.html")
      if finished.wasInterrupted || Interruption.happened { throw ExitCode(130) }
    }
  }
}
