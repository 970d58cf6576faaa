import ArgumentParser
import Foundation
import MurmurLibrary
import MurmurScenario

/// The options that stand on top of, or instead of, a scenario file. Names are a contract.
struct ScenarioOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A scenario file (YAML); Documentation/Scenario.md lists its keys.", valueName: "SCENARIO.yaml"))
  var scenario: String?
  @Option(
    help: ArgumentHelp(
      "A data set's name (see murmur data list) or a file: CSV, TSV, idx, npy, also gzipped.", valueName: "NAME|FILE"))
  var data: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column that holds the label, by name or by number from 0; -1 is the last.", valueName: "COLUMN"))
  var label: String?
  @Option(help: ArgumentHelp("How many peers.", valueName: "N"))
  var peers: String?
  @Option(help: ArgumentHelp("Training rows of each peer.", valueName: "N"))
  var rows: String?
  @Option(help: ArgumentHelp("Widths of the hidden layers, e.g. 64,64.", valueName: "WIDTHS"))
  var hidden: String?
  @Option(help: ArgumentHelp("Passes over the rows in each training cycle.", valueName: "E"))
  var epochs: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The probability of being offline, redrawn every work cycle: 0.8 or 80%.", valueName: "P"))
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
      result.name =
        data.map { URL(fileURLWithPath: $0).lastPathComponent.split(separator: ".").first.map(String.init) ?? $0 } ?? "digits"
      // Seventy rows a peer suit the digits; other data are dealt out whole unless --rows says otherwise.
      if data != nil, data != "digits" { result.data.rows = nil }
    }
    let given: [(Override, String?)] = [
      (.data, data), (.label, label), (.peers, peers), (.rows, rows), (.hidden, hidden), (.epochs, epochs), (.offline, offline),
      (.seed, seed), (.threads, threads), (.out, out),
    ]
    if let offline, let number = Double(offline), number > 1, number != number.rounded() {
      throw Failure("--offline: '\(offline)' is more than 1; write \(offline)% if that is what you mean")
    }
    for (option, text) in given {
      if let text { try result.set(option, to: text) }
    }
    return result
  }

  static func read(_ path: String) throws -> Scenario {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      if let entry = Catalogue.entry(named: path) {
        throw Failure("\(path): there is no such scenario file; for the data set of that name use --data \(entry.name)")
      }
      throw Failure("\(path): there is no such scenario file; Examples/ has some, and without any the digits are run")
    }
    guard !isFolder.boolValue else { throw Failure("\(path): this is a folder; name a scenario file in it") }
    // One byte more than is allowed is enough to say that it is too long; /dev/zero has no end.
    guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: limit + 1) else {
      throw Failure("\(path): the scenario file cannot be read; check its permissions")
    }
    if bytes.contains(0) || ["csv", "tsv", "gz", "npy"].contains(URL(fileURLWithPath: path).pathExtension.lowercased()) {
      throw Failure("\(path): this is not a scenario, which is a text file in YAML; if it holds data, use --data \(path)")
    }
    var result = try Scenario(bytes: Array(bytes), file: path)
    // A scenario and its data may travel together.
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
    result.data.set = result.data.set.map { name in
      let beside = folder + "/" + name
      let isElsewhere = name.hasPrefix("/") || FileManager.default.fileExists(atPath: name) || Catalogue.entry(named: name) != nil
      return !isElsewhere && FileManager.default.fileExists(atPath: beside) ? beside : name
    }
    return result
  }

  /// How many bytes of a scenario file are read at most; reading it complains about longer ones.
  private static let limit = 1 << 20
}
