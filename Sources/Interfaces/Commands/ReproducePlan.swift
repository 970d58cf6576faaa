import MurmurMachines
import MurmurScenario
import MurmurSessions

/// What of LEARNAE is run, on which rows, how often.
package struct ReproducePlan: Sendable {
  /// The data sets, in the order in which they are run.
  package var data: [Rows]
  /// One run of everything for each.
  package var seeds: [UInt64]
  /// The offline probabilities, 0…1, ascending.
  package var probabilities = [0, 0.2, 0.4, 0.6, 0.8]
  /// How many peers there are.
  package var peers = 20
  /// How many work cycles a session lasts.
  package var cycles = 120

  /// The pace of work. The paper's peers work faster than connectivity is redrawn; so do these, three cycles to a draw.
  static let pace = Instant.Span.minutes(5)
  /// How often connectivity is redrawn, and how long a peer then stays offline (the paper's Offline Cycle and Offline Duration).
  static let redraw = Instant.Span.minutes(15)

  /// Everything on these data with these seeds.
  package init(data: [Rows], seeds: [UInt64]) {
    self.data = data
    self.seeds = seeds
  }

  /// One data set, how much of it each peer has, and what learns it.
  package struct Rows: Hashable, Sendable {
    /// The data set's name in the catalogue.
    package var name: String
    /// Rows of each peer.
    package var perPeer: Int
    /// The architecture in its short form.
    package var model: String

    /// That many rows for each peer.
    package init(_ name: String, perPeer: Int, model: String) {
      self.name = name
      self.perPeer = perPeer
      self.model = model
    }

    /// The data sets this command knows how to deal out; `hepmass` is the paper's own, with the paper's 5,000 rows a peer.
    package static let known = [
      Rows("digits", perPeer: 70, model: "64-64-10"), Rows("mnist", perPeer: 500, model: "784-64-10"),
      Rows("higgs", perPeer: 700, model: "28-64-64-2"), Rows("hepmass", perPeer: 5000, model: "28-64-64-2"),
    ]

    /// Weights of the model, roughly: what a row costs.
    var weights: Double {
      let widths = model.split(separator: "-").compactMap { Double($0) }
      return zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// How a session is run: as published, or as this project would.
  package enum Policy: Hashable, Sendable {
    /// LEARNAE's work cycle with that many epochs a training cycle.
    case paper(epochs: Int)
    /// The default session of this project, at the same pace and length.
    case standard

    /// What is run, in this order.
    package static let all = [Policy.paper(epochs: 1), .paper(epochs: 10), .standard]

    /// Its name in tables and in `results.json`.
    package var name: String {
      switch self {
      case .paper(let epochs): "paper, \(epochs) \(epochs == 1 ? "epoch" : "epochs")"
      case .standard: "default session"
      }
    }

    /// The session to run.
    func session(length: Instant.Span) -> Session {
      var session = Session()
      session.cycle = ReproducePlan.pace
      session.length = length
      guard case .paper(let epochs) = self else { return session }
      session.work = .alternating(trainingShare: 0.5)
      session.announcements = .broadcast
      session.averaging.rule = .mean
      session.averaging.choice = .better
      session.averaging.partners = 1
      session.averaging.adoption = .ifBetter
      session.averaging.varianceCorrected = false
      session.averaging.from = 0
      session.training.epochs = epochs
      session.training.watchful = false
      session.privacy = true
      return session
    }
  }

  /// One session that is to be run.
  struct Task: Sendable {
    var rows: Rows
    var policy: Policy
    var probability: Double
    var seed: UInt64

    /// What it is, for whoever waits.
    var label: String { "\(rows.name), \(policy.name), \(ReproducePlan.percent(probability)) offline, seed \(seed)" }
    /// What it costs beside others, roughly.
    var cost: Double {
      let epochs: Double
      switch policy {
      case .paper(let count): epochs = Double(count) / 2
      case .standard: epochs = 5
      }
      return rows.weights * Double(rows.perPeer) * epochs + 4e6
    }
  }

  /// A probability as people read it.
  static func percent(_ probability: Double) -> String { "\(Int((probability * 100).rounded())) %" }

  /// The sessions on those rows with that seed.
  func tasks(_ rows: Rows, seed: UInt64) -> [Task] {
    Policy.all.flatMap { policy in
      probabilities.map { Task(rows: rows, policy: policy, probability: $0, seed: seed) }
    }
  }

  /// The scenario of a session.
  func scenario(_ task: Task) -> Scenario {
    var scenario = Scenario()
    scenario.name = "learnae-\(task.rows.name)"
    scenario.seed = task.seed
    scenario.data.set = [task.rows.name]
    scenario.data.rows = task.rows.perPeer
    scenario.model = .named(task.rows.model)
    scenario.peers.count = peers
    scenario.session = task.policy.session(length: ReproducePlan.pace * Double(cycles))
    scenario.observe.every = .share(1 / Double(min(cycles, 80)))
    if task.probability > 0 {
      scenario.faults.faults = [
        .offline(Fault.Offline(probability: task.probability, cycle: ReproducePlan.redraw, duration: ReproducePlan.redraw))
      ]
    }
    return scenario
  }
}
