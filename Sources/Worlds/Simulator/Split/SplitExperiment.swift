import MurmurCompute
public import MurmurMachines
public import MurmurScenario
public import MurmurSplit

/// A kind of fault that answers are measured under: one G(t).
public struct SplitLevel: Sendable, Hashable {
  /// What to call it.
  public var name: String
  /// The share of dead devices, or of links down, for the axis of a picture.
  public var share: Double
  /// Whether it is about links.
  public var isOfLinks: Bool
  /// The faults, drawn for every sample.
  public var drill: Drill

  /// The levels of a scenario; nobody dead comes first.
  public static func levels(_ test: SplitTestPlan, devices: Int) -> [SplitLevel] {
    var counts: [Int] = [0]
    for dead in test.dead {
      let count = min(devices, Int((dead < 1 ? dead * Double(devices) : dead).rounded()))
      if !counts.contains(count) { counts.append(count) }
    }
    let dead = counts.map { count in
      SplitLevel(
        name: count == 0 ? "nobody dead" : "\(count) of \(devices) dead", share: Double(count) / Double(devices),
        isOfLinks: false,
        drill: Drill(devices: count == 0 ? .never : .exactly(count)))
    }
    let links = test.links.filter { $0 > 0 }.map { share in
      SplitLevel(
        name: "links down \(Int((share * 100).rounded())) %", share: share, isOfLinks: true, drill: Drill(links: .fixed(share)))
    }
    return dead + links
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
  /// The mean cross-entropy of those answers, and its standard deviation over samples.
  public var loss: Double
  /// The standard deviation over samples.
  public var deviation: Double
  /// The share of right answers among the own answers of living devices.
  public var ownAccuracy: Double
  /// The share of right answers among those that reached who asked; another device asks each time.
  public var askedAccuracy: Double
  /// Messages of one question, bytes and multiply-adds per sample, over all devices.
  public var messages: Double
  /// Bytes per sample.
  public var bytes: Double
  /// Multiply-adds per sample.
  public var multiplyAdds: Double

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
}

extension SplitOutcome {
  /// What came of asking a network that was trained before.
  public init(asked risks: [SplitRisk], of world: SplitWorld, seed: UInt64, latency: Instant.Span) {
    self.init(
      seed: seed, risks: risks, training: SplitStatistics(), trainingTime: .zero, steps: 0, latency: latency,
      trace: world.trace.description, longestPause: .zero, living: world.plan.devices,
      units: (0..<world.plan.devices).map { world.device($0).units })
  }
}

/// Trains split networks and measures their risk.
public struct SplitExperiment: Sendable {
  /// What is run.
  public let setup: SplitSetup
  /// The text of the graph's file.
  public let links: String?
  /// Samples of a question.
  public static let questionSize = 500

  /// An experiment.
  public init(_ setup: SplitSetup, links: String? = nil) {
    self.setup = setup
    self.links = links
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
      conditions: setup.conditions)
    let steps = plan.steps
    world.observer = { _, event, _ in
      if case .stepped(let step, _) = event, step % 16 == 0 { progress(Double(step) / Double(max(1, steps)), "training") }
    }
    var curve: [(step: Int, accuracy: Double)] = []
    progress(0, "training")
    for step in setup.scenario.test.steps.sorted() where !isStopped() {
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
    var risks: [SplitRisk] = []
    for (index, level) in levels.enumerated() {
      progress(1, "asking: \(level.name), \(index + 1) of \(levels.count)")
      guard let risk = risk(level, &world, asking: first, isStopped: isStopped) else { break }
      risks.append(risk)
    }
    return SplitOutcome(
      seed: seed, risks: risks, training: statistics, curve: curve, trainingTime: trainingTime, steps: latestStep + 1,
      latency: latency,
      trace: trace, longestPause: pause, living: living.count, units: (0..<plan.devices).map { world.device($0).units })
  }

  /// Asks about all test samples under a level; `nil` if it was stopped.
  public func risk(
    _ level: SplitLevel, _ world: inout SplitWorld, asking device: Int, isStopped: () -> Bool = { false }
  ) -> SplitRisk? {
    var (count, correct, own, ownCorrect, asker, asked, askedCorrect) = (0, 0, 0, 0, device, 0, 0)
    var (loss, squares) = (0.0, 0.0)
    let before = world.statistics
    var questions = 0
    for start in stride(from: setup.test.lowerBound, to: setup.test.upperBound, by: SplitExperiment.questionSize) {
      if isStopped() { return nil }
      let chosen = (start..<min(start + SplitExperiment.questionSize, setup.test.upperBound)).map { Int32($0) }
      let labels = chosen.map { setup.samples.labels[Int($0)] }
      let answers = world.ask(asker, rows: chosen, drill: level.drill)
      if let answer = answers.concluded?.answer {
        let mask = answers.masks.isAlive(asker)
        asked += mask.count(of: chosen.count)
        askedCorrect += Answers.correct(answer, labels, mask: mask)
      }
      repeat { asker = (asker + 1) % setup.devices } while !world.isAlive(asker)
      questions += 1
      let living = answers.own.enumerated().compactMap { number, values in
        values.map { (answer: $0, mask: answers.masks.isAlive(number)) }
      }
      count += chosen.count
      guard let mean = Answers.mean(living) else { continue }
      correct += Answers.correct(mean, labels)
      for (row, label) in labels.enumerated() {
        let value = -Double(mean[row, Int(label)])
        loss += value
        squares += value * value
      }
      for (answer, mask) in living {
        own += mask.count(of: chosen.count)
        ownCorrect += Answers.correct(answer, labels, mask: mask)
      }
    }
    let after = world.statistics
    let (n, mean) = (Double(max(1, count)), loss / Double(max(1, count)))
    return SplitRisk(
      level: level, count: count, correct: correct, loss: mean, deviation: max(0, squares / n - mean * mean).squareRoot(),
      ownAccuracy: own == 0 ? 0 : Double(ownCorrect) / Double(own),
      askedAccuracy: asked == 0 ? 0 : Double(askedCorrect) / Double(asked),
      messages: Double(after.messages - before.messages) / Double(max(1, questions)),
      bytes: Double(after.bytes - before.bytes) / n,
      multiplyAdds: Double(after.multiplyAdds - before.multiplyAdds) / n)
  }

  /// The accuracy of one dense network over all features, with as many neurons a layer as the devices have together (256 at most), trained on
  /// the same rows for as many epochs; `nil` if it was stopped.
  public func central(seed: UInt64, isStopped: () -> Bool = { false }) throws -> Double? {
    let width = min(256, setup.scenario.network.hidden * setup.devices)
    let hidden = Array(repeating: String(width), count: min(setup.scenario.network.depth, 8)).joined(separator: "-")
    let architecture = try Architecture(parsing: "\(setup.samples.width)-\(hidden)-\(setup.classes)")
    let batch = min(setup.scenario.training.batch, setup.training)
    let trainer = Trainer(architecture, batch: batch)
    var parameters = architecture.initialParameters(seed: seed)
    var optimizer = OptimizerState(.adam(), count: architecture.parameterCount)
    var order = (0..<setup.training).map { Int32($0) }
    var chance = Chance(seed: seed).fork("central")
    let epochs = max(1, Int(setup.epochs.rounded()))
    for epoch in 0..<epochs {
      if isStopped() { return nil }
      chance.shuffle(&order)
      let rate = RateSchedule.linear(from: 0.001, to: 0.0001).rate(epoch, of: epochs)
      _ = trainer.train(&parameters, &optimizer, rate: rate, on: setup.samples, order: order, batch: batch)
    }
    return trainer.evaluate(parameters, on: setup.samples, rows: setup.test.map { Int32($0) }).accuracy
  }
}
