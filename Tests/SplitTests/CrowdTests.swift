import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// A world of many devices brings near from memory what the next events will look at. That is a matter of time alone.
@Suite struct CrowdTests {
  /// What happens to a crowd: links that delay and lose, devices that come and go, several steps in flight.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var flights = 1
    var isHarsh = false
    var missing = MissingPolicy.flagged
    var rule = LearningRule.backpropagation
  }

  static let cases = [
    Case(testDescription: "all well"), Case(testDescription: "two steps in flight", flights: 2),
    Case(testDescription: "loss, jitter, death and return", isHarsh: true),
    Case(testDescription: "joined inputs", missing: .rescaled),
    Case(testDescription: "local rule", isHarsh: true, rule: .greedy(replay: 2)),
  ]

  private static func world(_ scene: Case, looksAhead: Bool, seed: UInt64) -> (SplitWorld, [SplitRows]) {
    var chance = Chance(seed: seed).fork("crowd")
    let graph = DeviceGraph.geometric(40, degree: 5, chance: &chance).with(latency: .milliseconds(1), bandwidth: 0)
    let rows = Scene.rows(devices: 40, width: 2, training: 200, tested: 40, seed: seed)
    var plan = Scene.plan(graph, width: 2, steps: 25, reach: .direct, seed: seed)
    plan.drill = Drill(devices: .upTo(0.5), links: .upTo(0.5))
    plan.timing.flights = scene.flights
    plan.missing = scene.missing
    plan.rule = scene.rule
    var conditions = SplitConditions()
    if scene.isHarsh {
      (conditions.loss, conditions.jitter) = (0.1, 0.8)
      conditions.flapping = .init(share: 0.3, on: .milliseconds(40), off: .milliseconds(30))
      conditions.faults = [SplitFault(.step(5), .dies(3)), SplitFault(.step(9), .returns(3)), SplitFault(.step(4), .joins(7))]
    }
    return (
      SplitWorld(plan: plan, graph: graph, reach: .direct, rows: rows, conditions: conditions, looksAhead: looksAhead), rows
    )
  }

  @Test(arguments: cases) func `looking ahead changes no bit and no event`(scene: Case) {
    let seed: UInt64 = 11
    var (plain, rows) = CrowdTests.world(scene, looksAhead: false, seed: seed)
    var (ahead, _) = CrowdTests.world(scene, looksAhead: true, seed: seed)
    plain.train()
    ahead.train()
    #expect(plain.events > 1_000 && plain.trace == ahead.trace && plain.events == ahead.events, "seed \(seed)")
    #expect(plain.statistics == ahead.statistics && plain.lost == ahead.lost, "seed \(seed)")
    for device in 0..<40 { #expect(plain.device(device).units == ahead.device(device).units, "seed \(seed), device \(device)") }
    let drill = Drill(devices: .fixed(0.25), links: .fixed(0.25))
    #expect(Scene.accuracy(&plain, rows, drill: drill) == Scene.accuracy(&ahead, rows, drill: drill), "seed \(seed)")
    #expect(plain.trace == ahead.trace, "seed \(seed)")
  }

  /// A line of devices whose messages and computing take no time: the whole training happens at one moment, in any order.
  private static func moment(walks: Bool, faults: [SplitFault], seed: UInt64) -> (SplitWorld, [SplitRows]) {
    let graph = DeviceGraph.line(40)
    let rows = Scene.rows(devices: 40, width: 2, training: 200, tested: 40, seed: seed)
    var plan = Scene.plan(graph, width: 2, steps: 25, reach: .direct, seed: seed)
    plan.drill = Drill(devices: .upTo(0.5), links: .upTo(0.5))
    var conditions = SplitConditions()
    (conditions.speeds, conditions.faults) = ([0], faults)
    return (SplitWorld(plan: plan, graph: graph, reach: .direct, rows: rows, conditions: conditions, looksAhead: walks), rows)
  }

  @Test func `the order of what happens at one time changes no bit`() {
    let seed: UInt64 = 12
    var (plain, rows) = CrowdTests.moment(walks: false, faults: [], seed: seed)
    var (walking, _) = CrowdTests.moment(walks: true, faults: [], seed: seed)
    plain.train()
    walking.train()
    var (again, _) = CrowdTests.moment(walks: true, faults: [], seed: seed)
    again.train()
    #expect(again.trace == walking.trace && plain.trace != walking.trace, "another order, and always the same, seed \(seed)")
    #expect(plain.events > 1_000 && plain.statistics.missed == 0 && plain.statistics == walking.statistics, "seed \(seed)")
    for device in 0..<40 { #expect(plain.device(device).units == walking.device(device).units, "seed \(seed), device \(device)") }
    let drill = Drill(devices: .fixed(0.25), links: .fixed(0.25))
    #expect(Scene.accuracy(&plain, rows, drill: drill) == Scene.accuracy(&walking, rows, drill: drill), "seed \(seed)")
  }

  @Test func `a walk survives devices that die and return on the way`() {
    let seed: UInt64 = 13
    let faults = [SplitFault(.step(5), .dies(3)), SplitFault(.step(9), .returns(3)), SplitFault(.step(4), .joins(20))]
    var (world, rows) = CrowdTests.moment(walks: true, faults: faults, seed: seed)
    var (again, _) = CrowdTests.moment(walks: true, faults: faults, seed: seed)
    world.train()
    again.train()
    #expect(world.trace == again.trace && world.statistics == again.statistics, "seed \(seed)")
    #expect((0..<40).allSatisfy { world.device($0).hasTrained && world.device($0).step == 25 }, "seed \(seed)")
    let accuracy = Scene.accuracy(&world, rows)
    #expect(accuracy == Scene.accuracy(&again, rows) && accuracy > 0.5, "seed \(seed): \(accuracy)")
  }
}
