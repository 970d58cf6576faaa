import MurmurCompute
import MurmurMachines

/// The way back: losses, gradients to the neighbours, and what learns without them.
extension SplitDevice {
  /// All outputs are there: an answer is given, or the way back begins.
  mutating func conclude(_ index: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    let last = plan.stages.count - 1
    let answer = plan.objective.isSummed ? summed(index) : ownOutputs(last, index)
    guard flights[index].moment.step != nil else {
      let values =
        plan.rule.readsLabels ? goodnessOfLabels(index) : plan.objective.classes > 0 ? work.logSoftmax(answer) : answer
      flights[index].enter(.done)
      computed(values, index, at: now, &effects)
      return
    }
    if plan.rule.isLocal {
      // The last stage has learnt like the others.
      flights[index].enter(.done)
      return
    }
    let (loss, gradient) = loss(answer, flights[index].rows, flights[index].isAlive(id))
    flights[index].loss = loss
    flights[index].own[last] = gradient
    flights[index].enter(.backward(last))
  }

  /// The loss of an answer for some rows, and its gradient.
  func loss(_ answer: Matrix, _ chosen: [Int32], _ mask: RowMask) -> (loss: Double, gradient: Matrix) {
    let scale = 1 / Float(chosen.count)
    switch plan.objective {
    case .classes, .summedClasses:
      let labels = chosen.map { rows.labels[Int($0)] }
      guard labels.contains(where: { $0 < 0 }) else { return work.crossEntropy(answer, labels, mask: mask, scale: scale) }
      // Of samples whose class this device is not told, nothing is learnt here, and nothing counts.
      let known = labels.indices.filter { labels[$0] >= 0 }
      let isKnown = RowMask(labels.map { $0 >= 0 })
      let gradient = work.crossEntropy(answer, labels.map { max($0, 0) }, mask: mask & isKnown, scale: scale).gradient
      guard !known.isEmpty else { return (.nan, gradient) }
      let counted = work.crossEntropy(answer.taking(known.map { Int32($0) }), known.map { labels[$0] }, mask: .all, scale: 0)
      return (counted.loss, gradient)
    case .targets:
      guard let targets = rows.targets else { preconditionFailure("device \(id) has no targets to learn from") }
      // What nobody knows teaches nothing.
      let known = targets.taking(chosen).fillingGaps(from: answer)
      return work.meanSquared(answer, known, mask: mask, scale: scale)
    case .ownFeatures:
      return work.meanSquared(answer, rows.features.taking(chosen), mask: mask, scale: scale)
    }
  }

  /// The sum of the last outputs of all that came, by their numbers.
  private func summed(_ index: Int) -> Matrix {
    let last = plan.stages.count - 1
    var parts: [Matrix] = []
    let own = ownOutputs(last, index)
    var isIn = false
    for (place, neighbour) in neighbours.enumerated() {
      if !isIn, neighbour > id {
        parts.append(own)
        isIn = true
      }
      guard let values = flights[index].heard[last][place] else { continue }
      let mask = flights[index].carries(id, neighbour, stage: last + 1, back: false)
      parts.append(mask.isAll ? values : values.columns(0..<values.columns, keeping: mask))
    }
    if !isIn { parts.append(own) }
    return Matrix.sum(parts) ?? own
  }

  /// One unit learns from the gradients by its outputs, and hands on those by its inputs.
  mutating func learn(_ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    guard let dy = gradient(stage, index) else {
      if stage > 0 { skip(stage, index, &effects) }
      return
    }
    let record = flights[index].records[stage]
    let wantsInput = stage > 0 && plan.stages[..<stage].contains { !$0.isFrozen }
    let rate = plan.rate.rate(flights[index].moment.step ?? 0, of: plan.steps)
    let back = units[stage].learn(record.input, record.outputs, dy: dy, rate: rate, wantsInput: wantsInput, work: work)
    let operations = units[stage].multiplyAdds * record.input.rows * (wantsInput ? 2 : 1)
    effects.append(.worked(multiplyAdds: operations))
    guard let back else { return }
    switch plan.stages[stage].reads {
    case .features: break
    case .own: flights[index].own[stage - 1] = back
    case .neighbours: handBack(back, stage, index, &effects)
    }
  }

  /// The gradient by the outputs of a stage: the device's own and the neighbours', by their numbers.
  private func gradient(_ stage: Int, _ index: Int) -> Matrix? {
    guard plan.returnsGradients(stage) else { return flights[index].own[stage] }
    var parts: [Matrix] = []
    var isIn = false
    for (place, neighbour) in neighbours.enumerated() {
      if !isIn, neighbour > id {
        if let own = flights[index].own[stage] { parts.append(own) }
        isIn = true
      }
      if case .gradient(let values) = flights[index].returned[stage][place] { parts.append(values) }
    }
    if !isIn, let own = flights[index].own[stage] { parts.append(own) }
    return Matrix.sum(parts)
  }

  /// Cuts the gradient by the inputs into the neighbours' parts.
  private mutating func handBack(_ back: Matrix, _ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    let width = plan.stages[stage - 1].width
    var start = 0
    var isIn = false
    for (place, neighbour) in neighbours.enumerated() {
      if !isIn, neighbour > id {
        flights[index].own[stage - 1] = back.columns(start..<start + width)
        start += width
        isIn = true
      }
      defer { start += width }
      guard plan.returnsGradients(stage - 1) else { continue }
      guard flights[index].heard[stage - 1][place] != nil else {
        send(.gradients(flights[index].moment, stage: stage - 1, nil), to: place, &effects)
        continue
      }
      let read = flights[index].masksRead[stage]
      let mask = read.isEmpty ? .all : read[place] & flights[index].carries(id, neighbour, stage: stage, back: true)
      let part = back.columns(start..<start + width, keeping: mask)
      send(.gradients(flights[index].moment, stage: stage - 1, part), to: place, &effects)
    }
    if !isIn { flights[index].own[stage - 1] = back.columns(start..<start + width) }
  }

  /// Without a gradient there is nothing to learn or to hand on, but nobody is to wait for it.
  private mutating func skip(_ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    guard plan.stages[stage].reads == .neighbours, plan.returnsGradients(stage - 1) else { return }
    for place in neighbours.indices {
      send(.gradients(flights[index].moment, stage: stage - 1, nil), to: place, &effects)
    }
  }

  /// A flight is over: the next step begins.
  mutating func finish(_ index: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    let flight = flights.remove(at: index)
    kept.append((flight.moment, flight.records.compactMap { $0.outputs.last }))
    if kept.count > plan.timing.kept { kept.removeFirst(kept.count - plan.timing.kept) }
    guard let step = flight.moment.step else { return }
    statistics.steps += 1
    effects.append(.announce(.stepped(step, loss: flight.loss)))
    beginSteps(at: now, hasMissed: flight.hasMissed, &effects)
  }
}
