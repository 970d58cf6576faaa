import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// What stands for a neighbour's outputs that did not come.
@Suite struct MissingTests {
  /// Devices that see noisy copies of the same few numbers: what one has to say can be told from the others.
  private func rows(devices: Int, seed: UInt64) -> [SplitRows] {
    var chance = Chance(seed: seed).fork("copies")
    var (features, labels) = ([[Float]](repeating: [], count: devices), [Int32]())
    for _ in 0..<700 {
      let hidden = (0..<3).map { _ in Float(chance.normal()) }
      for device in 0..<devices { features[device] += hidden.map { $0 + 0.3 * Float(chance.normal()) } }
      labels.append(hidden.reduce(0, +) > 0 ? 1 : 0)
    }
    return features.map { SplitRows(features: Matrix(rows: 700, columns: 3, $0), labels: labels, training: 500) }
  }

  private func world(
    _ missing: MissingPolicy, rows: [SplitRows], drill: Drill = Drill(), _ rule: LearningRule = .backpropagation, seed: UInt64
  ) -> SplitWorld {
    let graph = DeviceGraph.complete(rows.count)
    var plan = Scene.plan(graph, width: 3, steps: 300, seed: seed)
    (plan.missing, plan.drill, plan.rule) = (missing, drill, rule)
    var world = SplitWorld(plan: plan, graph: graph, reach: .complete, rows: rows)
    world.train()
    return world
  }

  @Test func `where nothing is missing, an estimator changes nothing`() throws {
    let rows = rows(devices: 3, seed: 1)
    let (zero, estimate) = (world(.zero, rows: rows, seed: 1), world(.estimate, rows: rows, seed: 1))
    for device in 0..<3 {
      #expect(zero.device(device).units.map(\.parameters) == estimate.device(device).units.map(\.parameters))
    }
  }

  @Test(arguments: [LearningRule.backpropagation, .greedy(replay: 0)])
  func `an estimate of what a dead neighbour would say is better than nothing`(rule: LearningRule) throws {
    var (estimated, zeroed) = (0.0, 0.0)
    for seed in 1...3 as ClosedRange<UInt64> {
      let rows = rows(devices: 4, seed: seed)
      // Trained without faults, a network does not know what to make of zeros.
      var (zero, estimate) = (world(.zero, rows: rows, rule, seed: seed), world(.estimate, rows: rows, rule, seed: seed))
      zeroed += Scene.accuracy(&zero, rows, drill: Drill(devices: .exactly(2)))
      estimated += Scene.accuracy(&estimate, rows, drill: Drill(devices: .exactly(2)))
    }
    #expect(estimated / 3 > zeroed / 3 + 0.005, "\(estimated / 3) against \(zeroed / 3), seeds 1 to 3")
    #expect(estimated / 3 > 0.8)
  }

  @Test(arguments: [MissingPolicy.mean, .last, .estimate])
  func `a checkpoint and a restarted world remember what stands for the missing`(policy: MissingPolicy) throws {
    let rows = rows(devices: 3, seed: 7)
    let trained = world(policy, rows: rows, drill: Drill(devices: .upTo(0.5)), seed: 7)
    let plan = trained.plan
    let print = plan.fingerprint()
    let drill = Drill(devices: .exactly(1))
    var again = SplitWorld(plan: plan, graph: trained.graph, reach: .complete, rows: rows)
    for number in 0..<3 {
      let device = trained.device(number)
      let bytes = SplitCheckpoint.encode(device, plan: print)
      var other = SplitDevice(plan: plan, id: number, rows: rows[number], work: DenseWork())
      #expect(other.memories != device.memories)
      try SplitCheckpoint.restore(bytes, into: &other, plan: print)
      #expect(other.memories == device.memories && other.units == device.units && other.step == device.step)
      #expect(SplitCheckpoint.encode(other, plan: print) == bytes)
      again.place(other.units, other.memories, on: number)
    }
    let asked = (500..<700).map { Int32($0) }
    let (first, second) = (trained.still(), again.still())
    var (one, two) = (first, second)
    #expect(one.ask(1, rows: asked, drill: drill).concluded?.answer == two.ask(1, rows: asked, drill: drill).concluded?.answer)
  }
}
