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
    flights[index].giveOwn(last, gradient)
    flights[index].enter(.backward(last))
  }

  /// The loss of an answer for some rows, and its gradient.
  mutating func loss(_ answer: Matrix, _ chosen: [Int32], _ mask: RowMask) -> (loss: Double, gradient: Matrix) {
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
  private mutating func summed(_ index: Int) -> Matrix {
    let last = plan.stages.count - 1
    var parts: [Matrix] = []
    let own = ownOutputs(last, index)
    let masks = flights[index].masks
    var isIn = false
    for (place, neighbour) in neighbours.enumerated() {
      if !isIn, neighbour > id {
        parts.append(own)
        isIn = true
      }
      guard let values = flights[index].heard(last, place) else { continue }
      let mask = masks?.carries(links[place], stage: last + 1, back: false) ?? .all
      parts.append(mask.isAll ? values : values.columns(0..<values.columns, keeping: mask))
    }
    if !isIn { parts.append(own) }
    return Matrix.sum(parts) ?? own
  }

  /// One unit learns from the gradients by its outputs, and hands on those by its inputs.
  mutating func learn(_ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    defer { flights[index].forget(stage) }
    guard let dy = gradient(stage, index) else {
      if stage > 0 { skip(stage, index, &effects) }
      return
    }
    let record = flights[index].record(stage)
    let wantsInput = stage > 0 && plan.stages[..<stage].contains { !$0.isFrozen }
    let rate = plan.rate.rate(flights[index].moment.step ?? 0, of: plan.steps)
    let operations = units[stage].multiplyAdds * dy.rows * (wantsInput ? 2 : 1)
    effects.append(.worked(multiplyAdds: operations))
    switch record.reading {
    case .whole(let input):
      let back = units[stage].learn(input, record.outputs, dy: dy, rate: rate, wantsInput: wantsInput, work: work)
      guard let back else { return }
      guard plan.stages[stage].reads == .neighbours else { return flights[index].giveOwn(stage - 1, back) }
      let width = plan.stages[stage - 1].width
      let backs = wanted(stage, index).enumerated().map { place, mask in
        mask.map { back.columns(place * width..<(place + 1) * width, keeping: $0) }
      }
      handBack(backs, stage, index, &effects)
    case .parts(let parts):
      let flags = parts.count - neighbours.count - 1
      let wanted = wantsInput ? wanted(stage, index) + Array(repeating: nil, count: flags) : []
      let backs = units[stage].learn(parts, record.outputs, dy: dy, rate: rate, wanted: wanted, work: work)
      if wantsInput { handBack(backs, stage, index, &effects) }
    }
  }

  /// The gradient by the outputs of a stage: the device's own and the neighbours', by their numbers.
  private mutating func gradient(_ stage: Int, _ index: Int) -> Matrix? {
    guard plan.returnsGradients(stage) else { return flights[index].takeOwn(stage) }
    return flights[index].summedGradients(stage, own: ownPlace, links)
  }

  /// Which rows' gradients go to whom: to the device itself and its neighbours, by their numbers; none to whom was not heard.
  private mutating func wanted(_ stage: Int, _ index: Int) -> [RowMask?] {
    var wanted: [RowMask?] = []
    wanted.reserveCapacity(neighbours.count + 2)
    let masks = flights[index].masks
    for (place, neighbour) in neighbours.enumerated() {
      if wanted.count == place, neighbour > id { wanted.append(.all) }
      guard plan.returnsGradients(stage - 1), flights[index].isHeard(stage - 1, place) else {
        wanted.append(nil)
        continue
      }
      wanted.append(masks?.returns(links[place], stage: stage) ?? .all)
    }
    if wanted.count == neighbours.count { wanted.append(.all) }
    return wanted
  }

  /// Hands the parts of the gradient by what was read to those who sent it.
  private mutating func handBack(_ backs: [Matrix?], _ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    let own = ownPlace
    flights[index].giveOwn(stage - 1, backs[own])
    guard plan.returnsGradients(stage - 1) else { return }
    for place in neighbours.indices {
      let back = backs[place < own ? place : place + 1]
      send(.gradients(flights[index].moment, stage: stage - 1, back), to: place, &effects)
    }
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
    var flight = flights.remove(at: index)
    keep(flight)
    guard let step = flight.moment.step else { return }
    let hasMissed = flight.hasMissed
    statistics.steps += 1
    effects.append(.announce(.stepped(step, loss: flight.loss)))
    flight.clear()
    spare = consume flight
    beginSteps(at: now, hasMissed: hasMissed, &effects)
  }

  /// Keeps what neighbours may still ask for, in the room of what nobody will.
  private mutating func keep(_ flight: Flight) {
    var outputs: [Matrix] = []
    if kept.count >= max(1, plan.timing.kept) {
      outputs = kept.removeFirst().outputs
      kept.removeFirst(kept.count - max(1, plan.timing.kept) + 1)
      outputs.removeAll(keepingCapacity: true)
    }
    // What nobody may ask for is not kept in memory that others can use.
    let shared = (plan.stages.indices.last { plan.isShared($0) } ?? -1) + 1
    for stage in 0..<min(shared, flight.computed) { if let output = flight.output(stage) { outputs.append(output) } }
    kept.append((flight.moment, outputs))
  }
}
