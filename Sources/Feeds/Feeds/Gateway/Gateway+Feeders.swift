import MurmurIdentity
import MurmurMachines
import MurmurWire

/// Feeders come, publish, ask, misbehave and go.
extension Gateway {
  mutating func connected(_ feeder: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    if var client = clients[feeder] {
      client.isConnected = true
      client.isGreeted = false
      clients[feeder] = client
      return
    }
    // One more than there may be is told so when it says hello.
    guard clients.count < configuration.feeders else { return }
    let settings = configuration
    clients[feeder] = Client(
      messages: Allowance(rate: settings.messagesPerSecond, burst: settings.messageBurst, at: now),
      bytes: Allowance(rate: settings.bytesPerSecond, burst: settings.bytesPerSecond, at: now),
      questions: Allowance(rate: settings.questionsPerSecond, burst: settings.questionsPerSecond * 4, at: now))
  }

  mutating func disconnected(_ feeder: PeerID) {
    guard let client = clients[feeder] else { return }
    clients[feeder]?.isConnected = false
    // What it gave is issued all the same.
    if client.waiting.isEmpty, client.issuing == 0 { clients[feeder] = nil }
  }

  mutating func receive(_ message: FeedMessage, from feeder: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    if let span = conduct.ban(of: feeder, at: now) {
      guard case .hello = message else { return }
      return greet(feeder, "it is shut out for another \(Int(span.seconds) + 1) s", &effects)
    }
    guard clients[feeder]?.isConnected == true else {
      guard case .hello = message else { return }
      return greet(feeder, "\(configuration.feeders) feeders are here already", &effects)
    }
    switch message {
    case .hello(let session):
      guard session == configuration.session else {
        clients[feeder]?.isGreeted = false
        return greet(feeder, "it serves session '\(configuration.session)', not '\(session)'", &effects)
      }
      clients[feeder]?.isGreeted = true
      greet(feeder, nil, &effects)
    case .publish, .ask:
      guard clients[feeder]?.isGreeted == true else {
        return offend(feeder, .unreadable, "it begins without a hello", at: now, &effects)
      }
      if case .publish(let tag, let content) = message { publish(tag, content, from: feeder, at: now, &effects) }
      if case .ask(let keys) = message { ask(keys, from: feeder, at: now, &effects) }
    case .welcome, .held, .confirmed, .unknown, .refused, .slow:
      offend(feeder, .unreadable, "it says what only a gateway says", at: now, &effects)
    }
  }

  private func greet(_ feeder: PeerID, _ problem: String?, _ effects: inout Effects<Effect>) {
    let welcome = FeedWelcome(
      session: configuration.session, contentBytes: min(configuration.contentBytes, FeedLimits.contentBytes),
      window: problem == nil ? min(configuration.window, FeedLimits.window) : 0, problem: problem)
    effects.append(.send(.welcome(welcome), to: feeder))
  }

  mutating func offend(
    _ feeder: PeerID, _ offence: Offence, _ why: String, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard let span = conduct.offend(feeder, offence.rawValue, at: now) else { return }
    statistics.shutOut += 1
    drop(feeder)
    effects.append(.shutOut(feeder, for: span, why: why))
  }

  /// Forgets a feeder and what of it alone waits to be issued.
  private mutating func drop(_ feeder: PeerID) {
    guard var client = clients.removeValue(forKey: feeder) else { return }
    while !client.waiting.isEmpty {
      let name = client.waiting.removeFirst()
      waitingBytes -= pending.removeValue(forKey: name)?.size ?? 0
    }
    guard client.issuing > 0 else { return }
    client.isConnected = false
    clients[feeder] = client
  }

  // MARK: Messages

  private mutating func publish(
    _ tag: [UInt8], _ content: [UInt8], from feeder: PeerID, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    statistics.published += 1
    let key = FeedKey(tag: tag, content: content)
    guard content.count <= configuration.contentBytes else {
      refuse(key.name, .tooLarge, feeder, &effects)
      return offend(feeder, .flood, "its messages are too large", at: now, &effects)
    }
    if let known = pending[key.name] {
      if !known.feeders.contains(feeder), known.feeders.count < 8 { pending[key.name]?.feeders.append(feeder) }
      if known.transaction != nil { effects.append(.send(.held([key.name]), to: feeder)) }
      return
    }
    guard let client = clients[feeder] else { return }
    guard client.waiting.count + client.issuing < configuration.window else {
      refuse(key.name, .busy, feeder, &effects)
      let points = conduct.points(of: feeder, at: now)
      effects.append(.send(.slow(.seconds(Double(1 << min(Int(points), 5)))), to: feeder))
      return offend(feeder, .flood, "it publishes more than it may", at: now, &effects)
    }
    guard waitingBytes + content.count <= configuration.waitingBytes else {
      refuse(key.name, .busy, feeder, &effects)
      return effects.append(.send(.slow(.seconds(1)), to: feeder))
    }
    guard configuration.examine(tag, content) else {
      refuse(key.name, .noMessage, feeder, &effects)
      return offend(feeder, .noMessage, "it publishes what is no message of a stream", at: now, &effects)
    }
    pending[key.name] = Pending(key: key, content: content, size: content.count, feeders: [feeder])
    waitingBytes += content.count
    if client.waiting.isEmpty { turns.append(feeder) }
    clients[feeder]?.waiting.append(key.name)
  }

  private mutating func refuse(_ name: Digest, _ why: FeedRefusal, _ feeder: PeerID, _ effects: inout Effects<Effect>) {
    statistics.refused += 1
    effects.append(.send(.refused(name, why), to: feeder))
  }

  private mutating func ask(_ keys: [FeedKey], from feeder: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    guard clients[feeder]?.questions.wait(for: Double(keys.count), at: now) == .zero else {
      effects.append(.send(.slow(.seconds(1)), to: feeder))
      return offend(feeder, .flood, "it asks more than it may", at: now, &effects)
    }
    clients[feeder]?.questions.use(Double(keys.count))
    var (here, others): ([Digest], [FeedKey]) = ([], [])
    for key in keys {
      guard let known = pending[key.name] else {
        others.append(key)
        continue
      }
      if !known.feeders.contains(feeder), known.feeders.count < 8 { pending[key.name]?.feeders.append(feeder) }
      // What is about to be issued is answered then.
      if known.transaction != nil { here.append(key.name) }
    }
    // A question is always answered, if only to say that somebody is there.
    if !here.isEmpty || others.isEmpty { effects.append(.send(.held(here), to: feeder)) }
    if !others.isEmpty { effects.append(.lookUp(others, for: feeder)) }
  }
}
