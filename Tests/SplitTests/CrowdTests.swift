import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Synchronization
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
    CrowdTests.expectSame(&plain, &ahead, rows, seed)
  }

  /// Two worlds, however they were worked out, are the same: everything that happened, when, and what all devices know.
  private static func expectSame(_ one: inout SplitWorld, _ other: inout SplitWorld, _ rows: [SplitRows], _ seed: UInt64) {
    #expect(one.events > 1_000 && one.trace == other.trace && one.events == other.events, "seed \(seed)")
    #expect(one.statistics == other.statistics && one.lost == other.lost && one.now == other.now, "seed \(seed)")
    #expect(
      one.relayed.bytes == other.relayed.bytes && one.latestStep == other.latestStep && one.pauses == other.pauses, "seed \(seed)"
    )
    for device in 0..<one.plan.devices {
      #expect(one.device(device).units == other.device(device).units, "seed \(seed), device \(device)")
      #expect(one.isAlive(device) == other.isAlive(device), "seed \(seed), device \(device)")
    }
    let drill = Drill(devices: .fixed(0.25), links: .fixed(0.25))
    #expect(Scene.accuracy(&one, rows, drill: drill) == Scene.accuracy(&other, rows, drill: drill), "seed \(seed)")
    #expect(one.trace == other.trace && one.now == other.now, "seed \(seed)")
  }

  /// Where devices may run ahead of each other's time.
  struct Course: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var latency = Instant.Span.zero
    var bandwidth = 0.0
    var speeds = [2e9]
    var jitter = 0.0
    var loss = 0.0
    var faults: [SplitFault] = []
    var reach = VirtualGraph.Reach.direct
    var missing = MissingPolicy.flagged
    var rule = LearningRule.backpropagation
    var shortest = Instant.Span.milliseconds(20)
    var isGrid = false
    /// Whether timers fire, so that the order of time comes back on the way.
    var isHarsh = false
  }

  static let courses = [
    Course(testDescription: "only computing takes time"), Course(testDescription: "nothing takes time", speeds: [0]),
    Course(testDescription: "only links take time", latency: .milliseconds(1), speeds: [0]),
    Course(testDescription: "links and computing take time", latency: .milliseconds(0.02), bandwidth: 1e8),
    Course(testDescription: "all alike, so that much happens at one time", isGrid: true),
    Course(testDescription: "all alike, with links", latency: .milliseconds(0.05), isGrid: true),
    Course(testDescription: "slow devices, whose timers bound how far others may be ahead", speeds: [1e7]),
    Course(
      testDescription: "devices of different speeds", latency: .milliseconds(0.1),
      speeds: (0..<40).map { 1e8 * Double(1 + $0 % 7) }),
    Course(testDescription: "links that jitter", latency: .milliseconds(0.1), jitter: 0.8),
    Course(testDescription: "joined inputs, a mean for who is missing", latency: .milliseconds(0.1), missing: .mean),
    Course(testDescription: "a local rule", rule: .greedy(replay: 2)),
    Course(testDescription: "over relays", latency: .milliseconds(0.1), reach: .complete),
    Course(testDescription: "a message in ten thousand is lost", latency: .milliseconds(0.1), loss: 0.0001, isHarsh: true),
    Course(testDescription: "messages are lost from the beginning", latency: .milliseconds(0.1), loss: 0.05, isHarsh: true),
    Course(
      testDescription: "timers that fire too early", latency: .milliseconds(1), jitter: 1.5, shortest: .milliseconds(1),
      isHarsh: true),
    Course(
      testDescription: "a device dies, and returns", latency: .milliseconds(0.1),
      faults: [
        SplitFault(.at(.origin + .milliseconds(7)), .dies(3)), SplitFault(.at(.origin + .milliseconds(90)), .returns(3)),
      ], isHarsh: true),
    Course(
      testDescription: "a link breaks", latency: .milliseconds(0.1),
      faults: [SplitFault(.at(.origin + .milliseconds(5)), .breaks(0, 1))], reach: .complete),
  ]

  private static func course(_ scene: Course, runsAhead: Bool, threads: Int, seed: UInt64) -> (SplitWorld, [SplitRows]) {
    var chance = Chance(seed: seed).fork("course")
    let devices = scene.reach == .complete ? 12 : 40
    let drawn = scene.isGrid ? DeviceGraph.grid(devices) : DeviceGraph.geometric(devices, degree: 5, chance: &chance)
    let graph = drawn.with(latency: scene.latency, bandwidth: scene.bandwidth)
    let rows = Scene.rows(devices: devices, width: 2, training: 200, tested: 40, seed: seed)
    var plan = Scene.plan(graph, width: 2, steps: 25, reach: scene.reach, seed: seed)
    plan.drill = Drill(devices: .upTo(0.5), links: .upTo(0.5))
    plan.missing = scene.missing
    plan.rule = scene.rule
    plan.timing.shortest = scene.shortest
    var conditions = SplitConditions()
    (conditions.speeds, conditions.jitter, conditions.loss) = (scene.speeds, scene.jitter, scene.loss)
    conditions.faults = scene.faults
    return (
      SplitWorld(
        plan: plan, graph: graph, reach: scene.reach, rows: rows, conditions: conditions, looksAhead: runsAhead,
        runsAhead: runsAhead, threads: threads), rows
    )
  }

  @Test(arguments: courses) func `running ahead of time changes nothing that happens and not when it does`(scene: Course) {
    for seed: UInt64 in 21...23 {
      var (ordered, rows) = CrowdTests.course(scene, runsAhead: false, threads: 1, seed: seed)
      ordered.train()
      #expect(!ordered.hasRunAhead && (ordered.statistics.polls > 0) == scene.isHarsh, "seed \(seed)")
      for threads in 1...3 {
        var copy = ordered
        var (ahead, _) = CrowdTests.course(scene, runsAhead: true, threads: threads, seed: seed)
        ahead.train()
        #expect(ahead.hasRunAhead, "seed \(seed)")
        CrowdTests.expectSame(&copy, &ahead, rows, seed)
      }
    }
  }

  @Test func `where nothing takes time, devices die and return between others' steps`() {
    let seed: UInt64 = 13
    var worlds: [(world: SplitWorld, rows: [SplitRows])] = []
    for _ in 0..<2 {
      let rows = Scene.rows(devices: 40, width: 2, training: 200, tested: 40, seed: seed)
      var plan = Scene.plan(.line(40), width: 2, steps: 25, reach: .direct, seed: seed)
      plan.drill = Drill(devices: .upTo(0.5), links: .upTo(0.5))
      var conditions = SplitConditions()
      conditions.speeds = [0]
      conditions.faults = [SplitFault(.step(5), .dies(3)), SplitFault(.step(9), .returns(3)), SplitFault(.step(4), .joins(20))]
      var world = SplitWorld(plan: plan, graph: .line(40), reach: .direct, rows: rows, conditions: conditions, threads: 2)
      world.train()
      worlds.append((world, rows))
    }
    #expect(!worlds[0].world.hasRunAhead, "what happens at a step happens in the order of time, seed \(seed)")
    #expect(worlds[0].world.trace == worlds[1].world.trace, "seed \(seed)")
    #expect(
      (0..<40).allSatisfy { worlds[0].world.device($0).hasTrained && worlds[0].world.device($0).step == 25 }, "seed \(seed)")
    var (one, other) = (worlds[0].world, worlds[1].world)
    CrowdTests.expectSame(&one, &other, worlds[0].rows, seed)
    let accuracy = Scene.accuracy(&one, worlds[0].rows)
    #expect(accuracy > 0.5, "seed \(seed): \(accuracy)")
  }

  @Test(arguments: [1, 2]) func `a training that is stopped while devices run ahead can be asked, and goes on`(threads: Int) {
    let seed: UInt64 = 14
    var (world, rows) = CrowdTests.course(CrowdTests.courses[2], runsAhead: true, threads: threads, seed: seed)
    var looks = 0
    world.train {
      looks += 1
      return looks == 2
    }
    #expect(world.hasRunAhead && world.latestStep > 0, "seed \(seed)")
    #expect((0..<40).contains { !world.device($0).hasTrained }, "seed \(seed): stopped before the end")
    var still = world.still()
    #expect(Scene.accuracy(&still, rows) > 0, "seed \(seed): somebody answers")
    world.train()
    #expect((0..<40).allSatisfy { world.device($0).hasTrained && world.device($0).step == 25 }, "seed \(seed)")
    #expect(Scene.accuracy(&world, rows) > 0.5, "seed \(seed)")
  }

  @Test func `who watches hears of every step of every device, when it ended`() {
    let seed: UInt64 = 15
    var heard: [[String]] = []
    for (runsAhead, threads) in [(false, 1), (true, 1), (true, 3)] {
      var (world, _) = CrowdTests.course(CrowdTests.courses[7], runsAhead: runsAhead, threads: threads, seed: seed)
      let list = Heard()
      world.observer = { device, event, time in
        if case .stepped(let step, let loss) = event {
          list.lines.withLock { $0.append("\(time.nanoseconds) \(device) \(step) \(loss)") }
        }
      }
      world.train()
      heard.append(list.lines.withLock { $0.sorted() })
    }
    #expect(heard[0].count == 40 * 25 && heard[1] == heard[0] && heard[2] == heard[0], "seed \(seed)")
  }

  private final class Heard: Sendable {
    let lines = Mutex<[String]>([])
  }
}
