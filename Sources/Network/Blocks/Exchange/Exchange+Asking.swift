internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Whom to ask for what.
extension Exchange {
  /// Ends a fetch that has everything, or asks on; ends it too if there is nobody left to ask.
  mutating func proceed(_ index: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    guard !fetches[index].isTooLarge else { return fail(index, .tooLarge, now, &effects) }
    guard fetches[index].missing > 0 else {
      guard fetches[index].pending.isEmpty else { return }
      statistics.completed += 1
      effects.append(.completed(root: fetches[index].root))
      close(index)
      return
    }
    guard fetches[index].unasked > 0, !isCongested else {
      if limits.relievesSlowPeers { relieve(index, now, &effects) }
      return
    }
    guard fetches[index].wants.count <= limits.blocksPerFetch else {
      fail(index, .tooManyBlocks, now, &effects)
      return
    }
    askHealthy(index, now, &effects)
    guard fetches[index].unasked > 0 else { return }
    lookElsewhere(index, now, &effects)
  }

  /// Gives each source that answers its share of the blocks nobody is asked for, within its window.
  private mutating func askHealthy(_ index: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    var idle = 0
    for source in fetches[index].sources where source.hasRoom && source.failures == 0 { idle += 1 }
    guard idle > 0 else { return }
    if store.shelf != nil, askSparingly(index, idle, now, &effects) { return }
    let share = (fetches[index].unasked + idle - 1) / idle
    for source in fetches[index].sources.indices {
      guard fetches[index].sources[source].hasRoom, fetches[index].sources[source].failures == 0 else { continue }
      let room = Int(fetches[index].sources[source].window - fetches[index].sources[source].outstanding)
      ask(source, of: index, most: min(room, share), now, &effects)
      if fetches[index].unasked == 0 { break }
    }
  }

  /// Where the disk allows fewer blocks than the windows: they go to the sources that owe least, so that a fast one is asked more often.
  /// False if it allows as many.
  private mutating func askSparingly(_ index: Int, _ idle: Int, _ now: Instant, _ effects: inout Effects<Effect>) -> Bool {
    var allowed = allowance(of: index)
    var room = 0
    for source in fetches[index].sources where source.hasRoom && source.failures == 0 {
      room += Int(source.window - source.outstanding)
    }
    guard allowed < min(room, fetches[index].unasked) else { return false }
    let share = max(1, allowed / idle)
    var hasNothing: UInt64 = 0
    while allowed > 0, fetches[index].unasked > 0 {
      var least: Int?
      for (place, source) in fetches[index].sources.enumerated() where hasNothing >> UInt64(place) & 1 == 0 {
        guard source.hasRoom, source.failures == 0 else { continue }
        if least.map({ source.outstanding < fetches[index].sources[$0].outstanding }) ?? true { least = place }
      }
      guard let least else { break }
      let source = fetches[index].sources[least]
      ask(least, of: index, most: min(Int(source.window - source.outstanding), share, allowed), now, &effects)
      let asked = Int(fetches[index].sources[least].outstanding - source.outstanding)
      allowed -= asked
      // It denied all that is left.
      if asked == 0 { hasNothing |= 1 << UInt64(least) }
    }
    return true
  }

  /// Asks one source for up to `most` blocks that nobody is asked for and that it did not deny.
  mutating func ask(_ source: Int, of index: Int, most: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    let bit: UInt64 = 1 << UInt64(source)
    var lines: [BitswapMessage.Want] = []
    var place = Int(fetches[index].sources[source].cursor)
    var shared = Int.max
    while place < fetches[index].wants.count, lines.count < most {
      defer { place += 1 }
      let want = fetches[index].wants[place]
      guard !want.isHere, want.asked == 0, want.lacking & bit == 0 else { continue }
      if fetches.count > 1, isAskedElsewhere(want.cid, than: index) {
        shared = min(shared, place)
        continue
      }
      fetches[index].wants[place].asked = bit
      fetches[index].wants[place].asks = want.asks == .max ? .max : want.asks + 1
      fetches[index].wants[place].askedAt = now
      fetches[index].unasked -= 1
      lines.append(BitswapMessage.Want(want.cid))
    }
    fetches[index].sources[source].cursor = Int32(min(place, shared))
    guard !lines.isEmpty else { return }
    fetches[index].sources[source].outstanding += Int16(lines.count)
    countSilence(source, of: index, now, &effects)
    send(BitswapMessage(wants: lines), to: fetches[index].sources[source].peer, &effects)
  }

  /// Begins to count the silence of a source that now owes an answer.
  private mutating func countSilence(_ source: Int, of index: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    if !fetches[index].sources[source].wasAsked { fetches[index].sources[source].since = now }
    fetches[index].sources[source].wasAsked = true
    let peer = fetches[index].sources[source].peer
    let failures = Int(fetches[index].sources[source].failures)
    let patience = ledgers[ledger(for: peer, now)].patience(limits, failures: failures)
    let expires = now + patience
    if fetches[index].sources[source].expires == .never { fetches[index].sources[source].expires = expires }
    beReady(by: fetches[index].sources[source].expires, &effects)
  }

  /// Whether another fetch is waiting for the same block; then this one waits along.
  private func isAskedElsewhere(_ cid: CID, than index: Int) -> Bool {
    for other in fetches.indices where other != index {
      if let place = fetches[other].place(of: cid), fetches[other].wants[place].asked != 0 { return true }
    }
    return false
  }

  /// Some blocks found nobody: asks peers that were silent, the least silent first, and connected peers that are not known to have
  /// the object; if there are none either, the fetch is over.
  private mutating func lookElsewhere(_ index: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    guard let first = orphan(of: index) else { return }
    probe(index, about: first, now, &effects)
    while let place = orphan(of: index), let source = leastSilent(index, for: place) {
      // It jumps to the orphan, past blocks that others may still take, and must come back to those if it recovers.
      let cursor = fetches[index].sources[source].cursor
      fetches[index].sources[source].cursor = Int32(place)
      ask(source, of: index, most: 1, now, &effects)
      fetches[index].sources[source].cursor = cursor
      if fetches[index].sources[source].outstanding == 0 { break }
    }
    guard !fetches[index].sources.contains(where: \.isBusy), !waitsForOthers(index) else { return }
    fail(index, reasonForSilence(index, first), now, &effects)
  }

  /// Of the sources that were silent, owe nothing now and did not deny the block, the one with the fewest silences.
  private func leastSilent(_ index: Int, for place: Int) -> Int? {
    let lacking = fetches[index].wants[place].lacking
    var best: Int?
    var fewest = UInt8.max
    for (bit, source) in fetches[index].sources.enumerated() where lacking >> UInt64(bit) & 1 == 0 {
      guard !source.isGone, !source.isBusy, source.failures > 0, !isSpent(source, index) else { continue }
      guard best == nil || source.failures < fewest else { continue }
      best = bit
      fewest = source.failures
    }
    return best
  }

  /// The first block that no source which answers could be asked for later.
  private func orphan(of index: Int) -> Int? {
    var healthy: UInt64 = 0
    for (bit, source) in fetches[index].sources.enumerated() where !source.isGone && source.failures == 0 && source.probe < 0 {
      healthy |= 1 << UInt64(bit)
    }
    return fetches[index].wants.firstIndex { !$0.isHere && $0.asked == 0 && healthy & ~$0.lacking == 0 }
  }

  private func isSpent(_ source: Fetch.Source, _ index: Int) -> Bool {
    fetches[index].deadline == .never && Int(source.failures) >= limits.attempts
  }

  private func waitsForOthers(_ index: Int) -> Bool {
    guard fetches.count > 1 else { return false }
    return fetches[index].wants.contains { !$0.isHere && $0.asked == 0 && isAskedElsewhere($0.cid, than: index) }
  }

  private func reasonForSilence(_ index: Int, _ place: Int) -> FetchFailure.Reason {
    let fetch = fetches[index]
    guard !fetch.everyone.isEmpty else { return fetch.sources.isEmpty ? .nobodyToAsk : .silence }
    for source in fetch.sources.indices where fetch.wants[place].lacking >> UInt64(source) & 1 == 0 { return .silence }
    return .nobodyHasIt
  }

  /// Asks connected peers, a few at a time, whether they have a block.
  private mutating func probe(_ index: Int, about place: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    var free = limits.probes
    for source in fetches[index].sources where source.probe >= 0 { free -= 1 }
    guard free > 0 else { return }
    let cid = fetches[index].wants[place].cid
    for slot in ledgers.indices where ledgers[slot].isConnected {
      let peer = ledgers[slot].peer
      guard fetches[index].source(of: peer) == nil, !fetches[index].former.contains(peer) else { continue }
      guard let source = fetches[index].add(source: peer, probing: Int32(place), window: limits.firstWindow) else { return }
      countSilence(source, of: index, now, &effects)
      send(BitswapMessage(wants: [.init(cid, .have)]), to: peer, &effects)
      free -= 1
      if free == 0 { return }
    }
  }
}

extension Fetch.Source {
  /// Whether it may be asked for another block.
  fileprivate var hasRoom: Bool { !isGone && probe < 0 && outstanding < window }
}
