import MurmurReports
import MurmurSplit

/// What was measured of the reconstructions of Internet Learning, run by run.
struct InternetLearningRuns: Sendable {
  /// What fails while images are reconstructed.
  enum Fault: String, CaseIterable, Sendable {
    case none, oneDead, twoDead, linksThird, linksMost

    /// In words.
    var name: String {
      switch self {
      case .none: "no fault"
      case .oneDead: "one dead"
      case .twoDead: "two dead"
      case .linksThird: "links down 0.3"
      case .linksMost: "links down 0.6"
      }
    }
  }

  /// A column of the paper's table 1: the graph, and the probability that a link fails in training.
  enum Regime: Hashable, Sendable, CaseIterable {
    case complete0, complete1, complete3, complete6, ring

    var fault: Double {
      switch self {
      case .complete0, .ring: 0
      case .complete1: 0.1
      case .complete3: 0.3
      case .complete6: 0.6
      }
    }

    var name: String { "\(self == .ring ? "DB-IL-Part" : "DB-IL-FC") \(Numerals.decimal(fault))" }

    /// The paper's mean squared errors, without a fault and with one device dead.
    var paper: (none: Double, dead: Double) {
      switch self {
      case .complete0: (0.0540, 0.0650)
      case .complete1: (0.0649, 0.0756)
      case .complete3: (0.1079, 0.1320)
      case .complete6: (0.1161, 0.1328)
      case .ring: (0.1100, 0.1317)
      }
    }
  }

  /// A way to reconstruct images.
  enum Way: Hashable, Sendable {
    case lone(isCentred: Bool)
    case perceptrons(SplitPlan.Start, Regime)
    case heads(hasCopies: Bool)
    case joint(Joint)

    enum Joint: String, Sendable, CaseIterable {
      case faults, faultless, silent
    }

    /// In words.
    var name: String {
      switch self {
      case .lone(let isCentred): isCentred ? "no network, codes centred" : "no network, codes as trained"
      case .perceptrons(let start, let regime): "\(regime.name), \(start.name)"
      case .heads(let hasCopies): hasCopies ? "backup heads and one copy" : "backup heads"
      case .joint(.faults): "joint codes, trained under faults"
      case .joint(.faultless): "joint codes, trained without faults"
      case .joint(.silent): "the same without communication"
      }
    }

    /// What is measured of it.
    var faults: [Fault] {
      switch self {
      case .perceptrons: [.none, .oneDead]
      case .lone, .heads: [.none, .oneDead, .twoDead]
      case .joint(.silent): [.none, .oneDead, .twoDead]
      case .joint: Fault.allCases
      }
    }

    /// About how long it takes, beside others.
    var cost: Double {
      switch self {
      case .lone: 1
      case .perceptrons: 4
      case .heads: 10
      case .joint: 45
      }
    }

    /// The ways of section "strategies", in order.
    static let strategies: [Way] =
      [.lone(isCentred: true), .heads(hasCopies: false), .heads(hasCopies: true)] + Joint.allCases.map(Way.joint)
    /// The paper's own network, of which there are pictures too.
    static let pictured = Way.perceptrons(.paper, .complete0)
    /// The cells of table 1.
    static let table: [Way] = SplitPlan.Start.allCases.flatMap { start in Regime.allCases.map { .perceptrons(start, $0) } }
  }

  /// One network, and the mean squared errors of its reconstructions.
  struct Run: Sendable {
    var way: Way
    var seed: UInt64
    var errors: [Fault: Double]
  }

  /// The seeds of table 1.
  var tableSeeds: [UInt64]
  /// The seeds of the strategies.
  var strategySeeds: [UInt64]
  /// Everything that was run.
  var runs: [Run] = []
  /// How often training of each seed's autoencoder began.
  var attempts: [UInt64: Int] = [:]
  /// Pictures of the first seed.
  var pictures: [(way: String, chart: PictureChart)] = []
  /// Images learnt from and reported on.
  var images = (training: 0, tested: 0)
  /// Why not everything was run, if so.
  var interrupted: String?
  /// How long it took.
  var wallSeconds = 0.0

  /// Nothing was run yet.
  init(tableSeeds: [UInt64], strategySeeds: [UInt64]) {
    self.tableSeeds = tableSeeds
    self.strategySeeds = strategySeeds
  }

  /// The errors of a way under a fault, over seeds: all, or the given ones.
  func errors(_ way: Way, _ fault: Fault, _ seeds: [UInt64]? = nil) -> Sampled? {
    Sampled(runs.filter { $0.way == way && seeds?.contains($0.seed) ?? true }.compactMap { $0.errors[fault] })
  }

  /// The differences between two ways' errors on the same seeds.
  func difference(_ way: Way, _ fault: Fault, from other: Way, _ otherFault: Fault) -> Sampled? {
    Sampled(
      runs.filter { $0.way == way }.compactMap { run in
        guard let value = run.errors[fault], let match = runs.first(where: { $0.way == other && $0.seed == run.seed }),
          let base = match.errors[otherFault]
        else { return nil }
        return value - base
      })
  }

  /// Every run with its figures. Key names are a contract.
  func json(command: String, report: ReproductionReport) -> String {
    let findings = report.exhibits.flatMap(\.findings).map { finding in
      JSON.object([
        .init("what", .string(finding.subject)), .init("paper", .string(finding.paper)), .init("ours", .string(finding.ours)),
        .init("outcome", .string(finding.outcome.rawValue)),
      ])
    }
    let list = runs.map { run in
      let errors = run.way.faults.compactMap { fault in
        run.errors[fault].map { JSON.Member(fault.rawValue, .number($0)) }
      }
      return JSON.object([
        .init("way", .string(run.way.name)), .init("seed", .unsigned(run.seed)), .init("mse", .object(errors)),
      ])
    }
    return JSON.object([
      .init("paper", .string(report.paper)), .init("command", .string(command)),
      .init("tableSeeds", .array(tableSeeds.map(JSON.unsigned))), .init("seeds", .array(strategySeeds.map(JSON.unsigned))),
      .init("trainingImages", .integer(images.training)), .init("testImages", .integer(images.tested)),
      .init("interrupted", .optional(interrupted)), .init("wallSeconds", .number(wallSeconds)),
      .init("findings", .array(findings)), .init("runs", .array(list)),
    ]).indented() + "\n"
  }
}

extension SplitPlan.Start {
  /// In words.
  var name: String {
    switch self {
    case .paper: "as in the paper"
    case .random: "centred, random"
    case .identity: "centred, zero"
    }
  }
}
