import MurmurCompute
public import MurmurMachines
public import MurmurScenario
public import MurmurSplit

/// A kind of fault that answers are measured under: one G(t).
public struct SplitLevel: Sendable, Hashable {
  /// What goes wrong.
  public enum Kind: String, Sendable, Hashable {
    /// Devices are dead.
    case devices
    /// Links carry nothing.
    case links
    /// Messages come after the deadline.
    case deadlines
    /// Certain devices are dead in every sample.
    case named
    /// Devices and links fail and return while questions are asked one after the other.
    case inTime
  }

  /// What to call it.
  public var name: String
  /// The share of dead devices or of links down, or the deadline in seconds, for the axis of a picture.
  public var share: Double
  /// What it is about.
  public var kind: Kind
  /// The faults, drawn for every sample.
  public var drill = Drill()
  /// The deadline of a stage, if it is given.
  public var deadline: Instant.Span?
  /// Devices that are dead in every sample.
  public var named: [Int] = []

  /// The levels of a scenario; nobody dead comes first.
  public static func levels(_ test: SplitTestPlan, devices: Int) -> [SplitLevel] {
    var counts: [Int] = [0]
    for dead in test.dead {
      let count = dead.count(of: devices)
      if !counts.contains(count) { counts.append(count) }
    }
    let shares = counts.map { count in
      SplitLevel(
        name: count == 0 ? "nobody dead" : "\(count) of \(devices) dead", share: Double(count) / Double(devices),
        kind: .devices,
        drill: Drill(devices: count == 0 ? .never : .exactly(count)))
    }
    let links = test.links.filter { $0 > 0 }.map { share in
      SplitLevel(
        name: "links down \(Int((share * 100).rounded())) %", share: share, kind: .links, drill: Drill(links: .fixed(share)))
    }
    let deadlines = test.deadlines.sorted().map { deadline in
      SplitLevel(name: "deadline \(deadline.words)", share: deadline.seconds, kind: .deadlines, deadline: deadline)
    }
    let named = test.named.map { list in
      let gone = (0..<devices).filter { list.contains($0) }
      return SplitLevel(
        name: "dead: " + gone.map(String.init).joined(separator: ", "), share: Double(gone.count) / Double(devices), kind: .named,
        named: gone)
    }
    let inTime = test.faults.isEmpty ? [] : [SplitLevel(name: "faults in time", share: 0, kind: .inTime)]
    return shares + links + deadlines + named + inTime
  }
}

/// What came of a level.
public struct SplitRisk: Sendable, Hashable {
  /// The level.
  public var level: SplitLevel
  /// Test samples asked about.
  public var count: Int
  /// Of those the answers of all living devices together named.
  public var correct: Int
  /// The mean cross-entropy of those answers; of numbers the mean squared error, in the square of the column's unit.
  public var loss: Double
  /// The standard deviation over samples.
  public var deviation: Double
  /// The share of right answers among the own answers of living devices.
  public var ownAccuracy: Double
  /// The share of right answers among those that reached who asked; another device asks each time.
  public var askedAccuracy: Double
  /// Of numbers, the mean squared error of living devices' own answers, and of those that reached who asked.
  public var ownLoss = 0.0
  /// Of those that reached who asked.
  public var askedLoss = 0.0
  /// Whether anybody lived to answer.
  public var isAnswered = true
  /// Messages of one question, bytes and multiply-adds per sample, over all devices.
  public var messages: Double
  /// Bytes per sample.
  public var bytes: Double
  /// Multiply-adds per sample.
  public var multiplyAdds: Double
  /// Virtual time from a question to its answer, on average.
  public var latency: Instant.Span

  /// The share of samples named rightly.
  public var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }

  /// The 95 % confidence interval of the accuracy (Wilson, 1927).
  public var interval: (low: Double, high: Double) {
    guard count > 0 else { return (0, 1) }
    let (n, p, z) = (Double(count), accuracy, 1.959964)
    let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return (middle - half, middle + half)
  }

  /// Half of the 95 % confidence interval of the loss.
  public var lossMargin: Double { count == 0 ? 0 : 1.959964 * deviation / Double(count).squareRoot() }
}

/// What came of one run.
public struct SplitOutcome: Sendable {
  /// Its seed.
  public var seed: UInt64
  /// What came of each level.
  public var risks: [SplitRisk]
  /// The world's figures when the training had ended.
  public var training: SplitStatistics
  /// The accuracy of all who lived after some of the steps.
  public var curve: [(step: Int, accuracy: Double)] = []
  /// Virtual time of the training.
  public var trainingTime: Instant.Span
  /// Steps that were done.
  public var steps: Int
  /// Virtual time of a question about one sample, from asking to the answer.
  public var latency: Instant.Span
  /// A hash over everything that happened in training.
  public var trace: String
  /// The longest time a device that lived to the end took from one step to the next.
  public var longestPause: Instant.Span
  /// Devices that lived at the end.
  public var living: Int
  /// The units of every device.
  public var units: [[ComputationalUnit]]
  /// What every device remembers for what is missing.
  public var memories: [SplitMemories]
}

extension SplitOutcome {
  /// What came of asking a network that was trained before.
  public init(asked risks: [SplitRisk], of world: SplitWorld, seed: UInt64, latency: Instant.Span) {
    self.init(
      seed: seed, risks: risks, training: SplitStatistics(), trainingTime: .zero, steps: 0, latency: latency,
      trace: world.trace.description, longestPause: .zero, living: world.plan.devices,
      units: (0..<world.plan.devices).map { world.device($0).units },
      memories: (0..<world.plan.devices).map { world.device($0).memories })
  }
}

/// Trains split networks and measures their risk.
public struct SplitExperiment: Sendable {
  /// What is run.
  public let setup: SplitSetup
  /// The text of the graph's file.
  public let links: String?
  /// How many threads a run computes on; no result depends on it.
  public let threads: Int
  /// Samples of a question.
  public static let questionSize = 500
  /// Samples of a question where what is late or lost is drawn for a question and not for every sample.
  public static let smallQuestionSize = 25

  /// An experiment on that many threads a run.
  public init(_ setup: SplitSetup, links: String? = nil, threads: Int = 1) {
    self.setup = setup
    self.links = links
    self.threads = threads
  }

  /// The levels measured.
  public var levels: [SplitLevel] { SplitLevel.levels(setup.scenario.test, devices: setup.devices) }

  /// Trains with a seed and measures every level; `nil` if it was stopped before the training had ended.
  public func run(
    seed: UInt64, progress: @escaping @Sendable (Double, String) -> Void = { _, _ in }, isStopped: () -> Bool = { false }
  ) throws -> SplitOutcome? {
    let (plan, graph) = try setup.plan(seed: seed, links: links)
    var world = SplitWorld(
      plan: plan, graph: graph, reach: .init(rawValue: setup.scenario.devices.reach.rawValue) ?? .direct, rows: setup.rows,
      conditions: setup.conditions, threads: threads)
    let steps = plan.steps
    world.observer = { _, event, _ in
      if case .stepped(let step, _) = event, step % 16 == 0 { progress(Double(step) / Double(max(1, steps)), "training") }
    }
    var curve: [(step: Int, accuracy: Double)] = []
    progress(0, "training")
    for step in setup.scenario.test.steps.sorted() where setup.classes > 0 && !isStopped() {
      world.train(untilStep: step)
      var still = world.still()
      guard let asker = (0..<plan.devices).first(where: { still.isAlive($0) }),
        let risk = risk(levels[0], &still, asking: asker, isStopped: isStopped)
      else { break }
      curve.append((step, risk.accuracy))
    }
    world.train(isStopped: isStopped)
    if isStopped() { return nil }
    progress(1, "trained")
    world.observer = nil
    let statistics = world.statistics
    let trainingTime = world.now - .origin
    let living = (0..<plan.devices).filter { world.isAlive($0) }
    let trace = world.trace.description
    let latestStep = world.latestStep
    let longest = world.pauses
    world = world.still(back: true)
    let pause = living.map { longest[$0].longest }.max() ?? .zero
    let first = living.first ?? 0
    let latency = world.ask(first, rows: [Int32(setup.test.lowerBound)]).time
    let risks = risks(&world, asking: first, progress: { progress(1, $0) }, isStopped: isStopped)
    return SplitOutcome(
      seed: seed, risks: risks, training: statistics, curve: curve, trainingTime: trainingTime, steps: latestStep + 1,
      latency: latency,
      trace: trace, longestPause: pause, living: living.count, units: (0..<plan.devices).map { world.device($0).units },
      memories: (0..<plan.devices).map { world.device($0).memories })
  }

  /// Asks about all test samples under every level, as far as it is not stopped.
  public func risks(
    _ world: inout SplitWorld, asking device: Int, progress: (String) -> Void = { _ in }, isStopped: () -> Bool = { false }
  ) -> [SplitRisk] {
    var risks: [SplitRisk] = []
    for (index, level) in levels.enumerated() {
      progress("asking: \(level.name), \(index + 1) of \(levels.count)")
      guard let risk = risk(level, &world, asking: device, isStopped: isStopped) else { break }
      risks.append(risk)
    }
    return risks
  }

  /// Asks about all test samples under a level; `nil` if it was stopped.
  public func risk(
    _ level: SplitLevel, _ world: inout SplitWorld, asking device: Int, isStopped: () -> Bool = { false }
  ) -> SplitRisk? {
    if let deadline = level.deadline {
      var level = level
      level.deadline = nil
      var hurried = world.still(deadline: deadline)
      return risk(level, &hurried, asking: device, isStopped: isStopped)
    }
    if level.kind == .inTime { return riskInTime(level, world, isStopped: isStopped) }
    if !level.named.isEmpty {
      var (level, rest) = (level, world.still())
      for dead in level.named { rest.act(.dies(dead)) }
      level.named = []
      return risk(level, &rest, asking: device, isStopped: isStopped)
    }
    guard var asker = (0..<setup.devices).map({ (device + $0) % setup.devices }).first(where: { world.isAlive($0) }) else {
      return nobody(level)
    }
    let isTimed = level.kind == .deadlines || world.conditions.loss > 0 || world.conditions.jitter > 0
    let size = isTimed ? SplitExperiment.smallQuestionSize : SplitExperiment.questionSize
    let (before, relayed) = (world.statistics, world.relayed)
    var tally = SplitTally(setup)
    for start in stride(from: setup.test.lowerBound, to: setup.test.upperBound, by: size) {
      if isStopped() { return nil }
      let chosen = start..<min(start + size, setup.test.upperBound)
      let answers = world.ask(asker, rows: chosen.map { Int32($0) }, drill: level.drill)
      tally.take(answers, rows: chosen, asker: asker) { world.isAlive($0) }
      repeat { asker = (asker + 1) % setup.devices } while !world.isAlive(asker)
    }
    let after = world.statistics
    // A drill's dead devices take part in the batches; in the samples in which they are dead they would not send or compute.
    let messages = after.messages - before.messages + world.relayed.messages - relayed.messages
    let bytes = after.bytes - before.bytes + world.relayed.bytes - relayed.bytes
    return tally.risk(level, messages: messages, bytes: bytes, multiplyAdds: after.multiplyAdds - before.multiplyAdds)
  }

  /// Asks while devices and links fail and return: a question every so often, of the next device that lives then.
  private func riskInTime(_ level: SplitLevel, _ still: SplitWorld, isStopped: () -> Bool) -> SplitRisk? {
    var world = still.still(under: setup.asking)
    var (tally, asker) = (SplitTally(setup), 0)
    let size = SplitExperiment.smallQuestionSize
    for (number, start) in stride(from: setup.test.lowerBound, to: setup.test.upperBound, by: size).enumerated() {
      if isStopped() { return nil }
      world.pass(until: .origin + setup.scenario.test.pace * Double(number))
      let chosen = start..<min(start + size, setup.test.upperBound)
      let next = (1...setup.devices).map { (asker + $0) % setup.devices }.first { world.isAlive($0) }
      if let next { asker = next }
      let answers = next.map { world.ask($0, rows: chosen.map { Int32($0) }) }
      tally.take(answers ?? .none(devices: setup.devices, rows: chosen.count), rows: chosen, asker: asker) { world.isAlive($0) }
    }
    let (statistics, relayed) = (world.statistics, world.relayed)
    return tally.risk(
      level, messages: statistics.messages + relayed.messages, bytes: statistics.bytes + relayed.bytes,
      multiplyAdds: statistics.multiplyAdds)
  }

  /// Where nobody is left, nobody can be asked.
  private func nobody(_ level: SplitLevel) -> SplitRisk {
    var tally = SplitTally(setup)
    tally.take(.none(devices: setup.devices, rows: setup.test.count), rows: setup.test, asker: 0) { _ in false }
    return tally.risk(level, messages: 0, bytes: 0, multiplyAdds: 0)
  }

  /// What the same network, trained alike, makes of the complete graph where no device and no link fails: the ideal that gaps are measured
  /// against (R of G\*: Ganguli et al., 2023, section 2); `nil` if it was stopped.
  public func ideal(seed: UInt64, isStopped: () -> Bool = { false }) throws -> SplitRisk? {
    var scenario = setup.scenario
    (scenario.devices.graph, scenario.devices.reach) = (.complete, .direct)
    (scenario.devices.loss, scenario.devices.jitter, scenario.faults) = (0, 0, [])
    let central = scenario.test.central
    scenario.test = SplitTestPlan()
    (scenario.test.dead, scenario.test.links, scenario.test.central) = ([], [], central)
    return try SplitExperiment(setup.with(scenario), threads: threads).run(seed: seed, isStopped: isStopped)?.risks.first
  }

  /// The accuracy, or of numbers the mean squared error, of one dense network over all features, with as many neurons a layer as the devices have together (256 at most), trained on
  /// the same rows for as many epochs; `nil` if it was stopped.
  public func central(seed: UInt64, isStopped: () -> Bool = { false }) throws -> Double? {
    let width = min(256, setup.scenario.network.hidden * setup.devices)
    let hidden = Array(repeating: String(width), count: min(setup.scenario.network.depth, 8)).joined(separator: "-")
    let isOfNumbers = setup.classes == 0
    let architecture = try Architecture(
      parsing: isOfNumbers ? "regression \(setup.features)-\(hidden)-1" : "\(setup.samples.width)-\(hidden)-\(setup.classes)")
    let samples = isOfNumbers ? setup.numbers : setup.samples
    let batch = min(setup.scenario.training.batch, setup.training)
    let trainer = Trainer(architecture, batch: batch)
    var parameters = architecture.initialParameters(seed: seed)
    var optimizer = OptimizerState(.adam(), count: architecture.parameterCount)
    var order = (0..<setup.training).map { Int32($0) }.filter { !isOfNumbers || !setup.targets[Int($0)].isNaN }
    var chance = Chance(seed: seed).fork("central")
    let epochs = max(1, Int(setup.epochs.rounded()))
    for epoch in 0..<epochs {
      if isStopped() { return nil }
      chance.shuffle(&order)
      let rate = RateSchedule.linear(from: 0.001, to: 0.0001).rate(epoch, of: epochs)
      _ = trainer.train(&parameters, &optimizer, rate: rate, on: samples, order: order, batch: batch)
    }
    guard isOfNumbers else { return trainer.evaluate(parameters, on: samples, rows: setup.test.map { Int32($0) }).accuracy }
    let told = trainer.outputs(of: parameters, on: samples, rows: setup.test)
    let errors = setup.test.enumerated().compactMap { place, row -> Double? in
      guard !setup.targets[row].isNaN else { return nil }
      let error = Double(told[place] - setup.targets[row]) * setup.unit
      return error * error
    }
    return errors.reduce(0, +) / Double(max(1, errors.count))
  }
}
