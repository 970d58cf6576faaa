import MurmurCompute
import MurmurMachines

/// A batch that a stage keeps to learn from again.
struct KeptBatch {
  var input: Matrix
  var rows: [Int32]
  var mask: RowMask
}

/// Rules without a gradient over a link: every stage learns by itself as soon as it has computed.
extension SplitDevice {
  mutating func learnLocally(_ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    let record = flights[index].records[stage]
    let mask = flights[index].isAlive(id)
    let step = flights[index].moment.step ?? 0
    switch plan.rule {
    case .backpropagation: return
    case .greedy(let replay):
      let loss = greedyStep(stage, record.input, record.outputs, flights[index], step)
      if stage == plan.stages.count - 1 { flights[index].loss = loss }
      guard replay > 0, plan.stages[stage].reads == .neighbours else { return }
      if memory.batches[stage].count == replay {
        var chance = Chance(seed: plan.seed).fork("replay", step).fork("stage", stage * plan.devices + id)
        let chosen = chance.below(replay)
        let batch = memory.batches[stage][chosen]
        memory.batches[stage][chosen] = KeptBatch(input: record.input, rows: flights[index].rows, mask: mask)
        var again = newFlight(.step(step))
        again.rows = batch.rows
        let outputs = units[stage].forward(batch.input, residual: nil, work: work)
        effects.append(.worked(multiplyAdds: units[stage].multiplyAdds * batch.input.rows * 2))
        _ = greedyStep(stage, batch.input, outputs, again, step)
      } else {
        memory.batches[stage].append(KeptBatch(input: record.input, rows: flights[index].rows, mask: mask))
      }
    }
    effects.append(.worked(multiplyAdds: units[stage].multiplyAdds * record.input.rows))
  }

  /// One step of a unit and its own head; the last stage is a head itself.
  private mutating func greedyStep(
    _ stage: Int, _ input: Matrix, _ outputs: [Matrix], _ flight: Flight, _ step: Int
  ) -> Double {
    let rate = plan.rate.rate(step, of: plan.steps)
    let own = outputs[outputs.count - 1]
    guard stage < heads.count else {
      let (loss, gradient) = loss(own, flight)
      _ = units[stage].learn(input, outputs, dy: gradient, rate: rate, wantsInput: false, work: work)
      return loss
    }
    let answer = heads[stage].forward(own, residual: nil, work: work)
    let (loss, gradient) = loss(answer[answer.count - 1], flight)
    if let dy = heads[stage].learn(own, answer, dy: gradient, rate: rate, wantsInput: true, work: work) {
      _ = units[stage].learn(input, outputs, dy: dy, rate: rate, wantsInput: false, work: work)
    }
    return loss
  }
}
