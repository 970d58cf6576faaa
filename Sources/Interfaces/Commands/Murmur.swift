public import ArgumentParser
import Foundation
import MurmurCompute
import MurmurHost

/// `murmur`: peers that learn together while most of them are away.
public struct Murmur: AsyncParsableCommand {
  /// The name, the subcommands and their explanation.
  public static let configuration = CommandConfiguration(
    commandName: "murmur",
    abstract: "Survivable learning on networks of devices that fail.",
    discussion: "Start with `murmur demo`. Every command explains itself with --help.",
    version: Release.version,
    subcommands: [
      DemoCommand.self, SimulateCommand.self, PeerCommand.self, SwarmCommand.self, AddCommand.self, CatCommand.self,
      PinCommand.self, PeersCommand.self, FindCommand.self, InviteCommand.self, DoctorCommand.self, ReplayCommand.self,
      ReproduceCommand.self, SplitCommand.self, PredictCommand.self, RiskCommand.self, FeedCommand.self, StreamsCommand.self,
      DataCommand.self,
    ])

  /// The command line.
  public init() {}

  /// Parses the arguments and runs what they ask for.
  public static func launch() async {
    // A feeder is to be small: before any thread has memory of its own.
    if CommandLine.arguments.dropFirst().first == "feed" { Memory.keepLittle() } else { Kernels.keepFreedMemory() }
    do throws(KernelsError) {
      _ = try Kernels.choose()
    } catch {
      Console().say("murmur: \(error)")
      Foundation.exit(1)
    }
    await main()
  }
}

/// What is running.
enum Release {
  /// The version of this build.
  static let version = "0.1.0"
}

/// A failure in words for the user: what happened, where, and what to do.
struct Failure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
