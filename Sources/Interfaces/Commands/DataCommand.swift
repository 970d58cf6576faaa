import ArgumentParser
import Foundation
import MurmurLibrary

/// `murmur data`: the data sets that have a name.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "List, fetch and verify the data sets that have a name.",
    subcommands: [List.self, FetchData.self, Verify.self], defaultSubcommand: List.self)

  /// `murmur data list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What there is, and what is on this machine.")

    func run() throws {
      for listing in Library().list() {
        let place = listing.entry.isBuiltIn ? "built in" : listing.folder ?? "not here; murmur data fetch \(listing.entry.name)"
        let name = listing.entry.name.padding(toLength: 16, withPad: " ", startingAt: 0)
        print("\(name)\(listing.entry.summary)\n                \(listing.entry.licence); \(place)")
      }
    }
  }

  /// `murmur data fetch NAME`.
  struct FetchData: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "fetch", abstract: "Download a data set to the cache folder, going on where an earlier fetch stopped.")

    @Argument(help: ArgumentHelp("The data set's name.", valueName: "NAME"))
    var name: String

    func run() async throws {
      try await Attempt.run {
        let entry = try DataCommand.entry(name)
        let console = Console()
        guard !entry.remote.isEmpty else {
          console.show("\(entry.name) needs no download\(entry.isBuiltIn ? ": it is part of the program" : "")")
          return
        }
        let folder = try await Interruption(console).cancelling { try await FetchData.fetch(entry, console) }
        console.show("\(entry.name) is in \(folder)")
      }
    }

    /// Gives up soon where nothing comes at all, as without a network, and is patient once something came.
    private static func fetch(_ entry: Catalogue.Entry, _ console: Console) async throws -> String {
      let library = Library()
      var settings = Fetch()
      settings.attempts = 3
      do {
        return try await library.fetch(entry, with: settings) { show($0, console) }
      } catch {
        guard case .network(_, _, _, let kept) = error else { throw error }
        guard kept != nil else {
          throw Failure("\(error); is this machine online? Files from elsewhere can be put into \(library.cache)/\(entry.name)")
        }
        return try await library.fetch(entry) { show($0, console) }
      }
    }

    private static func show(_ progress: Fetch.Progress, _ console: Console) {
      let share = progress.total.map { $0 == 0 ? 1 : Double(progress.received) / Double($0) } ?? 0
      let megabytes = Double(progress.received / 100_000) / 10
      if case .waiting(let seconds, let reason) = progress.phase {
        console.say("\(progress.file): \(reason); trying again in \(Int(seconds.rounded(.up))) s")
      } else {
        console.progress("\(progress.position.index)/\(progress.position.count) \(progress.file)", share, "\(megabytes) MB")
      }
    }
  }

  /// `murmur data verify NAME`.
  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check sizes and checksums of what is on this machine.")

    @Argument(help: ArgumentHelp("The data sets' names; all that are here if none is given.", valueName: "NAME"))
    var names: [String] = []

    func run() async throws {
      try await Attempt.run {
        let console = Console()
        let library = Library()
        let entries = names.isEmpty ? library.list().filter(\.isHere).map(\.entry) : try names.map(DataCommand.entry)
        var bad = 0
        for entry in entries {
          if entry.isBuiltIn { console.show("\(entry.name): part of the program, nothing to check") }
          for finding in try await Interruption(console).cancelling({ try await library.verify(entry) }) {
            // Where nobody asked for this one, a file that is not here is no mistake: a subset of it may serve.
            let isAbsent = names.isEmpty && finding.finding == .missing
            console.show("\(finding)" + (isAbsent && !finding.isGood ? " (murmur data fetch \(entry.name) gets it)" : ""))
            if !finding.isGood, !isAbsent { bad += 1 }
          }
        }
        if bad > 0 { throw Failure("\(bad) \(bad == 1 ? "file is" : "files are") missing or wrong") }
      }
    }
  }

  private static func entry(_ name: String) throws -> Catalogue.Entry {
    if let entry = Catalogue.entry(named: name) { return entry }
    let nearest = Catalogue.nearest(to: name).map { "did you mean \($0)? " } ?? ""
    throw Failure(
      "there is no data set called '\(name)'; \(nearest)Known names: \(Catalogue.entries.map(\.name).joined(separator: ", "))")
  }
}
