import MurmurMachines

/// Which gateway, and when the next one.
extension Feeder {
  /// Dials the gateway whose turn it is, or waits until one may be dialled.
  mutating func turn(at now: Instant, _ effects: inout Effects<Effect>) {
    guard case .idle = phase else { return }
    var best = 0
    for number in places.indices where places[number].notBefore < places[best].notBefore { best = number }
    guard places[best].notBefore <= now else { return effects.append(.arm(.dial, at: places[best].notBefore)) }
    phase = .dialling(best, since: now)
    effects.append(.note(.dialling(best)))
    effects.append(.dial(best))
  }

  mutating func connected(_ number: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    guard case .dialling(number, _) = phase else { return }
    phase = .greeting(number, since: now)
    effects.append(.send(.hello(session: configuration.session), to: number))
  }

  /// The gateway said whether it takes anything.
  mutating func welcomed(
    _ answer: FeedWelcome, by number: Int, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    guard case .greeting = phase else { return }
    var problem = answer.problem
    if problem == nil, answer.session != configuration.session {
      problem = "it serves session '\(answer.session)', not '\(configuration.session)'"
    }
    if problem == nil, answer.window < 1 { problem = "it takes no messages" }
    if let problem {
      // It was not a mishap and will not be better soon.
      places[number].failures = max(places[number].failures, 4)
      return leave(number, problem, at: now, &chance, &effects)
    }
    phase = .open(number)
    welcome = answer
    (slowUntil, heardAt, firmAt) = (now, now, now)
    answerTime = AnswerTime()
    effects.append(.note(.open(number)))
  }

  /// Leaves a gateway that is of no use.
  mutating func leave(
    _ number: Int, _ why: String, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    effects.append(.hangUp(number))
    lose(number, why, at: now, &chance, &effects)
  }

  /// A gateway is gone: what it had or was asked is unsure, and the next one is tried.
  mutating func lose(
    _ number: Int, _ why: String, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    phase = .idle
    welcome = nil
    statistics.changes += 1
    let failures = places[number].failures
    let span = min(configuration.backoff * Double(1 << min(failures, 20)), configuration.longestBackoff)
    places[number].failures = failures + 1
    places[number].notBefore = now + span * (0.75 + 0.5 * chance.uniform())
    for index in 0..<items.count {
      switch items[index].state {
      case .asked, .sent, .held: items[index].state = .unsure
      case .refused: items[index].state = .fresh
      case .fresh, .unsure, .confirmed: break
      }
      items[index].questions = 0
      items[index].isGiven = false
      items[index].publications = 0
    }
    (cursor, flight, flightBytes, questions, awaited) = (first, 0, 0, 0, 0)
    effects.append(.note(.left(number, why)))
    turn(at: now, &effects)
  }

  // MARK: What is overdue

  mutating func watch(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    switch phase {
    case .idle: break
    case .dialling(let number, let since), .greeting(let number, let since):
      if now - since >= configuration.greeting {
        leave(number, "it did not answer within \(Int(configuration.greeting.seconds)) s", at: now, &chance, &effects)
      }
    case .open(let number):
      if awaited > 0, now - heardAt >= configuration.silence * 2 {
        return leave(number, "it has been silent for \(Int((now - heardAt).seconds)) s", at: now, &chance, &effects)
      }
      if places.count > 1, !items.isEmpty, now - firmAt >= configuration.isolation {
        let words = "nothing was confirmed for \(Int((now - firmAt).seconds)) s"
        return leave(number, words, at: now, &chance, &effects)
      }
      doubt(at: now)
    }
  }

  /// What was not answered in time is asked about.
  private mutating func doubt(at now: Instant) {
    let patience = patience
    var isLate = false
    for index in 0..<items.count {
      switch items[index].state {
      case .asked(let at), .sent(let at):
        guard now - at >= patience else { continue }
        isLate = true
        move(first + index, to: .unsure)
      case .held(let at):
        let questions = items[index].questions
        if now - at >= configuration.confirmation * Double(1 << min(questions, 5)) {
          items[index].questions = questions + 1
          move(first + index, to: .unsure)
        }
      case .refused(let at): if now - at >= configuration.rest { move(first + index, to: .fresh) }
      case .fresh, .unsure, .confirmed: break
      }
    }
    if isLate { answerTime.ranOut() }
  }

  /// How long an answer may take.
  private var patience: Instant.Span {
    answerTime.patience(min(configuration.leastSilence, configuration.silence)...configuration.silence)
  }

  /// Arms the watch for what may be overdue next.
  mutating func schedule(at now: Instant, _ effects: inout Effects<Effect>) {
    var due = Instant.never
    switch phase {
    case .idle: return
    case .dialling(_, let since), .greeting(_, let since): due = since + configuration.greeting
    case .open:
      guard !items.isEmpty else { return }
      due = now + (awaited > 0 ? patience * 0.5 : configuration.confirmation * 0.5)
      if slowUntil > now { due = min(due, slowUntil) }
    }
    guard due < watchAt else { return }
    watchAt = due
    effects.append(.arm(.watch, at: due))
  }
}
