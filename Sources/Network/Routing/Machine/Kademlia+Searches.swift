internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Searches, from question to outcome.
extension Kademlia {
  /// The application asks.
  mutating func begin(_ query: Query, for id: QueryID, at now: Instant, _ effects: inout Effects<Effect>) {
    func refuse(_ failure: QueryFailure) { effects.append(.completed(id, .failed(failure), Effort())) }
    guard searches.count < limits.queriesAtOnce else { return refuse(.tooMany) }
    switch query {
    case .provide(let key):
      guard remember(key, nil, again: configuration.providerInterval, at: now) else { return refuse(.tooMany) }
      planRepublish(&effects)
    case .put(let key, let value, let repeats):
      do throws(WireError) { try validate(value, under: key) } catch { return refuse(.invalid("\(error)")) }
      if let held = records.value(key, at: now), held != value, namespace(of: key)?.prefers(held, to: value) == true {
        return refuse(.invalid("a better value of this key is known"))
      }
      if repeats {
        guard remember(key, value, again: configuration.recordInterval, at: now) else { return refuse(.tooMany) }
        planRepublish(&effects)
      }
      if records.put(value, under: key, by: nil, at: now) { planSweep(at: now, &effects) }
    case .get(let key):
      do throws(WireError) { try validate(nil, under: key) } catch { return refuse(.invalid("\(error)")) }
    case .findPeer(let peer):
      if peer == self.id {
        return effects.append(.completed(id, .peer(Contact(peer, addresses), isVerified: true), Effort()))
      }
    case .findClosest, .findProviders: break
    }
    start(query, .application(id), at: now, &effects)
  }

  private mutating func remember(_ key: Key, _ value: [UInt8]?, again interval: Instant.Span, at now: Instant) -> Bool {
    guard published[key] != nil || published.count < limits.published else { return false }
    published[key] = Publication(value: value, due: now + interval)
    return true
  }

  /// Starts a search from the nearest peers of the table and, if they are few, from the seeds.
  mutating func start(_ query: Query, _ purpose: Purpose, at now: Instant, _ effects: inout Effects<Effect>) {
    let key = query.key
    var first = table.closest(to: key.point, limit: configuration.bucketSize).map(\.contact)
    if first.count < configuration.bucketSize / 2 {
      first += seeds.filter { seed in !first.contains { $0.peer == seed.peer } }
    }
    if case .findPeer(let peer) = query, let known = acquaintances[peer]?.contact, !first.contains(where: { $0.peer == peer }) {
      first.insert(known, at: 0)
    }
    searchNumber += 1
    let parameters = Lookup.Parameters(
      k: configuration.bucketSize, alpha: configuration.concurrency, beta: configuration.resiliency,
      paths: configuration.disjointPaths, candidates: limits.candidates, requests: limits.requestsPerQuery,
      addresses: 2 * limits.addressesPerPeer, groupPerLookup: limits.groupPerLookup)
    var search = Search(
      number: searchNumber, purpose: purpose, query: query, key: key,
      lookup: Lookup(target: key.point, own: id, seeds: first, parameters), began: now,
      deadline: now + configuration.queryTimeout)
    switch query {
    case .get:
      if let value = records.value(key, at: now) {
        search.best = value
        search.isHeldHere = true
      }
    case .findProviders: search.providers = providers.providers(of: key.point, at: now).filter { $0.peer != id }
    case .findPeer, .findClosest, .provide, .put: break
    }
    searches.append(search)
    planDeadline(&effects)
  }

  mutating func cancel(_ id: QueryID, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let place = searches.firstIndex(where: { $0.purpose == .application(id) }) else { return }
    finish(place, .failed(.cancelled), at: now, &effects)
  }

  /// Lets every search make the requests it may, and ends those that have nothing left to do.
  mutating func pump(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    var place = 0
    while place < searches.count {
      guard searches[place].isDirty else {
        place += 1
        continue
      }
      let number = searches[place].number
      if case .looking = searches[place].stage { look(place, at: now, &effects) }
      if place < searches.count, searches[place].number == number, case .handing = searches[place].stage {
        hand(place, at: now, &effects)
      }
      if place < searches.count, searches[place].number == number { place += 1 }
    }
    continueRefresh(at: now, &chance, &effects)
  }

  private mutating func look(_ place: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    if isSatisfied(searches[place]) { return conclude(place, isLate: false, at: now, &effects) }
    let room = limits.requestsAtOnce - requests.count
    guard room > 0 else { return }
    searches[place].isDirty = false
    let chosen = searches[place].lookup.next(room: room)
    let message = KademliaMessage(question(searches[place].query), key: searches[place].key.bytes)
    let number = searches[place].number
    for contact in chosen { send(message, to: contact, for: number, at: now, &effects) }
    searches[place].effort.requests += chosen.count
    if chosen.count == room { searches[place].isDirty = true }
    if chosen.isEmpty, searches[place].lookup.waiting == 0, !searches[place].lookup.isDesperate {
      conclude(place, isLate: false, at: now, &effects)
    }
  }

  private func question(_ query: Query) -> KademliaMessage.Kind {
    switch query {
    case .findPeer, .findClosest, .provide, .put: .findNode
    case .findProviders: .getProviders
    case .get: .getValue
    }
  }

  /// Whether a search has what it was for before all near peers have answered.
  private func isSatisfied(_ search: Search) -> Bool {
    switch search.query {
    case .findPeer: !search.holders.isEmpty
    case .findProviders(_, let count): search.providers.count >= min(count, limits.providersPerQuery)
    case .get: search.best != nil && search.holders.count + (search.isHeldHere ? 1 : 0) >= configuration.quorum
    case .findClosest, .provide, .put: false
    }
  }

  /// A peer answered a search, or did not.
  mutating func looked(
    _ place: Int, _ request: PendingRequest, _ result: Result<KademliaMessage?, RequestFailure>, at now: Instant,
    _ effects: inout Effects<Effect>
  ) {
    let peer = request.contact.peer
    if case .findPeer(let wanted) = searches[place].query, wanted == peer {
      // It spoke with us, or would have, if it spoke this protocol: it is there.
      switch result {
      case .success, .failure(.unsupported): searches[place].holders = [peer]
      case .failure: break
      }
    }
    guard case .success(let answer?) = result else { return searches[place].lookup.failed(peer) }
    let closer = answer.closer.prefix(configuration.bucketSize).compactMap { proposal -> Contact? in
      guard proposal.peer != id else { return nil }
      var contact = configuration.scope.trimmed(proposal, most: limits.addressesPerPeer)
      if contact.addresses.isEmpty, let known = acquaintances[proposal.peer]?.contact { contact = known }
      return contact.addresses.isEmpty ? nil : contact
    }
    searches[place].lookup.answered(peer, closer: closer)
    switch searches[place].query {
    case .findProviders: collect(answer.providers, place, &effects)
    case .get: weigh(answer.record, of: request.contact, place, &effects)
    case .findPeer, .findClosest, .provide, .put: break
    }
  }

  private mutating func collect(_ found: [Contact], _ place: Int, _ effects: inout Effects<Effect>) {
    let before = searches[place].providers
    for proposal in found where proposal.peer != id {
      let contact = configuration.scope.trimmed(proposal, most: limits.addressesPerPeer)
      if let known = searches[place].providers.firstIndex(where: { $0.peer == proposal.peer }) {
        searches[place].providers[known].merge(contact.addresses, most: 2 * limits.addressesPerPeer)
      } else if searches[place].providers.count < limits.providersPerQuery {
        searches[place].providers.append(contact)
      }
    }
    guard searches[place].providers.count > before.count, case .application(let query) = searches[place].purpose else { return }
    effects.append(.found(query, .providers(searches[place].providers)))
  }

  private mutating func weigh(
    _ record: KademliaMessage.Record?, of contact: Contact, _ place: Int, _ effects: inout Effects<Effect>
  ) {
    let key = searches[place].key
    guard let record, record.key == key.bytes, let namespace = namespace(of: key) else {
      if record != nil { statistics.invalid += 1 }
      return searches[place].outdated.append(contact)
    }
    // The same value again needs no second look at its signature.
    if searches[place].best == record.value { return searches[place].holders.append(contact.peer) }
    do throws(WireError) { try validate(record.value, under: key) } catch {
      statistics.invalid += 1
      return searches[place].outdated.append(contact)
    }
    guard let best = searches[place].best else {
      searches[place].best = record.value
      searches[place].holders = [contact.peer]
      return tellBetter(place, &effects)
    }
    guard namespace.prefers(record.value, to: best) else { return searches[place].outdated.append(contact) }
    let former = searches[place].holders
    searches[place].outdated += former.compactMap { searches[place].lookup.contact($0) }
    searches[place].best = record.value
    searches[place].holders = [contact.peer]
    searches[place].isHeldHere = false
    tellBetter(place, &effects)
  }

  private func tellBetter(_ place: Int, _ effects: inout Effects<Effect>) {
    guard case .application(let query) = searches[place].purpose, let best = searches[place].best else { return }
    effects.append(.found(query, .value(best, holders: 1)))
  }
}
