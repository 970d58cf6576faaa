import Foundation
import Synchronization

/// A trial of streams with real processes on this machine: three full peers, and a feeder that follows a file which grows by a packet at a time.
///
/// What is measured is told by a peer that the feeder does not lean on: so every packet has gone through a gateway, its ledger and gossip, and
/// was verified at its end.
final class FeedTrial: Sendable {
  /// What is tried.
  struct Plan: Sendable {
    var packets = 1_000
    /// Rows of a packet.
    var rows = 50
    /// Seconds between two packets.
    var pace = 0.04
    /// The share of messages lost between all.
    var loss = 0.0
    /// The feeder's first gateway is killed (-9) after this share of the packets.
    var killsGateway: Double?
    /// How often the feeder is killed (-9) on the way.
    var feederKills = 0
  }

  /// What came of it.
  struct Figures: Sendable {
    /// Seconds from the sealing of a packet to its verification at the far peer, in order of arrival.
    var lags: [Double] = []
    /// Rows that were verified there once, more than once, and never.
    var once = 0
    var twice = 0
    var missing = 0
    /// Seconds from the first packet to the last.
    var seconds = 0.0
    /// Processor seconds of the feeder, and its resident memory in bytes, again and again.
    var processor = 0.0
    var memories: [Double] = []
    /// Bytes that the feeder sent on its stream, and bytes of the rows.
    var sent = 0.0
    var payload = 0.0

    var median: Double { FeedTrial.quantile(lags, 0.5) }
    var percentile95: Double { FeedTrial.quantile(lags, 0.95) }
    /// The feeder's resident memory: the median, and the most; 0 if it was too short to settle.
    var memory: Double { memories.isEmpty ? 0 : FeedTrial.quantile(memories, 0.5) }
    var mostMemory: Double { memories.max() ?? 0 }
  }

  private struct State {
    var processes: [String: Process] = [:]
    var rests: [String: [UInt8]] = [:]
    var addresses: [Int: String] = [:]
    var seen: [Int: Int] = [:]
    var messages = 0
    var lags: [Double] = []
    var isOver = false
    var sent: [Int: Double] = [:]
    var troubles: [String] = []
    /// When the last process was launched.
    var launched = Date()
  }

  private let state = Mutex(State())
  private let folder: String
  private let lines: [String]
  private let plan: Plan
  private let isStopped: @Sendable () -> Bool

  /// A trial in a folder of its own, with rows as lines of CSV.
  init(_ plan: Plan, lines: [String], header: String, folder: String, isStopped: @escaping @Sendable () -> Bool) throws {
    (self.plan, self.lines, self.folder, self.isStopped) = (plan, lines, folder, isStopped)
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // A sample gives the session its columns, classes and scale.
    try ([header] + lines.prefix(500)).joined(separator: "\n").appending("\n")
      .write(toFile: folder + "/sample.csv", atomically: true, encoding: .utf8)
    let loss =
      plan.loss > 0
      ? "\nnetwork: {loss: \(Int((plan.loss * 100).rounded())) %, delay: {median: 0 ms, spread: 1, jitter: 0 %}}" : ""
    try """
    name: table5
    data: {set: sample.csv, label: label, rows: all}
    model: {hidden: [16]}
    peers: {count: 3}
    feeds: {sensors: 1}
    session: {length: 1 day, cycle: 30 s}\(loss)
    """.write(toFile: folder + "/session.yaml", atomically: true, encoding: .utf8)
    try (header + "\n").write(toFile: folder + "/rows.csv", atomically: true, encoding: .utf8)
  }

  /// Runs it; `progress` hears the share done.
  func run(progress: (Double) -> Void) throws -> Figures {
    defer { stop() }
    for number in 0..<3 { try launchPeer(number) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/rows.csv"))
    _ = try file.seekToEnd()
    try launchFeeder(0)
    var figures = Figures()
    var (kills, life, hasKilled) = (0, 0, false)
    let begun = Date()
    var processor = 0.0
    for packet in 0..<plan.packets {
      guard !isStopped() else { break }
      var text = ""
      for row in 0..<plan.rows { text += lines[(packet * plan.rows + row) % lines.count] + "\n" }
      figures.payload += Double(text.utf8.count)
      try file.write(contentsOf: Data(text.utf8))
      if let share = plan.killsGateway, !hasKilled, Double(packet) >= share * Double(plan.packets) {
        hasKilled = true
        kill("peer0")
      }
      if kills < plan.feederKills, packet * (plan.feederKills + 1) >= (kills + 1) * plan.packets {
        kills += 1
        processor += look(&figures)
        kill("feeder")
        life += 1
        try launchFeeder(life)
      }
      if packet % 12 == 0 { _ = look(&figures) }
      progress(0.9 * Double(packet) / Double(plan.packets))
      let due = begun.addingTimeInterval(plan.pace * Double(packet + 1))
      Thread.sleep(until: due)
    }
    // What is still under way may take as long as it needs, within reason.
    let patience = Date().addingTimeInterval(plan.loss > 0 ? 180 : 60)
    let wanted = plan.packets * plan.rows
    while !isStopped(), Date() < patience, state.withLock({ $0.seen.count }) < wanted {
      _ = look(&figures)
      Thread.sleep(forTimeInterval: 0.02)
    }
    figures.seconds = Date().timeIntervalSince(begun)
    figures.processor = processor + look(&figures)
    // What it sent it says at its end.
    if let feeder = state.withLock({ $0.processes["feeder"] }) {
      feeder.terminate()
      let patience = Date().addingTimeInterval(10)
      while feeder.isRunning, Date() < patience { Thread.sleep(forTimeInterval: 0.02) }
      Thread.sleep(forTimeInterval: 0.2)
    }
    state.withLock { state in
      figures.lags = state.lags
      figures.once = state.seen.values.count { $0 == 1 }
      figures.twice = state.seen.values.count { $0 > 1 }
      figures.missing = wanted - state.seen.count
      figures.sent = state.sent.values.sorted().reduce(0, +)
    }
    progress(1)
    return figures
  }

  // MARK: Processes

  private func launchPeer(_ number: Int) throws {
    var arguments = [
      "peer", "--session", "session.yaml", "--number", "\(number)", "--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--store",
      "peer\(number)",
    ]
    if plan.loss > 0 { arguments += ["--shaped", "--of-swarm"] }
    for other in 0..<number { if let address = state.withLock({ $0.addresses[other] }) { arguments += ["--join", address] } }
    try launch("peer\(number)", arguments)
    let patience = Date().addingTimeInterval(60)
    while state.withLock({ $0.addresses[number] }) == nil {
      guard Date() < patience, !isStopped() else {
        throw Failure("peer \(number) of the trial does not listen: \(state.withLock { $0.troubles.joined(separator: "; ") })")
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  private func launchFeeder(_ life: Int) throws {
    var arguments = [
      "feed", "--session", "session.yaml", "--id", "higgs", "--store", "feeder", "--json", "--follow", "rows.csv", "--packet",
      "\(plan.rows)",
    ]
    for number in 0..<2 { if let address = state.withLock({ $0.addresses[number] }) { arguments += ["--to", address] } }
    try launch("feeder", arguments, life: life)
  }

  private func launch(_ name: String, _ arguments: [String], life: Int = 0) throws {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    output.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { self?.read([UInt8](data), name, life) }
    }
    errors.fileHandleForReading.readabilityHandler = { [weak self] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil } else { self?.complain(String(decoding: data, as: UTF8.self), name) }
    }
    try process.run()
    state.withLock {
      $0.processes[name] = process
      $0.rests[name] = []
      $0.launched = Date()
    }
  }

  private func complain(_ words: String, _ name: String) {
    state.withLock { state in
      if state.troubles.count < 20 { state.troubles.append("\(name): \(words.trimmingCharacters(in: .whitespacesAndNewlines))") }
    }
  }

  private func read(_ bytes: [UInt8], _ name: String, _ life: Int) {
    state.withLock { state in
      var rest = (state.rests[name] ?? []) + bytes
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        take(Data(rest[..<end]), name, life, &state)
        rest.removeFirst(end + 1)
      }
      state.rests[name] = rest
    }
  }

  private func take(_ line: Data, _ name: String, _ life: Int, _ state: inout State) {
    guard let news = try? JSONSerialization.jsonObject(with: line) as? [String: Any], let what = news["news"] as? String else {
      return
    }
    switch what {
    case "listening":
      if let number = Int(name.dropFirst(4)), let address = (news["addresses"] as? [String])?.first {
        state.addresses[number] = address
      }
    case "rows" where name == "peer2":
      guard let first = news["first"] as? Int, let count = news["count"] as? Int, let lag = news["lag"] as? Double else { return }
      for row in first..<first + count { state.seen[row, default: 0] += 1 }
      state.lags.append(lag)
    case "progress", "over":
      if name == "feeder", let sent = news["sent"] as? Double { state.sent[life] = sent }
    default: break
    }
  }

  /// The feeder's processor seconds in its present life; its memory goes into `figures`.
  private func look(_ figures: inout Figures) -> Double {
    guard let (process, launched) = state.withLock({ state in state.processes["feeder"].map { ($0, state.launched) } }) else {
      return 0
    }
    let path = "/proc/\(process.processIdentifier)"
    guard let text = try? String(contentsOfFile: path + "/stat", encoding: .utf8), let tail = text.split(separator: ")").last
    else { return 0 }
    let words = tail.split(separator: " ")
    guard words.count > 21, let user = Double(words[11]), let system = Double(words[12]), let pages = Double(words[21]) else {
      return 0
    }
    // In its first seconds it gives back what its start took.
    if Date().timeIntervalSince(launched) > 8 {
      figures.memories.append(pages * Double(sysconf(Int32(_SC_PAGESIZE))))
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private func kill(_ name: String) {
    guard let process = state.withLock({ $0.processes.removeValue(forKey: name) }) else { return }
    _ = Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  private func stop() {
    let processes = state.withLock { $0.processes.sorted { $0.key < $1.key }.map(\.value) }
    for process in processes { process.terminate() }
    let patience = Date().addingTimeInterval(5)
    for process in processes {
      while process.isRunning, Date() < patience { Thread.sleep(forTimeInterval: 0.02) }
      if process.isRunning { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
    }
  }

  static func quantile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
}
