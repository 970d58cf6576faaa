package import MurmurReports

/// What came of all sessions of a reproduction, and what can be asked of it.
package struct ReproduceRuns: Sendable {
  /// What was to be run.
  package var plan: ReproducePlan
  /// The sessions that ran to their end, in order.
  package var runs: [Run] = []
  /// Why not everything ran; `nil` if it did.
  package var interrupted: String?
  /// What must be said about the data sets, e.g. that one is not here.
  package var notes: [String] = []
  /// How long everything took on the clock.
  package var wallSeconds = 0.0

  /// Nothing has run yet.
  package init(plan: ReproducePlan) { self.plan = plan }

  /// One session.
  package struct Run: Sendable {
    /// The data set.
    package var data: String
    /// How the session was run.
    package var policy: ReproducePlan.Policy
    /// The offline probability, 0…1.
    package var probability: Double
    /// The seed.
    package var seed: UInt64
    /// What came of it.
    package var report: RunReport
    /// The percentage of its averaging attempts that each peer kept the outcome of; peers that never tried are left out.
    package var kept: [Double]

    /// A session that has been run.
    package init(
      data: String, policy: ReproducePlan.Policy, probability: Double, seed: UInt64, report: RunReport, kept: [Double]
    ) {
      self.data = data
      self.policy = policy
      self.probability = probability
      self.seed = seed
      self.report = report
      self.kept = kept
    }
  }

  /// The data sets of which at least one session ran.
  package var names: [String] { plan.data.map(\.name).filter { name in runs.contains { $0.data == name } } }

  /// The sessions of one kind, one for each seed.
  package func runs(_ data: String, _ policy: ReproducePlan.Policy, _ probability: Double) -> [Run] {
    runs.filter { $0.data == data && $0.policy == policy && $0.probability == probability }
  }

  /// A figure of the sessions of one kind, over seeds; `nil` if none ran or none has it.
  package func figure(
    _ data: String, _ policy: ReproducePlan.Policy, _ probability: Double, _ value: (Run) -> Double?
  ) -> Sampled? {
    Sampled(runs(data, policy, probability).compactMap(value))
  }

  /// A figure of each seed's session at one probability less that at another, over the seeds that have both.
  package func difference(
    _ data: String, _ policy: ReproducePlan.Policy, from first: Double, to second: Double, _ value: (Run) -> Double?
  ) -> Sampled? {
    let before = runs(data, policy, first)
    return Sampled(
      runs(data, policy, second).compactMap { run in
        guard let other = before.first(where: { $0.seed == run.seed }), let a = value(other), let b = value(run) else {
          return nil
        }
        return b - a
      })
  }

  /// The sessions of one kind as one run for pictures: means over seeds at every instant.
  package func pooled(_ data: String, _ policy: ReproducePlan.Policy, _ probability: Double) -> RunReport? {
    let reports = runs(data, policy, probability).map(\.report)
    guard var pooled = reports.first else { return nil }
    guard reports.count > 1 else { return pooled }
    pooled.result.alone = .mean(reports.map(\.result.alone))
    pooled.result.central = Sampled(reports.compactMap(\.result.central))?.mean
    pooled.result.together = .mean(reports.map(\.result.together))
    pooled.result.averaging = RunResult.Averaging(
      attempts: reports.reduce(0) { $0 + ($1.result.averaging?.attempts ?? 0) },
      successes: reports.reduce(0) { $0 + ($1.result.averaging?.successes ?? 0) })
    // Peers of equal rank stand for each other: the most silent of each seed, and so on.
    let ranked = reports.map { $0.result.peers.sorted { $0.bytesSent < $1.bytesSent } }
    for index in pooled.result.peers.indices {
      let equals = ranked.compactMap { index < $0.count ? $0[index].bytesSent : nil }
      pooled.result.peers[index].bytesSent = equals.reduce(0, +) / max(equals.count, 1)
    }
    pooled.series.samples = pooled.series.samples.indices.map { index in
      .mean(reports.compactMap { index < $0.series.samples.count ? $0.series.samples[index] : nil })
    }
    return pooled
  }
}

extension Distribution {
  /// The mean of each property; `nil` if there are none.
  static func mean(_ list: [Distribution?]) -> Distribution? {
    let all = list.compactMap { $0 }
    guard !all.isEmpty else { return nil }
    func mean(_ value: (Distribution) -> Double) -> Double { all.reduce(0) { $0 + value($1) } / Double(all.count) }
    return Distribution(mean: mean(\.mean), deviation: mean(\.deviation), minimum: mean(\.minimum), maximum: mean(\.maximum))
  }
}

extension Series.Sample {
  /// Means over seeds of what was seen at one instant; attempts and successes are sums, so that shares come out right.
  static func mean(_ samples: [Series.Sample]) -> Series.Sample {
    var result = Series.Sample(time: samples.first?.time ?? 0)
    func mean(_ value: (Series.Sample) -> Int?) -> Int? {
      let all = samples.compactMap(value)
      return all.isEmpty ? nil : Int((Double(all.reduce(0, +)) / Double(all.count)).rounded())
    }
    func sum(_ value: (Series.Sample) -> Int?) -> Int? { samples.isEmpty ? nil : samples.reduce(0) { $0 + (value($1) ?? 0) } }
    result.accuracy = .mean(samples.map(\.accuracy))
    result.online = mean(\.online)
    result.resilience = .mean(samples.map(\.resilience))
    result.training = mean(\.training)
    result.averaging = mean(\.averaging)
    result.attempts = sum(\.attempts)
    result.successes = sum(\.successes)
    result.bytesPerPeer = .mean(samples.map(\.bytesPerPeer))
    result.messages = mean(\.messages)
    result.cycles = mean(\.cycles)
    return result
  }
}
