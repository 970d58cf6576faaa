import Foundation
import Logging
import MurmurFeeds
import MurmurHost
import MurmurMachines
import MurmurReports
import MurmurStorage
import MurmurStreams
import MurmurWire
import NIOCore
import NIOPosix
import Synchronization

/// One thin feeder, from its start to its end.
final class RunningFeed: Sendable {
  /// What it is told at its start.
  struct Start: Sendable {
    var shape: FeedPacker.Shape
    var gateways: [Multiaddr] = []
    var store = ""
    var follow: String?
    var format: FeedLines.Format?
    var columns: [String]?
    var hasHeader = true
    var spool = Spool.Options()
    /// The file with a restricted stream's side key.
    var keyFile: String?
  }

  /// How far it is.
  struct Seen: Sendable, Equatable {
    var rows: UInt64 = 0
    var sealed = 0
    /// Rows that are in no packet yet, and rows left out.
    var waiting = 0
    var leftOut = 0
    /// Packets in the spool.
    var unconfirmed = 0
    var gateway: String?

    /// Bytes given to sockets.
    var sent = 0

    var fields: [JSON.Member] {
      [
        .init("rows", .integer(Int(clamping: rows))), .init("sealed", .integer(sealed)), .init("waiting", .integer(waiting)),
        .init("leftOut", .integer(leftOut)), .init("unconfirmed", .integer(unconfirmed)), .init("gateway", .optional(gateway)),
        .init("sent", .integer(sent)),
      ]
    }

    var words: String {
      let problems = leftOut > 0 ? ", \(leftOut) left out" : ""
      return
        "\(rows) rows in packets, \(waiting) waiting\(problems) · \(unconfirmed) packets unconfirmed · \(gateway ?? "no gateway")"
    }
  }

  /// Bytes of resident memory beyond which a feeder, which is to be small, gives back what it can.
  private static let muchMemory = 16 << 20
  private let start: Start
  private let store: FeedStore
  private let node: FeedNode
  private let reader: FeedReader
  private let teller: FeedTeller
  private let group: MultiThreadedEventLoopGroup
  private let gateway: GatewayName

  /// The gateway that takes messages, as it is noted on the feeder's loop.
  private final class GatewayName: Sendable {
    let name = Mutex<String?>(nil)
    let reader = Mutex<FeedReader?>(nil)
  }

  init(_ start: Start, _ teller: FeedTeller, isEnding: @escaping @Sendable () -> Bool) async throws {
    self.start = start
    self.teller = teller
    let store = try FeedStore(start.store, options: start.spool)
    try store.check(
      session: start.shape.session, id: start.shape.id, mode: start.shape.mode, format: start.format, columns: start.columns)
    self.store = store
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var configuration = FeedNodeConfiguration(session: start.shape.session, gateways: start.gateways)
    configuration.logger.logLevel = .error
    configuration.transport.logger.logLevel = .error
    let name = GatewayName()
    gateway = name
    let addresses = start.gateways.map { "\($0)" }
    var generator = SystemRandomNumberGenerator()
    node = try await FeedNode.make(
      configuration, keys: store.keys, spool: store.spool, chance: Chance(seed: generator.next()), group: group
    ) { event in
      switch event {
      case .machine(.open(let number)):
        name.name.withLock { $0 = addresses[number] }
        teller.tell("gateway", [.init("address", .string(addresses[number]))], words: "packets go to \(addresses[number])")
      case .machine(.left(let number, let why)):
        name.name.withLock { $0 = nil }
        teller.tell(
          "left", [.init("address", .string(addresses[number])), .init("why", .string(why))],
          words: "\(addresses[number]): \(why)")
      case .machine(.refused(let number, let why)):
        teller.problem("packet \(number) is not taken: \(why.words); it stays in the spool and is offered again")
      case .machine: break
      case .forgotten: name.reader.withLock { $0 }?.wake()
      case .problem(let words): teller.problem(words)
      }
    }
    let node = node
    reader = FeedReader(store, teller, isEnding: isEnding) { node.spooled() }
    name.reader.withLock { $0 = reader }
    let (state, waiting) = (store.spool.state, store.spool.numbers.count)
    teller.tell(
      "started",
      [
        .init("session", .string(start.shape.session)), .init("id", .string(start.shape.id)),
        .init("store", .string(start.store)),
        .init("rows", .integer(Int(clamping: state.rows))), .init("unconfirmed", .integer(waiting)),
      ],
      words: state.rows > 0 || waiting > 0
        ? "going on in \(start.store) after row \(state.rows), \(waiting) packets unconfirmed" : "a new stream in \(start.store)")
    if store.spool.cutOff > 0 { teller.problem("\(store.spool.cutOff) bytes that were torn are cut off the spool's end") }
  }

  /// Reads, sends, and ends: when the input has ended and everything is confirmed, or when somebody wants it to.
  func live(isEnding: @escaping @Sendable () -> Bool) async throws {
    let packer = FeedPacker(store, start.shape, teller)
    let notes = store.notes
    if let notes, !FileManager.default.fileExists(atPath: store.pointerFile) { try packer.handOut(notes) }
    let lines = FeedLines(
      format: notes.flatMap { FeedLines.Format(rawValue: $0.format) } ?? start.format, columns: notes?.columns ?? start.columns,
      hasHeader: start.hasHeader, at: store.spool.state.place.offset)
    node.start()
    let key = start.keyFile.flatMap { path in start.shape.side.map { KeyWatch(path, $0) } }
    try reader.begin(packer, lines, follow: start.follow, key: key)
    var (told, ending, settled, sent) = (Seen(), ContinuousClock.Instant?.none, 0, 0)
    while true {
      try await _Concurrency.Task.sleep(for: .milliseconds(20))
      let progress = reader.progress
      var seen = look(progress)
      if settled % 12 == 0 { sent = try await node.snapshot().socketBytesSent }
      seen.sent = sent
      settled += 1
      // What the start took is needed no more, and pages of code come back in large pieces of which little is used.
      if settled % 50 == 0, settled > 50, (Memory.resident ?? .max) > RunningFeed.muchMemory {
        Memory.giveBackCode()
        Memory.giveBack()
      }
      if settled % 12 == 0, seen != told {
        told = seen
        teller.progress(seen, id: start.shape.id)
      }
      if isEnding(), ending == nil { ending = .now + .seconds(3) }
      guard progress.isOver else { continue }
      if progress.failure != nil || seen.unconfirmed == 0 { break }
      if let ending, ending <= .now { break }
    }
    let progress = reader.progress
    var seen = look(progress)
    seen.sent = try await node.snapshot().socketBytesSent
    try await node.close()
    try store.spool.close()
    try await group.shutdownGracefully()
    teller.clear()
    let rest = seen.unconfirmed > 0 ? "; \(seen.unconfirmed) packets wait in \(start.store) and go when it is started again" : ""
    teller.tell("over", seen.fields, words: "\(seen.rows) rows in packets\(rest)")
    if let failure = progress.failure { throw Failure(failure) }
  }

  private func look(_ progress: FeedReader.Progress) -> Seen {
    Seen(
      rows: progress.rows, sealed: progress.sealed, waiting: progress.waiting, leftOut: progress.leftOut,
      unconfirmed: store.spool.numbers.count, gateway: gateway.name.withLock { $0 })
  }
}
