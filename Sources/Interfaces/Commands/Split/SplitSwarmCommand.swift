import MurmurIdentity
import MurmurCompute
import ArgumentParser
import Foundation
import MurmurHost
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSimulator
import MurmurSplit

/// `murmur split swarm`: the devices of a split network on this machine, each a process.
struct SplitSwarmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swarm", abstract: "Run a split network on this machine, each device a process of its own.",
    usage: """
      murmur split swarm [--devices N] [--data mnist|digits|FILE.csv] [--label COLUMN] [--graph GRAPH] [--scheme SCHEME]
                         [--missing POLICY] [--answers flood|gossip|alone] [--hidden K] [--depth D] [--epochs E]
                         [--seconds S] [--kill SHARE] [--seed N] [--out DIR] …
      """,
    discussion: """
      The data are dealt to the devices by feature: patches of images, columns of tables. Each device gets a table with its own features \
      alone, and the devices talk over loopback as they would over any network. --kill ends that share of the processes with signal 9 at \
      half-time; then one of the survivors is asked about test rows, again and again. The folder keeps the session file, the devices' \
      tables, identities and checkpoints, and result.json: any device of it can be started by hand with `murmur split device`.
      """)

  @Option(help: "How many devices.") var devices = 16
  @Option(help: "A data set by name, or a file.") var data = "mnist"
  @Option(help: "The column that holds the class.") var label: String?
  @Option(help: "Learn from the first so many rows alone.") var rows: Int?
  @Option(
    help: "Who talks with whom: complete, ring, line, grid, star, geometric[:DEGREE], preferential[:LINKS], or a file of links.")
  var graph = "complete"
  @Option(help: "backpropagation, summed, greedy, forward-forward, softhebb or barlow-twins.") var scheme = "backpropagation"
  @Option(help: "What stands for what is missing: zero, flagged, rescaled, mean, last or estimate.") var missing = "flagged"
  @Option(help: "How answers become one: flood[:LINKS], gossip[:ROUNDS] or alone.") var answers = "flood"
  @Option(help: "Neurons per device and stage.") var hidden = 16
  @Option(help: "Stages before the answer.") var depth = 3
  @Option(help: "Samples of a step.") var batch = 64
  @Option(help: "How often all rows are learnt from.") var epochs = 1.0
  @Option(help: "End the training after so many seconds, if it lasts longer.") var seconds = 600.0
  @Option(help: "The learning rate at the beginning.") var rate: Float = 0.003
  @Option(help: "Up to which rate devices are left out in training, sample by sample.") var drop = 0.6
  @Option(help: "Up to which rate links are left out in training, sample by sample.") var dropLinks = 0.3
  @Option(help: "The share of the processes to kill at half-time, 0 to 1.") var kill = 0.0
  @Option(help: "How many test rows are asked about.") var ask = 1_000
  @Option(help: "The longest wait for a message, in milliseconds.") var longestWait = 250.0
  @Option(help: "The seed of weights, batches and who is killed.") var seed: UInt64 = 1
  @Option(help: "The folder for the results.") var out: String?

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let interruption = Interruption(console)
      try check()
      let folder = try RunFolder(out ?? "runs/split-\(data.split(separator: "/").last ?? "data")-seed\(seed)")
      console.say("dealing \(data) to \(devices) devices …")
      let dealt = try SplitTable.deal(data, label: label, devices: devices, rows: rows, seed: seed)
      let session = try await session(dealt, folder)
      console.say(
        "\(session.name): \(devices) devices, \(graph), \(hidden) neurons each in \(depth) stages, \(session.steps) steps of \(batch) rows, \(kill > 0 ? "\(Int(kill * 100)) % killed at half-time" : "nobody killed")"
      )
      let swarm = SplitSwarm(session, folder, (kill, seconds, ask), console)
      try await swarm.run { interruption.isWanted }
      try folder.write(swarm.result.indented() + "\n", to: "result.json")
      console.show(swarm.summary)
      console.show("result: \(folder.path)/result.json")
      if Interruption.happened { throw ExitCode(130) }
    }
  }

  private func check() throws {
    guard (1...256).contains(devices) else { throw Failure("--devices \(devices): give 1 to 256") }
    guard (0...1).contains(kill) else { throw Failure("--kill \(kill): give a share from 0 to 1, such as 0.5") }
    guard seconds >= 1, seconds <= 1e7 else { throw Failure("--seconds \(seconds): give a second or more") }
    guard epochs > 0, epochs <= 1e7 else { throw Failure("--epochs \(epochs): give a number above 0, up to ten million") }
    guard ask > 0, ask <= 1_000_000 else { throw Failure("--ask \(ask): give a row or more") }
    _ = try wires()
    _ = try spreading()
    _ = try SplitOptions.scheme(scheme)
    if let problem = SplitSession.complaint(missing: missing) { throw Failure("--missing \(missing): \(problem)") }
  }

  private func wires() throws -> DeviceGraph {
    let kind = try SplitOptions.graph(graph)
    do {
      return try SplitSetup.graph(kind, devices: devices, seed: seed, links: SplitOptions.links(kind))
    } catch let error as SplitSetupError { throw Failure(error.description) }
  }

  /// How answers travel: links that one crosses, or rounds of averaging.
  private func spreading() throws -> (hops: Int, gossip: Int?) {
    let parts = answers.split(separator: ":", maxSplits: 1)
    let number = parts.count > 1 ? Int(parts[1]) : nil
    let isSound = parts.count == 1 || number.map { (1...SplitLimits.hops).contains($0) } ?? false
    switch parts.first {
    case "flood" where isSound: return (number ?? (graph == "complete" ? 1 : min(devices, SplitLimits.hops)), nil)
    case "gossip" where isSound: return (0, number ?? 4)
    case "alone" where parts.count == 1: return (0, nil)
    default:
      throw Failure("--answers \(answers): give flood, flood:LINKS, gossip, gossip:ROUNDS, up to \(SplitLimits.hops), or alone")
    }
  }

  /// The session, with identities, ports and tables for all devices.
  private func session(_ dealt: SplitTable.Dealt, _ folder: RunFolder) async throws -> SplitSession {
    let graph = try wires()
    var session = SplitSession(
      name: dealt.name, devices: dealt.columns.map { SplitSession.Device(features: $0.count) }, neighbours: graph.neighbours,
      classes: dealt.classes, rows: dealt.samples.count, training: dealt.training)
    (session.hidden, session.depth, session.batch, session.rate, session.seed) = (hidden, depth, batch, rate, seed)
    (session.dropDevices, session.dropLinks, session.longestWait) = (drop, dropLinks, longestWait)
    session.shortestWait = min(session.shortestWait, longestWait)
    session.steps = Int((Double(max(1, dealt.training / batch)) * epochs).rounded(.up))
    (session.scheme, session.missing) = (scheme, missing)
    (session.hops, session.gossip) = try spreading()
    let ports = try await SplitPorts.free(devices)
    for number in session.devices.indices {
      let own = "devices/\(number)"
      let path = "\(folder.path)/\(own)"
      do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Units of an earlier run would be of another session.
        try? FileManager.default.removeItem(atPath: path + "/units.checkpoint")
        try Data(SplitTable.npy(dealt, device: number)).write(to: URL(fileURLWithPath: path + "/features.npy"))
      } catch { throw Failure("\(path): \(error.localizedDescription); choose another folder with --out") }
      session.devices[number].peer = "\(try KeyFile(path + "/identity.key").loadOrCreate().peerID)"
      session.devices[number].addresses = ["/ip4/127.0.0.1/tcp/\(ports[number])"]
      session.devices[number].table = own + "/features.npy"
    }
    if let problem = session.complaint { throw Failure(problem) }
    try folder.write(session.encoded(), to: "session.json")
    return session
  }
}
