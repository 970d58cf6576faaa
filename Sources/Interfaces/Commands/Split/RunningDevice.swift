import NIOCore
import Foundation
import Logging
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurReports
import MurmurSplit
import MurmurWire
import NIOPosix
import Synchronization

/// One real device of a split network, from its start to its end.
final class RunningDevice: Sendable {
  /// What it is told at its start.
  struct Start: Sendable {
    var session: SplitSession
    var number: Int
    var rows: SplitRows?
    var isLive = false
    var predicts = false
    var listen: [Multiaddr] = []
    var store: String?
    var checkpoint = 10.0
  }

  /// What the machine told since it was last looked at.
  private struct Heard {
    var loss: Double?
    var pause = 0.0
  }

  let node: SplitNode
  private let start: Start
  private let teller: SplitTeller
  private let file: SplitCheckpointFile?
  private let heard: SharedHeard
  private let group: MultiThreadedEventLoopGroup
  private let begun = Date().timeIntervalSince1970

  init(_ start: Start, _ teller: SplitTeller) async throws {
    self.start = start
    self.teller = teller
    let session = start.session
    let keys = try RunningDevice.keys(start)
    file = start.store.map { SplitCheckpointFile(folder: $0) }
    let checkpoint = try file?.load()
    group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    var configuration = SplitNodeConfiguration()
    configuration.listen = start.listen
    configuration.places = try session.places()
    configuration.context = session.context
    configuration.logger.logLevel = .error
    let rows =
      start.rows ?? SplitWindow(size: session.rows, width: session.devices[start.number].features, classes: session.classes).rows
    let box = SharedHeard()
    let number = start.number
    do {
      node = try await SplitNode.make(
        configuration, keys: keys, plan: session.plan, device: number, rows: rows, checkpoint: checkpoint,
        life: Int(begun * 1_000), group: group
      ) { event, _ in box.take(event, teller, number) }
    } catch let error as WireError {
      throw Failure("\(file?.path ?? ""): \(error); remove it to begin afresh, or name another folder with --store")
    }
    heard = box
    let bound = try await node.start()
    teller.tell(
      "listening", [.init("addresses", .array(bound.map { .string("\($0)/p2p/\(keys.peerID)") }))],
      words:
        "device \(number) of \(session.devices.count) listens at \(bound.map { "\($0)/p2p/\(keys.peerID)" }.joined(separator: ", "))"
    )
    if checkpoint != nil {
      let step = try await node.look { $0.step }
      teller.tell("resumed", [.init("step", .integer(step))], words: "it goes on from its checkpoint, step \(step)")
    }
  }

  /// What is heard on the machine's loop.
  private final class SharedHeard: Sendable {
    private let state = Mutex(Heard())

    func take(_ event: SplitNodeEvent, _ teller: SplitTeller, _ number: Int) {
      switch event {
      case .stepped(_, let loss, let pause):
        state.withLock { state in
          state.loss = loss
          state.pause = max(state.pause, pause.seconds)
        }
      case .began(let neighbours):
        teller.tell(
          "began", [.init("neighbours", .integer(neighbours))], words: "the training begins with \(neighbours) neighbours")
      case .trained: teller.tell("trained", [], words: "the training is over; it goes on answering")
      case .jumped(let from, let to):
        teller.tell(
          "jumped", [.init("from", .integer(from)), .init("to", .integer(to))],
          words: "it goes on from step \(to), as the others are there")
      case .connected(let other): teller.tell("connected", [.init("device", .integer(other))], words: "device \(other) is there")
      case .disconnected(let other):
        teller.tell("disconnected", [.init("device", .integer(other))], words: "device \(other) is gone")
      case .suspected(let other): teller.tell("suspected", [.init("device", .integer(other))], words: nil)
      case .problem(let words): teller.tell("problem", [.init("what", .string(words))], words: words)
      }
    }

    /// The latest loss and the longest pause since the last call.
    func look() -> (loss: Double?, pause: Double) {
      state.withLock { state in
        defer { state.pause = 0 }
        return (state.loss, state.pause)
      }
    }
  }

  /// The identity in the store, which must be the one that the session names; without a store a new one.
  private static func keys(_ start: Start) throws -> KeyPair {
    let listed = start.session.devices[start.number].peer
    guard let store = start.store else {
      guard listed == nil else {
        throw Failure("device \(start.number) of the session is \(listed ?? ""); give the folder of its key with --store")
      }
      var generator = SystemRandomNumberGenerator()
      return KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
    }
    do {
      try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
    } catch {
      throw Failure("--store \(store): the folder cannot be made: \(error.localizedDescription); name another one")
    }
    let keys = try KeyFile(store + "/identity.key").loadOrCreate()
    guard listed == nil || listed == "\(keys.peerID)" else {
      throw Failure(
        "device \(start.number) of the session is \(listed ?? ""), and the key in \(store) is \(keys.peerID)'s; name its own folder with --store"
      )
    }
    return keys
  }

  // MARK: Life

  /// Runs until somebody wants to stop, or the training is over; saves and closes.
  func live(untilTrained: Bool, isEnding: @escaping @Sendable () -> Bool) async throws {
    let pipe = start.isLive ? SplitPipe(self.start, node, teller) : nil
    pipe?.begin()
    var (told, saved) = (ContinuousClock.now, ContinuousClock.now)
    while !isEnding() {
      try await Task.sleep(for: .milliseconds(50))
      guard told + .milliseconds(250) < .now else { continue }
      told = .now
      let seen = try await node.snapshot()
      let (loss, pause) = heard.look()
      teller.tell(seen, loss: loss, pause: pause, at: Date().timeIntervalSince1970)
      if saved + .seconds(start.checkpoint) < .now, !seen.hasTrained {
        saved = .now
        try await save()
      }
      if untilTrained, seen.hasTrained { break }
      if pipe?.isOver == true { break }
    }
    try await save()
    let seen = try await node.snapshot()
    teller.tell(seen, loss: heard.look().loss, pause: 0, at: Date().timeIntervalSince1970, news: "over")
    try await node.close()
    try await group.shutdownGracefully()
  }

  private func save() async throws {
    guard let file else { return }
    do { try file.save(try await node.checkpoint()) } catch {
      teller.tell(
        "problem", [.init("what", .string("\(file.path): \(error)"))],
        words: "the checkpoint \(file.path) cannot be written: \(error); make room")
    }
  }
}
