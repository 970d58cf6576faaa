import MurmurCompute
import MurmurMachines
public import MurmurSplit

/// How a split network over a field is made and asked.
public struct FieldRecipe: Sendable, Hashable {
  /// Neurons of a device's unit that reads its own features, and of the one that reads its neighbours.
  public var hidden = 16
  /// Stages that read neighbours.
  public var exchanges = 1
  /// Steps of training.
  public var steps = 1_000
  /// Moments in a step.
  public var batch = 64
  /// The learning rate, falling to a twentieth.
  public var rate: Float = 0.003
  /// Decoupled weight decay.
  public var decay: Float = 0.01
  /// The highest probability with which devices are drawn dead in training.
  public var drop = 0.75
  /// What stands for a neighbour that says nothing.
  public var missing = MissingPolicy.flagged
  /// Steps in which the hidden stages learn beforehand without targets: that what is left of a moment's readings says the same as another rest
  /// of them (Barlow Twins), device by device.
  public var pretraining = 0
  /// Whether devices hear each other at all.
  public var isTogether = true
  /// Moments before its death over which a station's estimates are compared with what it said.
  public var tail = 0
  /// Moments after which that comparison has lost half of its weight; 0 never uses it.
  public var halving = 0.0
  /// Weight decay of the central model.
  public var centralDecay: Float = 10
  /// Neurons of the two hidden layers of the central model.
  public var central = 128
  /// Steps of the central model.
  public var centralSteps = 1_000

  /// The defaults.
  public init() {}
}

/// A split network over a field: a device per station, trained as a ``SplitWorld``, whose devices then die.
public struct FieldNetwork {
  /// The field.
  public let field: Field
  /// How it was made.
  public var recipe: FieldRecipe
  /// The devices.
  public private(set) var world: SplitWorld
  /// All parameters of all devices.
  public var parameters: Int {
    (0..<field.stations).reduce(0) { $0 + world.device($1).units.reduce(0) { $0 + $1.parameters.count } }
  }

  /// Devices that have not learnt.
  public init(_ field: Field, _ recipe: FieldRecipe, seed: UInt64) {
    self.field = field
    self.recipe = recipe
    var stages = [SplitStage(.features, [DenseShape(recipe.hidden, .relu)])]
    for _ in 0..<recipe.exchanges { stages.append(SplitStage(.neighbours, [DenseShape(recipe.hidden, .relu)])) }
    stages.append(SplitStage(.own, [DenseShape(field.width, .none)]))
    let graph = recipe.isTogether ? field.graph : DeviceGraph(devices: field.stations, links: [])
    var plan = SplitPlan(
      features: field.features.map(\.columns), neighbours: graph.neighbours, stages: stages, objective: .targets(field.width))
    plan.steps = recipe.steps
    plan.batch = recipe.batch
    plan.rate = .linear(from: recipe.rate, to: recipe.rate / 20)
    plan.optimizer = .adamW(decay: recipe.decay)
    plan.drill = Drill(devices: .upTo(recipe.drop))
    plan.missing = recipe.missing
    plan.inference.spreading = .alone
    plan.seed = seed
    world = SplitWorld(plan: plan, graph: graph, reach: .direct, rows: field.rows())
  }

  /// Trains to the end, or until `isStopped` says so; whether it came to the end.
  public mutating func train(isStopped: () -> Bool = { false }) -> Bool {
    guard recipe.pretraining == 0 || pretrain(isStopped: isStopped) else { return false }
    world.train(isStopped: isStopped)
    return world.latestStep >= recipe.steps - 1
  }

  /// Trains the hidden stages without targets. The rule's read-out, which does see them, is left behind.
  private mutating func pretrain(isStopped: () -> Bool) -> Bool {
    var plan = world.plan
    plan.rule = .barlowTwins(redundancy: 0.01)
    plan.steps = recipe.pretraining
    var first = SplitWorld(plan: plan, graph: world.graph, reach: .direct, rows: field.rows())
    first.train(isStopped: isStopped)
    for device in 0..<field.stations {
      var units = world.device(device).units
      for stage in units.indices.dropLast() { units[stage].parameters = first.device(device).units[stage].parameters }
      world.place(units, on: device)
    }
    return first.latestStep >= plan.steps - 1
  }

  /// What the living devices believe over `moments`, when `dead` have died just before the first of them.
  public func beliefs(_ moments: Range<Int>, dead: [Int]) -> Beliefs {
    var world = world
    let isDead = field.mask(dead)
    let tail = field.tail(recipe, before: moments)
    // What a device heard last, for those that remember it.
    _ = answers(&world, tail, isDead: field.mask([]))
    for device in dead { world.act(.dies(device)) }
    // Some questions go by until the living have noticed.
    for _ in 0..<world.plan.timing.patience + 1 { _ = answers(&world, tail.suffix(1), isDead: isDead) }
    let before = combined(answers(&world, tail, isDead: isDead), tail, isDead)
    var beliefs = combined(answers(&world, moments, isDead: isDead), moments, isDead)
    if recipe.halving > 0 { beliefs.correct(by: before, field, isDead: isDead, halving: recipe.halving) }
    return beliefs
  }

  /// Every living device's own answers. Devices that a question did not reach, as the dead cut them off, are asked by themselves.
  private func answers(_ world: inout SplitWorld, _ moments: Range<Int>, isDead: [Bool]) -> [Matrix?] {
    var all = [Matrix?](repeating: nil, count: field.stations)
    for device in 0..<field.stations where !isDead[device] && all[device] == nil {
      for (number, answer) in world.ask(device, rows: moments.map { Int32($0) }).own.enumerated() {
        if let answer { all[number] = answer }
      }
    }
    return all
  }

  /// A living station's own estimate; for others the mean of those devices that estimate it and live, or else the usual.
  private func combined(_ answers: [Matrix?], _ moments: Range<Int>, _ isDead: [Bool]) -> Beliefs {
    var beliefs = Beliefs(moments, stations: field.stations)
    let width = field.width
    var counts = [Float](repeating: 0, count: beliefs.guesses.count)
    for device in 0..<field.stations {
      guard !isDead[device], let answer = answers[device]?.array else { continue }
      for (column, station) in field.estimates[device].enumerated() {
        let isOwn = station == device
        guard isOwn != isDead[station], field.isAsked(station, isDead: isDead) else { continue }
        for (place, moment) in moments.enumerated() {
          let index = place * field.stations + station
          let value = field.value(answer[place * width + column], moment, of: station, isOwn: isOwn)
          guard !value.isNaN else { continue }
          beliefs.guesses[index] = (counts[index] == 0 ? 0 : beliefs.guesses[index]) + value
          counts[index] += 1
        }
      }
    }
    for (place, moment) in moments.enumerated() {
      for station in 0..<field.stations where isDead[station] {
        let index = place * field.stations + station
        if counts[index] > 0 {
          beliefs.guesses[index] /= counts[index]
        } else {
          beliefs.guesses[index] = field.usual[moment * field.stations + station]
          beliefs.unanswered += 1
        }
      }
    }
    return beliefs
  }
}

extension Beliefs {
  /// Moves the estimates of dead stations by what they were wrong by, on average, before the death; ever less so as time goes by.
  mutating func correct(by before: Beliefs, _ field: Field, isDead: [Bool], halving: Double) {
    for station in 0..<field.stations where isDead[station] {
      var (sum, count): (Double, Double) = (0, 0)
      for (place, moment) in before.moments.enumerated() {
        let said = field.truth[moment * field.stations + station]
        let believed = before.guesses[place * field.stations + station]
        guard !said.isNaN, !believed.isNaN else { continue }
        sum += Double(said) - Double(believed)
        count += 1
      }
      guard count > 0 else { continue }
      for place in 0..<moments.count {
        let weight = Portable.exp(-0.693_147_180_559_945_3 * Double(place + 1) / halving)
        guesses[place * field.stations + station] += Float(sum / count * weight)
      }
    }
  }
}

extension Field {
  /// The moments before others over which estimates are compared with what stations said that die then.
  func tail(_ recipe: FieldRecipe, before moments: Range<Int>) -> Range<Int> {
    let end = moments.lowerBound
    return max(0, end - max(1, recipe.tail))..<end
  }

  /// Which stations are in a list.
  public func mask(_ list: [Int]) -> [Bool] {
    var mask = [Bool](repeating: false, count: stations)
    for station in list { mask[station] = true }
    return mask
  }
}
