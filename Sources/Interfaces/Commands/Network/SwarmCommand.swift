import ArgumentParser
import Foundation
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import Synchronization

/// `murmur swarm`: many real peers on this machine, each a process.
struct SwarmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swarm", abstract: "Run a session as many real peers on this machine, each a process of its own.",
    usage: """
      murmur swarm [SCENARIO.yaml] [--peers N] [--seconds S] [--offline P] [--kill SHARE] [--alone] [--out DIR] …
      """,
    discussion: """
      The peers talk over loopback as they would over any network. --seconds squeezes the session into that time, with as many work \
      cycles as it has. --kill ends that share of the processes with signal 9 when half of the session is over. Beside it stand peers \
      alone and one central model, as with `murmur simulate`.
      """)

  @OptionGroup var options: ScenarioOptions
  @Option(help: "How long the session lasts, in seconds of real time.") var seconds = 60.0
  @Option(help: "The share of the processes to kill at half-time, 0 to 1.") var kill = 0.0

  func run() async throws {
    try await Attempt.run {
      guard seconds >= 1, seconds <= 1e7 else { throw Failure("--seconds \(seconds): give a second or more") }
      guard (0...1).contains(kill) else { throw Failure("--kill \(kill): give a share from 0 to 1, such as 0.8") }
      let console = Console()
      let interruption = Interruption(console)
      var scenario = try options.resolve()
      let factor = seconds / scenario.session.length.seconds
      scenario.session.length = .seconds(seconds)
      scenario.session.cycle = .seconds(scenario.session.cycle.seconds * factor)
      let folder = try RunFolder(scenario.run.out ?? "runs/swarm-\(scenario.name)-seed\(scenario.seed)")
      let runner = try Runner(scenario, console: console, interruption: interruption)
      console.say(
        "\(runner.headline)\n  as \(scenario.peers.count) processes on loopback, \(Int(seconds)) s, \(kill > 0 ? "\(Int(kill * 100)) % killed at half-time" : "nobody killed")"
      )
      let controls = runner.trainControls()
      guard !interruption.isWanted else { throw CancellationError() }
      let swarm = try Swarm(scenario, folder, kill: kill, setup: runner.setup, console: console)
      try await swarm.run { interruption.isWanted }
      let result = swarm.result(controls, setup: runner.setup)
      try folder.write(result.indented() + "\n", to: "result.json")
      console.show(swarm.table(controls))
      console.show("result: \(folder.path)/result.json")
      if Interruption.happened { throw ExitCode(130) }
    }
  }
}
