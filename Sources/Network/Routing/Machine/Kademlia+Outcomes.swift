internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// How searches end: what is handed out, and what is said of it.
extension Kademlia {
  /// The looking is over, because it is settled, satisfied or late.
  mutating func conclude(_ place: Int, isLate: Bool, at now: Instant, _ effects: inout Effects<Effect>) {
    let search = searches[place]
    if case .handing(_, _, let done, let of) = search.stage {
      return finish(place, done > 0 ? .stored(at: done, of: of) : .failed(.timedOut), at: now, &effects)
    }
    let closest = search.lookup.closest()
    let nothing = Outcome.failed(isLate ? .timedOut : closest.isEmpty ? .noPeers : .notFound)
    switch search.query {
    case .findPeer(let peer):
      guard let contact = search.lookup.contact(peer) else { return finish(place, nothing, at: now, &effects) }
      finish(place, .peer(contact, isVerified: search.holders == [peer]), at: now, &effects)
    case .findClosest: finish(place, closest.isEmpty ? nothing : .closest(closest), at: now, &effects)
    case .findProviders:
      finish(place, search.providers.isEmpty ? nothing : .providers(search.providers), at: now, &effects)
    case .get(let key):
      guard let best = search.best else { return finish(place, nothing, at: now, &effects) }
      correct(search, closest, best, at: now, &effects)
      if !search.isHeldHere, mode == .server || published[key] != nil { keep(best, under: key, at: now, &effects) }
      finish(place, .value(best, holders: search.holders.count + (search.isHeldHere ? 1 : 0)), at: now, &effects)
    case .provide, .put:
      guard !closest.isEmpty else { return finish(place, nothing, at: now, &effects) }
      searches[place].stage = .handing(left: closest, underWay: 0, done: 0, of: closest.count)
      // However long the looking took, what it found is handed to.
      let rounds = (closest.count + configuration.concurrency - 1) / configuration.concurrency
      searches[place].deadline = now + configuration.requestTimeout * Double(rounds + 1)
      hand(place, at: now, &effects)
    }
  }

  /// Replaces an outdated value in our own store, never adds one that was only looked at.
  private mutating func keep(_ value: [UInt8], under key: Key, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let held = records.value(key, at: now), held != value else { return }
    if records.put(value, under: key, by: nil, at: now) { planSweep(at: now, &effects) }
  }

  /// Sends the best value to peers that had a worse one, and to those of the nearest that had none ("Entry correction").
  private mutating func correct(
    _ search: Search, _ closest: [Contact], _ best: [UInt8], at now: Instant, _ effects: inout Effects<Effect>
  ) {
    let near = closest.prefix(configuration.bucketSize)
    let message = putting(best, under: search.key)
    for contact in search.outdated where near.contains(where: { $0.peer == contact.peer }) {
      guard requests.count < limits.requestsAtOnce else { return }
      statistics.corrections += 1
      send(message, to: contact, for: nil, at: now, &effects)
    }
  }

  func putting(_ value: [UInt8], under key: Key) -> KademliaMessage {
    KademliaMessage(.putValue, key: key.bytes, record: .init(key: key.bytes, value: value))
  }

  /// Hands what is to be kept to those of the nearest that have not got it yet, α at once.
  mutating func hand(_ place: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    guard case .handing(var left, var underWay, let done, let of) = searches[place].stage else { return }
    let search = searches[place]
    let message: KademliaMessage
    switch search.query {
    case .put(let key, let value, _): message = putting(value, under: key)
    default:
      let own = configuration.scope.trimmed(Contact(id, addresses), most: limits.addressesPerPeer)
      message = KademliaMessage(.addProvider, key: search.key.bytes, providers: [own])
    }
    while !left.isEmpty, underWay < configuration.concurrency, requests.count < limits.requestsAtOnce {
      send(message, to: left.removeFirst(), for: search.number, at: now, &effects)
      underWay += 1
      searches[place].effort.requests += 1
    }
    searches[place].stage = .handing(left: left, underWay: underWay, done: done, of: of)
    searches[place].isDirty = !left.isEmpty && underWay < configuration.concurrency
    guard left.isEmpty, underWay == 0 else { return }
    finish(place, done > 0 ? .stored(at: done, of: of) : .failed(.noPeers), at: now, &effects)
  }

  /// A peer took what it was handed, or did not.
  mutating func handed(_ place: Int, _ request: PendingRequest, _ result: Result<KademliaMessage?, RequestFailure>) {
    guard case .handing(let left, let underWay, var done, let of) = searches[place].stage else { return }
    guard request.kind == .putValue || request.kind == .addProvider else { return }
    switch (result, searches[place].query) {
    case (.success(let answer?), .put(_, let value, _)): if answer.record?.value == value { done += 1 }
    case (.success, .provide): done += 1
    default: break
    }
    searches[place].stage = .handing(left: left, underWay: underWay - 1, done: done, of: of)
  }

  /// Ends a search: gives up what is still asked, and tells whoever wanted to know.
  mutating func finish(_ place: Int, _ outcome: Outcome, at now: Instant, _ effects: inout Effects<Effect>) {
    let search = searches.remove(at: place)
    let abandoned = requests.filter { $0.search == search.number }
    requests.removeAll { $0.search == search.number }
    for request in abandoned {
      effects.append(.abandon(request.id))
      // It had time enough to count as not answered.
      if request.isSlow { drop(request.contact.peer, request.point, .timedOut, at: now, &effects) }
    }
    statistics.searches += 1
    switch search.purpose {
    case .application(let query):
      var effort = search.effort
      effort.time = now - search.began
      switch search.query {
      case .provide, .put(_, _, repeats: true):
        wasPublished(search.key, outcome, at: now)
        planRepublish(&effects)
      case .put, .get, .findPeer, .findClosest, .findProviders: break
      }
      effects.append(.completed(query, outcome, effort))
    case .republication:
      published[search.key]?.isUnderWay = false
      wasPublished(search.key, outcome, at: now)
      planRepublish(&effects)
    case .refresh: break
    }
  }

  /// The namespace of a key; `nil` if it is none of ours.
  func namespace(of key: Key) -> Namespace? {
    guard let name = Namespace.name(of: key.bytes) else { return nil }
    return configuration.namespaces.first { $0.name == name }
  }

  /// Throws unless values of this key are kept here at all and, if one is given, it is valid.
  func validate(_ value: [UInt8]?, under key: Key) throws(WireError) {
    guard let namespace = namespace(of: key) else {
      let known = configuration.namespaces.map(\.name).joined(separator: ", /")
      throw WireError("record key", "is of no namespace that this table keeps; it keeps /\(known)")
    }
    guard let value else { return }
    guard value.count <= limits.valueBytes else {
      throw WireError("record", "has \(value.count) bytes; at most \(limits.valueBytes) are kept")
    }
    try namespace.validate(key.bytes, value)
  }
}
