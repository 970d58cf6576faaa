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
  /// What a stage computes: the outputs of its layers, and last what is handed on.
  mutating func outputs(_ stage: Int, _ input: Matrix, residual: Matrix?) -> [Matrix] {
    let isHidden = stage < plan.stages.count - 1
    switch plan.rule {
    case .softHebb where isHidden:
      let (directions, lengths) = LocalObjectives.directions(input)
      let sums = units[stage].forward(directions, residual: nil, work: work)
      return [directions, sums[0], LocalObjectives.triangle(sums[0], lengths)]
    case .forwardForward:
      let raw = units[stage].forward(input, residual: residual, work: work)
      return raw + [LocalObjectives.normalised(raw[raw.count - 1])]
    case .backpropagation, .greedy, .softHebb, .barlowTwins:
      return units[stage].forward(input, residual: residual, work: work)
    }
  }

  mutating func learnLocally(_ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    let record = flights[index].record(stage)
    let mask = flights[index].isAlive(id)
    let step = flights[index].moment.step ?? 0
    let rate = plan.rate.rate(step, of: plan.steps)
    let isHead = stage == plan.stages.count - 1
    switch plan.rule {
    case .backpropagation: return
    case .greedy(let replay):
      let loss = greedyStep(stage, record.input, record.outputs, flights[index].rows, mask, rate)
      if isHead { flights[index].loss = loss }
      if replay > 0, plan.stages[stage].reads == .neighbours { self.replay(replay, stage, index, step, &effects) }
    case .forwardForward(let sharpness):
      let raw = Array(record.outputs.dropLast())
      let (loss, dy) = LocalObjectives.forwardForward(raw[raw.count - 1], sharpness: sharpness, mask: mask, work: work)
      flights[index].loss = loss
      _ = units[stage].learn(record.input, raw, dy: dy, rate: rate, wantsInput: false, work: work)
    case .softHebb(let temperature):
      guard !isHead else { return learnAsHead(stage, index, rate) }
      let (dz, decay) = LocalObjectives.softHebb(record.outputs[1], temperature: temperature, mask: mask, work: work)
      units[stage].learnHebbian(record.outputs[0], dz, decay: decay, rate: rate, work: work)
    case .barlowTwins(let redundancy):
      guard !isHead else { return learnAsHead(stage, index, rate) }
      learnTwins(stage, index, redundancy, rate)
    }
    effects.append(.worked(multiplyAdds: units[stage].multiplyAdds * record.input.rows))
  }

  /// The last stage learns from its own loss alone.
  private mutating func learnAsHead(_ stage: Int, _ index: Int, _ rate: Float) {
    let record = flights[index].record(stage)
    let mask = flights[index].isAlive(id)
    flights[index].loss = greedyStep(stage, record.input, record.outputs, flights[index].rows, mask, rate)
  }

  /// One step of a unit and its own head; the last stage is a head itself.
  private mutating func greedyStep(
    _ stage: Int, _ input: Matrix, _ outputs: [Matrix], _ chosen: [Int32], _ mask: RowMask, _ rate: Float
  ) -> Double {
    let own = outputs[outputs.count - 1]
    guard stage < heads.count else {
      let (loss, gradient) = loss(own, chosen, mask)
      _ = units[stage].learn(input, outputs, dy: gradient, rate: rate, wantsInput: false, work: work)
      return loss
    }
    let answer = heads[stage].forward(own, residual: nil, work: work)
    let (loss, gradient) = loss(answer[answer.count - 1], chosen, mask)
    if let dy = heads[stage].learn(own, answer, dy: gradient, rate: rate, wantsInput: true, work: work) {
      _ = units[stage].learn(input, outputs, dy: dy, rate: rate, wantsInput: false, work: work)
    }
    return loss
  }

  /// Learns once more from one of the kept batches, whose place the newest takes.
  private mutating func replay(_ count: Int, _ stage: Int, _ index: Int, _ step: Int, _ effects: inout Effects<Effect>) {
    let newest = KeptBatch(
      input: flights[index].record(stage).input, rows: flights[index].rows, mask: flights[index].isAlive(id))
    guard memory.batches[stage].count == count else { return memory.batches[stage].append(newest) }
    var chance = Chance(seed: plan.seed).fork("replay", step).fork("stage", stage * plan.devices + id)
    let chosen = chance.below(count)
    let batch = memory.batches[stage][chosen]
    memory.batches[stage][chosen] = newest
    let outputs = units[stage].forward(batch.input, residual: nil, work: work)
    effects.append(.worked(multiplyAdds: units[stage].multiplyAdds * batch.input.rows * 2))
    _ = greedyStep(stage, batch.input, outputs, batch.rows, batch.mask, plan.rate.rate(step, of: plan.steps))
  }

  /// Two views of the same samples: for units that read neighbours, each with neighbours of its own left out; for features, with numbers
  /// of their own left out.
  private mutating func learnTwins(_ stage: Int, _ index: Int, _ redundancy: Float, _ rate: Float) {
    let record = flights[index].record(stage)
    let step = flights[index].moment.step ?? 0
    let chance = Chance(seed: plan.seed).fork("twins", step).fork("stage", stage * plan.devices + id)
    let block = plan.stages[stage].reads == .neighbours ? plan.stages[stage - 1].width : 1
    let views = [0, 1].map { left(record.input, blocks: block, chance: chance.fork("view", $0)) }
    let outputs = views.map { units[stage].forward($0, residual: nil, work: work) }
    let twins = LocalObjectives.barlowTwins(
      outputs[0][outputs[0].count - 1], outputs[1][outputs[1].count - 1], redundancy: redundancy, product: work.product)
    flights[index].loss = twins.loss
    _ = units[stage].learn(views[0], outputs[0], dy: twins.first, rate: rate, wantsInput: false, work: work)
    _ = units[stage].learn(views[1], outputs[1], dy: twins.second, rate: rate, wantsInput: false, work: work)
  }

  /// A view: some blocks of columns of every row are zero, a third of them in the mean.
  private func left(_ matrix: Matrix, blocks: Int, chance: Chance) -> Matrix {
    var chance = chance
    let (rows, columns) = (matrix.rows, matrix.columns)
    return unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe matrix.withUnsafeFloats { source in
        for row in 0..<rows {
          for start in stride(from: 0, to: columns, by: blocks) {
            let keeps: Float = chance.happens(1 / 3) ? 0 : 1
            for index in row * columns + start..<row * columns + min(start + blocks, columns) {
              unsafe floats[index] = source[index] * keeps
            }
          }
        }
      }
    }
  }
}
