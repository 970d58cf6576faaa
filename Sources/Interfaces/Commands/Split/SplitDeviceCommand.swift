import ArgumentParser
import Foundation
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurSplit
import MurmurWire

/// `murmur split device`: one real device of a split network, on real sockets.
struct SplitDeviceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "device", abstract: "Be one device of a split network, on real sockets.",
    usage: """
      murmur split device --session FILE --number N [--features FILE|-] [--label COLUMN] [--store DIR] [--listen ADDRESS …]
                          [--checkpoint SECONDS] [--until-trained] [--predict] [--json]
      """,
    discussion: """
      The session file says what all devices agree on, who they are and where; `murmur split swarm` writes one. The device's table has \
      the features it sees, a row for each sample, the same samples in the same order on all devices; a CSV table is standardised by \
      its training rows. With --features - lines `moment,values…[,class]` come on standard input and are learnt from as they come: the \
      table is a window over the latest moments, as large as the session's rows. A moment that does not come is simply missing.

      The training begins when the neighbours are there, and never waits for one that is gone. With --store the device keeps its \
      identity and, every few seconds, its units: killed and started again it goes on from there and catches up. Any device can be \
      asked at any time, with `murmur predict`. Ctrl-C and SIGTERM save and end with 0.
      """)

  @Option(help: "The session file.") var session: String
  @Option(help: "Which of its devices this is, from 0.") var number: Int
  @Option(help: "The device's table, CSV or npy; - for lines on standard input (default: as the session says).") var features:
    String?
  @Option(help: "The column of the table that holds the class.") var label: String?
  @Option(help: "The folder for identity and checkpoint; without it nothing is kept.") var store: String?
  @Option(help: "Where to listen (default: where the session says it is).") var listen: [String] = []
  @Option(help: "Seconds between checkpoints.") var checkpoint = 10.0
  @Flag(help: "End when the training is over, instead of answering until Ctrl-C.") var untilTrained = false
  @Flag(help: "With --features -, say what all devices together think of every new moment.") var predict = false
  @Flag(help: "Say what happens as lines of JSON on standard output.") var json = false
  @Flag(help: .hidden) var ofSwarm = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let interruption = Interruption(console, termination: true)
      guard checkpoint >= 0.1, checkpoint <= 1e6 else { throw Failure("--checkpoint \(checkpoint): give 0.1 seconds or more") }
      let file = try SplitSession.read(session)
      guard file.devices.indices.contains(number) else {
        throw Failure("--number \(number): the devices of \(session) are numbered 0 to \(file.devices.count - 1)")
      }
      var plan = RunningDevice.Start(session: file, number: number)
      plan.isLive = features == "-"
      if plan.isLive, file.training != file.rows {
        throw Failure(
          "--features -: all rows of the session are the window that is learnt from; make training and rows the same in \(session)"
        )
      }
      if !plan.isLive { plan.rows = try rows(file) }
      plan.listen = try (listen.isEmpty ? file.devices[number].addresses : listen).map { text in
        do { return try Multiaddr(parsing: text) } catch {
          throw Failure("--listen \(text): \(error); an address is like /ip4/127.0.0.1/tcp/4001")
        }
      }
      guard !plan.listen.isEmpty else {
        throw Failure("where does device \(number) listen? Give --listen /ip4/…/tcp/…, or its address in \(session)")
      }
      plan.store = store
      plan.checkpoint = checkpoint
      plan.predicts = predict
      let parent = getppid()
      let device = try await RunningDevice(plan, SplitTeller(console, isJSON: json))
      try await device.live(untilTrained: untilTrained) { interruption.isWanted || (ofSwarm && getppid() != parent) }
    }
  }

  /// The device's rows, from the file that is named here or in the session.
  private func rows(_ file: SplitSession) throws -> SplitRows {
    if let features { return try SplitTable.read(features, label: label, session: file, number: number) }
    guard let table = file.devices[number].table else {
      throw Failure("which rows does device \(number) have? Give --features FILE, or - for a live stream")
    }
    let folder = (session as NSString).deletingLastPathComponent
    let path = table.hasPrefix("/") || folder.isEmpty ? table : folder + "/" + table
    return try SplitTable.read(path, label: label, session: file, number: number)
  }
}
