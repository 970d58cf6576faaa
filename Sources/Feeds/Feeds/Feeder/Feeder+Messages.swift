import MurmurMachines
import MurmurWire

/// Messages on their way: what is published, asked, answered and forgotten.
extension Feeder {
  mutating func take(_ entries: [Entry], at now: Instant) {
    precondition(entries.count <= room, "a feeder takes \(room) messages, not \(entries.count)")
    if items.isEmpty { firmAt = now }
    for entry in entries {
      // A message that is there twice is forgotten with the first of them.
      let isDouble = numbers[entry.key.name] != nil
      if !isDouble { numbers[entry.key.name] = next }
      items.append(Item(entry: entry, state: isDouble ? .confirmed : entry.isOld ? .unsure : .fresh, wasPublished: entry.isOld))
    }
  }

  /// Publishes and asks, in order, as much as may be.
  mutating func pump(at now: Instant, _ effects: inout Effects<Effect>) {
    guard case .open(let number) = phase, let welcome else { return }
    var keys: [FeedKey] = []
    walk: while cursor < next {
      let item = items[cursor - first]
      switch item.state {
      case .fresh:
        guard item.entry.bytes <= welcome.contentBytes else {
          move(cursor, to: .refused(at: now))
          effects.append(.note(.refused(cursor, .tooLarge)))
          break
        }
        guard slowUntil <= now, flight < min(configuration.flight, welcome.window),
          flight == 0 || flightBytes + item.entry.bytes <= configuration.flightBytes
        else { break walk }
        statistics.published += 1
        if item.wasPublished { statistics.again += 1 }
        items[cursor - first].wasPublished = true
        items[cursor - first].isGiven = true
        items[cursor - first].publications += 1
        flight += 1
        flightBytes += item.entry.bytes
        expect(.sent(at: now), cursor, at: now)
        effects.append(.publish(cursor, to: number))
      case .unsure:
        guard questions < configuration.questions else { break walk }
        statistics.asked += 1
        expect(.asked(at: now), cursor, at: now)
        keys.append(item.entry.key)
      case .asked, .sent, .held, .refused, .confirmed: break
      }
      cursor += 1
    }
    for start in stride(from: 0, to: keys.count, by: FeedLimits.names) {
      effects.append(.send(.ask(Array(keys[start..<min(start + FeedLimits.names, keys.count)])), to: number))
    }
  }

  /// A message is answered from now on, or not.
  private mutating func expect(_ state: State, _ number: Int, at now: Instant) {
    // The clock of silence begins with the first question.
    if awaited == 0 { heardAt = now }
    move(number, to: state)
  }

  /// Changes what is known of a message, and counts.
  mutating func move(_ number: Int, to state: State) {
    let index = number - first
    let before = items[index].state
    if before.isAwaited { awaited -= 1 }
    if case .asked = before { questions -= 1 }
    items[index].state = state
    switch state {
    case .sent: awaited += 1
    case .asked:
      awaited += 1
      questions += 1
    case .unsure: cursor = min(cursor, number)
    case .fresh:
      cursor = min(cursor, number)
      settle(index)
    case .held, .refused, .confirmed: settle(index)
    }
  }

  /// The gateway has answered for a message that it was given.
  private mutating func settle(_ index: Int) {
    guard items[index].isGiven else { return }
    items[index].isGiven = false
    flight -= 1
    flightBytes -= items[index].entry.bytes
  }

  mutating func receive(
    _ message: FeedMessage, from number: Int, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    if case .welcome(let answer) = message { return welcomed(answer, by: number, at: now, &chance, &effects) }
    guard case .open = phase else { return }
    heardAt = now
    switch message {
    case .held(let names): for name in names { held(name, at: now, &effects) }
    case .confirmed(let names):
      for name in names { confirmed(name, at: now, &effects) }
      forget(&effects)
    case .unknown(let names):
      for name in names {
        guard let number = numbers[name], case .asked = items[number - first].state else { continue }
        move(number, to: .fresh)
      }
    case .refused(let name, let why):
      guard let number = numbers[name], items[number - first].state.isAwaited else { return }
      effects.append(.note(.refused(number, why)))
      guard why == .busy else { return move(number, to: .refused(at: now)) }
      move(number, to: .fresh)
      slowUntil = max(slowUntil, now + .seconds(1))
    case .slow(let span):
      if span >= configuration.isolation, places.count > 1 {
        return leave(number, "it takes nothing for \(Int(span.seconds)) s", at: now, &chance, &effects)
      }
      slowUntil = max(slowUntil, now + span)
    // No gateway says these.
    case .hello, .publish, .ask: leave(number, "it is no gateway", at: now, &chance, &effects)
    case .welcome: break
    }
  }

  private mutating func held(_ name: Digest, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let number = numbers[name] else { return }
    switch items[number - first].state {
    case .sent(let at):
      if items[number - first].publications == 1 { answerTime.took(now - at) }
      effects.append(.note(.held(number, after: now - at)))
    case .asked: effects.append(.note(.held(number, after: nil)))
    case .unsure: break
    case .fresh, .held, .refused, .confirmed: return
    }
    move(number, to: .held(at: now))
    if case .open(let gateway) = phase { places[gateway].failures = 0 }
  }

  private mutating func confirmed(_ name: Digest, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let number = numbers[name], items[number - first].state != .confirmed else { return }
    move(number, to: .confirmed)
    firmAt = now
    statistics.confirmed += 1
    effects.append(.note(.confirmed(number)))
    if case .open(let gateway) = phase { places[gateway].failures = 0 }
  }

  /// Forgets what is confirmed, up to the first that is not.
  private mutating func forget(_ effects: inout Effects<Effect>) {
    let before = first
    while let item = items.first, item.state == .confirmed {
      if numbers[item.entry.key.name] == first { numbers[item.entry.key.name] = nil }
      items.removeFirst()
      first += 1
    }
    guard first > before else { return }
    cursor = max(cursor, first)
    effects.append(.forget(upTo: first))
  }
}
