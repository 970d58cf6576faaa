import Foundation
import MurmurMachines
import MurmurReports
import MurmurSplit
import MurmurWire
import Synchronization

/// The processes of a split network on this machine, and what they tell.
final class SplitSwarm: Sendable {
  /// One process and what it told last.
  struct Member {
    var process: Process?
    var rest = ""
    var news = News()
    var hasBegun = false
    var hasTrained = false
    var wasKilled = false
    var isOver = false
    var troubles: [String] = []
    /// The longest pauses between two steps, before and after the others were killed.
    var pauses = (before: 0.0, after: 0.0)
    /// The step and the time at which it was first heard, and last.
    var first: (step: Int, at: Double)?
  }

  /// The figures of a line.
  struct News {
    var (step, steps, neighbours, missed, late, messages, received) = (0, 0, 0, 0, 0, 0, 0)
    var (bytesSent, bytesReceived, dropped) = (0, 0, 0)
    var loss: Double?
    var at = 0.0
  }

  /// What a device said of the test rows.
  struct Asked {
    var accuracy: Double?
    var devices = 0
    var step = 0
    var rows = 0
    var longest = 0.0
  }

  private let session: SplitSession
  private let folder: RunFolder
  private let kill: Double
  private let seconds: Double
  private let tested: [Int32]
  private let console: Console
  let members: Mutex<[Member]>
  private let outcome = Mutex(Outcome())

  /// What came of it.
  struct Outcome {
    var before: Asked?
    var after: Asked?
    var end: Asked?
    /// Times of the answers right after the kill, in seconds.
    var answers: [Double] = []
    var killed: [Int] = []
    var killedAt: Double?
    var trainedFor = 0.0
    var stepsASecond = 0.0
  }

  init(_ session: SplitSession, _ folder: RunFolder, _ options: (kill: Double, seconds: Double, ask: Int), _ console: Console) {
    self.session = session
    self.folder = folder
    (kill, seconds) = (options.kill, options.seconds)
    tested = Array((Int32(session.training)..<Int32(session.rows)).prefix(options.ask))
    self.console = console
    members = Mutex(session.devices.map { _ in Member() })
  }

  // MARK: The run

  /// Starts all processes, lets them train, kills some of them, asks the others, and stops them.
  func run(isStopped: @escaping @Sendable () -> Bool) async throws {
    let asker = try SplitAsker()
    defer { stop() }
    for number in session.devices.indices { try launch(number) }
    try await gather(isStopped)
    let began = Date().timeIntervalSince1970
    var hasKilled = kill == 0
    let live = LiveLines()
    while !isStopped() {
      try await Task.sleep(for: .milliseconds(100))
      let elapsed = Date().timeIntervalSince1970 - began
      if !hasKilled, newest * 2 >= session.steps || elapsed * 2 >= seconds {
        hasKilled = true
        try await halfTime(asker)
      }
      show(live, elapsed)
      let (alive, trained) = members.withLock { members in
        (members.count { $0.process?.isRunning == true }, members.count { $0.process?.isRunning == true && $0.hasTrained })
      }
      if alive == 0 { throw Failure("all devices have ended: \(troubles)") }
      if trained == alive || elapsed >= seconds { break }
    }
    console.clear()
    let span = Date().timeIntervalSince1970 - began
    outcome.withLock { $0.trainedFor = span }
    if !isStopped() {
      let end = try await asked(asker, tested)
      outcome.withLock { $0.end = end }
    }
    try await asker.close()
    try await end()
  }

  /// Waits until all devices train.
  private func gather(_ isStopped: @Sendable () -> Bool) async throws {
    let deadline = Date(timeIntervalSinceNow: 60 + Double(session.devices.count))
    while !isStopped() {
      let (begun, dead) = members.withLock { members in
        (members.count { $0.hasBegun }, members.indices.first { members[$0].process?.isRunning != true })
      }
      if let dead {
        throw Failure("device \(dead) ended at its start: \(members.withLock { $0[dead].troubles.joined(separator: " ") })")
      }
      if begun == session.devices.count { return }
      console.progress(
        "devices start   ", Double(begun) / Double(session.devices.count), "\(begun) of \(session.devices.count) train")
      guard Date() < deadline else {
        throw Failure("only \(begun) of \(session.devices.count) devices began to train: \(troubles)")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Asks, kills, and asks again and again.
  private func halfTime(_ asker: SplitAsker) async throws {
    var chance = Chance(seed: session.seed).fork("killed")
    let count = Int((Double(session.devices.count) * kill).rounded())
    let victims = chance.pick(count, from: Array(session.devices.indices)).sorted()
    guard victims.count < session.devices.count else { throw Failure("--kill \(kill): somebody must be left to be asked") }
    let before = try await asked(asker, tested, but: victims)
    // From here on pauses are those of survivors.
    let now = Date().timeIntervalSince1970
    members.withLock { members in
      for number in victims {
        guard let process = members[number].process, process.isRunning else { continue }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        members[number].wasKilled = true
      }
    }
    outcome.withLock { outcome in
      outcome.before = before
      outcome.killed = victims
      outcome.killedAt = now
    }
    // Small questions one after the other: that answers go on, and how long one takes.
    for _ in 0..<20 {
      let began = ContinuousClock.now
      _ = try await asked(asker, Array(tested.prefix(20)), but: victims)
      let time = (ContinuousClock.now - began).inSeconds
      outcome.withLock { $0.answers.append(time) }
    }
    let after = try await asked(asker, tested, but: victims)
    outcome.withLock { $0.after = after }
  }

  private func asked(_ asker: SplitAsker, _ rows: [Int32], but victims: [Int] = []) async throws -> Asked {
    let alive = members.withLock { members in
      members.indices.filter { members[$0].process?.isRunning == true && !members[$0].wasKilled && !victims.contains($0) }
    }
    let addresses = try alive.flatMap { try session.devices[$0].addresses.map { try Multiaddr(parsing: $0) } }
    var (result, right, known) = (Asked(), 0, 0)
    result.devices = session.devices.count
    for piece in SplitAsker.pieces(rows) {
      let began = ContinuousClock.now
      let reply = try await asker.ask(addresses, piece)
      result.longest = max(result.longest, (ContinuousClock.now - began).inSeconds)
      let score = SplitAnswer.score(reply)
      (right, known) = (right + score.right, known + score.known)
      result.devices = min(result.devices, reply.devices)
      (result.step, result.rows) = (reply.step, result.rows + piece.count)
    }
    result.accuracy = known > 0 ? Double(right) / Double(known) * 100 : nil
    return result
  }

  // MARK: Processes

  private func launch(_ number: Int) throws {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = [
      "split", "device", "--session", "\(folder.path)/session.json", "--number", "\(number)", "--store",
      "\(folder.path)/devices/\(number)", "--json", "--of-swarm",
    ]
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    output.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { self?.read(data, number) }
    }
    errors.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { self?.complain(String(decoding: data, as: UTF8.self), number) }
    }
    try process.run()
    members.withLock { $0[number].process = process }
  }

  private func read(_ data: Data, _ number: Int) {
    let killedAt = outcome.withLock { $0.killedAt }
    members.withLock { members in
      members[number].rest += String(decoding: data, as: UTF8.self)
      while let end = members[number].rest.firstIndex(of: "\n") {
        let line = String(members[number].rest[..<end])
        members[number].rest.removeSubrange(...end)
        members[number].take(line, killedAt)
      }
    }
  }

  private func complain(_ words: String, _ number: Int) {
    members.withLock { members in
      if members[number].troubles.count < 100 { members[number].troubles.append(words) }
    }
  }

  private var troubles: String { members.withLock { $0.flatMap(\.troubles).prefix(5).joined(separator: " ") } }
  private var newest: Int { members.withLock { $0.map(\.news.step).max() ?? 0 } }

  /// Interrupts those who live and waits until they have said their last figures.
  private func end() async throws {
    stop()
    let deadline = Date(timeIntervalSinceNow: 20)
    while members.withLock({ $0.contains { $0.process?.isRunning == true } }), Date() < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  private func stop() {
    members.withLock { members in
      for member in members where member.process?.isRunning == true { member.process?.interrupt() }
    }
  }

  // MARK: What is seen

  private func show(_ live: LiveLines, _ elapsed: Double) {
    let table = members.withLock { SplitSwarmTable(session: session, members: $0, elapsed: elapsed, seconds: seconds) }
    if let size = LiveLines.size(), size.rows >= 8 {
      live.draw(table.lines(columns: size.columns - 1, rows: size.rows))
    } else {
      console.progress("the training    ", table.share, table.summary)
    }
  }

  var result: JSON { SplitSwarmReport(session: session, members: members.withLock { $0 }, outcome: outcome.withLock { $0 }).json }
  var summary: String {
    SplitSwarmReport(session: session, members: members.withLock { $0 }, outcome: outcome.withLock { $0 }).text
  }
}

extension SplitSwarm.Member {
  /// Takes a line that the process said.
  mutating func take(_ line: String, _ killedAt: Double?) {
    guard let told = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return }
    switch told["news"] as? String {
    case "began": hasBegun = true
    case "trained": hasTrained = true
    case "problem": if troubles.count < 100 { troubles.append(told["what"] as? String ?? "") }
    case "step", "over":
      func number(_ key: String) -> Int { told[key] as? Int ?? 0 }
      let before = news
      (news.step, news.steps, news.neighbours) = (number("step"), number("steps"), number("neighbours"))
      (news.missed, news.late, news.messages, news.received) = (
        number("missed"), number("late"), number("messages"), number("received")
      )
      (news.bytesSent, news.bytesReceived, news.dropped) = (number("bytesSent"), number("bytesReceived"), number("dropped"))
      news.loss = told["loss"] as? Double ?? before.loss
      news.at = told["at"] as? Double ?? before.at
      if first == nil, news.steps > 0 { first = (news.step, news.at) }
      let pause = told["pause"] as? Double ?? 0
      if let killedAt, news.at >= killedAt {
        pauses.after = max(pauses.after, pause)
      } else {
        pauses.before = max(pauses.before, pause)
      }
      if told["news"] as? String == "over" { isOver = true }
    default: break
    }
  }
}
