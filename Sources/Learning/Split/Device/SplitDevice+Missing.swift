import MurmurCompute
import MurmurMachines

/// What a device remembers of its neighbours for policies that stand in for what did not come (``MissingPolicy``).
public struct SplitMemories: Sendable, Hashable {
  /// For each stage and place of a neighbour: the running mean of its outputs, or its last ones.
  public var usual: [[[Float]?]]
  /// For each stage the unit that estimates what did not come, where there is one.
  public var estimators: [ComputationalUnit?]

  /// Nothing yet of the neighbours of a device.
  init(_ plan: SplitPlan, device: Int, chance: Chance) {
    let neighbours = plan.neighbours[device].count
    usual = Array(repeating: Array(repeating: nil, count: neighbours), count: plan.stages.count)
    estimators = plan.stages.indices.map { stage in
      guard plan.missing == .estimate, plan.stages[stage].reads == .neighbours, neighbours > 0 else { return nil }
      let width = plan.stages[stage - 1].width
      let shape = SplitStage(.neighbours, [DenseShape(width, .relu), DenseShape(neighbours * width, .none)])
      return ComputationalUnit(
        inputs: (neighbours + 1) * width, stage: shape, optimizer: plan.optimizer, chance: chance.fork("estimator", stage))
    }
  }

  /// Whether both are of devices with the same neighbours under the same plan.
  func fits(_ other: SplitMemories) -> Bool {
    usual.count == other.usual.count && zip(usual, other.usual).allSatisfy { $0.count == $1.count }
      && estimators.count == other.estimators.count
      && zip(estimators, other.estimators).allSatisfy { $0?.inputs == $1?.inputs && $0?.layers == $1?.layers }
  }
}

/// What stands for a neighbour's outputs that did not come.
extension SplitDevice {
  /// What a unit reads, where it is not what came and zeros.
  mutating func standingIn(_ joined: Matrix, _ parts: [InputPart], _ stage: Int, _ index: Int) -> Matrix {
    switch plan.missing {
    case .zero, .flagged, .mean, .last: joined
    case .rescaled: rescaled(joined, parts)
    case .estimate: estimated(joined, parts, stage, index)
    }
  }

  /// Puts estimates where nothing came: what a small unit makes of all that did come. In training the unit learns first, as the backup heads
  /// of a neighbour do: some of what came is hidden from it, and that is what it is to tell. No message is sent for it.
  private mutating func estimated(_ joined: Matrix, _ parts: [InputPart], _ stage: Int, _ index: Int) -> Matrix {
    guard let estimator = memory.memories.estimators[stage] else { return joined }
    let places = neighbours.indices.map { $0 < ownPlace ? $0 : $0 + 1 }
    let others = places.map { parts[$0] }
    statistics.multiplyAdds += estimator.multiplyAdds * joined.rows
    if let step = flights[index].moment.step {
      let chance = Chance(seed: plan.seed).fork("estimate", step).fork("stage", stage * plan.devices + id)
      learnToEstimate(joined, others, places, stage, index, step, chance)
    }
    guard others.contains(where: { $0.matrix == nil || !$0.mask.isAll }),
      let guesses = memory.memories.estimators[stage]?.forward(joined, residual: nil, work: work).last
    else { return joined }
    let (width, columns) = (plan.stages[stage - 1].width, joined.columns)
    return unsafe Matrix(rows: joined.rows, columns: columns) { floats in
      unsafe joined.withUnsafeFloats { source in
        for position in source.indices { unsafe floats[position] = source[position] }
      }
      unsafe guesses.withUnsafeFloats { guessed in
        for (place, part) in others.enumerated() {
          for row in 0..<joined.rows where part.matrix == nil || !part.mask[row] {
            let (to, from) = (row * columns + places[place] * width, row * guesses.columns + place * width)
            for column in 0..<width { unsafe floats[to + column] = guessed[from + column] }
          }
        }
      }
    }
  }

  /// One step of the unit that estimates: of every sample a third of what came is hidden, and the mean squared error there is what it learns by.
  private mutating func learnToEstimate(
    _ joined: Matrix, _ others: [InputPart], _ places: [Int], _ stage: Int, _ index: Int, _ step: Int, _ chance: Chance
  ) {
    var chance = chance
    let (width, columns, rows) = (plan.stages[stage - 1].width, joined.columns, joined.rows)
    var seen = joined.array
    var wanted = [Float](repeating: .nan, count: rows * others.count * width)
    for row in 0..<rows {
      for (place, part) in others.enumerated() where part.matrix != nil && part.mask[row] && chance.happens(1 / 3) {
        let (from, to) = (row * columns + places[place] * width, (row * others.count + place) * width)
        for column in 0..<width {
          wanted[to + column] = seen[from + column]
          seen[from + column] = 0
        }
      }
    }
    let view = Matrix(rows: rows, columns: columns, seen)
    guard let outputs = memory.memories.estimators[stage]?.forward(view, residual: nil, work: work), let guesses = outputs.last
    else { return }
    let targets = Matrix(rows: rows, columns: others.count * width, wanted).fillingGaps(from: guesses)
    let gradient = work.meanSquared(guesses, targets, mask: flights[index].isAlive(id), scale: 1 / Float(rows)).gradient
    let rate = plan.rate.rate(step, of: plan.steps)
    _ = memory.memories.estimators[stage]?.learn(view, outputs, dy: gradient, rate: rate, wantsInput: false, work: work)
  }

  /// Stretches every row by how many parts it would have over how many it has.
  private func rescaled(_ matrix: Matrix, _ parts: [InputPart]) -> Matrix {
    let all = Float(parts.count)
    let (rows, columns) = (matrix.rows, matrix.columns)
    return unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe matrix.withUnsafeFloats { source in
        for row in 0..<rows {
          let there = Float(parts.reduce(0) { $0 + ($1.matrix != nil && $1.mask[row] ? 1 : 0) })
          for column in row * columns..<(row + 1) * columns { unsafe floats[column] = source[column] * (all / there) }
        }
      }
    }
  }

  /// A neighbour's part, with what the policy puts where it did not come. Training remembers it for later where it did; questions do not, or
  /// an answer would depend on those asked before.
  mutating func filled(_ stage: Int, _ place: Int, _ part: InputPart, _ index: Int) -> InputPart {
    guard plan.missing == .mean || plan.missing == .last else { return part }
    let count = flights[index].rows.count
    let usual = memory.memories.usual[stage][place]
    let width = part.columns
    var there = usual ?? [Float](repeating: 0, count: width)
    let isMean = plan.missing == .mean
    // Of the first batch the mean is taken as it is.
    var weight: Float = usual == nil ? 0 : 1_023
    let merged = unsafe Matrix(rows: count, columns: width) { floats in
      let values = part.matrix?.array
      for row in 0..<count {
        if let values, part.mask[row] {
          for column in 0..<width {
            let value = values[row * width + column]
            unsafe floats[row * width + column] = value
            there[column] = isMean ? there[column] + (value - there[column]) / (weight + 1) : value
          }
          if usual == nil { weight += 1 }
        } else {
          for column in 0..<width { unsafe floats[row * width + column] = there[column] }
        }
      }
    }
    if flights[index].moment.step != nil { memory.memories.usual[stage][place] = there }
    return InputPart(columns: width, merged)
  }
}
