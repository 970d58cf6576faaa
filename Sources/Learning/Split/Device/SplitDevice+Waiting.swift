import MurmurCompute
package import MurmurMachines

/// Partial timing: what is waited for, how long, and what comes too late.
extension SplitDevice {
  /// Whether a flight's phase has all it waits for, or has waited long enough. Begins the wait where it has not.
  mutating func isReady(_ index: Int, at now: Instant, _ effects: inout Effects<Effect>) -> Bool {
    if flights[index].waiting != nil, !flights[index].isExpired, isSurelyWaiting(index) { return false }
    guard let missing = missing(index) else { return true }
    let isFirst = flights[index].waiting == nil
    if isFirst {
      learnEarly(index)
      if let stage = awaitedStage(flights[index].phase) { flights[index].begin(stage, at: now) }
    }
    if missing.isEmpty {
      if isFirst { flights[index].waiting = (now, 0, .never) }
      return true
    }
    if flights[index].isExpired { return true }
    if isFirst {
      let due = now + span(index, missing, isPoll: plan.timing.polls > 0)
      flights[index].waiting = (now, 0, due)
      arm(&effects)
    }
    return false
  }

  /// Arms the timer for the wait that ends first.
  private mutating func arm(_ effects: inout Effects<Effect>) {
    var due = Instant.never
    for index in flights.indices where !flights[index].isExpired { due = min(due, flights[index].waiting?.due ?? .never) }
    if due < .never { effects.append(.arm(.wait, at: due)) }
  }

  /// What would have to come until a message of the training has an effect; mutating, so that nothing of the device is copied for it.
  public mutating func findQuiet() -> Quiet {
    var quiet = Quiet()
    quiet.count = .max
    guard isTraining, company.awaited == degree else { return Quiet() }
    for index in flights.indices {
      guard let step = flights[index].moment.step else { return Quiet() }
      guard flights[index].waiting != nil, !flights[index].isExpired, let awaited = awaited(index) else { continue }
      // With several passes under way, whichever has all it waits for first.
      let isOnly = quiet.count == .max
      quiet.count = min(quiet.count, degree - awaited.came)
      quiet.awaited = isOnly ? (step, awaited.stage, awaited.isGradient) : nil
    }
    return quiet.count == .max ? Quiet() : quiet
  }

  /// The latest step whose messages are taken as they come; others that are further ahead may be followed at once.
  public var latestQuiet: Int { step + plan.timing.ahead }

  /// Whether fewer came than are awaited, so that nobody need be looked for by name.
  private mutating func isSurelyWaiting(_ index: Int) -> Bool {
    heardCount(index).map { $0 < company.awaited } ?? false
  }

  /// How many neighbours sent what a flight's phase waits for; `nil` if it waits for nobody.
  private mutating func heardCount(_ index: Int) -> Int? { awaited(index)?.came }

  /// What a flight's phase waits for, and how many neighbours sent it; `nil` if it waits for nobody.
  private mutating func awaited(_ index: Int) -> (stage: Int, isGradient: Bool, came: Int)? {
    switch flights[index].phase {
    case .forward(let stage) where stage < plan.stages.count && plan.stages[stage].reads == .neighbours:
      (stage - 1, false, flights[index].heardCount(stage - 1))
    case .summing: (plan.stages.count - 1, false, flights[index].heardCount(plan.stages.count - 1))
    case .backward(let stage) where plan.returnsGradients(stage): (stage, true, flights[index].returnedCount(stage))
    case .forward, .backward, .ahead, .done: nil
    }
  }

  /// The places of neighbours that are waited for and missing; `nil` if the phase waits for nobody.
  private mutating func missing(_ index: Int) -> [Int]? {
    switch flights[index].phase {
    case .forward(let stage) where plan.stages[stage].reads == .neighbours: return missing(index, outputsOf: stage - 1)
    case .summing: return missing(index, outputsOf: plan.stages.count - 1)
    case .backward(let stage) where plan.returnsGradients(stage):
      var places: [Int] = []
      guard flights[index].returnedCount(stage) < degree else { return places }
      for place in 0..<degree where isMissed(place) && !flights[index].isReturned(stage, place) { places.append(place) }
      return places
    case .forward, .backward, .ahead, .done: return nil
    }
  }

  private mutating func missing(_ index: Int, outputsOf stage: Int) -> [Int] {
    var places: [Int] = []
    guard flights[index].heardCount(stage) < degree else { return places }
    for place in 0..<degree where isMissed(place) && !flights[index].isHeard(stage, place) { places.append(place) }
    return places
  }

  /// Whether a neighbour is waited for. With nobody left to wait for, a device keeps the pace of its longest wait, or it would run ahead of
  /// all when cut off.
  private mutating func isMissed(_ place: Int) -> Bool { company.awaited == 0 || company.isAwaited(place) }

  /// How long the missing are waited for: as long as the one of them who is given most time.
  private mutating func span(_ index: Int, _ missing: [Int], isPoll: Bool = false) -> Instant.Span {
    guard company.awaited > 0 else { return plan.timing.longest }
    let isAsked = flights[index].moment.step == nil
    let stage = awaitedStage(flights[index].phase)
    var longest = Instant.Span.zero
    for place in missing {
      if let stage {
        let patience = isAsked ? askingPatience[forward: stage, place] : trainingPatience[forward: stage, place]
        longest = max(longest, patience.span(plan.timing, isPoll: isPoll))
      } else if case .backward(let stage) = flights[index].phase {
        longest = max(longest, trainingPatience[backward: stage, place].span(plan.timing, isPoll: isPoll))
      }
    }
    return longest
  }

  /// The stage whose reading a phase waits for, going forward; one beyond the last reads answers to be summed.
  private mutating func awaitedStage(_ phase: Flight.Phase) -> Int? {
    switch phase {
    case .forward(let stage): stage
    case .summing: plan.stages.count
    case .backward, .ahead, .done: nil
    }
  }

  private mutating func learn(_ lag: Instant.Span, forward stage: Int, _ place: Int, _ moment: Moment) {
    if moment.step == nil {
      askingPatience[forward: stage, place].learn(lag)
    } else {
      trainingPatience[forward: stage, place].learn(lag)
    }
  }

  /// What was there before it was wanted took no time at all.
  private mutating func learnEarly(_ index: Int) {
    let phase = flights[index].phase
    if let stage = awaitedStage(phase) {
      guard stage == plan.stages.count || plan.stages[stage].reads == .neighbours else { return }
      let moment = flights[index].moment
      for place in neighbours.indices where flights[index].isHeard(stage - 1, place) {
        learn(.zero, forward: stage, place, moment)
      }
    } else if case .backward(let stage) = phase, plan.returnsGradients(stage) {
      for place in neighbours.indices where flights[index].isReturned(stage, place) {
        trainingPatience[backward: stage, place].learn(.zero)
      }
    }
  }

  /// Something that is waited for turns out to have come before the wait began: the wait is for the others alone. For worlds that hand messages
  /// over in another order than that of time.
  package mutating func waitAnew(_ effects: inout Effects<Effect>) {
    for index in flights.indices where !flights[index].isExpired {
      guard let waiting = flights[index].waiting, waiting.fired == 0, let missing = missing(index), !missing.isEmpty else {
        continue
      }
      let span = span(index, missing, isPoll: plan.timing.polls > 0)
      flights[index].waiting = (waiting.since, 0, waiting.since + span)
    }
    arm(&effects)
  }

  /// Whether a wait is over by now.
  package func isOverdue(_ now: Instant) -> Bool {
    flights.contains { !$0.isExpired && $0.waiting.map { $0.due <= now } ?? false }
  }

  /// The timer fired: waits that are over by now end, or ask once more.
  mutating func waited(at now: Instant, _ effects: inout Effects<Effect>) {
    while let index = flights.firstIndex(where: { !$0.isExpired && $0.waiting.map { $0.due <= now } ?? false }) {
      waited(index, at: now, &effects)
    }
    arm(&effects)
  }

  /// Half of a wait is over and the missing are asked once more, or all of it.
  private mutating func waited(_ index: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let waiting = flights[index].waiting else { return }
    flights[index].waiting?.due = .never
    guard let missing = missing(index), !missing.isEmpty else { return advance(index, at: now, &effects) }
    let span = span(index, missing)
    let fired = waiting.fired
    guard fired < plan.timing.polls, waiting.since + span > now else {
      giveUp(missing, index, &effects)
      advance(index, at: now, &effects)
      return
    }
    if let stage = polled(flights[index].phase) {
      for place in missing where company.isAwaited(place) {
        statistics.polls += 1
        send(.poll(flights[index].moment, stage: stage), to: place, &effects)
      }
    }
    let rest = (waiting.since + span) - now
    let due = now + rest * (1 / Double(plan.timing.polls - fired))
    flights[index].waiting = (waiting.since, fired + 1, due)
  }

  private mutating func polled(_ phase: Flight.Phase) -> Int? {
    switch phase {
    case .forward(let stage): stage - 1
    case .summing: plan.stages.count - 1
    case .backward, .ahead, .done: nil
    }
  }

  private mutating func giveUp(_ missing: [Int], _ index: Int, _ effects: inout Effects<Effect>) {
    flights[index].isExpired = true
    flights[index].hasMissed = true
    statistics.missed += missing.count
    for place in missing where company.miss(place, patience: plan.timing.patience) {
      effects.append(.announce(.suspected(neighbours[place])))
    }
  }

  /// A neighbour's outputs came.
  mutating func hear(
    _ values: Matrix, _ stage: Int, _ moment: Moment, from place: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard stage >= 0, stage < plan.stages.count, plan.isShared(stage), values.columns == plan.stages[stage].width else { return }
    guard let index = flight(of: moment, at: now, &effects), !flights[index].isHeard(stage, place),
      flights[index].phase == .ahead || values.rows == flights[index].rows.count
    else { return }
    if isPast(stage, flights[index].phase) {
      statistics.late += 1
      if let since = flights[index].begun(stage + 1) { learn(now - since, forward: stage + 1, place, moment) }
      return
    }
    flights[index].hear(stage, place, values)
    guard awaitedStage(flights[index].phase) == stage + 1, let waiting = flights[index].waiting else { return }
    learn(now - waiting.since, forward: stage + 1, place, moment)
    advance(index, at: now, &effects)
  }

  /// Whether outputs of a stage come too late in a phase.
  private mutating func isPast(_ stage: Int, _ phase: Flight.Phase) -> Bool {
    switch phase {
    case .ahead: false
    case .forward(let current): current > stage + 1
    case .summing: stage < plan.stages.count - 1
    case .backward, .done: true
    }
  }

  /// The gradient by this device's outputs came from a neighbour.
  mutating func take(
    _ values: Matrix?, _ stage: Int, _ moment: Moment, from place: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard stage >= 0, stage < plan.stages.count, plan.returnsGradients(stage), moment.step != nil else { return }
    if let values { guard values.columns == plan.stages[stage].width else { return } }
    guard let index = flights.firstIndex(where: { $0.moment == moment }), !flights[index].isReturned(stage, place),
      values.map({ $0.rows == flights[index].rows.count }) ?? true
    else {
      statistics.late += 1
      return
    }
    if case .backward(let current) = flights[index].phase, current < stage {
      statistics.late += 1
      return
    }
    flights[index].take(stage, place, values)
    guard case .backward(stage) = flights[index].phase, let waiting = flights[index].waiting else { return }
    trainingPatience[backward: stage, place].learn(now - waiting.since)
    advance(index, at: now, &effects)
  }

  /// The flight that a message belongs to: one that is on its way, or a new one for what is ahead. What is over is late.
  private mutating func flight(of moment: Moment, at now: Instant, _ effects: inout Effects<Effect>) -> Int? {
    if let known = flights.firstIndex(where: { $0.moment == moment }) { return known }
    switch moment {
    case .step(let number):
      if number < step || !isTraining {
        statistics.late += 1
        return nil
      }
      guard number <= step + plan.timing.ahead else {
        // Others are far ahead: what is in hand is not worth finishing.
        if let pace = company.pace, pace > step + plan.timing.ahead { abandon(at: now, &effects) }
        return flights.firstIndex { $0.moment == moment }
      }
    case .query:
      guard !questions.contains(where: { $0.query.moment == moment && $0.isComputed }) else { return nil }
      if flights.reduce(0, { $0 + ($1.moment.step == nil ? 1 : 0) }) >= SplitDevice.mostQueries {
        // Questions that never came here, as before this device was there, give way.
        guard let oldest = flights.firstIndex(where: { $0.moment.step == nil && $0.phase == .ahead }) else { return nil }
        flights.remove(at: oldest)
      }
    }
    flights.append(newFlight(moment))
    return flights.count - 1
  }

  /// Passes of questions that a device has in hand at most; further ones are not answered.
  public static let mostQueries = 64

  private mutating func abandon(at now: Instant, _ effects: inout Effects<Effect>) {
    flights.removeAll { $0.moment.step != nil }
    beginSteps(at: now, &effects)
  }
}
