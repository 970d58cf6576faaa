import ArgumentParser

/// `murmur split`: one network spread over devices that each see a part.
struct SplitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split", abstract: "Train one network that is spread over devices which each see some of the features.",
    subcommands: [SplitSimulateCommand.self, SplitDeviceCommand.self, SplitSwarmCommand.self])
}
