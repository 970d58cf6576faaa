import ArgumentParser
import Foundation
import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSimulator

/// The options that stand on top of, or instead of, a split scenario file.
struct SplitOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A split scenario (YAML); Documentation/Scenario.md lists its keys.", valueName: "SCENARIO.yaml"))
  var scenario: String?
  @Option(help: ArgumentHelp("A data set's name (see murmur data list) or a file.", valueName: "NAME|FILE"))
  var data: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column that holds the label, by name or by number from 0.", valueName: "COLUMN"))
  var label: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A column of numbers to tell instead of a label, by name or by number from 0.", valueName: "COLUMN"))
  var target: String?
  @Option(help: ArgumentHelp("How many devices.", valueName: "N"))
  var devices: String?
  @Option(
    help: ArgumentHelp(
      "complete, ring, line, grid, star, geometric[:DEGREE], preferential[:LINKS], or a file of links.", valueName: "GRAPH"))
  var graph: String?
  @Option(
    help: ArgumentHelp("backpropagation, summed, greedy, forward-forward, softhebb or barlow-twins.", valueName: "SCHEME"))
  var scheme: String?
  @Option(
    help: ArgumentHelp("What stands for what is missing: zero, flagged, rescaled, mean, last or estimate.", valueName: "POLICY"))
  var missing: String?
  @Option(help: ArgumentHelp("Neurons of a unit.", valueName: "K"))
  var hidden: String?
  @Option(help: ArgumentHelp("Stages of hidden units.", valueName: "L"))
  var depth: String?
  @Option(help: ArgumentHelp("Passes over the training rows.", valueName: "E"))
  var epochs: String?
  @Option(help: ArgumentHelp("Up to which share of devices and links is dropped in a sample.", valueName: "SHARE[,LINKS]"))
  var drop: String?
  @Option(help: ArgumentHelp("Dead devices to measure: shares or numbers, e.g. 25%,0.5,3.", valueName: "LIST"))
  var dead: String?
  @Option(help: ArgumentHelp("Shares of links down to measure, e.g. 0.3,0.6.", valueName: "LIST"))
  var linkLoss: String?
  @Option(help: ArgumentHelp("Deadlines of a stage to measure, e.g. 2ms,5ms,20ms.", valueName: "LIST"))
  var deadlines: String?
  @Option(help: ArgumentHelp("The latency of a link, e.g. 5ms.", valueName: "TIME"))
  var latency: String?
  @Option(help: ArgumentHelp("The spread of latencies: the standard deviation of their logarithm.", valueName: "X"))
  var jitter: String?
  @Option(help: ArgumentHelp("The share of training rows that stand for the test rows, to choose settings.", valueName: "SHARE"))
  var validation: String?
  @Flag(help: "Train the same network on the complete graph, where nothing fails, beside it, and measure gaps against that.")
  var ideal = false
  @Option(help: ArgumentHelp("The seed of everything random.", valueName: "S"))
  var seed: String?
  @Option(help: ArgumentHelp("How many runs, with this seed and those after it.", valueName: "N"))
  var runs: String?
  @Option(help: ArgumentHelp("Threads; runs share them, and the results do not depend on it.", valueName: "T"))
  var threads: String?
  @Option(help: ArgumentHelp("The folder for the results.", valueName: "DIR"))
  var out: String?

  /// The scenario these options mean.
  func resolve() throws -> SplitScenario {
    var result = SplitScenario()
    if let scenario {
      result = try SplitOptions.read(scenario)
    } else if let data {
      let name = URL(fileURLWithPath: data).lastPathComponent.split(separator: ".").first.map(String.init) ?? data
      result.name = "split-\(name)"
    }
    if let data { result.data.set = data }
    if let label { result.data.label = label }
    if let target { result.data.target = target }
    if let devices {
      result.devices.count = try number(devices, "--devices", 1...100_000)
      switch result.data.deal {
      case .own, .even, .patches: break
      case .prefix, .columns:
        throw Failure("--devices \(devices): data.deal of the scenario decides how many devices there are; leave --devices out")
      }
    }
    if let graph { result.devices.graph = try SplitOptions.graph(graph) }
    if let scheme { result.network.scheme = try SplitOptions.scheme(scheme) }
    if let missing {
      result.network.missing = try SplitOptions.keys("network: {missing: \(missing)}", "--missing").network.missing
    }
    if let validation {
      result.data.validation = try SplitOptions.keys("data: {validation: \(validation)}", "--validation").data.validation
    }
    if let hidden { result.network.hidden = try number(hidden, "--hidden", 1...65_536) }
    if let depth { result.network.depth = try number(depth, "--depth", 1...64) }
    if let epochs {
      guard let value = Double(epochs), value >= 0, value <= 100_000 else { throw Failure("--epochs \(epochs): give a number") }
      result.training.epochs = value
    }
    if let drop {
      let shares = try shares(drop, "--drop", limit: 1)
      guard let first = shares.first, shares.count <= 2 else { throw Failure("--drop \(drop): give a share, or two") }
      (result.training.drop, result.training.linkDrop) = (first, shares.count > 1 ? shares[1] : result.training.linkDrop)
    }
    if let dead {
      result.test.dead = try dead.split(separator: ",").map { part in
        guard let value = SplitDead(String(part)) else {
          throw Failure("--dead \(dead): '\(part)' is neither a share nor a number of devices; write a list such as 25%,0.5,3")
        }
        return value
      }
    }
    if let linkLoss { result.test.links = try shares(linkLoss, "--link-loss", limit: 1) }
    // These are written and checked as in a scenario.
    if let deadlines {
      result.test.deadlines = try SplitOptions.keys("test: {deadlines: [\(deadlines)]}", "--deadlines").test.deadlines
    }
    if let latency {
      result.devices.latency = try SplitOptions.keys("devices: {latency: \(latency)}", "--latency").devices.latency
    }
    if let jitter { result.devices.jitter = try SplitOptions.keys("devices: {jitter: \(jitter)}", "--jitter").devices.jitter }
    if let seed {
      guard let value = UInt64(seed) else { throw Failure("--seed \(seed): give a whole number from 0") }
      result.seed = value
    }
    if let runs { result.runs = try number(runs, "--runs", 1...1_000) }
    if let threads { result.threads = try number(threads, "--threads", 1...1_024) }
    if ideal { result.test.ideal = true }
    if let out { result.out = out }
    return result
  }

  private func number(_ text: String, _ option: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw Failure("\(option) \(text): give a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private func shares(_ text: String, _ option: String, limit: Double) throws -> [Double] {
    try text.split(separator: ",").map { part in
      let isPercent = part.hasSuffix("%")
      guard let value = Double(isPercent ? part.dropLast() : part), value >= 0, value.isFinite else {
        throw Failure("\(option) \(text): '\(part)' is no number; write a list such as 0.25,0.5")
      }
      let share = isPercent ? value / 100 : value
      guard share <= limit else { throw Failure("\(option) \(text): '\(part)' is more than \(Int(limit))") }
      return share
    }
  }

  static func graph(_ text: String) throws -> SplitDevicePlan.Graph {
    let parts = text.split(separator: ":", maxSplits: 1)
    let number = parts.count > 1 ? Double(parts[1]) : nil
    switch parts.first {
    case "complete" where parts.count == 1: return .complete
    case "ring" where parts.count == 1: return .ring
    case "line" where parts.count == 1: return .line
    case "grid" where parts.count == 1: return .grid
    case "star" where parts.count == 1: return .star
    case "geometric":
      guard parts.count == 1 || number.map({ $0 >= 1 && $0 <= 100 }) ?? false else {
        throw Failure("--graph \(text): give the links of a device, from 1 to 100, as in geometric:4")
      }
      return .geometric(number ?? 4)
    case "preferential":
      guard parts.count == 1 || number.map({ $0 >= 1 && $0 <= 100 && $0 == $0.rounded() }) ?? false else {
        throw Failure("--graph \(text): give the links of a new device, from 1 to 100, as in preferential:2")
      }
      return .preferential(Int(number ?? 2))
    default:
      guard FileManager.default.fileExists(atPath: text) else {
        throw Failure(
          "--graph \(text): there is no such graph or file; known are complete, ring, line, grid, star, geometric, preferential")
      }
      return .file(text)
    }
  }

  static func scheme(_ text: String) throws -> SplitNetworkPlan.Scheme {
    let schemes = SplitNetworkPlan.Scheme.named
    guard let found = schemes.first(where: { $0.name == text }) else {
      throw Failure("--scheme \(text): there is no such scheme; known are \(schemes.map(\.name).joined(separator: ", "))")
    }
    return found.scheme
  }

  private static func keys(_ text: String, _ option: String) throws -> SplitScenario {
    try SplitScenario(bytes: Array(text.utf8), file: option)
  }

  private static func read(_ path: String) throws -> SplitScenario {
    guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: (1 << 20) + 1) else {
      throw Failure("\(path): there is no such scenario file, or it cannot be read; Examples/ has some")
    }
    return try SplitScenario(bytes: Array(bytes), file: path)
  }

  /// The text of the file that a graph names, if it names one.
  static func links(_ graph: SplitDevicePlan.Graph) throws -> String? {
    guard case .file(let path) = graph else { return nil }
    guard let file = FileHandle(forReadingAtPath: path) else { throw Failure("\(path): the file of links cannot be read") }
    let bytes = (try? file.read(upToCount: (64 << 20) + 1)) ?? Data()
    guard bytes.count <= 64 << 20, let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure("\(path): the file of links is no text of at most 64 MiB")
    }
    return text
  }

  /// The data, the setup and the text of the graph's file.
  static func setup(_ scenario: SplitScenario, _ console: Console) throws -> SplitExperiment {
    var rows = DataPlan()
    rows.set = [scenario.data.set]
    rows.label = scenario.data.label
    let data = try scenario.data.target == nil ? Rows.load(rows, console) : Rows.loadUnlabelled(rows, console)
    let links = try links(scenario.devices.graph)
    do {
      let setup = try SplitSetup(scenario, data)
      _ = try setup.plan(seed: scenario.seed, links: links)
      let threads = scenario.threads ?? ProcessInfo.processInfo.activeProcessorCount
      // Runs beside each other share them.
      return SplitExperiment(setup, links: links, threads: max(1, threads / max(1, scenario.runs)))
    } catch let error as SplitSetupError { throw Failure(error.description) }
  }
}
