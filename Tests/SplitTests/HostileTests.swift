import MurmurCompute
import MurmurMachines
import MurmurSplit
import Testing

/// A device whose neighbours say anything at any time.
@Suite struct HostileTests {
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func `whatever neighbours say, a device goes on and holds no more than it may`(
    seed: UInt64
  ) throws {
    var chance = Chance(seed: seed)
    let rows = Scene.rows(devices: 3, width: 2, training: 64, tested: 16, seed: seed)
    var plan = Scene.plan(.complete(3), width: 2, steps: 60, seed: seed)
    plan.missing = MissingPolicy.allCases.randomElement(using: &chance) ?? .zero
    if chance.happens(0.3) { plan.rule = .greedy(replay: 2) }
    plan.inference.spreading = [.flood(hops: 1), .flood(hops: 3), .gossip(rounds: 2)][chance.below(3)]
    var device = SplitDevice(plan: plan, id: 1, rows: rows[1], work: DenseWork())
    var effects = Effects<SplitDevice.Effect>()
    var now = Instant.origin
    var timers: [(at: Instant, timer: SplitDevice.Timer)] = []
    device.step(.began, at: now, chance: &chance, effects: &effects)
    for _ in 0..<3_000 {
      now = now + .milliseconds(chance.uniform() * 20)
      let input: SplitDevice.Input
      switch chance.below(12) {
      case 0: input = .departed(chance.below(4))
      case 1: input = .asked([Int32(chance.below(90))], Drill())
      case 2...4:
        guard let index = timers.indices.randomElement(using: &chance) else { continue }
        now = max(now, timers[index].at)
        input = .fired(timers.remove(at: index).timer)
      default: input = .received(message(&chance, around: device.step), from: chance.below(4))
      }
      device.step(input, at: now, chance: &chance, effects: &effects)
      for effect in effects.take() { if case .arm(let timer, let at) = effect { timers.append((at, timer)) } }
    }
    for unit in device.units { #expect(unit.parameters.isFinite, "seed \(seed)") }
  }

  private func message(_ chance: inout Chance, around step: Int) -> SplitMessage {
    let moment: Moment =
      chance.happens(0.7)
      ? .step(max(0, step + chance.below(9) - 3)) : .query(origin: chance.below(4), number: chance.below(100))
    let (rows, columns) = ([0, 1, 32, 32, 32][chance.below(5)], [0, 2, 8, 8][chance.below(4)])
    let values = Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Float(chance.normal()) })
    let stage = chance.below(5)
    switch chance.below(8) {
    case 0: return .poll(moment, stage: stage)
    case 1:
      let list = (0..<chance.below(4)).map { _ in Int32(chance.below(90)) }
      return .question(Query(origin: chance.below(4), number: chance.below(100), rows: list))
    case 2: return .answer(moment, origin: chance.below(4), hops: chance.below(3), values)
    case 3: return .average(moment, round: chance.below(3), values)
    case 4, 5: return .gradients(moment, stage: stage, chance.happens(0.3) ? nil : values)
    default: return .outputs(moment, stage: stage, values)
    }
  }
}
