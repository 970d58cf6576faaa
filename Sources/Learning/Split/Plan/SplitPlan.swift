public import MurmurCompute
public import MurmurMachines

/// What all devices of a split network agree on, as data: whose features are how many, the layers, the rule, the pace.
///
/// A network is a sequence of *stages*. At each, a device applies its **computational unit** (Ganguli et al., 2023: the neurons of one
/// layer on one device) to its own features, to its own outputs of the stage before, or to those of all its virtual neighbours put side by
/// side in the order of their numbers. The outputs of the last stage are a device's own answer.
public struct SplitPlan: Sendable, Hashable {
  /// The number of features each device sees.
  public var features: [Int]
  /// The virtual neighbours of each device, ascending, without itself.
  public var neighbours: [[Int]]
  /// The stages, first to last; the first reads features.
  public var stages: [SplitStage]
  /// What answers are compared with.
  public var objective: Objective
  /// How units learn.
  public var rule: LearningRule
  /// What stands for a neighbour's outputs that did not come.
  public var missing: MissingPolicy
  /// Faults drawn for every sample of a training batch, alike on all devices.
  public var drill: Drill
  /// The optimiser of every unit.
  public var optimizer: Optimizer
  /// The learning rate, by step.
  public var rate: RateSchedule
  /// Samples of a step.
  public var batch: Int
  /// Steps of the training.
  public var steps: Int
  /// How long devices wait for each other.
  public var timing: SplitTiming
  /// How answers of several devices become one.
  public var inference: Inference
  /// The seed of initial weights, batches and drills.
  public var seed: UInt64

  /// A plan of the given network; everything else may be changed afterwards.
  public init(features: [Int], neighbours: [[Int]], stages: [SplitStage], objective: Objective) {
    self.features = features
    self.neighbours = neighbours
    self.stages = stages
    self.objective = objective
    rule = .backpropagation
    missing = .flagged
    drill = Drill()
    optimizer = .adam()
    rate = .linear(from: 0.003, to: 0.0001)
    batch = 64
    steps = 1_000
    timing = SplitTiming()
    inference = Inference()
    seed = 1
  }

  /// The number of devices.
  public var devices: Int { features.count }

  /// The stages of a classifier: units of `hidden` neurons on the device's own features, `depth` − 1 stages that read the neighbours', and an
  /// own head on every device.
  public static func classifier(hidden: Int, depth: Int, classes: Int) -> [SplitStage] {
    var stages = [SplitStage(.features, [DenseShape(hidden, .relu)])]
    for _ in 1..<max(depth, 1) { stages.append(SplitStage(.neighbours, [DenseShape(hidden, .relu)])) }
    return stages + [SplitStage(.own, [DenseShape(classes, .none)])]
  }

  /// What is wrong with the plan, in words; `nil` if nothing is.
  public var complaint: String? {
    if features.isEmpty { return "a split network has devices" }
    if neighbours.count != features.count { return "\(neighbours.count) lists of neighbours for \(features.count) devices" }
    for (device, list) in neighbours.enumerated() {
      if list != list.sorted() || Set(list).count != list.count {
        return "device \(device): its neighbours are not in order, each once"
      }
      if let odd = list.first(where: { $0 < 0 || $0 >= devices || $0 == device }) {
        return "device \(device): \(odd) is no neighbour it can have"
      }
      if let odd = list.first(where: { !neighbours[$0].contains(device) }) {
        return "device \(device) hears \(odd), which does not hear it"
      }
    }
    guard let first = stages.first, let last = stages.last else { return "a split network has stages" }
    if first.reads != .features { return "the first stage reads features" }
    if stages.dropFirst().contains(where: { $0.reads == .features }) { return "only the first stage reads features" }
    if let index = stages.firstIndex(where: { $0.layers.isEmpty || $0.layers.contains { $0.width < 1 } }) {
      return "stage \(index) has no neurons"
    }
    if batch < 1 || steps < 0 { return "a batch of \(batch), \(steps) steps" }
    switch objective {
    case .classes where rule.readsLabels: break
    case .classes(let count), .summedClasses(let count):
      if last.width != count { return "the last stage has \(last.width) outputs for \(count) classes" }
    case .targets(let width):
      if last.width != width { return "the last stage has \(last.width) outputs for targets of \(width)" }
    case .ownFeatures:
      if let device = features.firstIndex(where: { $0 != last.width }) {
        return "the last stage has \(last.width) outputs for the \(features[device]) features of device \(device)"
      }
    }
    if rule.isLocal, objective.isSummed { return "a summed answer needs gradients over links" }
    if rule.readsLabels, objective.classes < 2 { return "Forward-Forward learning needs classes" }
    if case .softHebb = rule, stages.dropLast().contains(where: { $0.layers.count > 1 || $0.layers[0].activation != .none }) {
      return "SoftHebb's units have one layer, without an activation of its own"
    }
    for (index, stage) in stages.enumerated() where stage.isResidual {
      if let device = features.firstIndex(where: { $0 != stage.width }) {
        return "stage \(index) adds the device's features to \(stage.width) outputs, and device \(device) has \(features[device])"
      }
    }
    return nil
  }

  /// The same plan in lists of its own, for another thread: two that count references to the same list wait for each other.
  package var apart: SplitPlan {
    var plan = self
    plan.features = features.map { $0 }
    plan.neighbours = neighbours.map { list in list.map { $0 } }
    plan.stages = stages.map { stage in
      var stage = stage
      stage.layers = stage.layers.map { $0 }
      return stage
    }
    return plan
  }

  /// The numbers of a device's unit at a stage that come in.
  public func inputs(of device: Int, at stage: Int) -> Int {
    let labels = rule.readsLabels ? objective.classes : 0
    return switch stages[stage].reads {
    case .features: labels + features[device]
    case .own: labels + stages[stage - 1].width
    case .neighbours:
      labels + (neighbours[device].count + 1) * stages[stage - 1].width + (missing == .flagged ? neighbours[device].count : 0)
    }
  }

  /// Whether outputs of a stage are sent to the neighbours.
  public func isShared(_ stage: Int) -> Bool {
    stage + 1 < stages.count ? stages[stage + 1].reads == .neighbours : objective.isSummed
  }

  /// Whether gradients come back for the outputs of a stage.
  public func returnsGradients(_ stage: Int) -> Bool {
    rule == .backpropagation && stage + 1 < stages.count && stages[stage + 1].reads == .neighbours
      && stages[...stage].contains { !$0.isFrozen }
  }
}

/// One layer of units over all devices.
public struct SplitStage: Sendable, Hashable {
  /// What a unit reads.
  public enum Reads: String, Sendable, Hashable, CaseIterable {
    /// The device's features.
    case features
    /// The device's own outputs of the stage before.
    case own
    /// The outputs of the stage before of the device and all its neighbours.
    case neighbours
  }

  /// What its units read.
  public var reads: Reads
  /// The layers of each unit; most have one.
  public var layers: [DenseShape]
  /// Whether the device's features are added to the last weighted sums.
  public var isResidual = false
  /// Whether its parameters stay as they are.
  public var isFrozen = false
  /// Whether neurons have biases.
  public var hasBiases = true
  /// Whether weights begin at zero.
  public var beginsAtZero = false

  /// A stage of units of the given layers.
  public init(_ reads: Reads, _ layers: [DenseShape]) {
    self.reads = reads
    self.layers = layers
  }

  /// Outputs per sample and device.
  public var width: Int { layers[layers.count - 1].width }
}

/// What answers are compared with.
public enum Objective: Sendable, Hashable {
  /// The sample's class; every device has an answer of its own, the softmax of its last outputs.
  case classes(Int)
  /// The sample's class; the answer is the softmax of the sum of all devices' last outputs that come.
  case summedClasses(Int)
  /// Numbers that each device is to come near, a row of this width per sample; the loss is the mean squared error.
  case targets(Int)
  /// The device's own features.
  case ownFeatures

  /// Whether an answer is a sum over devices.
  public var isSummed: Bool { if case .summedClasses = self { true } else { false } }

  /// Classes; 0 without.
  public var classes: Int {
    switch self {
    case .classes(let count), .summedClasses(let count): count
    case .targets, .ownFeatures: 0
    }
  }
}

/// How units learn.
public enum LearningRule: Sendable, Hashable {
  /// The gradient of the sum of all answers' losses walks back over the links.
  case backpropagation
  /// Every stage has a linear head of its own on every device and learns by that head's loss alone; no gradient crosses a link. With `replay`,
  /// stages that read neighbours also learn from one of that many kept batches each step (decoupled greedy learning: Belilovsky et al., 2020).
  case greedy(replay: Int)
  /// Every unit learns to be more active for a sample with its true label than with a wrong one (Forward-Forward: Hinton, 2022, with the
  /// symmetric loss of Lee and Song, 2023); every unit reads the label, and the answer is the label with most activity. `sharpness` multiplies
  /// the difference of activities. There is no head.
  case forwardForward(sharpness: Float)
  /// Units but the last compete for what they see and move towards it, without labels (SoftHebb: Moraitis et al., 2022); the last
  /// stage is a read-out that learns from its own loss. `temperature` is that of the competition.
  case softHebb(temperature: Float)
  /// Units but the last are to say the same of a sample whatever is left out of it, and different things with each neuron (Barlow Twins:
  /// Zbontar et al., 2021), without labels; the last stage is a read-out. `redundancy` weighs the second wish.
  case barlowTwins(redundancy: Float)

  /// Whether no gradient crosses a link.
  public var isLocal: Bool { self != .backpropagation }

  /// Whether units read labels with the features.
  public var readsLabels: Bool { if case .forwardForward = self { true } else { false } }
}

/// What stands for a neighbour's outputs that did not come.
public enum MissingPolicy: String, Sendable, Hashable, CaseIterable {
  /// Zero.
  case zero
  /// Zero, and a flag per neighbour says whether it came.
  case flagged
  /// Zero, and what came is scaled up to make good for it.
  case rescaled
  /// The running mean of that neighbour's outputs.
  case mean
  /// That neighbour's last outputs that came: for streams whose samples follow each other, never for independent ones.
  case last
  /// What a small unit beside the reading one estimates from all that did come. It has a hidden layer as wide as the neighbours' outputs and
  /// learns from parts that came and are hidden from it, without a message.
  case estimate
}

/// A learning rate by step.
public enum RateSchedule: Sendable, Hashable {
  /// Always the same.
  case constant(Float)
  /// From the first value at the first step to the second at the last, along a line.
  case linear(from: Float, to: Float)
  /// Times `factor` after every `every` steps.
  case stepped(Float, factor: Float, every: Int)

  /// The rate of a step out of `steps`.
  public func rate(_ step: Int, of steps: Int) -> Float {
    switch self {
    case .constant(let rate): return rate
    case .linear(let first, let last):
      let share = Float(min(max(step, 0), max(steps - 1, 0))) / Float(max(steps - 1, 1))
      return first + (last - first) * share
    case .stepped(let first, let factor, let every):
      var rate = first
      for _ in 0..<max(0, step / max(every, 1)) { rate *= factor }
      return rate
    }
  }
}

/// How long devices wait for each other. Nobody waits for everybody, and nobody for ever.
public struct SplitTiming: Sendable, Hashable {
  /// The longest wait for one stage's messages, and the first, before anything was learnt of arrivals.
  public var longest = Instant.Span.milliseconds(500)
  /// The shortest time that is waited beyond the mean of arrivals.
  public var shortest = Instant.Span.milliseconds(20)
  /// Deviations of arrivals beyond their mean that are waited for.
  public var deviations = 4.0
  /// How often what is missing is asked for again before the deadline.
  public var polls = 1
  /// After how many silent waits in a row a neighbour is waited for no more, until it is heard again.
  public var patience = 3
  /// Steps in flight at a time: 1 begins a step when the one before has ended.
  public var flights = 1
  /// Steps ahead of a device's own from which it takes messages; one heard further ahead is followed.
  public var ahead = 4
  /// Finished steps whose outputs are kept for neighbours that ask again.
  public var kept = 4

  /// The defaults.
  public init() {}
}

/// How answers of several devices become one.
public struct Inference: Sendable, Hashable {
  /// How answers travel.
  public enum Spreading: Sendable, Hashable {
    /// Every answer is passed on once by everybody, up to so many hops from its origin: 1 is a collection from the neighbours.
    case flood(hops: Int)
    /// So many rounds in which every device averages with its neighbours.
    case gossip(rounds: Int)
    /// No answer travels.
    case alone
  }

  /// How answers travel.
  public var spreading = Spreading.flood(hops: 1)
  /// How long who asks waits for answers.
  public var deadline = Instant.Span.milliseconds(1_000)

  /// The defaults: answers of the neighbours.
  public init() {}
}
