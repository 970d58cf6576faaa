import ArgumentParser
import Foundation
import MurmurScenario

/// The options that stand on top of, or instead of, a scenario file. Names are a contract.
struct ScenarioOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A scenario file (YAML); Documentation/Scenario.md lists its keys.", valueName: "SCENARIO.yaml"))
  var scenario: String?
  @Option(help: ArgumentHelp("A data set's name (murmur data list) or a file: CSV, TSV, idx, npy, also gzipped.", valueName: "NAME|FILE"))
  var data: String?
  @Option(help: ArgumentHelp("The column that holds the label, by name or by number from 0.", valueName: "COLUMN"))
  var label: String?
  @Option(help: ArgumentHelp("How many peers.", valueName: "N"))
  var peers: String?
  @Option(help: ArgumentHelp("Training rows of each peer.", valueName: "N"))
  var rows: String?
  @Option(help: ArgumentHelp("Widths of the hidden layers, e.g. 64,64.", valueName: "WIDTHS"))
  var hidden: String?
  @Option(help: ArgumentHelp("Passes over the rows in each training cycle.", valueName: "E"))
  var epochs: String?
  @Option(help: ArgumentHelp("The probability of being offline, redrawn every work cycle: 0.8 or 80%.", valueName: "P"))
  var offline: String?
  @Option(help: ArgumentHelp("The seed of everything random.", valueName: "S"))
  var seed: String?
  @Option(help: ArgumentHelp("Threads that compute; the result does not depend on it.", valueName: "T"))
  var threads: String?
  @Option(help: ArgumentHelp("The folder for the results.", valueName: "DIR"))
  var out: String?

  /// The scenario these options mean.
  func resolve() throws -> Scenario {
    var result = Scenario()
    if let scenario {
      result = try ScenarioOptions.read(scenario)
    } else {
      result.name = data.map { URL(fileURLWithPath: $0).lastPathComponent.split(separator: ".").first.map(String.init) ?? $0 } ?? "digits"
      // Seventy rows a peer suit the digits; other data are dealt out whole unless --rows says otherwise.
      if data != nil, data != "digits" { result.data.rows = nil }
    }
    let given: [(Override, String?)] = [
      (.data, data), (.label, label), (.peers, peers), (.rows, rows), (.hidden, hidden), (.epochs, epochs), (.offline, offline),
      (.seed, seed), (.threads, threads), (.out, out),
    ]
    for (option, text) in given {
      if let text { try result.set(option, to: text) }
    }
    return result
  }

  static func read(_ path: String) throws -> Scenario {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      let exists = FileManager.default.fileExists(atPath: path)
      throw Failure("\(path): \(exists ? "the scenario file cannot be read" : "there is no such scenario file"); see Examples/ for some")
    }
    return try Scenario(bytes: Array(bytes), file: path)
  }
}
