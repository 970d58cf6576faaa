public import MurmurCompute
public import MurmurMachines

/// One device of a split network, as a machine: it holds its own features and its own units, and talks with its neighbours alone.
///
/// A step goes forward stage by stage, each unit reading what the neighbours' units of the stage before sent, and back the same way with
/// gradients. **There is no barrier**: a device waits for what is missing as long as arrivals so far suggest, asks once more, and goes on
/// without it (partial timing: section 5 of Ganguli et al., 2023). Sums over neighbours go by their numbers, never by arrival, so that a
/// run in which nothing fails gives the bits of one process.
///
/// Arithmetic happens within a step of the machine: a unit takes microseconds, a trip to a worker would cost more. What it would cost on a
/// slow device is told to the world by ``Effect/worked(multiplyAdds:)``. Not sendable, as its working memory belongs to one thread.
public struct SplitDevice: Machine {
  /// What may happen to it.
  public enum Input: Sendable {
    /// The training begins, or goes on from where it was.
    case began
    /// A neighbour said something.
    case received(SplitMessage, from: Int)
    /// The connection to a neighbour is gone, and so perhaps the neighbour.
    case departed(Int)
    /// A timer fired.
    case fired(Timer)
    /// Somebody wants answers for rows of this device's table.
    case asked([Int32], Drill)
  }

  /// Its timers. One that fires although it was armed again, or is wanted no more, does no harm.
  public enum Timer: Hashable, Sendable {
    /// The wait of a pass through the network: the one of those in flight that ends first.
    case wait
    /// The wait for answers to a question of this device.
    case answers(Moment)
    /// Steps that wait for nobody go on.
    case next
  }

  /// What it may want done.
  public enum Effect: Sendable {
    /// Send to a neighbour.
    case send(SplitMessage, to: Int)
    /// Fire a timer.
    case arm(Timer, at: Instant)
    /// Arithmetic was done that takes a device its time.
    case worked(multiplyAdds: Int)
    /// Tell whoever watches.
    case announce(SplitEvent)
  }

  /// What messages of the training have no effect yet: a world that delivers many may hold them back and hand them over together, each with
  /// the time at which it came.
  public struct Quiet: Sendable {
    /// How many messages would at least have to come until one has an effect; 0 if the next one may have.
    public var count = 0
    /// The step and the stage of those that count; `nil` if all do.
    public var awaited: (step: Int, stage: Int, isGradient: Bool)?

    /// Nothing is known.
    public init() {}
  }

  /// What all devices agree on.
  public let plan: SplitPlan
  /// Which device this is.
  public let id: Int
  /// Its units, by stage.
  public internal(set) var units: [ComputationalUnit]
  /// The heads of stages that learn by themselves.
  public internal(set) var heads: [ComputationalUnit]
  /// The next step it begins.
  public internal(set) var step = 0
  /// Figures since it was made.
  public internal(set) var statistics = SplitStatistics()

  var rows: SplitRows
  var neighbours: [Int]
  /// How many there are.
  let degree: Int
  /// The device's place among its neighbours, by their numbers.
  let ownPlace: Int
  /// The links to the neighbours, once faults are drawn for them.
  var links: [DrawnMasks.Link] = []
  let schedule: Schedule
  let work: DenseWork
  let drills: DrillMemory
  var flights: [Flight] = []
  /// The room of a step that ended, for the next one.
  var spare: Flight?
  var company: Company
  var trainingPatience: PatienceTable
  var askingPatience: PatienceTable
  var kept: [(moment: Moment, outputs: [Matrix])] = []
  var questions: [Question] = []
  var asked = 0
  var isTraining = false
  /// Steps begun since the last input.
  var inARow = 0
  var memory: StageMemory
  /// How long after each other answers to a question came.
  var answerPatience = Patience()

  /// A fresh device. `work` and `drills` may be shared with other devices of the same plan that run on the same thread.
  public init(plan: SplitPlan, id: Int, rows: SplitRows, work: DenseWork, drills: DrillMemory = DrillMemory()) {
    precondition(plan.complaint == nil, plan.complaint ?? "")
    self.init(checked: plan, id: id, rows: rows, work: work, drills: drills)
  }

  /// A fresh device of a plan that was checked: to check it takes as long as there are devices and links, which is much for each of a thousand.
  package init(checked plan: SplitPlan, id: Int, rows: SplitRows, work: DenseWork, drills: DrillMemory) {
    precondition(rows.features.columns == plan.features[id], "device \(id) has other features")
    self.plan = plan
    self.id = id
    self.rows = rows
    self.work = work
    self.drills = drills
    neighbours = plan.neighbours[id]
    degree = neighbours.count
    ownPlace = neighbours.firstIndex { $0 > id } ?? neighbours.count
    schedule = Schedule(rows: max(1, rows.training), batch: plan.batch, seed: plan.seed)
    let chance = Chance(seed: plan.seed).fork("units", id)
    units = plan.stages.indices.map { stage in
      ComputationalUnit(
        inputs: plan.inputs(of: id, at: stage), stage: plan.stages[stage], optimizer: plan.optimizer,
        chance: chance.fork("stage", stage))
    }
    heads = []
    if case .greedy = plan.rule {
      heads = plan.stages.dropLast().indices.map { stage in
        ComputationalUnit(
          inputs: plan.stages[stage].width, stage: SplitStage(.own, [DenseShape(plan.answerWidth, .none)]),
          optimizer: plan.optimizer,
          chance: chance.fork("head", stage))
      }
    }
    company = Company(count: neighbours.count)
    trainingPatience = PatienceTable(stages: plan.stages.count, neighbours: neighbours.count)
    askingPatience = PatienceTable(stages: plan.stages.count, neighbours: neighbours.count)
    memory = StageMemory(SplitMemories(plan, device: id, chance: chance))
  }

  /// What it remembers of its neighbours, for policies that put something where nothing came.
  public var memories: SplitMemories { memory.memories }

  /// Goes on with what another life remembered of the same neighbours.
  public mutating func remember(_ memories: SplitMemories) {
    precondition(memories.fits(memory.memories), "memories of other neighbours")
    memory.memories = memories
  }

  /// Goes on with units from elsewhere (a checkpoint, another run) of the same shapes.
  public mutating func adopt(_ units: [ComputationalUnit], step: Int) {
    precondition(units.count == self.units.count, "other stages")
    self.units = units
    self.step = step
  }

  /// Takes one input.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    inARow = 0
    switch input {
    case .began:
      flights.removeAll { $0.moment.step != nil }
      isTraining = rows.training > 0
      beginSteps(at: now, &effects)
    case .received(let message, let sender):
      guard let place = place(of: sender) else { return }
      if company.hear(place, step: message.moment.step) { effects.append(.announce(.heardAgain(sender))) }
      receive(message, from: place, at: now, &effects)
    case .departed(let neighbour):
      depart(neighbour, at: now, &effects)
    case .fired(let timer):
      fire(timer, at: now, &effects)
    case .asked(let rows, let drill):
      asked += 1
      ask(Query(origin: id, number: asked, rows: rows, drill: drill), at: now, &effects)
    }
  }

  /// Whether it has begun all its steps and ended them.
  public var hasTrained: Bool { !isTraining && flights.allSatisfy { $0.moment.step == nil } }

  /// The place of a neighbour in the list.
  mutating func place(of device: Int) -> Int? {
    var (low, high) = (0, neighbours.count)
    while low < high {
      let middle = (low + high) / 2
      if neighbours[middle] < device { low = middle + 1 } else { high = middle }
    }
    return low < neighbours.count && neighbours[low] == device ? low : nil
  }

  mutating func send(_ message: SplitMessage, to place: Int, _ effects: inout Effects<Effect>) {
    statistics.messages += 1
    statistics.bytes += message.byteCount
    effects.append(.send(message, to: neighbours[place]))
  }

  private mutating func receive(
    _ message: SplitMessage, from place: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    statistics.received += 1
    switch message {
    case .outputs(let moment, let stage, let values):
      hear(values, stage, moment, from: place, at: now, &effects)
    case .gradients(let moment, let stage, let values):
      take(values, stage, moment, from: place, at: now, &effects)
    case .poll(let moment, let stage):
      if let outputs = outputs(of: moment, stage) {
        send(.outputs(moment, stage: stage, outputs), to: place, &effects)
      }
    case .question(let query):
      guard query.origin != id, plan.devices > query.origin, query.origin >= 0 else { return }
      ask(query, at: now, &effects)
    case .answer(let moment, let origin, let hops, let values):
      hearAnswer(values, of: origin, hops, moment, from: place, at: now, &effects)
    case .average(let moment, let round, let values):
      hearAverage(values, round, moment, from: place, at: now, &effects)
    }
  }

  private mutating func fire(_ timer: Timer, at now: Instant, _ effects: inout Effects<Effect>) {
    switch timer {
    case .wait: waited(at: now, &effects)
    case .answers(let moment): endIfDue(moment, at: now, &effects)
    case .next: beginSteps(at: now, &effects)
    }
  }
}

/// What a device tells whoever watches.
public enum SplitEvent: Sendable {
  /// A step ended; the device's own loss, where it has one.
  case stepped(Int, loss: Double)
  /// It heard others far ahead and goes on from there.
  case jumped(from: Int, to: Int)
  /// All steps are done.
  case trained
  /// Its own answer: log-probabilities, or values.
  case answered(Moment, Matrix)
  /// The answer to its question, of so many devices.
  case concluded(Moment, Matrix, devices: Int)
  /// A neighbour is silent and is waited for no more.
  case suspected(Int)
  /// A neighbour that was silent is heard again.
  case heardAgain(Int)
}

/// A device's figures.
public struct SplitStatistics: Sendable, Hashable {
  /// Messages sent.
  public var messages = 0
  /// Their bytes, about.
  public var bytes = 0
  /// Messages that came.
  public var received = 0
  /// Messages that came after their use.
  public var late = 0
  /// Waits that ended without a message; some of them came late.
  public var missed = 0
  /// Outputs asked for again.
  public var polls = 0
  /// Multiply-adds going forward.
  public var multiplyAdds = 0
  /// Steps that ended.
  public var steps = 0
  /// Steps left out to catch up with others.
  public var skipped = 0

  /// No figures yet.
  public init() {}

  /// The figures of both together.
  public static func + (left: SplitStatistics, right: SplitStatistics) -> SplitStatistics {
    var sum = left
    sum.messages += right.messages
    sum.bytes += right.bytes
    sum.received += right.received
    sum.late += right.late
    sum.missed += right.missed
    sum.polls += right.polls
    sum.multiplyAdds += right.multiplyAdds
    sum.steps += right.steps
    sum.skipped += right.skipped
    return sum
  }
}

extension SplitPlan {
  /// Numbers of an answer.
  public var answerWidth: Int { rule.readsLabels ? objective.classes : stages[stages.count - 1].width }
}
