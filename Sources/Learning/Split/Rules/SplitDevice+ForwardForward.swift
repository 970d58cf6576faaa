import MurmurCompute
import MurmurMachines

/// Forward-Forward learning reads a sample together with a label: the true one, a wrong one, or each in turn.
extension SplitDevice {
  /// How many times a pass walks every sample: with a true and a wrong label in a step, with every label in a question.
  func copies(_ moment: Moment) -> Int {
    guard case .forwardForward = plan.rule else { return 1 }
    return moment.step == nil ? plan.objective.classes : 2
  }

  /// What a unit reads, with the labels that go with a pass's rows before it.
  mutating func labelled(_ own: Matrix, _ index: Int) -> Matrix {
    guard case .forwardForward = plan.rule else { return own }
    let classes = plan.objective.classes
    let labels = overlaid(index)
    let overlay = unsafe Matrix(rows: own.rows, columns: classes) { floats in
      for row in 0..<own.rows {
        for column in 0..<classes { unsafe floats[row * classes + column] = column == labels[row] ? 1 : 0 }
      }
    }
    return work.join(rows: own.rows, [InputPart(columns: classes, overlay), InputPart(columns: own.columns, own)])
  }

  private mutating func overlaid(_ index: Int) -> [Int] {
    let chosen = flights[index].rows
    let count = chosen.count / copies(flights[index].moment)
    guard let step = flights[index].moment.step else { return (0..<chosen.count).map { $0 / count } }
    var chance = Chance(seed: plan.seed).fork("wrong labels", step)
    return (0..<chosen.count).map { place in
      let label = Int(rows.labels[Int(chosen[place])])
      guard place >= count else { return label }
      return (label + 1 + chance.below(plan.objective.classes - 1)) % plan.objective.classes
    }
  }

  /// The goodness of every label, over all stages but the first where there are several, as logarithms of probabilities.
  mutating func goodnessOfLabels(_ index: Int) -> Matrix {
    let records = (0..<flights[index].computed).map { flights[index].record($0) }
    let classes = plan.objective.classes
    let count = flights[index].rows.count / classes
    var sums = [Float](repeating: 0, count: count * classes)
    for record in records.count > 1 ? records.dropFirst() : records[...] {
      let goodness = LocalObjectives.goodness(record.outputs[record.outputs.count - 2])
      for (place, value) in goodness.enumerated() { sums[place % count * classes + place / count] += value }
    }
    return work.logSoftmax(Matrix(rows: count, columns: classes, sums))
  }
}
