import ArgumentParser
import Foundation
import MurmurFeeds
import MurmurHost
import MurmurScenario
import MurmurStorage
import MurmurStreams
import MurmurWire

/// `murmur feed`: a thin feeder, which brings the rows of a sensor to a session.
struct FeedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feed", abstract: "Bring the rows of a sensor to a session, as a signed stream.",
    usage: """
      … | murmur feed --session FILE --id NAME --to ADDRESS … [--format csv|json] [--columns A,B,…] [--no-header]
                      [--mode public|private|restricted] [--key FILE] [--packet ROWS] [--every SECONDS] [--store DIR]
      murmur feed --follow FILE --session FILE --id NAME --to ADDRESS …
      """,
    discussion: """
      Rows come on standard input, or from a file that grows, may be renamed and begun anew, or cut short: CSV with or without a \
      header, or a JSON value on each line. They go in packets, signed, and with --mode private or restricted encrypted, to one of the \
      full peers that --to names; when it dies, to the next. Addresses are multiaddrs that end in /p2p/ and the peer's identity, as \
      `murmur peer` prints them.

      What was not confirmed stays in a spool on the disk. Stopped or killed and started again with the same --store, the feeder goes \
      on where it was: in a followed file with the very next row, of a pipe with what was read. While the spool is full nothing is read.

      The side key of a restricted stream may be changed while it runs: the file of --key is looked at every second, and once it holds \
      another key, what follows is sealed under that. Give it to those who may read on before.

      It ends when the input has ended and all is confirmed. Ctrl-C and SIGTERM seal what there is, and end with 0.
      """)

  @Option(help: "The session: a scenario file.") var session: String
  @Option(help: "The sensor's name in the session.") var id: String
  @Option(help: "A full peer that takes packets; several are tried in turn.") var to: [String] = []
  @Option(help: "Who may read: public, private (who has the pointer) or restricted (who has the side key).") var mode = "public"
  @Option(help: "The side key of a restricted stream: a file with 64 hexadecimal digits.") var key: String?
  @Option(help: "Rows in a packet.") var packet = 50
  @Option(help: "Seal a packet that is not full after so many seconds.") var every: Double?
  @Option(help: "Read a file that grows, instead of standard input.") var follow: String?
  @Option(help: "csv or json (default: what the first row looks like).") var format: String?
  @Option(help: "The names of the columns, if there is no header.") var columns: String?
  @Flag(help: "The first line is a row, whatever it looks like.") var noHeader = false
  @Option(help: "The folder for the stream's key and the spool (default: NAME.feed).") var store: String?
  @Option(help: "Megabytes of packets that may wait in the spool.") var spool = 256
  @Flag(help: "Do not wait for the disk: a loss of power may fork the stream.") var noSync = false
  @Flag(help: "Say what happens as lines of JSON on standard output.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let interruption = Interruption(console, termination: true)
      let start = try plan()
      let feed = try await RunningFeed(start, FeedTeller(console, isJSON: json)) { interruption.isWanted }
      try await feed.live { interruption.isWanted }
    }
  }

  private func plan() throws -> RunningFeed.Start {
    let name = try ScenarioOptions.read(session).name
    guard let mode = StreamMode(name: mode) else { throw Failure("--mode \(mode): give public, private or restricted") }
    guard !id.isEmpty, id.utf8.count <= StreamLimits.name, !id.contains("/"), !id.hasPrefix(".") else {
      throw Failure("--id '\(id)': give a name of at most \(StreamLimits.name) bytes, without a slash and a leading dot")
    }
    guard id.isPrintable else {
      throw Failure("--id '\(id.printable)': it holds what moves a cursor or turns writing round; give a name that can be shown")
    }
    // Readers take no larger ones: such a packet would be confirmed, forgotten, and read by nobody.
    let most = Harvest.Configuration(session: name).rows
    guard (1...most).contains(packet) else {
      throw Failure("--packet \(packet): give 1 to \(most) rows, as readers refuse packets with more")
    }
    if let every, !(0.001...1e6).contains(every) { throw Failure("--every \(every): give 0.001 to 1000000 seconds") }
    guard (1...1 << 20).contains(spool) else { throw Failure("--spool \(spool): give 1 to 1048576 megabytes") }
    guard (mode == .restricted) == (key != nil) else {
      throw Failure(
        mode == .restricted
          ? "whose side key? Give --key FILE with a restricted stream" : "--key: only a restricted stream has a side key")
    }
    var shape = FeedPacker.Shape(session: name, id: id, mode: mode, packet: packet, every: every)
    shape.side = try key.map { try FeedStore.sideKey($0) }
    var start = RunningFeed.Start(shape: shape)
    start.keyFile = key
    start.format = try format.map { text in
      guard let format = FeedLines.Format(rawValue: text) else { throw Failure("--format \(text): give csv or json") }
      return format
    }
    start.columns = columns.map { FeedLines.fields(of: $0) }
    if let columns = start.columns, columns.contains("") || Set(columns).count < columns.count {
      throw Failure("--columns \(columns.joined(separator: ",")): a name is empty, or there twice")
    }
    start.hasHeader = !noHeader
    guard !to.isEmpty else { throw Failure("where to? Give --to ADDRESS, as `murmur peer` prints it at its start") }
    start.gateways = try to.map { text in
      let address: Multiaddr
      do { address = try Multiaddr(parsing: text) } catch {
        throw Failure("--to \(text): \(error); an address is like /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…")
      }
      guard address.namedPeer != nil else {
        throw Failure("--to \(text): the address must end in /p2p/ and the peer's identity; `murmur peer` prints it at its start")
      }
      return address
    }
    start.follow = follow
    start.store = store ?? id + ".feed"
    start.spool.limit = spool << 20
    start.spool.isDurable = !noSync
    return start
  }
}
