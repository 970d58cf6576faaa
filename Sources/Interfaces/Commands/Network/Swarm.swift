import Foundation
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import Synchronization

/// The processes of a swarm, and what they tell.
final class Swarm: Sendable {
  /// One process and what it told so far.
  private struct Member {
    var process: Process?
    var addresses: [String] = []
    var cycles: [(number: Int, at: Double, accuracy: Double?)] = []
    var neighbours: Int?
    var accuracy: Double?
    var model: String?
    var averages = 0
    var wasKilled = false
    /// A fault of the scenario has stopped it, for now or for good.
    var isDown = false
    var hasEnded = false
    var rest = ""
    var troubles: [String] = []
  }

  private let scenario: Scenario
  private let folder: RunFolder
  private let kill: Double
  private let isShaped: Bool
  private let hasCrashes: Bool
  private let console: Console
  private let members: Mutex<[Member]>
  private let begins: Double
  /// What the scenario's faults do to whom at present.
  private let faults: Mutex<(events: FaultEvents, conditions: FaultConditions)>
  /// Seconds that the processes get to start before the session begins.
  private static let start = 0.15

  init(_ setup: Setup, _ folder: RunFolder, kill: Double, isShaped: Bool, console: Console) throws {
    let scenario = setup.scenario
    self.scenario = scenario
    self.isShaped = isShaped
    hasCrashes = scenario.faults.faults.contains { if case .crash = $0 { true } else { false } }
    self.folder = folder
    self.kill = kill
    self.console = console
    members = Mutex((0..<scenario.peers.count).map { _ in Member() })
    // The same forecast that each peer obeys.
    let forecast = Forecast(
      scenario.faults, peers: scenario.peers.count, length: scenario.session.length, cycle: scenario.session.cycle,
      chance: setup.chance.fork("faults"))
    faults = Mutex((forecast.events(), FaultConditions(forecast)))
    begins = Date().timeIntervalSince1970 + 1 + Swarm.start * Double(scenario.peers.count)
    try folder.write(scenario.yaml, to: "session.yaml")
  }

  /// Runs until all have ended or were killed, or somebody wants to stop.
  func run(isStopped: @Sendable () -> Bool) async throws {
    defer { stop() }
    let length = scenario.session.length.seconds
    // The first peer is whom the others begin with; two more, so that its death keeps nobody out.
    let joins = scenario.peers.joins(length: scenario.session.length)
    var late = joins.indices.filter { joins[$0] > .origin }.sorted { joins[$0] < joins[$1] }
    for number in joins.indices where joins[number] == .origin {
      try launch(number)
      guard number < 3 else { continue }
      while addresses(number).isEmpty, !isStopped() {
        try await Task.sleep(for: .milliseconds(10))
        guard isRunning(number) else { throw Failure("peer \(number) ended at its start: \(troubles(number))") }
      }
    }
    var hasKilled = kill == 0
    let live = LiveLines()
    while !isStopped() {
      try await Task.sleep(for: .milliseconds(200))
      let now = Date().timeIntervalSince1970 - begins
      if !hasKilled, now >= length / 2 {
        hasKilled = true
        killShare()
      }
      while let next = late.first, joins[next].seconds <= now { try launch(late.removeFirst()) }
      try act(upTo: now)
      let (running, newest, mean) = state
      if let size = LiveLines.size(), size.rows >= 8 {
        live.draw(table(at: now).lines(columns: size.columns - 1, rows: size.rows))
      } else {
        console.progress(
          "the session     ", now / length,
          "\(running) processes, cycle \(newest), \(mean.map { "\(($0 * 10).rounded() / 10) % accurate" } ?? "")")
      }
      if (running == 0 && late.isEmpty && !awaitsSomebody(now)) || now > length * 1.5 + 30 { break }
    }
    console.clear()
  }

  /// What is seen of all processes.
  private func table(at elapsed: Double) -> SwarmTable {
    let isOnline = faults.withLock { faults in
      zip(faults.conditions.isOnline, faults.conditions.isRunning).map { $0 && $1 }
    }
    let rows = members.withLock { members in
      members.enumerated().map { number, member in
        let state: SwarmTable.State =
          if member.wasKilled { .killed } else if member.hasEnded { .ended } else if member.isDown {
            .offline
          } else if member.process?.isRunning != true {
            member.process == nil ? .starting : .failed
          } else if member.addresses.isEmpty { .starting } else { isOnline[number] ? .running : .offline }
        let last = member.cycles.last
        return SwarmTable.Row(
          number: number, state: state, cycle: last?.number, accuracy: member.accuracy ?? last?.accuracy,
          neighbours: state == .running || state == .offline ? member.neighbours : nil,
          averages: last == nil ? nil : member.averages)
      }
    }
    return SwarmTable(rows: rows, elapsed: elapsed, length: scenario.session.length.seconds)
  }

  // MARK: Processes

  private func launch(_ number: Int) throws {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    var arguments = [
      "peer", "--session", "\(folder.path)/session.yaml", "--number", "\(number)", "--listen", "/ip4/127.0.0.1/tcp/0",
    ]
    arguments += ["--begins", "\(begins)", "--until-over", "--json", "--of-swarm"]
    if isShaped { arguments.append("--shaped") }
    if hasCrashes { arguments += ["--store", store(number)] }
    for other in 0..<min(number, 3) { if let address = addresses(other).first { arguments += ["--join", address] } }
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
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
    members.withLock { members in
      members[number].rest += String(decoding: data, as: UTF8.self)
      while let end = members[number].rest.firstIndex(of: "\n") {
        let line = String(members[number].rest[..<end])
        members[number].rest.removeSubrange(...end)
        Swarm.take(line, &members[number])
      }
    }
  }

  private static func take(_ line: String, _ member: inout Member) {
    guard let news = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return }
    switch news["news"] as? String {
    case "listening": member.addresses = news["addresses"] as? [String] ?? []
    case "cycle":
      member.cycles.append((news["cycle"] as? Int ?? 0, news["at"] as? Double ?? 0, news["accuracy"] as? Double))
      member.neighbours = news["neighbours"] as? Int
      member.averages = news["averages"] as? Int ?? member.averages
    case "over":
      member.hasEnded = true
      member.accuracy = news["accuracy"] as? Double
      member.model = news["model"] as? String
      member.averages = news["averages"] as? Int ?? 0
    default: break
    }
  }

  private func complain(_ words: String, _ number: Int) {
    members.withLock { members in
      if members[number].troubles.count < 100 { members[number].troubles.append(words) }
    }
  }

  private func addresses(_ number: Int) -> [String] { members.withLock { $0[number].addresses } }
  private func isRunning(_ number: Int) -> Bool { members.withLock { $0[number].process?.isRunning ?? false } }
  private func troubles(_ number: Int) -> String { members.withLock { $0[number].troubles.joined() } }

  private var state: (running: Int, newest: Int, mean: Double?) {
    members.withLock { members in
      let running = members.count { $0.process?.isRunning ?? false }
      let accuracies = members.compactMap { $0.accuracy ?? $0.cycles.last?.accuracy }
      return (
        running, members.compactMap { $0.cycles.last?.number }.max() ?? 0,
        accuracies.isEmpty ? nil : accuracies.reduce(0, +) / Double(accuracies.count)
      )
    }
  }

  // MARK: Crashes

  private func store(_ number: Int) -> String { "\(folder.path)/peers/\(number)" }

  /// Stops and starts processes as the scenario says: memory lost is signal 9 and a new process, memory kept is a process that sleeps.
  private func act(upTo seconds: Double) throws {
    while let event = nextFault(upTo: seconds) {
      switch event.change {
      case .crashed(let number, let memory, let disk):
        let process = members.withLock { members in
          members[number].isDown = true
          return members[number].process
        }
        guard let process, process.isRunning else { continue }
        _ = Foundation.kill(process.processIdentifier, memory == .kept ? SIGSTOP : SIGKILL)
        guard memory == .lost else { continue }
        process.waitUntilExit()
        if disk == .lost { try? FileManager.default.removeItem(atPath: store(number)) }
      case .restarted(let number):
        members.withLock { $0[number].isDown = false }
        if let process = members.withLock({ $0[number].process }), process.isRunning {
          _ = Foundation.kill(process.processIdentifier, SIGCONT)
        } else {
          try launch(number)
        }
      case .wentOffline, .cameOnline, .began, .ended: continue
      }
    }
  }

  /// The next change of the scenario's faults, taken into what holds at present.
  private func nextFault(upTo seconds: Double) -> FaultEvent? {
    faults.withLock { faults in
      guard let due = faults.events.nextInstant, due.seconds <= seconds, let event = faults.events.next() else { return nil }
      faults.conditions.apply(event.change)
      return event
    }
  }

  /// Whether somebody is down who will come back before the session is over.
  private func awaitsSomebody(_ now: Double) -> Bool {
    hasCrashes && now < scenario.session.length.seconds && members.withLock { $0.contains { $0.isDown } }
  }

  private func killShare() {
    members.withLock { members in
      // The first, whom everybody began with, is among them.
      for number in 0..<Int((Double(members.count) * kill).rounded()) {
        guard let process = members[number].process, process.isRunning else { continue }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        members[number].wasKilled = true
      }
    }
  }

  private func stop() {
    members.withLock { members in
      for member in members {
        guard let process = member.process, process.isRunning else { continue }
        process.interrupt()
        // Who sleeps hears nothing.
        _ = Foundation.kill(process.processIdentifier, SIGCONT)
      }
    }
  }

  // MARK: What came of it

  private struct Outcome {
    var together: [Double] = []
    var before: [Double] = []
    var longestPause = 0.0
    var killed = 0
  }

  private var outcome: Outcome {
    members.withLock { members in
      var outcome = Outcome()
      let half = scenario.session.length.seconds / 2
      for member in members {
        if member.wasKilled { outcome.killed += 1 }
        guard !member.wasKilled, let accuracy = member.accuracy else { continue }
        outcome.together.append(accuracy)
        if let last = member.cycles.last(where: { $0.at < half })?.accuracy { outcome.before.append(last) }
        let times = member.cycles.map(\.at)
        for (one, next) in zip(times, times.dropFirst()) where next > half || kill == 0 {
          outcome.longestPause = max(outcome.longestPause, next - one)
        }
      }
      return outcome
    }
  }

  private func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }

  private func gap(_ controls: Experiment.Controls) -> Double? {
    guard let central = controls.central, let alone = mean(controls.alone.compactMap { $0 }),
      let together = mean(outcome.together),
      central > alone
    else { return nil }
    return (together / 100 - alone) / (central - alone)
  }

  /// The result as JSON, with the keys that `murmur simulate` has where they mean the same.
  func result(_ controls: Experiment.Controls, setup: Setup) -> JSON {
    let outcome = outcome
    let alone = controls.alone.compactMap { $0 }.map { $0 * 100 }
    let spread = (outcome.together.max() ?? 0) - (outcome.together.min() ?? 0)
    return .object([
      .init("seed", .unsigned(scenario.seed)),
      .init(
        "alone",
        .object([.init("mean", .optional(mean(alone))), .init("spread", .number((alone.max() ?? 0) - (alone.min() ?? 0)))])),
      .init("central", .optional(controls.central.map { $0 * 100 })),
      .init("together", .object([.init("mean", .optional(mean(outcome.together))), .init("spread", .number(spread))])),
      .init("gapClosed", .optional(gap(controls))),
      .init("atHalfTime", .optional(mean(outcome.before))),
      .init("ended", .integer(outcome.together.count)), .init("killed", .integer(outcome.killed)),
      .init("longestPauseSeconds", .number(outcome.longestPause)), .init("cycleSeconds", .number(scenario.session.cycle.seconds)),
      .init(
        "peers",
        .array(
          members.withLock { members in
            members.enumerated().map { number, member in
              .object([
                .init("number", .integer(number)), .init("accuracy", .optional(member.accuracy)),
                .init("cycles", .integer(member.cycles.last?.number ?? 0)), .init("averages", .integer(member.averages)),
                .init("model", .optional(member.model)), .init("killed", .bool(member.wasKilled)),
                .init("troubles", .array(member.troubles.map(JSON.string))),
              ])
            }
          })),
    ])
  }

  /// The result as a few lines.
  func table(_ controls: Experiment.Controls) -> String {
    let outcome = outcome
    func percent(_ value: Double?) -> String { value.map { "\(($0 * 100).rounded() / 100) %" } ?? "–" }
    var lines = [
      "alone                       \(percent(mean(controls.alone.compactMap { $0 }).map { $0 * 100 }))",
      "central                     \(percent(controls.central.map { $0 * 100 }))",
      "together, \(outcome.together.count) processes       \(percent(mean(outcome.together)))",
      "gap closed                  \(gap(controls).map { "\(($0 * 1000).rounded() / 1000)" } ?? "–")",
      "longest time between models \((outcome.longestPause * 100).rounded() / 100) s (the pace is \((scenario.session.cycle.seconds * 100).rounded() / 100) s)",
    ]
    if kill > 0 {
      lines.append("survivors at half-time      \(percent(mean(outcome.before))), \(outcome.killed) processes killed")
    }
    return lines.joined(separator: "\n")
  }
}
