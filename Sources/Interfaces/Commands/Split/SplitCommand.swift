import ArgumentParser

/// `murmur split`: one network over devices that each see a part.
struct SplitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split", abstract: "One network spread over devices that each see some features of the same moment.",
    subcommands: [SplitSimulateCommand.self])
}
