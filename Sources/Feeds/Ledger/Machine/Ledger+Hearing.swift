internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Transactions that come: checked, kept waiting until their past is there, taken in.
extension Ledger {
  /// Takes a transaction that came by gossip.
  mutating func hear(
    _ bytes: [UInt8], from peer: PeerID?, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) -> Verdict {
    guard let transaction = read(bytes, from: peer, &effects) else { return .reject }
    let verdict = take(transaction, from: peer, isWanted: false, at: now, &effects)
    armAfterTaking(at: now, &effects)
    return verdict
  }

  mutating func armAfterTaking(at now: Instant, _ effects: inout Effects<Effect>) {
    guard hasStarted else { return }
    if !waiting.isEmpty, armed[Timer.solidify.place] == nil, let due = waiting.nextDue {
      arm(.solidify, at: max(due, now), &effects)
    }
    if armed[Timer.nod.place] == nil, !tangle.isSettled { arm(.nod, at: now + configuration.patience, &effects) }
  }

  /// The checked transaction of `bytes`; `nil`, and a report, if it is none.
  mutating func read(_ bytes: [UInt8], from peer: PeerID?, _ effects: inout Effects<Effect>) -> Transaction? {
    let result: Result<Transaction, LedgerError>
    if let decode = configuration.decode {
      result = decode(bytes)
    } else {
      result = Result { () throws(LedgerError) in try Transaction.verified(bytes, least: configuration.baseDifficulty) }
    }
    switch result {
    case .success(let transaction): return transaction
    case .failure(let error):
      statistics.rejected += 1
      switch error {
      case .malformed(let problem): report(.malformed(from: peer, "\(problem)"), &effects)
      case .forged(let issuer): report(.forged(from: peer, issuer: issuer), &effects)
      case .workless(let issuer, _):
        // Nobody has signed for the name: it is the bringer who is known.
        report(.workless(from: peer, issuer: issuer), as: .brought(by: peer), &effects)
      }
      return nil
    }
  }

  /// Takes a checked transaction: at once if its past is known, else it waits. `isWanted` ones are taken even of issuers that are
  /// distrusted or take too much room, as others build on them.
  mutating func take(
    _ transaction: Transaction, from peer: PeerID?, isWanted: Bool, at now: Instant, _ effects: inout Effects<Effect>
  ) -> Verdict {
    guard tangle.index[transaction.digest] == nil, !waiting.contains(transaction.digest) else {
      statistics.duplicates += 1
      return .ignore
    }
    guard transaction.previous != tangle.genesis else {
      statistics.rejected += 1
      let problem = WireError("transaction", "its issuer's previous one is said to be the genesis, which nobody issued")
      report(.malformed(from: peer, "\(problem)"), &effects)
      return .reject
    }
    guard !tangle.isStale(transaction) else {
      statistics.stale += 1
      return .ignore
    }
    guard transaction.time <= milliseconds(now) + configuration.aheadTime.nanoseconds / 1_000_000 else {
      statistics.refused += 1
      report(.untimely(issuer: transaction.issuer, transaction.id), &effects)
      return .ignore
    }
    if !isWanted, !isWelcome(transaction, at: now, &effects) {
      statistics.refused += 1
      return .ignore
    }
    guard !buildsOnFlaw(transaction) else {
      statistics.rejected += 1
      return .ignore
    }
    let missing = tangle.missing(transaction)
    guard missing.isEmpty else {
      guard waiting.hasRoom(for: transaction.bytes.count, from: peer, configuration.limits) else {
        statistics.refused += 1
        return .ignore
      }
      waiting.add(transaction, missing: missing, from: peer, due: now + configuration.solidifyDelay)
      // However long older needs are put off.
      if hasStarted { arm(.solidify, at: now + configuration.solidifyDelay, &effects) }
      return .accept
    }
    // Whoever passed it on may not have been able to know.
    guard isSound(transaction, from: peer, &effects) else { return .ignore }
    attach(transaction, at: now, &effects)
    return .accept
  }

  /// Whether a gossiped transaction's issuer may add to the ledger: it was not seen to issue twice in one place, nor does it hide its rate or
  /// fill the room.
  private mutating func isWelcome(_ transaction: Transaction, at now: Instant, _ effects: inout Effects<Effect>) -> Bool {
    guard let number = tangle.issuerIndex[transaction.issuer.word] else { return true }
    let issuer = tangle.issuers[Int(number)]
    guard !issuer.isDistrusted, !tangle.isDetached(transaction) else { return waiting.needs[transaction.digest] != nil }
    let limits = configuration.limits
    let isTight = tangle.count * 4 > limits.transactions * 3 || tangle.byteCount * 4 > limits.bytes * 3
    guard isTight, let oldest = tangle.order.first, tangle.entries[Int(oldest)].arrived + configuration.floodTime > now else {
      return true
    }
    guard Int(issuer.kept) * limits.issuerShare > tangle.count, tangle.issuers.count > limits.issuerShare else {
      return true
    }
    report(.flood(issuer: transaction.issuer), &effects)
    return waiting.needs[transaction.digest] != nil
  }

  private mutating func isSound(_ transaction: Transaction, from peer: PeerID?, _ effects: inout Effects<Effect>) -> Bool {
    guard let flaw = tangle.flaw(in: transaction, configuration) else { return true }
    statistics.rejected += 1
    note(flawed: transaction.digest)
    switch flaw {
    case .untimely: report(.untimely(issuer: transaction.issuer, transaction.id), &effects)
    case .workless: report(.workless(from: peer, issuer: transaction.issuer), &effects)
    case .broken:
      let last = transaction.previous ?? transaction.digest
      report(.doubleIssue(issuer: transaction.issuer, transaction.id, CID(codec: .dagCBOR, digest: last)), &effects)
    }
    return false
  }

  /// Whether a transaction builds on one that is known to be bad; then it is bad as well.
  private mutating func buildsOnFlaw(_ transaction: Transaction) -> Bool {
    guard !flawed.isEmpty else { return false }
    let isFlawed =
      flawed.contains(transaction.links.0) || flawed.contains(transaction.links.1)
      || transaction.previous.map { flawed.contains($0) } ?? false
    if isFlawed { note(flawed: transaction.digest) }
    return isFlawed
  }

  private mutating func note(flawed digest: Digest) {
    guard flawed.insert(digest).inserted else { return }
    flawedOrder.append(digest)
    if flawedOrder.count > configuration.limits.flawed, let oldest = flawedOrder.popFirst() { flawed.remove(oldest) }
  }

  /// Takes in a transaction whose past is known, and all that waited for it.
  mutating func attach(_ transaction: Transaction, at now: Instant, _ effects: inout Effects<Effect>) {
    var confirmed: [Int32] = []
    attach(one: transaction, at: now, &confirmed, &effects)
    follow(transaction.digest, at: now, &confirmed, &effects)
    tell(confirmed, &effects)
    let limits = configuration.limits
    if tangle.count > limits.transactions || tangle.byteCount > limits.bytes { prune(at: now, &effects) }
  }

  /// Takes in what waited for `digest`, and what waited for that.
  mutating func follow(_ digest: Digest, at now: Instant, _ confirmed: inout [Int32], _ effects: inout Effects<Effect>) {
    guard !waiting.needs.isEmpty else { return }
    var ready = waiting.arrived(digest)
    while let next = ready.popLast() {
      // What waits for a bad one waits in vain.
      guard isSound(next.transaction, from: next.source, &effects) else {
        statistics.orphaned += waiting.giveUp(next.transaction.digest)
        continue
      }
      attach(one: next.transaction, at: now, &confirmed, &effects)
      ready += waiting.arrived(next.transaction.digest)
    }
  }

  private mutating func attach(
    one transaction: Transaction, at now: Instant, _ confirmed: inout [Int32], _ effects: inout Effects<Effect>
  ) {
    let rival = tangle.attach(transaction, at: now, confirmed: &confirmed)
    statistics.attached += 1
    effects.append(.keep(transaction.id, transaction.bytes))
    if !transaction.isNod {
      effects.append(.solid(transaction))
      if transaction.issuer == id { (issuing.last, issuing.rescues) = (transaction.digest, 0) }
    }
    if let rival {
      report(.doubleIssue(issuer: transaction.issuer, CID(codec: .dagCBOR, digest: rival), transaction.id), &effects)
    }
  }

  mutating func tell(_ confirmed: [Int32], _ effects: inout Effects<Effect>) {
    guard !confirmed.isEmpty else { return }
    statistics.confirmed += confirmed.count
    let names = confirmed.compactMap { slot in tangle.entries[Int(slot)].transaction.flatMap { $0.isNod ? nil : $0.id } }
    if !names.isEmpty { effects.append(.confirmed(names)) }
  }

  mutating func prune(at now: Instant, _ effects: inout Effects<Effect>) {
    let limits = configuration.limits
    let isFull = tangle.count > limits.transactions || tangle.byteCount > limits.bytes
    let horizon = Instant(nanoseconds: now.nanoseconds - configuration.keepTime.nanoseconds)
    let gone = tangle.prune(
      before: horizon, transactions: isFull ? limits.transactions / 16 * 15 : limits.transactions,
      bytes: isFull ? limits.bytes / 16 * 15 : limits.bytes)
    tangle.forgetIssuers(beyond: limits.issuers, except: id.word)
    guard !gone.isEmpty else { return }
    statistics.pruned += gone.count
    effects.append(.prune(gone.map { CID(codec: .dagCBOR, digest: $0) }, tangle.snapshot))
  }

  /// Goes on from what an earlier life kept.
  mutating func restore(_ transactions: [Transaction], _ snapshot: LedgerSnapshot?, at now: Instant) {
    if let snapshot { tangle.restore(snapshot) }
    var unused = Effects<Effect>()
    var confirmed: [Int32] = []
    var arrived = Instant(nanoseconds: .min)
    for transaction in transactions {
      guard tangle.index[transaction.digest] == nil else { continue }
      let missing = tangle.missing(transaction)
      guard missing.isEmpty else {
        waiting.add(transaction, missing: missing, from: nil, due: now)
        continue
      }
      // It came when it was made, or after the one before it.
      let made = min(now, Instant(nanoseconds: (transaction.time &- epoch) &* 1_000_000))
      arrived = max(arrived, made)
      attach(one: transaction, at: arrived, &confirmed, &unused)
      follow(transaction.digest, at: now, &confirmed, &unused)
      confirmed.removeAll(keepingCapacity: true)
    }
    if let snapshot { tangle.settle(snapshot) }
    // The number of an own transaction that waits is used up all the same.
    for transaction in transactions where transaction.issuer == id { tangle.claim(transaction) }
    issuing.hasIssued = tangle.issuerIndex[id.word] != nil
  }
}
