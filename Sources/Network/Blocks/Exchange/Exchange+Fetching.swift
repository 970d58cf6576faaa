internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// The asking side: from a want to the last block.
extension Exchange {
  mutating func want(
    _ root: CID, _ providers: [PeerID], _ deadline: Instant, _ keeping: Keeping, _ mostBytes: Int, _ now: Instant,
    _ effects: inout Effects<Effect>
  ) {
    if let index = fetches.firstIndex(where: { $0.root == root }) {
      fetches[index].deadline = max(fetches[index].deadline, deadline)
      fetches[index].mostBytes = max(fetches[index].mostBytes, mostBytes)
      if store.shelf != nil, keeping == .memory { keepInMemory(index, &effects) }
      for peer in providers where fetches[index].source(of: peer) == nil {
        guard fetches[index].add(source: peer, window: limits.firstWindow) != nil else { break }
      }
      proceed(index, now, &effects)
      return
    }
    var fetch = Fetch(root: root, started: now, deadline: deadline, mostBytes: mostBytes)
    if let block = store.peek(root) { fetch.believe(block) }
    guard fetches.count < limits.fetches else {
      fetch.add(root)
      statistics.failed += 1
      effects.append(.failed(root: root, fetch.failure(.tooManyFetches, now)))
      return
    }
    if root.codec == .dagPB { store.hold(root, cascading: true) }
    for missing in store.missing(of: root, limit: limits.blocksPerFetch + 1) { fetch.add(missing) }
    if store.shelf != nil { prepare(&fetch, keeping, &effects) }
    for peer in providers where fetch.source(of: peer) == nil {
      guard fetch.sources.count < Fetch.mostSources else { break }
      _ = fetch.add(source: peer, window: limits.firstWindow)
    }
    fetches.append(fetch)
    let before = fetches.count
    proceed(before - 1, now, &effects)
    // The deadline rides on the same timer; usually it is armed for an earlier time already.
    if fetches.count == before, deadline != .never { beReady(by: deadline, &effects) }
  }

  mutating func cancel(_ root: CID, _ now: Instant, _ effects: inout Effects<Effect>) {
    guard let index = fetches.firstIndex(where: { $0.root == root }) else { return }
    retract(index, &effects)
    close(index)
    settle(now, &effects)
  }

  /// What a peer answered: blocks, and whether it has others.
  mutating func answered(
    _ message: BitswapMessage, by peer: PeerID, _ slot: Int, _ now: Instant, _ effects: inout Effects<Effect>
  ) {
    for block in message.blocks { arrived(block, from: peer, slot, now, &effects) }
    for presence in message.presences {
      for index in fetches.indices { noted(presence, by: peer, slot, index, now) }
    }
    settle(now, &effects)
  }

  /// Lets every fetch go on; those that end are taken out on the way. An end may concern another fetch that waited for the same
  /// block, so then all are looked at again.
  mutating func settle(_ now: Instant, _ effects: inout Effects<Effect>) {
    var index = 0
    while index < fetches.count {
      let before = fetches.count
      proceed(index, now, &effects)
      index = fetches.count == before ? index + 1 : 0
    }
  }

  /// A block came: whichever fetch wants it takes it.
  private mutating func arrived(
    _ block: Block, from peer: PeerID, _ slot: Int, _ now: Instant, _ effects: inout Effects<Effect>
  ) {
    var isWanted = false
    for index in fetches.indices {
      guard let place = fetches[index].place(of: block.cid) else { continue }
      if !fetches[index].wants[place].isHere { isWanted = true }
      answeredProbe(place, by: peer, slot, index, now)
    }
    guard isWanted else {
      unwanted(block, from: peer, slot, &effects)
      return
    }
    guard block.isVerified || block.cid.matches(block.bytes) else {
      effects.append(.report(peer, .forgedBlock(block.cid)))
      for index in fetches.indices { distrust(peer, in: index) }
      return
    }
    let admission = store.put(block.isVerified ? block : Block(trusted: block.cid, bytes: block.bytes))
    guard admission == .stored || admission == .present else {
      for index in fetches.indices.reversed() where fetches[index].place(of: block.cid) != nil {
        fail(index, .storeFull, now, &effects)
      }
      return
    }
    ledgers[slot].received += block.bytes.count
    statistics.blocksReceived += 1
    statistics.bytesReceived += block.bytes.count
    for index in fetches.indices { take(block, from: peer, slot, in: index, now, &effects) }
    if store.shelf != nil { awaitSafety(of: block.cid) }
    if waiting > 0 { serveWaiting(block.cid, block.bytes.count, now, &effects) }
  }

  /// One fetch takes a block it was waiting for, thanks its giver and asks nobody else for it.
  private mutating func take(
    _ block: Block, from peer: PeerID, _ slot: Int, in index: Int, _ now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard let place = fetches[index].place(of: block.cid), !fetches[index].wants[place].isHere else { return }
    if fetches[index].wants[place].asked == 0 { fetches[index].unasked -= 1 }
    fetches[index].wants[place].isHere = true
    fetches[index].missing -= 1
    fetches[index].blocks += 1
    fetches[index].bytes += block.bytes.count
    fetches[index].believe(block)
    if let source = fetches[index].source(of: peer) {
      let wasAsked = fetches[index].wants[place].asked >> UInt64(source) & 1 == 1
      if wasAsked, fetches[index].wants[place].asks == 1 { ledgers[slot].learn(now - fetches[index].wants[place].askedAt) }
      fetches[index].sources[source].given &+= 1
      fetches[index].sources[source].prosper(wasAsked: wasAsked, most: limits.largestWindow)
      fetches[index].withdraw(place, from: source)
      renew(source, in: index, slot, now)
    }
    var others = fetches[index].wants[place].asked
    while others != 0 {
      let source = others.trailingZeroBitCount
      others &= others - 1
      fetches[index].withdraw(place, from: source)
      let cancellation = BitswapMessage(wants: [.init(block.cid, .cancel, priority: 0, sendDontHave: false)])
      send(cancellation, to: fetches[index].sources[source].peer, &effects)
    }
    guard block.cid.codec == .dagPB else { return }
    for child in store.missing(of: block.cid, limit: limits.blocksPerFetch + 1) { fetches[index].add(child) }
    if store.shelf != nil { bring(below: block.cid, in: index, &effects) }
  }

  /// A peer that was asked whether it has a block sent it, since it is small: that is an answer too.
  private mutating func answeredProbe(_ place: Int, by peer: PeerID, _ slot: Int, _ index: Int, _ now: Instant) {
    guard let source = fetches[index].source(of: peer), fetches[index].sources[source].probe == Int32(place) else { return }
    fetches[index].sources[source].probe = -1
    fetches[index].sources[source].failures = 0
    renew(source, in: index, slot, now)
  }

  /// A peer said whether it has a block.
  private mutating func noted(
    _ presence: BitswapMessage.Presence, by peer: PeerID, _ slot: Int, _ index: Int, _ now: Instant
  ) {
    guard let place = fetches[index].place(of: presence.cid), let source = fetches[index].source(of: peer) else { return }
    let wasAsked = fetches[index].wants[place].asked >> UInt64(source) & 1 == 1
    let wasProbed = fetches[index].sources[source].probe == Int32(place)
    guard wasAsked || wasProbed else { return }
    if wasAsked, fetches[index].wants[place].asks == 1, !presence.has {
      ledgers[slot].learn(now - fetches[index].wants[place].askedAt)
    }
    fetches[index].sources[source].failures = 0
    if wasProbed { fetches[index].sources[source].probe = -1 }
    if !presence.has {
      fetches[index].wants[place].lacking |= 1 << UInt64(source)
      fetches[index].withdraw(place, from: source)
    }
    renew(source, in: index, slot, now)
  }

  /// The peer's patience begins anew, since it answered.
  private mutating func renew(_ source: Int, in index: Int, _ slot: Int, _ now: Instant) {
    guard fetches[index].sources[source].isBusy else {
      fetches[index].sources[source].expires = .never
      return
    }
    fetches[index].sources[source].expires = now + ledgers[slot].patience(limits, failures: 0)
  }

  /// A forger is asked for nothing more in this fetch.
  private mutating func distrust(_ peer: PeerID, in index: Int) {
    guard let source = fetches[index].source(of: peer) else { return }
    fetches[index].withdrawAll(from: source)
    fetches[index].sources[source].isGone = true
  }

  private mutating func unwanted(_ block: Block, from peer: PeerID, _ slot: Int, _ effects: inout Effects<Effect>) {
    statistics.unwanted += 1
    // A block that is here may have been asked for twice, after a silence; only strange ones count against the sender.
    guard !store.has(block.cid) else { return }
    ledgers[slot].unwanted += 1
    guard Int(ledgers[slot].unwanted) >= limits.unwantedPerPeer else { return }
    ledgers[slot].unwanted = 0
    effects.append(.report(peer, .unsolicitedBlocks))
  }

  mutating func connected(_ peer: PeerID, _ now: Instant, _ effects: inout Effects<Effect>) {
    let slot = ledger(for: peer, now)
    ledgers[slot].isConnected = true
    for index in fetches.indices {
      guard let source = fetches[index].source(of: peer), fetches[index].sources[source].isGone else { continue }
      fetches[index].sources[source].isGone = false
      fetches[index].sources[source].failures = 0
    }
    settle(now, &effects)
  }

  mutating func disconnected(_ peer: PeerID, _ now: Instant, _ effects: inout Effects<Effect>) {
    if let slot = ledgerIndex.find(peer, in: ledgers) { hangUp(slot) }
    for index in fetches.indices {
      guard let source = fetches[index].source(of: peer) else { continue }
      fetches[index].withdrawAll(from: source)
      fetches[index].sources[source].isGone = true
    }
    settle(now, &effects)
  }

  /// The patience timer fired: ends what is over its deadline, gives up on answers that did not come, and arms it again.
  mutating func lookForSilence(_ now: Instant, _ effects: inout Effects<Effect>) {
    for index in fetches.indices.reversed() where fetches[index].deadline <= now { fail(index, .deadline, now, &effects) }
    for index in fetches.indices {
      for source in fetches[index].sources.indices where fetches[index].sources[source].expires <= now {
        statistics.silences += 1
        fetches[index].withdrawAll(from: source)
        fetches[index].sources[source].fail()
      }
    }
    settle(now, &effects)
    var next = Instant.never
    for fetch in fetches {
      next = min(next, fetch.deadline)
      for source in fetch.sources { next = min(next, source.expires) }
    }
    if next != .never { beReady(by: next, &effects) }
  }

  /// Takes back what others are being asked for.
  private mutating func retract(_ index: Int, _ effects: inout Effects<Effect>) {
    for source in fetches[index].sources.indices where fetches[index].sources[source].outstanding > 0 {
      let bit: UInt64 = 1 << UInt64(source)
      let wants = fetches[index].wants.filter { $0.asked & bit != 0 }.prefix(BitswapMessage.mostWants)
      let lines = wants.map { BitswapMessage.Want($0.cid, .cancel, priority: 0, sendDontHave: false) }
      send(BitswapMessage(wants: lines), to: fetches[index].sources[source].peer, &effects)
    }
  }

  mutating func fail(_ index: Int, _ reason: FetchFailure.Reason, _ now: Instant, _ effects: inout Effects<Effect>) {
    retract(index, &effects)
    statistics.failed += 1
    effects.append(.failed(root: fetches[index].root, fetches[index].failure(reason, now)))
    close(index)
  }

  mutating func close(_ index: Int) {
    let root = fetches[index].root
    fetches.remove(at: index)
    if root.codec == .dagPB { store.release(root, cascading: true) }
  }
}

extension Fetch {
  func failure(_ reason: FetchFailure.Reason, _ now: Instant) -> FetchFailure {
    let asked = everyone
    let phase: FetchFailure.Phase = blocks > 0 ? .blocks : asked.isEmpty ? .finding : .root
    return FetchFailure(
      phase: phase, reason: reason, asked: asked, missing: wants.first { !$0.isHere }?.cid ?? root, blocks: blocks, bytes: bytes,
      elapsed: now - started)
  }
}

extension Fetch.Source {
  /// A block came: silence is over, and if the window was full it grows.
  fileprivate mutating func prosper(wasAsked: Bool, most: Int) {
    failures = 0
    if wasAsked, outstanding == window, Int(window) < most { window += 1 }
  }

  /// The source stayed silent: its window shrinks to half.
  fileprivate mutating func fail() {
    failures = failures == .max ? failures : failures + 1
    window = max(1, window / 2)
  }
}
