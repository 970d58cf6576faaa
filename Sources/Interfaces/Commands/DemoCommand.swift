import ArgumentParser
import MurmurReports
import MurmurScenario
import MurmurSimulator

/// `murmur demo`: the digits scenario with everybody there, and with four in five away, beside peers alone and one central model.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Twenty peers learn handwritten digits together, nobody offline and 80 % offline.",
    discussion: "Nothing is downloaded: the digits are part of the program. Writes a report to look at.")

  @Option(help: ArgumentHelp("The seed of everything random.", valueName: "S"))
  var seed: UInt64 = 1
  @Option(help: ArgumentHelp("Threads that compute; the result does not depend on it.", valueName: "T"))
  var threads: Int?
  @Option(help: ArgumentHelp("The folder for the report.", valueName: "DIR"))
  var out = "demo"

  func run() async throws {
    try Attempt.run {
      let console = Console()
      let folder = try RunFolder(out)
      let interruption = Interruption(console)
      var scenario = Scenario()
      scenario.name = "digits"
      scenario.seed = seed
      scenario.run.threads = threads
      console.say(
        """
        Twenty peers, each with 70 handwritten digits of its own that never leave it. They learn alone, then together, then together
        while four in five of them are offline in every work cycle; beside them one central model that sees all 1,400 digits.

        """)
      var runs: [ComparisonReport.Run] = []
      var controls: Experiment.Controls?
      for probability in [0, 0.8] {
        scenario.faults.faults = probability == 0 ? [] : [.offline(Fault.Offline(probability: probability))]
        let runner = try Runner(scenario, console: console, interruption: interruption)
        if controls == nil { controls = runner.trainControls() }
        let label = probability == 0 ? "nobody offline" : "80 % offline"
        console.say("\(label) …")
        let finished = try runner.run(command: "murmur demo --seed \(seed)", controls: controls)
        runs.append(.init(label, finished.report))
        try finished.write(to: try RunFolder(folder.path + (probability == 0 ? "/online" : "/offline80")))
        if finished.wasInterrupted { break }
      }
      let report = ComparisonReport(
        title: "Twenty peers learn digits together", command: "murmur demo --seed \(seed)",
        notes: ["80 % offline: redrawn for every peer in every work cycle; offline means nothing sent, received or served."],
        runs: runs)
      try folder.write(report.html(), to: "report.html")
      console.show(report.terminal(width: console.width, colour: console.isColoured))
      console.show("report: \(folder.path)/report.html   (each run: \(folder.path)/online, \(folder.path)/offline80)")
      if interruption.isWanted { throw ExitCode(130) }
    }
  }
}
