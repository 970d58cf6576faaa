internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Own transactions on their way.
struct Issuing: Sendable {
  struct Saying: Sendable {
    let tag: [UInt8]
    let payload: [UInt8]
  }

  /// What is being worked on.
  struct Draft: Sendable {
    let challenge: Challenge
    let body: [UInt8]
    let tag: [UInt8]
    let isNod: Bool
    let since: Instant
  }

  var queue = Queue<Saying>()
  var draft: Draft?
  /// Which unsettled entry is to be approved if nobody else does, and when.
  var nod: (serial: Int, at: Instant)?
  var hasIssued = false
  /// The last own transaction that says something, how often it was helped along, and when last.
  var last: Digest?
  var rescues = 0
  var rescued = Instant(nanoseconds: .min / 2)
}

/// Issuing: what the application says, and nods.
extension Ledger {
  mutating func issue(
    _ tag: [UInt8], _ payload: [UInt8], at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    guard tag.count <= Transaction.mostTagBytes, payload.count <= Transaction.mostPayloadBytes else {
      return effects.append(.refused(tag: tag, .tooLarge))
    }
    guard issuing.queue.count < configuration.limits.queue else { return effects.append(.refused(tag: tag, .full)) }
    issuing.queue.append(.init(tag: tag, payload: payload))
    draftNext(at: now, &chance, &effects)
  }

  private mutating func draftNext(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard issuing.draft == nil, let saying = issuing.queue.popFirst() else { return }
    draft(tag: saying.tag, payload: saying.payload, approving: nil, at: now, &chance, &effects)
  }

  /// Chooses what to approve and hands out the work.
  private mutating func draft(
    tag: [UInt8], payload: [UInt8], approving first: Int?, at now: Instant, _ chance: inout Chance,
    _ effects: inout Effects<Effect>
  ) {
    let clock = milliseconds(now)
    let window = configuration.tipWindow.nanoseconds / 1_000_000
    var lazy: [Int] = []
    let links = tangle.chooseLinks(
      for: id.word, first: first, at: clock, window: window, configuration.limits, &chance, lazy: &lazy)
    for slot in lazy { report(lazy: slot, at: now, &effects) }
    let own = tangle.issuers[tangle.issuerNumber(id.word)]
    var time = max(clock, 0)
    for digest in [links.0, links.1, own.last ?? links.0] { time = max(time, tangle.transaction(digest)?.time ?? 0) }
    let body = Transaction.encode(
      .init(
        issuer: id, sequence: UInt64(own.sequence + 1), time: time, links: links, previous: own.last, tag: tag,
        difficulty: tangle.difficulty(after: own.last, at: time, configuration)), payload: payload)
    let difficulty = tangle.difficulty(after: own.last, at: time, configuration)
    let challenge = Challenge(body: .sha256(of: body), difficulty: difficulty)
    issuing.draft = .init(challenge: challenge, body: body, tag: tag, isNod: tag.isEmpty && payload.isEmpty, since: now)
    effects.append(.work(challenge))
  }

  mutating func finish(
    _ challenge: Challenge, _ nonce: UInt64, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    guard let draft = issuing.draft, draft.challenge == challenge, challenge.isDone(by: nonce) else { return }
    issuing.draft = nil
    let signature = sign(Transaction.signedBytes(of: challenge.body, nonce: nonce))
    let transaction: Transaction
    do throws(LedgerError) {
      transaction = try Transaction(body: draft.body, nonce: nonce, signature: signature)
    } catch { preconditionFailure("an own transaction cannot be read: \(error)") }
    issuing.hasIssued = true
    if draft.isNod { statistics.nods += 1 } else { statistics.issued += 1 }
    attach(transaction, at: now, &effects)
    effects.append(.publish(transaction.bytes))
    if !draft.isNod { effects.append(.issued(transaction.id, tag: draft.tag)) }
    armAfterTaking(at: now, &effects)
    draftNext(at: now, &chance, &effects)
  }

  /// Approves what is unconfirmed for too long, after a random delay.
  ///
  /// The delay grows with the number of issuers, so that all peers together nod about once in ``Configuration/nodSpacing``.
  mutating func considerNod(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    let patience = configuration.patience
    while let first = tangle.unsettled.first {
      let entry = tangle.entries[Int(first.slot)]
      let isOver = entry.serial != first.serial || entry.isConfirmed || now - entry.arrived > patience * 32
      guard isOver else { break }
      _ = tangle.unsettled.popFirst()
    }
    guard let place = helpless(at: now, &effects) else {
      rescue(at: now, &chance, &effects)
      let next = now + patience * 0.5
      if !tangle.doubtful.isEmpty {
        arm(.nod, at: next, &effects)
      } else if let first = tangle.unsettled.first {
        arm(.nod, at: max(tangle.entries[Int(first.slot)].arrived + patience, next), &effects)
      }
      return
    }
    let entry = tangle.entries[place]
    if issuing.nod?.serial != entry.serial {
      let others = max(tangle.issuers.count, issuing.hasIssued ? 1 : 4 * peers.count)
      let delay = configuration.nodSpacing * (Double(others) * chance.uniform())
      issuing.nod = (entry.serial, now + delay)
    }
    guard let at = issuing.nod?.at, at <= now else {
      // What is to be approved first may have changed by then.
      return arm(.nod, at: min(issuing.nod?.at ?? now, now + patience), &effects)
    }
    issuing.nod = nil
    if issuing.draft == nil, issuing.queue.isEmpty {
      draft(tag: [], payload: [], approving: place, at: now, &chance, &effects)
    }
    arm(.nod, at: now + patience * 0.5, &effects)
  }

  /// The first unsettled entry that is due and that an approval of ours would help. Lazy ones are put aside: however many there are, they
  /// keep nobody else waiting.
  private mutating func helpless(at now: Instant, _ effects: inout Effects<Effect>) -> Int? {
    guard !tangle.isDistrusted(id.word) else { return nil }
    reconsider(at: now, &effects)
    let own = Int32(tangle.issuerNumber(id.word))
    let window = configuration.tipWindow.nanoseconds / 1_000_000
    var kept: [Tangle.Unsettled] = []
    var (looked, judged) = (0, 0)
    var found: Int?
    while found == nil, looked < tangle.unsettled.count, judged < configuration.limits.doubtful {
      let candidate = tangle.unsettled[looked]
      let place = Int(candidate.slot)
      let entry = tangle.entries[place]
      let isOver = entry.serial != candidate.serial || entry.isConfirmed
      guard isOver || entry.arrived + configuration.patience <= now else { break }
      looked += 1
      if isOver { continue }
      guard entry.issuer != own, !isApproved(entry, by: own), !tangle.issuers[Int(entry.issuer)].isDistrusted else {
        kept.append(candidate)
        continue
      }
      judged += 1
      guard tangle.isLazy(place, window: window, walk: configuration.limits.walk) else {
        kept.append(candidate)
        found = place
        break
      }
      tangle.doubtful.append(candidate)
      if tangle.doubtful.count > configuration.limits.doubtful { _ = tangle.doubtful.popFirst() }
    }
    tangle.unsettled.replaceFirst(looked, by: kept)
    return found
  }

  /// Looks at some of the lazy ones again: what they build on may be confirmed by now. Those that stay lazy are reported at last.
  private mutating func reconsider(at now: Instant, _ effects: inout Effects<Effect>) {
    let window = configuration.tipWindow.nanoseconds / 1_000_000
    for _ in 0..<min(tangle.doubtful.count, 64) {
      guard let candidate = tangle.doubtful.popFirst() else { return }
      let place = Int(candidate.slot)
      let entry = tangle.entries[place]
      guard entry.serial == candidate.serial, !entry.isConfirmed, now - entry.arrived <= configuration.patience * 32 else {
        continue
      }
      guard tangle.isLazy(place, window: window, walk: configuration.limits.walk) else {
        tangle.unsettled.append(candidate)
        continue
      }
      report(lazy: place, at: now, &effects)
      tangle.doubtful.append(candidate)
    }
  }

  /// Names the issuer of a lazy entry. Not at once: after a separation, what an entry builds on may only just be coming, and its issuer
  /// needs a while to build on what it missed.
  private mutating func report(lazy slot: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    let entry = tangle.entries[slot]
    guard let transaction = entry.transaction, entry.arrived + configuration.patience * 15 <= now else { return }
    report(.lazy(issuer: transaction.issuer, transaction.id), &effects)
  }

  /// Own transactions that nobody confirms may look lazy to the others, if this peer was alone when it made them: a nod on what there is now
  /// takes them along, as it builds on the own last one as well.
  mutating func rescue(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    let patience = configuration.patience
    guard peers.count > 0, issuing.draft == nil, issuing.queue.isEmpty, issuing.rescues < 8,
      issuing.rescued + patience * 8 <= now,
      let slot = issuing.last.flatMap({ tangle.slot($0) }), !tangle.entries[slot].isConfirmed,
      tangle.entries[slot].arrived + patience * 5 <= now, !tangle.isDistrusted(id.word)
    else { return }
    let own = Int32(tangle.issuerNumber(id.word))
    guard tangle.tipped.contains(where: { $0 != own }) else { return }
    issuing.rescues += 1
    issuing.rescued = now
    draft(tag: [], payload: [], approving: nil, at: now, &chance, &effects)
  }

  private func isApproved(_ entry: Tangle.Entry, by issuer: Int32) -> Bool {
    (0..<4).contains { entry.approvers[$0] == issuer }
  }
}
