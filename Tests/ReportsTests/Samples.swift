import MurmurReports

/// Runs that never happened but look like ones that did, to draw.
struct Samples {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func uniform(_ range: ClosedRange<Double> = 0...1) -> Double {
    range.lowerBound + Double(next() >> 11) * 0x1p-53 * (range.upperBound - range.lowerBound)
  }

  /// A value that climbs from 0 to 1 with `progress`, fast at first.
  private func climb(_ progress: Double, _ speed: Double) -> Double {
    1 - 1 / (1 + speed * progress * progress + 3 * speed * progress)
  }

  /// A run of `peers` peers over 200 minutes with the given share of them offline.
  static func run(peers: Int = 20, offline: Double = 0.8, seed: UInt64 = 1, length: Int = 200) -> RunReport {
    var chance = Samples(seed: seed)
    var result = RunResult(name: "digits", seed: seed)
    result.trace = "9f3c5a7e1b2d4c6f8091a2b3c4d5e6f70819203142536475869708192a3b4c5d"
    result.command =
      "murmur simulate --data digits --peers \(peers) --rows 70 --hidden 64 --epochs 1 --offline \(offline) --seed \(seed) --out out"
    result.data = .init(name: "digits", rows: peers * 70, testRows: 397, features: 64, classes: 10, split: "70 rows each")
    result.peerCount = peers
    result.model = "64-64-10"
    result.offlineProbability = offline
    result.offline =
      "Offline: every minute each peer is cut off with probability \(offline), redrawn each time; it keeps training meanwhile"
    let end = 96.6 - 1.6 * offline
    let final = (0..<peers).map { _ in end + chance.uniform(-0.4...0.4) * (0.5 + 2 * offline) }
    let alone = (0..<peers).map { _ in 83.6 + chance.uniform(-4...4) }
    result.alone = Distribution(of: alone)
    result.central = 97.2
    result.together = Distribution(of: final)
    result.gapClosed = RunResult.gapClosed(
      alone: result.alone?.mean, central: result.central, together: result.together?.mean)
    result.virtualSeconds = Double(length) * 60
    result.wallSeconds = 8.34
    result.threads = 2
    result.versions = [.init("murmur", "0.1.0"), .init("Swift", "6.3.1")]
    result.configuration = "name: digits\nseed: \(seed)\npeers:\n  count: \(peers)\nfaults:\n  - offline: \(offline)\n"
    result.notes = [
      "“Offline” means redrawn every cycle, the kind LEARNAE used. Long absences and partitions are other scenarios.",
      "All peers share one initial model, drawn from the session's seed.", "The test rows are the same for all three accuracies.",
    ]
    let series = chance.series(peers: peers, offline: offline, end: end, length: length, result: &result)
    for id in 0..<peers {
      result.peers.append(
        PeerResult(
          id: id, accuracy: final[id], aloneAccuracy: alone[id], rows: 70, cycles: 195 + id % 7,
          bytesSent: 3_100_000 + id * 12_345,
          bytesReceived: 3_000_000 + id * 9_876, model: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
          joinedAt: id == 19 ? 6000 : 0, onlineShare: 1 - offline))
    }
    return RunReport(result: result, series: series)
  }

  private mutating func series(peers: Int, offline: Double, end: Double, length: Int, result: inout RunResult) -> Series {
    var samples: [Series.Sample] = []
    var (attempts, successes, bytes, online) = (0, 0, 0.0, 0.0)
    for minute in 0...length {
      let progress = Double(minute) / Double(length)
      var sample = Series.Sample(time: Double(minute) * 60)
      let mean = 11 + (end - 11) * climb(progress, 30 - 18 * offline) + uniform(-0.2...0.2)
      let width = (1 + 3 * offline) * (1.5 - progress) * 1.4 + (minute < 12 ? 9 : 0)
      sample.accuracy = Distribution(
        mean: mean, deviation: width / 2, minimum: max(0, mean - width * 1.4), maximum: min(100, mean + width))
      let present = (0..<peers).reduce(0) { sum, _ in sum + (uniform() >= offline ? 1 : 0) }
      sample.online = present
      online += Double(present)
      sample.resilience = Distribution(
        mean: min(6, 2 + 6 * progress) * (1 - 0.4 * offline) + uniform(-0.2...0.2), deviation: 1.3, minimum: 1, maximum: 11)
      sample.training = Int(uniform(0.3...0.6) * Double(peers))
      sample.averaging = Int(uniform(0.05...0.3) * Double(present))
      attempts += present
      successes += Int((uniform(0.5...0.9) - 0.3 * progress) * Double(present))
      bytes += (1 - offline) * 40_000 + uniform(0...3000)
      (sample.attempts, sample.successes) = (attempts, successes)
      sample.bytesPerPeer = Distribution(mean: bytes, deviation: bytes / 20, minimum: bytes * 0.8, maximum: bytes * 1.25)
      (sample.messages, sample.cycles) = (attempts * 9, minute * peers)
      samples.append(sample)
    }
    result.onlineMean = online / Double(length + 1)
    result.resilience = samples.last?.resilience
    result.bytesSent = Int(bytes) * peers
    result.messages = attempts * 9
    result.cycles = length * peers
    result.averaging = .init(attempts: attempts, successes: successes)
    return Series(samples)
  }

  /// The levels LEARNAE measured, side by side.
  static func comparison(_ levels: [Double]) -> ComparisonReport {
    ComparisonReport(
      title: "Digits at \(levels.count) levels of absence", command: "murmur demo --seed 1",
      runs: levels.map { level in .init("\(Numerals.share(level)) offline", run(offline: level, seed: 7 + UInt64(level * 10))) })
  }

  /// Some of the paper's figures and tables.
  static func reproduction() -> ReproductionReport {
    let levels = [0, 0.2, 0.4, 0.6, 0.8]
    let comparison = comparison(levels)
    let spread = BarChart(
      axis: Axis("spread of accuracy over peers, points"),
      series: [.init("the paper", tint: Tint(7)), .init("ours", tint: .together)],
      categories: [
        .init("alone", [5.60, 8.1]), .init("0 % offline", [3.04, 0.6]), .init("20 % offline", [2.39, 0.8]),
        .init("40 % offline", [2.52, 1.0]), .init("60 % offline", [2.36, 1.3]), .init("80 % offline", [3.15, nil]),
      ])
    return ReproductionReport(
      title: "LEARNAE, run again",
      paper: """
        Nikolaidis & Refanidis, “Using distributed ledger technology to democratize neural network training”, Applied Intelligence, \
        2021: figures 6–14, tables 6 and 7.
        """,
      introduction: ["Every experiment of the paper, on digits. The paper used HEPMASS; see the notes."],
      command: "murmur reproduce learnae --seed 1 --out learnae", seeds: [1, 2, 3],
      exhibits: [
        .init(
          number: "Figure 6", title: "Peers online over time", text: ["One line per probability of being offline."],
          figures: [comparison.figures()[2]],
          findings: [.init("peers online at 80 %", paper: "about 4 of 20", ours: "4.1 of 20", outcome: .holds)]),
        .init(
          number: "Figures 7 and 8", title: "Accuracy and spread over time, one epoch a cycle",
          figures: Array(comparison.figures().prefix(2)),
          findings: [
            .init(
              "together beats alone", paper: "at all but 80 %", ours: "at every level", outcome: .holds, remark: "Better at 80 %."
            ),
            .init("80 % offline hurts", paper: "yes", ours: "by 1.2 points", outcome: .partly),
          ]),
        .init(
          number: "Table 6", title: "Spread of accuracy over peers", figures: [Figure("Spread", chart: .bar(spread))],
          tables: [
            Table(
              "Spread, points", columns: [.text("offline"), .number("paper"), .number("ours")],
              rows: [["alone", "5.60", "8.1"], ["0 %", "3.04", "0.6"]])
          ],
          findings: [
            .init("spread falls when peers learn together", paper: "5.60 → 3.04", ours: "8.1 → 0.6", outcome: .holds),
            .init("absolute spread", paper: "3.04", ours: "0.6", outcome: .open, remark: "Other data, other number of rows."),
          ]),
      ],
      notes: ["HEPMASS itself is not fetched by this command."], facts: [.init("trace of seed 1", "9f3c5a7e1b2d4c6f")])
  }
}
