import MurmurCompute
import MurmurMachines

/// The way forward: steps begin, units compute, outputs go to the neighbours.
extension SplitDevice {
  /// Begins steps as long as there are any and fewer are in flight than may be.
  ///
  /// Others far ahead are followed. So are others a little ahead, when the step before missed something: devices that went on from
  /// checkpoints of different steps would wait for each other in vain at every step.
  mutating func beginSteps(at now: Instant, hasMissed: Bool = false, _ effects: inout Effects<Effect>) {
    while isTraining {
      var flying = 0
      for index in flights.indices where flights[index].moment.step != nil && flights[index].phase != .ahead { flying += 1 }
      guard flying < plan.timing.flights else { return }
      if let pace = company.pace, pace > step + (hasMissed ? 0 : plan.timing.ahead) {
        effects.append(.announce(.jumped(from: step, to: pace)))
        statistics.skipped += pace - step
        step = pace
      }
      guard step < plan.steps else {
        isTraining = false
        flights.removeAll { $0.moment.step != nil && $0.phase == .ahead }
        effects.append(.announce(.trained))
        return
      }
      // Where nothing is waited for, a step ends as it begins; it is for the world to say when there have been enough.
      guard inARow < SplitDevice.mostInARow else { return effects.append(.arm(.next, at: now)) }
      inARow += 1
      let moment = Moment.step(step)
      step += 1
      flights.removeAll { flight in flight.phase == .ahead && flight.moment.step.map { $0 + 1 < step } ?? false }
      let chosen = drills.rows(of: step - 1, schedule)
      let masks = plan.drill.isIdle ? nil : drillMasks(plan.drill, moment, chosen.count)
      begin(moment, rows: chosen, masks: masks, query: nil, at: now, &effects)
    }
  }

  private mutating func drillMasks(_ drill: Drill, _ moment: Moment, _ rows: Int) -> DrawnMasks {
    if links.isEmpty { links = drills.links(of: id, plan) }
    return drills.masks(moment, drill, rows: rows, plan: plan) {
      let chance = Chance(seed: plan.seed)
      let own =
        switch moment {
        case .step(let step): chance.fork("drill", step)
        case .query(let origin, let number): chance.fork("trial", origin).fork("query", number)
        }
      return DrillMasks(drill, devices: plan.devices, rows: rows, copies: copies(moment), chance: own)
    }
  }

  mutating func beginQuery(_ query: Query, at now: Instant, _ effects: inout Effects<Effect>) {
    let masks = query.drill.isIdle ? nil : drillMasks(query.drill, query.moment, query.rows.count)
    begin(query.moment, rows: query.rows, masks: masks, query: query, at: now, &effects)
  }

  /// Steps that a device begins for one input at most; more of them are begun after a timer.
  package static let mostInARow = 8

  /// The flight of a moment, made if it is new.
  mutating func newFlight(_ moment: Moment) -> Flight {
    if moment.step != nil, var flight = spare.take() {
      flight.moment = moment
      return flight
    }
    return Flight(moment, stages: plan.stages.count, neighbours: neighbours.count)
  }

  private mutating func begin(
    _ moment: Moment, rows chosen: [Int32], masks: DrawnMasks?, query: Query?, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    let index: Int
    if let known = flights.firstIndex(where: { $0.moment == moment }) {
      guard flights[known].phase == .ahead else { return }
      index = known
    } else {
      index = flights.count
      flights.append(newFlight(moment))
    }
    let copies = copies(moment)
    flights[index].rows = copies == 1 ? chosen : (0..<copies).flatMap { _ in chosen }
    flights[index].forget(but: flights[index].rows.count)
    flights[index].masks = masks
    flights[index].query = query
    flights[index].enter(.forward(0))
    advance(index, at: now, &effects)
  }

  /// Goes on with a flight as far as it can without waiting.
  mutating func advance(_ index: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    while true {
      switch flights[index].phase {
      case .forward(let stage) where stage < plan.stages.count:
        guard isReady(index, at: now, &effects) else { return }
        compute(stage, index, &effects)
        flights[index].enter(.forward(stage + 1))
      case .forward:
        if plan.objective.isSummed { flights[index].enter(.summing) } else { conclude(index, at: now, &effects) }
      case .summing:
        guard isReady(index, at: now, &effects) else { return }
        conclude(index, at: now, &effects)
      case .backward(let stage):
        guard isReady(index, at: now, &effects) else { return }
        learn(stage, index, &effects)
        flights[index].enter(stage > 0 ? .backward(stage - 1) : .done)
      case .ahead: return
      case .done:
        finish(index, at: now, &effects)
        return
      }
    }
  }

  /// One unit's outputs, sent to the neighbours.
  private mutating func compute(_ stage: Int, _ index: Int, _ effects: inout Effects<Effect>) {
    let counted = statistics.multiplyAdds
    let reading = reading(stage, index)
    let estimating = (statistics.multiplyAdds - counted) * (flights[index].moment.step == nil ? 1 : 3)
    let count = flights[index].rows.count
    let residual = plan.stages[stage].isResidual ? rows.features.taking(flights[index].rows) : nil
    let outputs =
      switch reading {
      case .whole(let input): outputs(stage, input, residual: residual)
      case .parts(let parts): work.forward(units[stage].layers, rows: count, parts, units[stage].parameters, residual: residual)
      }
    let operations = units[stage].multiplyAdds * count
    statistics.multiplyAdds += operations
    effects.append(.worked(multiplyAdds: operations + estimating))
    flights[index].record(reading, outputs, of: stage)
    if plan.isShared(stage), let last = outputs.last {
      for place in neighbours.indices { send(.outputs(flights[index].moment, stage: stage, last), to: place, &effects) }
    }
    if plan.rule.isLocal, flights[index].moment.step != nil { learnLocally(stage, index, &effects) }
  }

  /// What a unit reads. Where nobody looks into it, the neighbours' outputs stay where they are.
  private mutating func reading(_ stage: Int, _ index: Int) -> Flight.Reading {
    switch plan.stages[stage].reads {
    case .features: return .whole(labelled(rows.features.taking(flights[index].rows), index))
    case .own: return .whole(labelled(ownOutputs(stage - 1, index), index))
    case .neighbours:
      let parts = parts(stage, index)
      if plan.rule == .backpropagation, plan.missing == .flagged || plan.missing == .zero { return .parts(parts) }
      let joined = work.join(rows: flights[index].rows.count, parts)
      return .whole(labelled(standingIn(joined, parts, stage, index), index))
    }
  }

  mutating func ownOutputs(_ stage: Int, _ index: Int) -> Matrix {
    guard let outputs = flights[index].output(stage) else { preconditionFailure("stage \(stage) is not computed") }
    return outputs
  }

  /// The device's and its neighbours' outputs of the stage before, by their numbers; then the flags.
  private mutating func parts(_ stage: Int, _ index: Int) -> [InputPart] {
    let (width, count) = (plan.stages[stage - 1].width, flights[index].rows.count)
    var parts: [InputPart] = []
    parts.reserveCapacity(neighbours.count + 2)
    let isFlagged = plan.missing == .flagged
    var flags: [RowMask] = []
    if isFlagged { flags.reserveCapacity(neighbours.count) }
    let own = InputPart(columns: width, ownOutputs(stage - 1, index))
    let masks = flights[index].masks
    for (place, neighbour) in neighbours.enumerated() {
      if parts.count == place, neighbour > id { parts.append(own) }
      let values = flights[index].takeHeard(stage - 1, place)
      let mask = masks?.carries(links[place], stage: stage, back: false) ?? .all
      parts.append(filled(stage, place, InputPart(columns: width, values, mask: mask), index))
      if isFlagged { flags.append(values == nil ? RowMask.none(of: count) : mask) }
    }
    if parts.count == neighbours.count { parts.append(own) }
    if isFlagged, !neighbours.isEmpty {
      let columns = flags.count
      let matrix = unsafe Matrix(rows: count, columns: columns) { floats in
        for (column, flag) in flags.enumerated() {
          unsafe flag.write(to: floats.baseAddress! + column, rows: count, stride: columns)
        }
      }
      parts.append(InputPart(columns: columns, matrix))
    }
    return parts
  }

  /// The outputs of a stage that this device computed for its neighbours, while it still has them.
  mutating func outputs(of moment: Moment, _ stage: Int) -> Matrix? {
    guard stage >= 0, stage < plan.stages.count, plan.isShared(stage) else { return nil }
    if let index = flights.firstIndex(where: { $0.moment == moment }), let outputs = flights[index].output(stage) {
      return outputs
    }
    guard let old = kept.first(where: { $0.moment == moment }), stage < old.outputs.count else { return nil }
    return old.outputs[stage]
  }
}
