internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Requests of ours, from sending to answer.
extension Kademlia {
  /// Sends a request for search number `search`, or for nobody in particular.
  mutating func send(
    _ message: KademliaMessage, to contact: Contact, for search: UInt64?, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    requestNumber += 1
    let id = RequestID(number: requestNumber)
    // What a peer said of itself over its own connection comes before what others say of it.
    let known = acquaintances[contact.peer]?.contact
    var contact = contact
    if var known {
      known.merge(contact.addresses, most: 2 * limits.addressesPerPeer)
      contact = known
    }
    let pending = PendingRequest(
      id: id, contact: contact, point: Key(contact.peer).point, kind: message.kind, search: search,
      sentAt: now,
      // The world is expected to keep the time itself; this is for one that forgets.
      deadline: now + configuration.requestTimeout + .seconds(1))
    requests.append(pending)
    statistics.requests += 1
    effects.append(.request(id, to: contact, message, timeout: configuration.requestTimeout))
    if now + configuration.patience < deadlineAt ?? .never { planDeadline(&effects) }
  }

  private func index(of id: RequestID) -> Int? {
    var low = 0, high = requests.count
    while low < high {
      let middle = (low + high) / 2
      if requests[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < requests.count && requests[low].id == id ? low : nil
  }

  /// A request is over; late and unknown ones are nobody's.
  mutating func finish(
    _ id: RequestID, _ result: Result<KademliaMessage?, RequestFailure>, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard let index = index(of: id) else { return }
    let request = requests.remove(at: index)
    var result = result
    if case .success(let answer) = result {
      // Some implementations answer ADD_PROVIDER, most do not.
      let isRight = answer.map { $0.kind == request.kind } ?? (request.kind == .addProvider)
      if !isRight { result = .failure(.broken) }
    }
    switch result {
    case .success:
      admit(acquaintances[request.contact.peer]?.contact ?? request.contact, request.point, at: now, &effects)
      welcomeBack(request.contact.peer, at: now, &effects)
    case .failure(let failure):
      statistics.failures += 1
      // To keep what it is handed is nobody's duty: who has something better, or no room, refuses by a reset, and is there.
      let refuses = failure == .broken && (request.kind == .putValue || request.kind == .addProvider)
      if !refuses { drop(request.contact.peer, request.point, failure, at: now, &effects) }
    }
    guard let number = request.search, let place = searches.firstIndex(where: { $0.number == number }) else { return }
    searches[place].effort.failures += result.isFailure ? 1 : 0
    searches[place].isDirty = true
    switch searches[place].stage {
    case .handing: handed(place, request, result)
    case .looking: looked(place, request, result, at: now, &effects)
    }
  }

  /// A peer answered: it belongs into the table. One beside a full bucket makes the oldest there be checked.
  mutating func admit(_ contact: Contact, _ point: Digest, at now: Instant, _ effects: inout Effects<Effect>) {
    guard contact.peer != id else { return }
    let trimmed = configuration.scope.trimmed(contact, most: limits.addressesPerPeer)
    guard !trimmed.addresses.isEmpty || table.entry(contact.peer, point) != nil else { return }
    switch table.add(trimmed, point, at: now) {
    case .added: effects.append(.added(trimmed))
    case .refreshed, .crowded: return
    case .waiting:
      guard requests.count < limits.requestsAtOnce, let oldest = table.checkOldest(inBucketOf: point, at: now) else { return }
      check(oldest, at: now, &effects)
    }
  }

  /// Asks a peer for its own neighbourhood, to see whether it lives.
  mutating func check(_ contact: Contact, at now: Instant, _ effects: inout Effects<Effect>) {
    send(KademliaMessage(.findNode, key: contact.peer.bytes), to: contact, for: nil, at: now, &effects)
  }

  /// A peer did not answer. If it is out, whoever took its place may be gone as well.
  mutating func drop(
    _ peer: PeerID, _ point: Digest, _ failure: RequestFailure, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    let contact = table.entry(peer, point)?.contact
    guard table.fail(peer, point, forGood: failure == .unsupported) else { return }
    effects.append(.removed(peer))
    if let contact, failure != .unsupported { miss(contact, at: now, &effects) }
    guard requests.count < limits.requestsAtOnce, let oldest = table.checkOldest(inBucketOf: point, at: now) else { return }
    check(oldest, at: now, &effects)
  }

  /// What is late is over; what takes long is not waited for.
  mutating func expire(at now: Instant, _ effects: inout Effects<Effect>) {
    deadlineAt = nil
    while let first = requests.first, first.deadline <= now {
      effects.append(.abandon(first.id))
      finish(first.id, .failure(.timedOut), at: now, &effects)
    }
    for index in requests.indices where !requests[index].isSlow {
      guard requests[index].sentAt + configuration.patience <= now else { break }
      requests[index].isSlow = true
      guard let place = searches.firstIndex(where: { $0.number == requests[index].search }) else { continue }
      searches[place].lookup.slowed(requests[index].contact.peer)
      searches[place].isDirty = true
    }
    for number in searches.filter({ $0.deadline <= now }).map(\.number) {
      guard let place = searches.firstIndex(where: { $0.number == number }) else { continue }
      conclude(place, isLate: true, at: now, &effects)
    }
    planDeadline(&effects)
  }

  mutating func planDeadline(_ effects: inout Effects<Effect>) {
    var next = min(requests.first?.deadline ?? .never, searches.map(\.deadline).min() ?? .never)
    if let waited = requests.first(where: { !$0.isSlow }) { next = min(next, waited.sentAt + configuration.patience) }
    guard next < deadlineAt ?? .never else { return }
    deadlineAt = next
    effects.append(.arm(.deadline, at: next))
  }
}

extension Result {
  var isFailure: Bool { if case .failure = self { true } else { false } }
}
