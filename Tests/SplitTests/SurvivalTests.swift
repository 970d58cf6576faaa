import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// Devices die, come back, come late; links lose. The others go on.
@Suite struct SurvivalTests {
  private let devices = 6
  private let width = 2

  private func world(
    seed: UInt64, steps: Int = 300, _ configure: (inout SplitPlan, inout SplitConditions) -> Void
  ) -> (SplitWorld, [SplitRows]) {
    let rows = Scene.rows(devices: devices, width: width, training: 1_024, tested: 512, seed: seed)
    let graph = DeviceGraph.complete(devices).with(latency: .milliseconds(1))
    var plan = Scene.plan(graph, width: width, steps: steps, seed: seed)
    plan.drill = Drill(devices: .upTo(0.5), links: .upTo(0.5))
    var conditions = SplitConditions()
    configure(&plan, &conditions)
    return (SplitWorld(plan: plan, graph: graph, reach: .complete, rows: rows, conditions: conditions), rows)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func `nobody fails: the devices learn what none of them could alone`(seed: UInt64) {
    var (world, rows) = world(seed: seed) { _, _ in }
    world.train()
    #expect(Scene.accuracy(&world, rows) > 0.9, "seed \(seed)")
    #expect(world.statistics.missed == 0 && world.statistics.late == 0)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func `half of the devices die in training and in asking, and the rest answer`(
    seed: UInt64
  ) {
    var (world, rows) = world(seed: seed) { _, conditions in
      conditions.faults = [1, 3, 5].map { SplitFault(.step(100), .dies($0)) }
    }
    world.train()
    #expect(world.latestStep == 299, "seed \(seed)")
    let pause = world.pauses[0].longest
    #expect(pause.seconds < 2, "seed \(seed): \(pause.seconds) s")
    // Half of the features: the sum of the others is a coin with some bias.
    #expect(Scene.accuracy(&world, rows) > 0.68, "seed \(seed)")
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func `messages are lost for good and asked for again`(seed: UInt64) {
    var (world, rows) = world(seed: seed) { _, conditions in
      conditions.loss = 0.1
      conditions.jitter = 0.3
    }
    world.train()
    let statistics = world.statistics
    #expect(
      statistics.polls > 100 && statistics.missed < statistics.received / 2,
      "seed \(seed): \(statistics.received) received, \(statistics.missed) missed, \(statistics.late) late, \(statistics.polls) polls"
    )
    #expect(Scene.accuracy(&world, rows) > 0.88, "seed \(seed)")
  }

  @Test func `who was away goes on with what the others are at, and who joins late catches up`() {
    let seed: UInt64 = 4
    var (world, rows) = world(seed: seed, steps: 600) { _, conditions in
      conditions.faults = [
        SplitFault(.step(100), .dies(1)), SplitFault(.step(200), .returns(1)), SplitFault(.step(150), .joins(2)),
      ]
    }
    world.train()
    #expect(world.isAlive(1) && world.isAlive(2))
    #expect(world.device(1).statistics.skipped > 50, "it was away for a hundred steps")
    #expect(world.device(1).hasTrained && world.device(2).hasTrained)
    #expect(Scene.accuracy(&world, rows) > 0.88, "seed \(seed)")
  }

  @Test func `who is cut off does not run ahead, and is no guide to the others`() {
    let seed: UInt64 = 5
    var (world, _) = world(seed: seed) { _, conditions in
      conditions.faults =
        (1..<6).map { SplitFault(.step(50), .breaks(0, $0)) } + (1..<6).map { SplitFault(.step(150), .heals(0, $0)) }
    }
    world.train()
    #expect(world.device(1).statistics.skipped == 0, "seed \(seed): the five did not follow the one")
    #expect(world.device(0).statistics.skipped > 20)
  }

  @Test(arguments: [MissingPolicy.zero, .flagged, .rescaled, .mean, .last]) func `every policy for what is missing learns`(
    policy: MissingPolicy
  ) {
    var (world, rows) = world(seed: 6) { plan, _ in plan.missing = policy }
    world.train()
    #expect(Scene.accuracy(&world, rows) > 0.88)
    #expect(Scene.accuracy(&world, rows, drill: Drill(devices: .exactly(1))) > 0.75)
  }

  @Test(arguments: [
    LearningRule.backpropagation, .greedy(replay: 0), .greedy(replay: 4), .forwardForward(sharpness: 0.3),
    .softHebb(temperature: 0.1),
    .barlowTwins(redundancy: 0.01),
  ]) func `every rule learns`(
    rule: LearningRule
  ) {
    var (world, rows) = world(seed: 7) { plan, _ in
      plan.rule = rule
      let readOut = SplitStage(.neighbours, [DenseShape(8, .relu), DenseShape(2, .none)])
      switch rule {
      case .forwardForward: plan.stages.removeLast()
      case .softHebb: plan.stages = [SplitStage(.features, [DenseShape(8, .none)]), readOut]
      case .barlowTwins: plan.stages = [SplitStage(.features, [DenseShape(8, .relu)]), readOut]
      case .backpropagation, .greedy: break
      }
    }
    world.train()
    let accuracy = Scene.accuracy(&world, rows)
    #expect(accuracy > 0.82, "\(rule): \(accuracy)")
  }

  @Test func `a rule without gradients over links sends none`() {
    var (world, _) = world(seed: 7, steps: 20) { plan, _ in plan.rule = .greedy(replay: 0) }
    world.train()
    // Two shared stages, five neighbours, six devices, twenty steps: nothing comes back.
    #expect(world.statistics.messages == 2 * 5 * 6 * 20)
  }

  @Test func `answers flooded over a sparse graph are those of an ideal collector`() throws {
    let seed: UInt64 = 8
    let graph = DeviceGraph.ring(6).with(latency: .milliseconds(1))
    let rows = Scene.rows(devices: 6, width: 2, training: 512, tested: 64, seed: seed)
    var plan = Scene.plan(graph, width: 2, steps: 100, reach: .direct, seed: seed)
    plan.inference.spreading = .flood(hops: 3)
    var world = SplitWorld(plan: plan, graph: graph, reach: .direct, rows: rows)
    world.train()
    let answers = world.ask(3, rows: (512..<576).map { Int32($0) })
    let concluded = try #require(answers.concluded)
    #expect(concluded.devices == 6)
    #expect(Answers.mean(answers.own.compactMap { $0 }.map { ($0, .all) }) == concluded.answer)
  }
}
