import MurmurMachines
public import MurmurSplit

/// What came of one way to know a field, with one share of stations dead, from one seed.
public struct FieldLine: Sendable, Hashable {
  /// Which way.
  public let method: FieldMethod
  /// The seed.
  public let seed: UInt64
  /// The share of stations that are dead.
  public let share: Double
  /// The errors.
  public let score: FieldScore
}

/// The ways that are compared.
public enum FieldMethod: Sendable, Hashable {
  /// The split network.
  case split
  /// The same devices without a message: each learns from what it sees itself.
  case alone
  /// The split network, trained without deaths.
  case undrilled
  /// The split network, whose hidden stages first learnt without targets.
  case pretrained
  /// One model that has everything in one place.
  case central
  /// What needs no learning.
  case baseline(FieldBaseline)

  /// All of them, the network first.
  public static var all: [FieldMethod] {
    [.split, .alone, .undrilled, .pretrained, .central] + FieldBaseline.allCases.map { .baseline($0) }
  }

  /// Its name.
  public var name: String {
    switch self {
    case .split: "split network"
    case .alone: "without communication"
    case .undrilled: "trained without deaths"
    case .pretrained: "pre-trained without targets"
    case .central: "one central model"
    case .baseline(let baseline): baseline.rawValue
    }
  }
}

/// Everything that is measured of a field: all ways, all shares of dead stations, seed by seed.
public struct FieldExperiment: Sendable {
  /// The field.
  public let field: Field
  /// How networks are made.
  public let recipe: FieldRecipe
  /// The shares of stations that die.
  public var shares = [0, 0.25, 0.5]
  /// Sets of dead stations with each share, at least.
  public var deaths: Int { field.isForecast ? 4 : 16 }

  /// The experiment on a field.
  public init(_ field: Field, _ recipe: FieldRecipe) {
    self.field = field
    self.recipe = recipe
  }

  /// What a trained network took.
  public struct Cost: Sendable, Hashable {
    /// Parameters of all devices, and of the central model.
    public var parameters = (split: 0, central: 0)
    /// Messages sent in training by one device in one step, on average.
    public var messages = 0.0
    /// Bytes of them.
    public var bytes = 0.0
    /// A hash over every event of the training.
    public var trace = ""

    /// Nothing yet.
    public init() {}

    /// Whether all is the same.
    public static func == (left: Cost, right: Cost) -> Bool {
      left.parameters == right.parameters && left.messages == right.messages && left.bytes == right.bytes
        && left.trace == right.trace
    }

    /// Hashes the trace.
    public func hash(into hasher: inout Hasher) { hasher.combine(trace) }
  }

  /// Runs one way with all shares on `moments`; `nil` if it was stopped.
  public func lines(
    _ method: FieldMethod, seed: UInt64, on moments: Range<Int>, cost: inout Cost, isStopped: () -> Bool = { false }
  ) -> [FieldLine]? {
    switch method {
    case .baseline(let baseline):
      return score(method, seed, moments, isStopped) { baseline.beliefs(field, $0, dead: $1) }
    case .central:
      var model = CentralModel(field, recipe, seed: seed)
      cost.parameters.central = model.parameters
      guard model.train(isStopped: isStopped) else { return nil }
      return score(method, seed, moments, isStopped) { model.beliefs($0, dead: $1) }
    case .split, .alone, .undrilled, .pretrained:
      var recipe = recipe
      if method == .alone { recipe.isTogether = false }
      if method == .undrilled { recipe.drop = 0 }
      if method == .pretrained { recipe.pretraining = recipe.steps / 2 }
      var network = FieldNetwork(field, recipe, seed: seed)
      guard network.train(isStopped: isStopped) else { return nil }
      if method == .split {
        let statistics = network.world.statistics
        let steps = Double(max(1, statistics.steps))
        cost.parameters.split = network.parameters
        cost.messages = Double(statistics.messages) / steps
        cost.bytes = Double(statistics.bytes) / steps
        cost.trace = network.world.trace.description
      }
      return score(method, seed, moments, isStopped) { network.beliefs($0, dead: $1) }
    }
  }

  /// The split network with a policy for what is missing, judged on validation moments.
  public func policy(_ policy: MissingPolicy, seed: UInt64, isStopped: () -> Bool = { false }) -> [FieldLine]? {
    var recipe = recipe
    recipe.missing = policy
    var cost = Cost()
    return FieldExperiment(field, recipe).lines(.split, seed: seed, on: field.validation, cost: &cost, isStopped: isStopped)
  }

  private func score(
    _ method: FieldMethod, _ seed: UInt64, _ moments: Range<Int>, _ isStopped: () -> Bool,
    _ beliefs: (Range<Int>, [Int]) -> Beliefs
  ) -> [FieldLine]? {
    var lines: [FieldLine] = []
    for share in shares {
      var score = FieldScore()
      for dead in deaths(share, seed: seed).sets {
        if isStopped() { return nil }
        score.add(beliefs(moments, dead), field, isDead: field.mask(dead))
      }
      lines.append(FieldLine(method: method, seed: seed, share: share, score: score))
    }
    return lines
  }

  /// Who is dead: the same for all ways.
  public func deaths(_ share: Double, seed: UInt64) -> Deaths {
    var chance = Chance(seed: seed).fork("deaths", Int(share * 1_000))
    return Deaths(share, in: field, atLeast: deaths, chance: &chance)
  }
}

extension FieldRecipe {
  /// What was chosen for the city on its validation day.
  public static var city: FieldRecipe {
    var recipe = FieldRecipe()
    recipe.hidden = 12
    recipe.steps = 800
    recipe.decay = 0.3
    recipe.centralDecay = 10
    recipe.central = 128
    recipe.centralSteps = 600
    return recipe
  }

  /// What was chosen for the farm on its validation days.
  public static var farm: FieldRecipe {
    var recipe = FieldRecipe()
    recipe.hidden = 16
    recipe.steps = 600
    recipe.decay = 5
    recipe.drop = 0.9
    recipe.tail = 7
    recipe.halving = 60
    recipe.centralDecay = 30
    recipe.central = 64
    recipe.centralSteps = 1_200
    return recipe
  }
}
