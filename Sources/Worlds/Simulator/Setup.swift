import MurmurBlocks
public import MurmurCollective
public import MurmurCompute
public import MurmurDatasets
import MurmurIdentity
public import MurmurMachines
import MurmurPeer
import MurmurPubSub
public import MurmurScenario
public import MurmurSessions

/// Why a scenario cannot be run on these data, and what to do.
public struct SetupError: Error, CustomStringConvertible, Sendable {
  /// The sentence shown to the user.
  public var description: String

  /// An error with that sentence.
  public init(_ description: String) { self.description = description }
}

/// A scenario together with its rows: everything drawn before virtual time begins.
public struct Setup: Sendable {
  /// What is run.
  public let scenario: Scenario
  /// What the peers agreed on.
  public let session: Session
  /// The architecture that the session's model names.
  public let architecture: Architecture
  /// Every row of the data set, standardised with constants fitted on training rows only.
  public let samples: Samples
  /// What each peer trains on and validates with; empty for trainers.
  public let rows: [Work.Rows]
  /// What each sensor reads, in order; empty without feeds.
  public let sensorRows: [[Int32]]
  /// The rows as they are before scaling, and how streams become rows; only with feeds.
  let raw: Dataset?
  /// See ``raw``.
  public let field: FeedField?
  /// The rows that accuracies are measured on; no peer ever sees them.
  public let test: [Int32]
  /// The test rows used for the curves, at most ``curveRows`` of them.
  public let curve: [Int32]
  /// What the report should say of the data.
  public let notes: [String]
  /// The root of everything random.
  public let chance: Chance

  /// How many test rows the curves over time use.
  public static let curveRows = 1000

  /// Draws the split and fits the architecture to the data.
  public init(_ scenario: Scenario, _ dataset: Dataset) throws {
    self.scenario = scenario
    chance = Chance(seed: scenario.seed)
    let classes = dataset.samples.classes
    session = scenario.session(inputs: dataset.samples.width, outputs: classes)
    let model = session.model
    do throws(ArchitectureError) {
      architecture = try Architecture(parsing: model)
    } catch {
      throw SetupError("the model \(model) cannot be built: \(error)")
    }
    guard architecture.inputs == dataset.samples.width else {
      throw SetupError(
        "the model \(model) takes \(architecture.inputs) inputs, but \(dataset.name) has \(dataset.samples.width) features; "
          + "name only the hidden layers (model: {hidden: 64,64} or --hidden 64,64) and inputs and outputs follow from the data")
    }
    guard architecture.outputs >= classes, classes >= 2 else {
      throw SetupError(
        "the model \(model) has \(architecture.outputs) outputs, but \(dataset.name) has \(classes) classes; "
          + (classes < 2 ? "a classification needs two or more: is this the right label column (--label)?" : "give it \(classes)")
      )
    }
    let sensors = scenario.feeds.sensors
    let owners = sensors > 0 ? sensors : scenario.peers.full + scenario.peers.roles.feeders
    guard owners > 0 else {
      throw SetupError("nobody has rows: of \(scenario.peers.count) peers none is full or a feeder; change peers.roles")
    }
    let split = try Split.make(
      dataset, peers: owners, rowsPerPeer: scenario.data.rows, partition: scenario.data.partition.dealt,
      testLimit: scenario.data.test, chance: chance.fork("split"))
    sensorRows = sensors > 0 ? split.peers : []
    let scale = Standardisation.fit(
      on: dataset.samples, rows: split.training, method: Standardisation.method(for: dataset))
    samples = scale.apply(to: dataset.samples)
    test = split.test
    var sample = split.test
    var shuffle = chance.fork("curve")
    shuffle.shuffle(&sample)
    curve = Array(sample.prefix(Setup.curveRows))
    notes = split.notes
    raw = sensors > 0 ? dataset : nil
    field = sensors > 0 ? FeedField(dataset, label: scenario.data.label, scale: scale) : nil
    guard sensors == 0 else {
      let nothing = Work.Rows(samples: samples, training: [], validation: [])
      let share = session.training.validation
      let own = scenario.feeds.held ? Setup.held(sensorRows, samples, share, chance.fork("validation")) : nothing
      rows = Array(repeating: own, count: scenario.peers.count)
      return
    }
    var dealt: [Work.Rows] = []
    var owner = 0
    for number in 0..<scenario.peers.count {
      guard scenario.peers.role(number) != .trainer else {
        dealt.append(Work.Rows(samples: samples, training: [], validation: []))
        continue
      }
      dealt.append(
        Setup.hold(back: session.training.validation, of: split.peers[owner], samples, chance.fork("validation", owner)))
      owner += 1
    }
    rows = dealt
  }

  /// Takes a share of a peer's rows away for validation, at least one row where there are four.
  static func hold(back share: Double, of rows: [Int32], _ samples: Samples, _ chance: Chance) -> Work.Rows {
    var chance = chance
    var order = rows
    chance.shuffle(&order)
    let wanted = Int((share * Double(rows.count)).rounded())
    let count = share <= 0 || rows.count < 4 ? 0 : min(max(wanted, 1), rows.count - 1)
    return Work.Rows(samples: samples, training: Array(order.dropFirst(count)), validation: Array(order.prefix(count)))
  }

  /// All peers' rows together, as *central* has them.
  public var central: Work.Rows {
    if !sensorRows.isEmpty {
      return Setup.held(sensorRows, samples, session.training.validation, chance.fork("validation"))
    }
    var training = Set<Int32>()
    var validation = Set<Int32>()
    for part in rows { validation.formUnion(part.validation) }
    for part in rows { training.formUnion(part.training) }
    // Where peers share rows, a row that anybody validates with is not trained on.
    return Work.Rows(samples: samples, training: training.subtracting(validation).sorted(), validation: validation.sorted())
  }

  /// The model that peer `number` starts from.
  func start(_ number: Int) -> ParameterVector {
    architecture.initialParameters(seed: session.initialModel ?? chance.fork("initial model", number).seed)
  }
}

extension DataPlan.Partition {
  /// The same partition in the words of `MurmurDatasets`.
  var dealt: MurmurDatasets.Partition {
    switch self {
    case .equal: .equal
    case .dirichlet(let concentration): .dirichlet(concentration: concentration)
    case .group: .byGroup
    case .unequal(let ratio): .unequal(ratio: ratio)
    }
  }
}
