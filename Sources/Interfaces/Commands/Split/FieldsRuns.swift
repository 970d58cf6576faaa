import MurmurReports
import MurmurSimulator
import MurmurSplit

/// What was measured of a field so far.
struct FieldsRuns {
  let experiment: FieldExperiment
  let seeds: [UInt64]
  let command: String
  /// Every way with every share of dead stations from every seed, on test moments.
  var lines: [FieldLine] = []
  /// The split network with each policy for what is missing, on validation moments.
  var policies: [(policy: MissingPolicy, lines: [FieldLine])] = []
  var costs: [UInt64: FieldExperiment.Cost] = [:]
  var interrupted: String?
  var wallSeconds = 0.0

  var field: Field { experiment.field }
  var recipe: FieldRecipe { experiment.recipe }

  init(field: Field, recipe: FieldRecipe, seeds: [UInt64], command: String) {
    experiment = FieldExperiment(field, recipe)
    self.seeds = seeds
    self.command = command
  }

  /// Runs everything, and says how far it is and what there is whenever a way is through.
  mutating func run(
    withPolicies: Bool, isStopped: () -> Bool, progress: (Double, String, FieldsRuns) -> Void
  ) {
    let policies = withPolicies ? MissingPolicy.allCases : []
    let count = Double(seeds.count * FieldMethod.all.count + policies.count)
    var done = 0.0
    for seed in seeds {
      for method in FieldMethod.all {
        progress(done / count, "seed \(seed), \(method.name)", self)
        var cost = costs[seed] ?? .init()
        guard
          let lines = experiment.lines(method, seed: seed, on: field.test, cost: &cost, isStopped: isStopped)
        else { return stop() }
        costs[seed] = cost
        self.lines += lines
        done += 1
      }
    }
    for policy in policies {
      progress(done / count, "what is missing: \(policy.rawValue)", self)
      guard let lines = experiment.policy(policy, seed: seeds[0], isStopped: isStopped) else { return stop() }
      self.policies.append((policy, lines))
      done += 1
    }
    progress(1, "", self)
  }

  private mutating func stop() {
    interrupted = "It was stopped after \(lines.count / experiment.shares.count) of \(seeds.count * FieldMethod.all.count) runs."
  }

  /// At which stations errors are counted.
  enum Group: String, CaseIterable {
    case all
    case live
    case dead

    func errors(_ score: FieldScore) -> FieldErrors {
      switch self {
      case .all: score.all
      case .live: score.live
      case .dead: score.dead
      }
    }
  }

  /// A figure of a way over seeds; `nil` if there is none.
  func figure(_ method: FieldMethod, _ share: Double, _ value: (FieldScore) -> Double) -> Sampled? {
    Sampled(lines.filter { $0.method == method && $0.share == share }.map { value($0.score) }.filter { $0.isFinite })
  }

  /// Everything for programs. Key names are a contract.
  var json: JSON {
    func errors(_ errors: FieldErrors) -> JSON {
      .object([
        .init("mae", .number(errors.mean)), .init("rmse", .number(errors.root)), .init("count", .integer(errors.count)),
      ])
    }
    func value(_ line: FieldLine) -> [JSON.Member] {
      [
        .init("seed", .unsigned(line.seed)), .init("dead", .number(line.share)), .init("all", errors(line.score.all)),
        .init("live", errors(line.score.live)), .init("deadStations", errors(line.score.dead)),
        .init("unanswered", .integer(line.score.unanswered)),
      ]
    }
    return JSON.object([
      .init("field", .string(field.name)), .init("command", .string(command)), .init("unit", .string(field.unit)),
      .init("stations", .integer(field.stations)),
      .init("moments", .array([field.training, field.validation, field.test].map { .integer($0.count) })),
      .init("interrupted", .optional(interrupted)), .init("wallSeconds", .number(wallSeconds)),
      .init("runs", .array(lines.map { .object([.init("method", .string($0.method.name))] + value($0)) })),
      .init(
        "policies",
        .array(
          policies.flatMap { policy, lines in
            lines.map { .object([.init("missing", .string(policy.rawValue))] + value($0)) }
          })),
      .init(
        "costs",
        .array(
          seeds.compactMap { seed in
            costs[seed].map {
              .object([
                .init("seed", .unsigned(seed)), .init("parameters", .integer($0.parameters.split)),
                .init("centralParameters", .integer($0.parameters.central)),
                .init("messagesPerDeviceAndStep", .number($0.messages)), .init("bytesPerDeviceAndStep", .number($0.bytes)),
                .init("trace", .string($0.trace)),
              ])
            }
          })),
    ])
  }
}
