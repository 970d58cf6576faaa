internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Synchronisation and solidification: asking peers for what is not here, and answering them.
extension Ledger {
  mutating func meet(_ peer: PeerID, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard peers.count < configuration.limits.peers, peer != id, peers.add(peer) else { return }
    peers.unasked.append(peer)
    if peers.syncing == nil { synchronise(at: now, &chance, &effects) }
    armAfterTaking(at: now, &effects)
  }

  /// Asks the next peer what it has: those just met first, then some peer now and then. One at a time.
  mutating func synchronise(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    if let syncing = peers.syncing {
      guard syncing.until <= now else { return arm(.sync, at: syncing.until, &effects) }
      peers.syncing = nil
      peers.guide = nil
      // The question or its answer was lost, or the link is slow: it is asked again, a few times.
      if peers.contains(syncing.peer), !peers.unasked.contains(syncing.peer), peers.unanswered < PeerTable.mostUnanswered {
        peers.unanswered += 1
        peers.unasked.append(syncing.peer)
      }
    }
    if !peers.unasked.isEmpty {
      ask(peers.unasked.removeFirst(), at: now, &effects)
    } else if now >= peers.nextSync, peers.count > 0 {
      ask(peers.list[chance.below(peers.count)], at: now, &effects)
    } else {
      peers.nextSync = max(peers.nextSync, now + .milliseconds(1))
      return arm(.sync, at: peers.count > 0 ? peers.nextSync : now + configuration.syncInterval, &effects)
    }
    peers.nextSync = now + configuration.syncInterval * (0.5 + chance.uniform())
  }

  private mutating func ask(_ peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    if tangle.count == 0 { peers.guide = peer }
    peers.syncing = (peer, now + configuration.answerTime)
    peers.neighbors[peer]?.owes += 1
    effects.append(.send(peer, .frontier(tangle.frontier(tips: configuration.limits.tips))))
    arm(.sync, at: now + configuration.answerTime, &effects)
  }

  mutating func receive(
    _ message: LedgerMessage, from peer: PeerID, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    guard peers.contains(peer) else { return }
    switch message {
    case .frontier(let digests): answer(frontier: digests, of: peer, at: now, &effects)
    case .wanted(let digests): answer(wanted: digests, of: peer, at: now, &effects)
    case .batch(let batch): take(batch, from: peer, at: now, &chance, &effects)
    }
  }

  // MARK: Answering

  /// Whether a peer may be given more, and cost more.
  private mutating func mayAsk(_ peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>) -> Bool {
    guard let neighbor = peers.neighbors[peer] else { return false }
    if now - neighbor.since > .seconds(10) {
      peers.neighbors[peer]?.since = now
      peers.neighbors[peer]?.served = 0
      peers.neighbors[peer]?.visits = 0
      return true
    }
    let limits = configuration.limits
    let may = neighbor.served < limits.servedBytes && neighbor.visits < limits.visits
    if !may { report(.excess(from: peer), &effects) }
    return may
  }

  private mutating func answer(frontier: [Digest], of peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    guard mayAsk(peer, at: now, &effects) else { return }
    let (lacking, visits) = tangle.notIn(past: frontier)
    peers.neighbors[peer]?.visits += visits
    serve(lacking, to: peer, answersFrontier: true, pruned: [], &effects)
  }

  private mutating func answer(wanted: [Digest], of peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    guard mayAsk(peer, at: now, &effects) else { return }
    let kept = Set(wanted.compactMap { tangle.index[$0] }).sorted {
      tangle.entries[Int($0)].serial < tangle.entries[Int($1)].serial
    }
    let pruned = wanted.filter { tangle.index[$0] == nil && tangle.entryPoints[$0] != nil }
    serve(kept.map { Int($0) }, to: peer, answersFrontier: false, pruned: pruned, &effects)
  }

  /// Sends entries, oldest first, as many as fit into a batch.
  private mutating func serve(
    _ slots: [Int], to peer: PeerID, answersFrontier: Bool, pruned: [Digest], _ effects: inout Effects<Effect>
  ) {
    var batch = LedgerMessage.Batch(pruned: pruned, answersFrontier: answersFrontier)
    var named = Set(pruned)
    var bytes = 0
    for slot in slots {
      guard let transaction = tangle.entries[slot].transaction else { continue }
      let isFull = bytes + transaction.bytes.count > configuration.limits.batchBytes && !batch.transactions.isEmpty
      guard !isFull, batch.transactions.count < LedgerMessage.mostTransactions else {
        batch.hasMore = true
        break
      }
      bytes += transaction.bytes.count
      batch.transactions.append(transaction.bytes)
      for digest in [transaction.links.0, transaction.links.1, transaction.previous ?? tangle.genesis]
      where digest != tangle.genesis && tangle.index[digest] == nil && batch.pruned.count < LedgerMessage.mostPruned {
        if named.insert(digest).inserted { batch.pruned.append(digest) }
      }
    }
    statistics.served += batch.transactions.count
    peers.neighbors[peer]?.served += bytes + batch.pruned.count * Digest.count + 64
    effects.append(.send(peer, .batch(batch)))
  }

  // MARK: Taking

  private mutating func take(
    _ batch: LedgerMessage.Batch, from peer: PeerID, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    guard let owes = peers.neighbors[peer]?.owes, owes > 0 else { return report(.excess(from: peer), &effects) }
    peers.neighbors[peer]?.owes = owes - 1
    var transactions: [Transaction] = []
    for bytes in batch.transactions {
      guard let transaction = read(bytes, from: peer, &effects) else { break }
      transactions.append(transaction)
    }
    vouch(batch.pruned, for: transactions, by: peer, at: now, &effects)
    var isNew = false
    for transaction in transactions {
      let before = statistics.attached
      _ = take(transaction, from: peer, isWanted: true, at: now, &effects)
      if statistics.attached > before {
        statistics.synchronised += statistics.attached - before
        isNew = true
      }
    }
    armAfterTaking(at: now, &effects)
    guard batch.answersFrontier, peers.syncing?.peer == peer else { return }
    peers.syncing = nil
    peers.unanswered = 0
    if batch.hasMore, isNew {
      peers.unasked.insert(peer, at: 0)
    } else {
      peers.guide = nil
    }
    if !peers.unasked.isEmpty { return synchronise(at: now, &chance, &effects) }
    arm(.sync, at: peers.nextSync, &effects)
    rescue(at: now, &chance, &effects)
  }

  /// A peer says that it pruned these. They need not be had if enough peers say so; a newcomer believes the first it asks. Only what is
  /// missing here or approved by what the peer brings is of interest: nobody needs to be told of anything else that it is gone.
  private mutating func vouch(
    _ pruned: [Digest], for brought: [Transaction], by peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard !pruned.isEmpty else { return }
    var named: Set<Digest> = []
    for transaction in brought {
      named.formUnion([transaction.links.0, transaction.links.1])
      if let previous = transaction.previous { named.insert(previous) }
    }
    let enough = min(configuration.vouchers, peers.count)
    var confirmed: [Int32] = []
    var isNew = false
    for digest in pruned where !tangle.isKnown(digest) && (named.contains(digest) || waiting.needs[digest] != nil) {
      if peers.guide != peer {
        if peers.votes.count >= configuration.limits.votes { peers.votes = [:] }
        var voters = peers.votes[digest] ?? []
        if !voters.contains(peer) { voters.append(peer) }
        peers.votes[digest] = voters
        guard voters.count >= enough else { continue }
        peers.votes[digest] = nil
      }
      tangle.vouched.insert(digest)
      tangle.retire(digest)
      isNew = true
      follow(digest, at: now, &confirmed, &effects)
    }
    tell(confirmed, &effects)
    // What is kept from now on may build on these: a next life that knew nothing of them would wait for them, its own last transaction too.
    if isNew { effects.append(.prune([], tangle.snapshot)) }
  }

  // MARK: Solidifying

  /// Asks for what is missing: first of who brought what waits for it, then of others; after the first time also for all that they have.
  mutating func solidify(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    // Where nobody can be asked nothing is given up: it goes on when somebody is met.
    guard peers.count > 0 else { return }
    var questions: [(peer: PeerID, digests: [Digest])] = []
    for digest in waiting.due(at: now) {
      guard let need = waiting.needs[digest] else { continue }
      guard need.attempts < configuration.solidifyAttempts else {
        statistics.orphaned += waiting.giveUp(digest)
        continue
      }
      let delay = configuration.solidifyDelay * Double(1 << min(need.attempts + 1, 5))
      waiting.asked(for: digest, again: now + delay)
      let source = need.source.flatMap { peers.contains($0) ? $0 : nil }
      let peer = need.attempts == 0 ? source ?? peers.list[chance.below(peers.count)] : peers.list[chance.below(peers.count)]
      // Where more than one thing is missing, much may be.
      if need.attempts == 1, peers.syncing?.peer != peer, !peers.unasked.contains(peer) { peers.unasked.append(peer) }
      if let place = questions.firstIndex(where: { $0.peer == peer }) {
        if questions[place].digests.count < LedgerMessage.mostDigests { questions[place].digests.append(digest) }
      } else {
        questions.append((peer, [digest]))
      }
    }
    for question in questions {
      peers.neighbors[question.peer]?.owes += 1
      effects.append(.send(question.peer, .wanted(question.digests)))
    }
    if !peers.unasked.isEmpty, peers.syncing == nil { synchronise(at: now, &chance, &effects) }
    if let due = waiting.nextDue { arm(.solidify, at: max(due, now + .milliseconds(50)), &effects) }
  }
}
