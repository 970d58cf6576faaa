internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// What a peer does unasked: who it knows, the freshness of its table and of what it published.
extension Kademlia {
  mutating func seed(_ contacts: [Contact], at now: Instant, _ effects: inout Effects<Effect>) {
    for contact in contacts where contact.peer != id && !contact.addresses.isEmpty {
      if let known = seeds.firstIndex(where: { $0.peer == contact.peer }) {
        seeds[known] = contact
      } else if seeds.count < limits.seeds {
        seeds.append(contact)
      }
    }
    // Whoever tells us where to start wants us to.
    if table.count < configuration.bucketSize / 2, refreshes.isEmpty {
      emptyWait = .zero
      planRefresh(after: .zero, at: now, &effects)
    }
  }

  mutating func identify(_ contact: Contact, isServer: Bool, at now: Instant, _ effects: inout Effects<Effect>) {
    guard contact.peer != id else { return }
    let trimmed = configuration.scope.trimmed(contact, most: limits.addressesPerPeer)
    if !trimmed.addresses.isEmpty {
      acquaintanceOrder += 1
      acquaintances[contact.peer] = (trimmed, acquaintanceOrder)
      if acquaintances.count > limits.acquaintances {
        var oldest = 0
        for index in acquaintances.order.indices where acquaintances[at: index].order < acquaintances[at: oldest].order {
          oldest = index
        }
        acquaintances.remove(at: oldest)
      }
    }
    let point = Key(contact.peer).point
    guard isServer else {
      if table.fail(contact.peer, point, forGood: true) { effects.append(.removed(contact.peer)) }
      return
    }
    let wasSmall = table.count < configuration.bucketSize / 2
    admit(trimmed, point, at: now, &effects)
    welcomeBack(contact.peer, at: now, &effects)
    if wasSmall, refreshes.isEmpty, let at = refreshAt, at > now + configuration.emptyInterval {
      planRefresh(after: configuration.emptyInterval, at: now, &effects)
    }
  }

  mutating func planRefresh(after span: Instant.Span, at now: Instant, _ effects: inout Effects<Effect>) {
    refreshAt = now + span
    effects.append(.arm(.refresh, at: now + span))
  }

  /// Begins a round: our own neighbourhood, then every bucket, one search after the other; and sees who still lives.
  mutating func refresh(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard let refreshAt, refreshAt <= now else { return }
    self.refreshAt = nil
    // A bucket deeper than that is next to us, and the search for ourselves finds it.
    if refreshes.isEmpty { refreshes = [nil] + (0..<min(table.depth, 16)).map { $0 } }
    let room = limits.requestsAtOnce / 2 - requests.count
    for contact in table.checkAll(at: now, most: max(room, 0)) { check(contact, at: now, &effects) }
    let isEmpty = table.count < configuration.bucketSize / 2
    emptyWait = isEmpty ? min(max(emptyWait * 2, configuration.emptyInterval), configuration.refreshInterval) : .zero
    let wait = isEmpty ? emptyWait : configuration.refreshInterval
    planRefresh(after: wait * (0.9 + 0.2 * chance.uniform()), at: now, &effects)
  }

  /// Starts the next search of the round, unless one is under way.
  mutating func continueRefresh(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard !refreshes.isEmpty, !searches.contains(where: { $0.purpose == .refresh }) else { return }
    guard table.count > 0 || !seeds.isEmpty else { return refreshes = [] }
    let bucket = refreshes.removeFirst()
    let target = bucket.map { randomKey(inBucket: $0, &chance) } ?? key
    start(.findClosest(target), .refresh, at: now, &effects)
    pump(at: now, &chance, &effects)
  }

  /// A key that has exactly `bucket` bits in common with us; found by trying, 2^(bucket + 1) times on average.
  private func randomKey(inBucket bucket: Int, _ chance: inout Chance) -> Key {
    var key = Key(chance.next().bytes)
    for _ in 0..<(64 << bucket) where key.point.commonPrefix(with: self.key.point) != bucket { key = Key(chance.next().bytes) }
    return key
  }

  /// What an earlier life published is published again as soon as the table has had time to fill.
  mutating func resume(_ earlier: [Published], at now: Instant, _ effects: inout Effects<Effect>) {
    for entry in earlier where published[entry.key] == nil && published.count < limits.published {
      if let value = entry.value {
        do throws(WireError) { try validate(value, under: entry.key) } catch { continue }
      }
      published[entry.key] = Publication(value: entry.value, due: now + configuration.emptyInterval)
    }
    planRepublish(&effects)
  }

  /// Something of ours was handed out. If nobody took it, that is tried again before long: there may have been nobody yet.
  mutating func wasPublished(_ key: Key, _ outcome: Outcome, at now: Instant) {
    guard let publication = published[key] else { return }
    if case .stored(let count, _) = outcome, count > 0 {
      published[key]?.failures = 0
      return
    }
    let wait = configuration.republishRetry * Double(1 << min(publication.failures, 16))
    published[key]?.failures += 1
    published[key]?.due = min(publication.due, now + wait)
  }

  func planRepublish(_ effects: inout Effects<Effect>) {
    guard let next = published.items.lazy.filter({ !$0.isUnderWay }).map(\.due).min() else { return }
    effects.append(.arm(.republish, at: next))
  }

  /// Publishes again what is due, as many at once as leave room for the application's searches.
  mutating func republish(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    var room = limits.queriesAtOnce / 4 - searches.count { $0.purpose == .republication }
    for key in published.order {
      guard room > 0, let index = published.index(of: key), published[at: index].due <= now else { continue }
      guard !published[at: index].isUnderWay else { continue }
      let value = published[at: index].value
      published[at: index].isUnderWay = true
      let interval = value == nil ? configuration.providerInterval : configuration.recordInterval
      // Not all at the same time next time.
      published[at: index].due = now + interval * (0.95 + 0.05 * chance.uniform())
      room -= 1
      if let value {
        _ = records.put(value, under: key, by: nil, at: now)
        start(.put(key, value, repeats: false), .republication, at: now, &effects)
      } else {
        start(.provide(key), .republication, at: now, &effects)
      }
    }
    // Without room the end of a search orders the timer.
    if room > 0 { planRepublish(&effects) }
  }

  mutating func planSweep(at now: Instant, _ effects: inout Effects<Effect>) {
    guard sweepAt == nil, records.count > 0 || providers.count > 0 else { return }
    sweepAt = now + .minutes(10)
    effects.append(.arm(.sweep, at: now + .minutes(10)))
  }

  /// Forgets what is kept for others and is too old.
  mutating func sweep(at now: Instant, _ effects: inout Effects<Effect>) {
    guard let sweepAt, sweepAt <= now else { return }
    self.sweepAt = nil
    records.sweep(at: now)
    providers.sweep(at: now)
    planSweep(at: now, &effects)
  }
}

/// Peers that left the table because they did not answer. One that answers again shows that what was torn may be whole.
extension Kademlia {
  mutating func miss(_ contact: Contact, at now: Instant, _ effects: inout Effects<Effect>) {
    missed.removeAll { $0.contact.peer == contact.peer }
    missed.append((contact, 0))
    if missed.count > limits.missed { missed.removeFirst() }
    planRetry(at: now, &effects)
  }

  /// A peer answered, or connected: if it was missed, its whole neighbourhood may be back.
  mutating func welcomeBack(_ peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let place = missed.firstIndex(where: { $0.contact.peer == peer }) else { return }
    missed.remove(at: place)
    guard refreshes.isEmpty, let refreshAt, refreshAt > now + configuration.emptyInterval else { return }
    planRefresh(after: configuration.emptyInterval, at: now, &effects)
  }

  mutating func planRetry(at now: Instant, _ effects: inout Effects<Effect>) {
    guard retryAt == nil, !missed.isEmpty else { return }
    retryAt = now + configuration.retryInterval
    effects.append(.arm(.retry, at: now + configuration.retryInterval))
  }

  /// Tries all of them once more.
  mutating func retry(at now: Instant, _ effects: inout Effects<Effect>) {
    guard let retryAt, retryAt <= now else { return }
    self.retryAt = nil
    let most = configuration.retries
    missed.removeAll { $0.tries >= most }
    let busy = Set(requests.map(\.contact.peer))
    for index in missed.indices where !busy.contains(missed[index].contact.peer) {
      guard requests.count < limits.requestsAtOnce else { break }
      missed[index].tries += 1
      check(missed[index].contact, at: now, &effects)
    }
    planRetry(at: now, &effects)
  }
}

extension UInt64 {
  /// The eight bytes, highest first.
  var bytes: [UInt8] { stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> UInt64($0)) } }
}
