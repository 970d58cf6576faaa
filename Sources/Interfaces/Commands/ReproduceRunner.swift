import Foundation
import MurmurCollective
import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurReports
import MurmurScenario
import MurmurSessions
import MurmurSimulator

/// Runs what a plan asks for, with progress over all of it; what is finished when it is stopped is kept.
package struct ReproduceRunner {
  private let threads: Int
  private let console = Console()
  private let stopped: () -> Bool

  /// A runner on that many threads, which asks `stopped` all the time.
  package init(threads: Int, stopped: @escaping () -> Bool) {
    self.threads = threads
    self.stopped = stopped
  }

  /// Runs everything, and tells `checkpoint` what there is whenever a seed of a data set is complete.
  package func run(_ plan: ReproducePlan, checkpoint: (ReproduceRuns) throws -> Void = { _ in }) throws -> ReproduceRuns {
    var result = ReproduceRuns(plan: plan)
    var datasets: [String: Dataset] = [:]
    // Seed by seed, so that whoever stops it has something of every data set.
    let blocks = plan.seeds.flatMap { seed in plan.data.map { (rows: $0, seed: seed) } }
    let clock = Clock(tasks: blocks.flatMap { plan.tasks($0.rows, seed: $0.seed) })
    var place = 0
    for (rows, seed) in blocks {
      let dataset = try datasets[rows.name] ?? load(rows)
      datasets[rows.name] = dataset
      var controls: Experiment.Controls?
      for task in plan.tasks(rows, seed: seed) {
        place += 1
        guard !stopped(), let run = try run(task, of: plan, on: dataset, &controls, clock, place) else {
          result.interrupted = "It was stopped after \(result.runs.count) of \(clock.count) sessions; findings are about those."
          result.wallSeconds = clock.seconds
          console.clear()
          return result
        }
        result.runs.append(run)
      }
      result.wallSeconds = clock.seconds
      summarise(rows, seed, result)
      var sofar = result
      if place < clock.count {
        sofar.interrupted = "\(place) of \(clock.count) sessions are complete so far; findings are about those."
      }
      try checkpoint(sofar)
    }
    return result
  }

  private func load(_ rows: ReproducePlan.Rows) throws -> Dataset {
    var plan = DataPlan()
    plan.set = [rows.name]
    return try MurmurCommands.Rows.load(plan, console)
  }

  /// Runs one session; `nil` if it was stopped.
  private func run(
    _ task: ReproducePlan.Task, of plan: ReproducePlan, on dataset: Dataset, _ controls: inout Experiment.Controls?,
    _ clock: Clock,
    _ place: Int
  ) throws -> ReproduceRuns.Run? {
    let setup = try Setup(plan.scenario(task), dataset)
    let experiment = Experiment(setup, threads: threads)
    if controls == nil {
      controls = experiment.controls { progress in
        clock.show(console, place, 0, "\(task.rows.name), seed \(task.seed), peers alone and one central model")
        return !stopped()
      }
    }
    guard let controls else { return nil }
    let started = ContinuousClock.now
    let outcome = experiment.run { progress in
      clock.show(console, place, progress.share, task.label)
      return !stopped()
    }
    guard !outcome.wasInterrupted else { return nil }
    clock.finished(place)
    var run = task.measured(setup, dataset, controls, outcome)
    run.report.result.threads = threads
    run.report.result.wallSeconds = Double(started.duration(to: .now))
    return run
  }

  /// What a seed of a data set gave, in a line.
  private func summarise(_ rows: ReproducePlan.Rows, _ seed: UInt64, _ runs: ReproduceRuns) {
    let mine = runs.runs.filter { $0.data == rows.name && $0.seed == seed }
    guard let first = mine.first?.report.result else { return }
    var line =
      "\(rows.name), seed \(seed): alone \(Numerals.percent(first.alone?.mean)), central \(Numerals.percent(first.central))"
    for policy in ReproducePlan.Policy.all {
      let figures = mine.filter { $0.policy == policy }.map { Numerals.decimal($0.report.result.together?.mean ?? .nan) }
      line += "; \(policy.name) \(figures.joined(separator: " / "))"
    }
    console.say(line)
  }

  /// How far everything is and how much longer it will take.
  private final class Clock {
    let count: Int
    private let costs: [Double]
    private var done = 0.0
    private let started = ContinuousClock.now

    init(tasks: [ReproducePlan.Task]) {
      count = tasks.count
      costs = tasks.map(\.cost)
    }

    var seconds: Double { Double(started.duration(to: .now)) }

    func finished(_ place: Int) { done += costs[place - 1] }

    func show(_ console: Console, _ place: Int, _ share: Double, _ label: String) {
      let all = max(costs.reduce(0, +), 1)
      let part = (done + costs[place - 1] * min(max(share, 0), 1)) / all
      let left = part > 0.02 ? ", about \(Numerals.duration((seconds / part * (1 - part)).rounded())) left" : ""
      console.progress("\(count) sessions", part, "\(place): \(label)\(left)")
    }
  }
}

extension Double {
  /// A duration in seconds.
  fileprivate init(_ duration: Duration) {
    self = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }
}

extension ReproducePlan.Task {
  /// What came of the session, as figures.
  func measured(
    _ setup: Setup, _ dataset: Dataset, _ controls: Experiment.Controls, _ outcome: Experiment.Outcome
  ) -> ReproduceRuns.Run {
    var result = RunResult(name: label, seed: seed)
    result.trace = outcome.trace
    result.data = RunResult.Data(
      name: rows.name, rows: setup.rows.reduce(0) { $0 + $1.training.count + $1.validation.count }, testRows: setup.test.count,
      features: dataset.samples.width, classes: dataset.samples.classes, split: "\(setup.scenario.data.partition)")
    result.peerCount = setup.scenario.peers.count
    result.model = setup.session.model
    result.offlineProbability = probability
    result.offline = setup.scenario.faults.faults.first?.summary
    result.alone = Distribution(of: controls.alone.compactMap { $0 }.map { $0 * 100 })
    result.central = controls.central.map { $0 * 100 }
    result.together = Distribution(of: outcome.peers.compactMap(\.accuracy).map { $0 * 100 })
    result.gapClosed = RunResult.gapClosed(
      alone: result.alone?.mean, central: result.central, together: result.together?.mean)
    // When the session ends, its faults do: whoever is online at that very instant tells nothing.
    let within = outcome.samples.filter { $0.time < setup.session.length.seconds }
    result.onlineMean = Sampled(within.map { Double($0.online) })?.mean
    result.resilience = outcome.samples.last { $0.resilience.count > 0 }.flatMap { Distribution($0.resilience) }
    result.bytesSent = outcome.total.bytesSent
    result.messages = outcome.total.messagesSent
    result.cycles = outcome.total.cycles
    result.averaging = RunResult.Averaging(attempts: outcome.total.attempts, successes: outcome.total.successes)
    result.virtualSeconds = outcome.virtualSeconds
    result.versions = [.init("murmur", Release.version), .init("kernels", Kernels.selected.name)]
    result.configuration = setup.scenario.withoutRun.yaml
    result.notes = setup.notes
    result.peers = outcome.peers.enumerated().map { number, peer in
      PeerResult(
        id: number, role: peer.role, accuracy: peer.accuracy.map { $0 * 100 },
        aloneAccuracy: number < controls.alone.count ? controls.alone[number].map { $0 * 100 } : nil, rows: peer.rows,
        cycles: peer.tally.cycles, bytesSent: peer.tally.bytesSent, bytesReceived: peer.tally.bytesReceived, model: peer.model,
        joinedAt: peer.joined, onlineShare: peer.online)
    }
    let kept = outcome.peers.filter { $0.tally.attempts > 0 }
      .map { Double($0.tally.successes) / Double($0.tally.attempts) * 100 }
    return ReproduceRuns.Run(
      data: rows.name, policy: policy, probability: probability, seed: seed,
      report: RunReport(result: result, series: Series(outcome.samples.map { Series.Sample($0) })), kept: kept)
  }
}

extension Series.Sample {
  /// What was seen of a simulated session at one instant.
  fileprivate init(_ sample: Experiment.Sample) {
    self.init(time: sample.time)
    accuracy = Distribution(sample.accuracy, times: 100)
    online = sample.online
    resilience = Distribution(sample.resilience)
    training = Int(sample.training.rounded())
    averaging = Int(sample.averaging.rounded())
    attempts = sample.total.attempts
    successes = sample.total.successes
    bytesPerPeer = Distribution(sample.bytes)
    messages = sample.total.messagesSent
    cycles = sample.total.cycles
  }
}

extension Distribution {
  /// The same statistics, scaled; `nil` if they are of nothing.
  fileprivate init?(_ values: Statistics, times factor: Double = 1) {
    guard values.count > 0 else { return nil }
    self.init(
      mean: values.mean * factor, deviation: values.deviation * factor, minimum: values.least * factor,
      maximum: values.greatest * factor)
  }
}
