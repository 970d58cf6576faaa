import Foundation
import MurmurCollective
import MurmurCompute
import MurmurDatasets
import MurmurLibrary
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import Synchronization

/// Runs one scenario for a person: loads the rows, shows progress, gathers what the report needs.
struct Runner {
  let scenario: Scenario
  let setup: Setup
  let dataset: Dataset
  let console: Console
  let interruption: Interruption
  let threads: Int

  /// What came of a run.
  struct Finished {
    var report: RunReport
    var events: String
    var wasInterrupted: Bool

    /// Writes the run's files; what can be written is written before anything is thrown.
    func write(to folder: RunFolder) throws {
      var first: (any Error)?
      let files: [(String, () -> String)] = [
        ("result.json", { report.result.json() }), ("series.csv", { report.series.csv() }), ("events.jsonl", { events }),
        ("run.json", { runJSON }), ("report.html", { report.html() }),
      ]
      for (name, text) in files {
        do { try folder.write(text(), to: name) } catch { first = first ?? error }
      }
      if let first { throw first }
    }

    private var runJSON: String {
      JSON.object([
        .init("name", .string(report.result.name)), .init("command", .string(report.result.command)),
        .init("seed", .unsigned(report.result.seed)),
        .init("versions", .object(report.result.versions.map { .init($0.part, .string($0.version)) })),
        .init("configuration", .string(report.result.configuration ?? "")),
      ]).indented() + "\n"
    }
  }

  init(_ scenario: Scenario, dataset known: Dataset? = nil, console: Console, interruption: Interruption) throws {
    self.scenario = scenario
    self.console = console
    self.interruption = interruption
    threads = scenario.run.threads ?? ProcessInfo.processInfo.activeProcessorCount
    dataset = try known ?? Rows.load(scenario.data, console)
    setup = try Setup(scenario, dataset)
  }

  /// What is about to be run, in a line.
  var headline: String {
    let rows = setup.rows.map { $0.training.count + $0.validation.count }
    let least = rows.min() ?? 0
    let most = rows.max() ?? 0
    let each = least == most ? "\(most)" : "\(least) to \(most)"
    let peers = "\(scenario.peers.count) \(scenario.peers.count == 1 ? "peer" : "peers") × \(each) \(most == 1 ? "row" : "rows")"
    let lines = ["\(scenario.name): \(peers) of \(dataset.name), model \(setup.session.model), seed \(scenario.seed)"]
    return (lines + scenario.faults.faults.map { "  \($0.summary)" } + setup.notes.map { "  note: \($0)" }).joined(
      separator: "\n")
  }

  /// Trains peers alone and one central model.
  func trainControls() -> Experiment.Controls {
    defer { console.clear() }
    let experiment = Experiment(setup, threads: threads)
    return experiment.controls(isStopped: { [interruption] in interruption.isWanted }) { show($0) } ?? Experiment.Controls()
  }

  /// Runs the session, after the controls unless they are given.
  func run(command: String, controls known: Experiment.Controls? = nil) throws -> Finished {
    let experiment = Experiment(setup, threads: threads)
    let controls = known ?? trainControls()
    let journal = Journal(limit: 100_000)
    let started = ContinuousClock.now
    let outcome = experiment.run(witness: { journal.write($0, $1, $2) }, progress: { show($0) })
    let wall = started.duration(to: .now)
    console.clear()
    var result = makeResult(controls, outcome)
    result.command = command
    result.wallSeconds = seconds(wall)
    if outcome.wasInterrupted || interruption.isWanted {
      result.interrupted = "The run was interrupted: its figures are those of that moment."
    }
    return Finished(
      report: RunReport(result: result, series: makeSeries(outcome)), events: journal.text,
      wasInterrupted: outcome.wasInterrupted || interruption.isWanted)
  }

  private func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private func show(_ progress: Experiment.Progress) -> Bool {
    let label: String
    switch progress.phase {
    case .alone: label = "each peer alone "
    case .central: label = "all rows central"
    case .session: label = "the session     "
    case .evaluation: label = "evaluation      "
    }
    var detail = ""
    if let sample = progress.sample {
      detail = "\((sample.accuracy.mean * 1000).rounded() / 10) % accurate, \(sample.online) online"
    }
    console.progress(label, progress.share, detail)
    return !interruption.isWanted
  }

  private func makeResult(_ controls: Experiment.Controls, _ outcome: Experiment.Outcome) -> RunResult {
    var result = RunResult(name: scenario.name, seed: scenario.seed)
    result.trace = outcome.trace
    result.data = RunResult.Data(
      name: dataset.name, rows: setup.rows.reduce(0) { $0 + $1.training.count + $1.validation.count }, testRows: setup.test.count,
      features: dataset.samples.width, classes: dataset.samples.classes, split: "\(scenario.data.partition)")
    result.peerCount = scenario.peers.count
    result.model = setup.session.model
    result.faults = scenario.faults.faults.map(\.summary)
    for case .offline(let offline) in scenario.faults.faults {
      result.offlineProbability = offline.probability
      result.offline = Fault.offline(offline).summary
    }
    if result.offlineProbability == nil { result.offlineProbability = 0 }
    result.alone = Distribution(of: controls.alone.compactMap { $0 }.map { $0 * 100 })
    result.central = controls.central.map { $0 * 100 }
    result.together = Distribution(of: outcome.peers.compactMap(\.accuracy).map { $0 * 100 })
    result.gapClosed = RunResult.gapClosed(
      alone: result.alone?.mean, central: result.central, together: result.together?.mean)
    result.onlineMean = outcome.online
    if let last = outcome.samples.last(where: { $0.resilience.count > 0 }) {
      result.resilience = Distribution(
        mean: last.resilience.mean, deviation: last.resilience.deviation, minimum: last.resilience.least,
        maximum: last.resilience.greatest)
    }
    result.bytesSent = outcome.total.bytesSent
    result.messages = outcome.total.messagesSent
    result.cycles = outcome.total.cycles
    result.averaging = RunResult.Averaging(attempts: outcome.total.attempts, successes: outcome.total.successes)
    result.virtualSeconds = outcome.virtualSeconds
    result.threads = threads
    result.versions = [.init("murmur", Release.version), .init("kernels", Kernels.selected.name)]
    result.configuration = scenario.withoutRun.yaml
    result.notes = notes(outcome)
    result.peers = outcome.peers.enumerated().map { number, peer in
      PeerResult(
        id: number, role: peer.role, accuracy: peer.accuracy.map { $0 * 100 },
        aloneAccuracy: number < controls.alone.count ? controls.alone[number].map { $0 * 100 } : nil, rows: peer.rows,
        cycles: peer.tally.cycles, bytesSent: peer.tally.bytesSent, bytesReceived: peer.tally.bytesReceived, model: peer.model,
        joinedAt: peer.joined, onlineShare: peer.online)
    }
    return result
  }

  private func notes(_ outcome: Experiment.Outcome) -> [String] {
    var notes = setup.notes
    if scenario.peers.count > Experiment.aloneLimit, scenario.baselines.alone {
      notes.append("Alone is the mean over the first \(Experiment.aloneLimit) peers.")
    }
    if outcome.total.rejected > 0 {
      notes.append("\(outcome.total.rejected) objects were refused because they were not what they should be.")
    }
    if setup.test.count > Setup.curveRows {
      notes.append(
        "Curves over time use \(Setup.curveRows) of the \(setup.test.count) test rows; the figures at the end use all.")
    }
    notes.append("One seed: differences of a point or less between runs mean nothing without more seeds.")
    return notes
  }

  private func makeSeries(_ outcome: Experiment.Outcome) -> Series {
    Series(
      outcome.samples.map { sample in
        var point = Series.Sample(time: sample.time)
        func distribution(_ values: Statistics, _ factor: Double = 1) -> Distribution? {
          values.count == 0
            ? nil
            : Distribution(
              mean: values.mean * factor, deviation: values.deviation * factor, minimum: values.least * factor,
              maximum: values.greatest * factor)
        }
        point.accuracy = distribution(sample.accuracy, 100)
        point.accuracyLate = sample.late.count == 0 ? nil : sample.late.mean * 100
        point.online = sample.online
        point.resilience = distribution(sample.resilience)
        point.training = Int(sample.training.rounded())
        point.averaging = Int(sample.averaging.rounded())
        point.attempts = sample.total.attempts
        point.successes = sample.total.successes
        point.bytesPerPeer = distribution(sample.bytes)
        point.messages = sample.total.messagesSent
        point.cycles = sample.total.cycles
        return point
      })
  }
}

/// What happened in a run, a line each, up to a limit that is stated in the last line.
final class Journal: Sendable {
  private struct State {
    var text = ""
    var lines = 0
    var dropped = 0
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  func write(_ time: Instant, _ peer: Int, _ event: WorldEvent) {
    guard event.isTold else { return }
    state.withLock { state in
      guard state.lines < limit, let described = event.described else {
        state.dropped += 1
        return
      }
      RunEvent(
        time: time.seconds, peer: peer < 0 ? nil : peer, kind: described.kind,
        fields: described.fields.map { JSON.Member($0.name, .string($0.value)) }
      ).append(to: &state.text)
      state.lines += 1
    }
  }

  /// The lines.
  var text: String {
    state.withLock { state in
      state.text
        + (state.dropped == 0
          ? "" : RunEvent(time: -1, kind: "dropped", fields: [.init("events", .integer(state.dropped))]).line())
    }
  }
}
