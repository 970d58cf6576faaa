import ArgumentParser
import Foundation
import Logging
import MurmurHost
import MurmurMachines
import MurmurScenario
import MurmurSessions
import MurmurWire
import NIOPosix

/// `murmur peer`: one real peer of a session, on real sockets.
struct PeerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peer", abstract: "Take part in a session as one real peer.",
    usage: """
      murmur peer --session FILE [--number N | --data FILE [--label COLUMN]] [--role full|trainer|feeder]
                  [--listen ADDRESS …] [--join ADDRESS …] [--store DIR] [--control PATH] [--begins TIME] [--until-over]
                  [--mdns] [--metrics HOST:PORT] [--record FILE] [--shaped] [--key FILE …] [--pointer FILE …]
      murmur peer --invitation STRING [--number N | --data FILE [--label COLUMN]] …
      """,
    discussion: """
      The session file is a scenario, the same that `murmur simulate` runs: its session, its data and its faults, which act at this \
      peer's sockets. --number says which of the scenario's peers this is and so which rows it has; with --data the rows are its own. \
      Addresses are multiaddrs; those of --join end in /p2p/ and the peer's identity. An invitation, as `murmur invite` prints it, holds \
      the session and somebody to begin with. With --store or --control the peer answers `murmur add`, `cat`, `pin`, `peers`, `find`, \
      `invite` and `doctor`.

      Ctrl-C and SIGTERM stop the peer: it says goodbye, saves what is on its way to the disk and ends with 0. A second signal quits \
      at once.
      """)

  @Option(help: "The session: a scenario file.") var session: String?
  @Option(help: "An invitation to a session, instead of its file.") var invitation: String?
  @Option(help: "Which of the scenario's peers this is, from 0.") var number: Int?
  @Option(help: "A table of this peer's own rows.") var data: String?
  @Option(help: "The column that holds the label.") var label: String?
  @Option(help: "full, trainer or feeder.") var role: String?
  @Option(help: "Where to listen (default: a free port of every interface).") var listen: [String] = []
  @Option(help: "A peer to begin with.") var join: [String] = []
  @Option(help: "The folder for identity, blocks and what is remembered; without it nothing is kept.") var store: String?
  @Option(help: "Where the peer's owner asks it (default: control.sock in the store).") var control: String?
  @Option(help: "The side key of restricted streams, as `murmur feed` has it; several, the newest first.") var key: [String] = []
  @Option(help: "A file with a private stream's sensor and pointer, as `murmur feed` prints them.") var pointer: [String] = []
  @Option(help: "When the session began, in seconds since 1970 (default: now).") var begins: Double?
  @Option(help: "Write everything that this peer is told to a file, for `murmur replay`.") var record: String?
  @Flag(help: "Impose the scenario's network too: its delays, rates and losses.") var shaped = false
  @Flag(help: .hidden) var ofSwarm = false
  @Flag(help: "Find peers of the local network by multicast DNS, and be found.") var mdns = false
  @Option(help: "Serve metrics for Prometheus there, such as 127.0.0.1:9100.") var metrics: String?
  @Flag(help: "End when the session is over, instead of serving its models until Ctrl-C.") var untilOver = false
  @Flag(help: "Say what happens as lines of JSON on standard output.") var json = false
  @Flag(help: "Say more on standard error.") var verbose = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let interruption = Interruption(console, termination: true)
      guard (session == nil) != (invitation == nil) else {
        throw Failure("which session? Give --session FILE, or --invitation STRING as `murmur invite` prints it")
      }
      var plan = OwnPlan(session: session ?? "")
      (plan.number, plan.data, plan.label) = (number, data, label)
      plan.role = try role.map { text in
        guard let role = Session.Role(rawValue: text) else { throw Failure("--role \(text): give full, trainer or feeder") }
        return role
      }
      plan.listen = try (listen.isEmpty ? ["/ip4/0.0.0.0/tcp/0"] : listen).map { try address($0, "--listen") }
      plan.join = try join.map { text in
        let address = try address(text, "--join")
        guard address.namedPeer != nil else {
          throw Failure(
            "--join \(text): the address must end in /p2p/ and the peer's identity; `murmur peer` prints it at its start")
        }
        return address
      }
      plan.store = store
      plan.control = control
      plan.findsLocally = mdns
      (plan.sideKeys, plan.pointers) = (key, pointer)
      plan.metrics = try metrics.map { try PeerMetrics.address($0) }
      plan.begins = begins ?? Date().timeIntervalSince1970
      if let record, !FileManager.default.isWritableFile(atPath: URL(fileURLWithPath: record).deletingLastPathComponent().path) {
        throw Failure("--record \(record): nothing can be written in that folder; name a file in one that exists and is yours")
      }
      plan.recording = record
      (plan.isShaped, plan.isOfSwarm) = (shaped, ofSwarm)
      if let invitation { try plan.accept(invitation, begins: begins) }
      plan.level = verbose ? .debug : .warning
      let teller: any PeerTeller = json ? JSONTeller() : ConsoleTeller(console)
      // A peer is to be small, and most of what its start takes is needed no more.
      Memory.keepFreed()
      let running = try await RunningPeer(plan, teller, console)
      Memory.giveBack()
      try await running.serve(untilOver: untilOver) { interruption.isWanted }
    }
  }

  private func address(_ text: String, _ option: String) throws -> Multiaddr {
    do { return try Multiaddr(parsing: text) } catch {
      throw Failure("\(option) \(text): \(error); an address is like /ip4/127.0.0.1/tcp/4001")
    }
  }
}
