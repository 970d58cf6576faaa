import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSimulator
import MurmurSplit
import Testing

/// Questions while devices and links fail: what arrives, and that it ends.
@Suite struct AskingTests {
  private func world(
    _ graph: DeviceGraph, _ spreading: Inference.Spreading, reach: VirtualGraph.Reach = .direct, seed: UInt64,
    _ configure: (inout SplitPlan, inout SplitConditions) -> Void = { _, _ in }
  ) -> (SplitWorld, [SplitRows]) {
    let rows = Scene.rows(devices: graph.devices, width: 2, training: 256, tested: 200, seed: seed)
    var plan = Scene.plan(graph, width: 2, steps: 40, reach: reach, seed: seed)
    plan.inference.spreading = spreading
    var conditions = SplitConditions()
    configure(&plan, &conditions)
    return (SplitWorld(plan: plan, graph: graph, reach: reach, rows: rows, conditions: conditions), rows)
  }

  private var asked: [Int32] { (256..<456).map { Int32($0) } }

  @Test(arguments: [Inference.Spreading.gossip(rounds: 1), .flood(hops: 1)])
  func `who is alone in a sample answers with what it knows alone`(spreading: Inference.Spreading) throws {
    var (world, _) = world(.complete(4), spreading, seed: 3)
    world.train()
    let answers = world.ask(2, rows: asked, drill: Drill(devices: .exactly(3)))
    let concluded = try #require(answers.concluded?.answer)
    let own = try #require(answers.own[2])
    var alone = 0
    for row in asked.indices where answers.masks.isAlive(2)[row] {
      alone += 1
      #expect(concluded[row, 0] == own[row, 0] && concluded[row, 1] == own[row, 1])
    }
    #expect(alone > 20)
  }

  @Test func `the dead pass no answers on`() throws {
    // 0 – 1 – 2: what 2 knows reaches 0 over 1 alone.
    var (world, _) = world(.line(3), .flood(hops: 2), seed: 4)
    world.train()
    let answers = world.ask(0, rows: asked, drill: Drill(devices: .exactly(1)))
    let (concluded, own) = (try #require(answers.concluded?.answer), answers.own.compactMap { $0 })
    try #require(own.count == 3)
    var (cut, reached) = (0, 0)
    for row in asked.indices where answers.masks.isAlive(0)[row] {
      if !answers.masks.isAlive(1)[row] {
        cut += 1
        #expect(concluded[row, 0] == own[0][row, 0])
      } else {
        reached += 1
        #expect(abs(concluded[row, 0] - (own[0][row, 0] + own[1][row, 0]) / 2) < 1e-5)
      }
    }
    #expect(cut > 20 && reached > 20)
  }

  @Test func `where nobody lives nothing is known, and nothing counts as right`() throws {
    let text = """
      devices: {count: 4}
      network: {hidden: 4, depth: 2}
      training: {epochs: 20}
      data: {test: 60}
      test: {dead: [4], links: [], central: false}
      """
    let setup = try SplitSetup(try SplitScenario(bytes: Array(text.utf8), file: "none.yaml"), Digits.load())
    let outcome = try #require(try SplitExperiment(setup).run(seed: 1))
    let risk = outcome.risks[1]
    #expect(risk.correct == 0 && abs(risk.loss - 2.302585) < 1e-5 && risk.messages == 0)
    #expect(outcome.risks[0].accuracy > 0.2 && outcome.risks[0].messages > 0)
  }

  @Test func `two questions wait for one who never speaks, and both end`() throws {
    let rows = Scene.rows(devices: 3, width: 2, training: 0, tested: 20, seed: 5)
    var plan = Scene.plan(.complete(3), width: 2, steps: 1, seed: 5)
    plan.inference.deadline = .seconds(10)
    var device = SplitDevice(plan: plan, id: 0, rows: rows[0], work: DenseWork())
    var (chance, effects, now) = (Chance(seed: 5), Effects<SplitDevice.Effect>(), Instant.origin)
    var timers: [SplitDevice.Timer: Instant] = [:]
    var concluded: Set<Moment> = []
    var latest = Instant.origin
    func perform() {
      for effect in effects.take() {
        if case .arm(let timer, let at) = effect { timers[timer] = at }
        if case .announce(.concluded(let moment, _, _)) = effect {
          concluded.insert(moment)
          latest = now
        }
      }
    }
    for _ in 0..<2 {
      device.step(.asked([0, 1], Drill()), at: now, chance: &chance, effects: &effects)
      perform()
      now = now + .milliseconds(1)
    }
    for _ in 0..<200 {
      guard let next = timers.min(by: { ($0.value, "\($0.key)") < ($1.value, "\($1.key)") }) else { break }
      timers[next.key] = nil
      now = max(now, next.value)
      device.step(.fired(next.key), at: now, chance: &chance, effects: &effects)
      perform()
    }
    #expect(concluded == [.query(origin: 0, number: 1), .query(origin: 0, number: 2)])
    // Long before the deadline of answers: stages were given up, and answers of those who are gone are not waited for.
    #expect(latest - .origin < .seconds(3))
  }

  @Test func `a device without neighbours learns any number of steps`() {
    let rows = Scene.rows(devices: 1, width: 4, training: 256, tested: 200, seed: 6)
    var plan = Scene.plan(.complete(1), width: 4, steps: 20_000, seed: 6)
    plan.stages = SplitPlan.classifier(hidden: 2, depth: 1, classes: 2)
    var world = SplitWorld(plan: plan, graph: .complete(1), reach: .direct, rows: rows)
    world.train()
    #expect(world.latestStep == 19_999)
    #expect(Scene.accuracy(&world, rows) > 0.9)
  }

  @Test func `a ring with a broken link talks the other way round, also when asked`() {
    let seed: UInt64 = 7
    var (world, rows) = world(.ring(5).with(latency: .milliseconds(1)), .flood(hops: 1), reach: .complete, seed: seed) {
      plan, conditions in
      plan.steps = 200
      conditions.faults = [SplitFault(.step(2), .breaks(0, 1))]
    }
    world.train()
    // What was on its way over the link is lost; nothing else is.
    #expect(world.statistics.missed <= 4 && world.relayed.messages > 100, "\(world.statistics.missed) missed")
    var still = world.still()
    #expect(Scene.accuracy(&still, rows) > 0.9)
    #expect(still.relayed.messages > 0 && still.statistics.missed == 0)
  }

  @Test(arguments: [MissingPolicy.mean, .last])
  func `what stands for the missing was learnt in training, and asking does not change it`(
    policy: MissingPolicy
  ) {
    let seed: UInt64 = 8
    var (world, rows) = world(.complete(4), .flood(hops: 1), seed: seed) { plan, _ in
      plan.missing = policy
      plan.steps = 300
      plan.drill = Drill(devices: .upTo(0.5), links: .upTo(0.3))
    }
    world.train()
    let drill = Drill(devices: .fixed(0.4))
    var (still, other) = (world.still(), world.still())
    _ = Scene.accuracy(&other, rows)
    let first = still.ask(1, rows: asked, drill: drill)
    _ = still.ask(1, rows: Array(asked.prefix(3)))
    #expect(
      still.device(0).memories.usual == world.device(0).memories.usual
        && other.device(0).memories.usual == world.device(0).memories.usual)
    #expect(world.device(0).memories.usual[1].allSatisfy { $0 != nil })
    #expect(first.concluded != nil)
  }

  @Test func `several steps are in flight at a time, and staleness stays bounded`() {
    let seed: UInt64 = 9
    func train(flights: Int) -> (time: Double, accuracy: Double) {
      var (world, rows) = world(.complete(5).with(latency: .milliseconds(5)), .flood(hops: 1), seed: seed) { plan, _ in
        plan.steps = 300
        plan.timing.flights = flights
      }
      world.train()
      let time = world.now - .origin
      return (time.seconds, Scene.accuracy(&world, rows))
    }
    let (one, three) = (train(flights: 1), train(flights: 3))
    #expect(three.time < one.time / 2, "\(one) and \(three)")
    #expect(three.accuracy > 0.9 && one.accuracy > 0.9, "\(one) and \(three)")
  }

  @Test func `who waits longer hears more, and answers later`() throws {
    let text = """
      devices: {count: 16, latency: 5 ms, jitter: 0.8}
      network: {hidden: 12, depth: 3}
      training: {epochs: 20, drop: 80 %, links: 60 %}
      data: {test: 200}
      test: {dead: [0], links: [], deadlines: [1 ms, 5 ms, 100 ms], central: false}
      """
    let setup = try SplitSetup(try SplitScenario(bytes: Array(text.utf8), file: "late.yaml"), Digits.load())
    let risks = try #require(try SplitExperiment(setup).run(seed: 1)).risks
    #expect(risks.map(\.level.name) == ["nobody dead", "deadline 1 ms", "deadline 5 ms", "deadline 100 ms"])
    #expect(risks[1].ownAccuracy < risks[2].ownAccuracy && risks[2].ownAccuracy < risks[3].ownAccuracy + 0.01)
    #expect(risks[3].accuracy > 0.85 && risks[1].accuracy < risks[3].accuracy)
    #expect(risks[1].latency < risks[2].latency && risks[2].latency < risks[3].latency)
  }
}
