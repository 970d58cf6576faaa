internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// What differs when blocks may be elsewhere: errands for the world, and what waits for them.
extension Exchange {
  /// Lets bytes go that memory has no room for. Before a step rather than after it, so that an object of which a step said that it is
  /// complete can be read until the next one.
  mutating func spareMemory() {
    guard let budget = store.memoryBudget, store.memoryBytes > budget else { return }
    let fetches = self.fetches
    store.spareMemory { cid in
      fetches.contains { $0.keeping == .memory && ($0.place(of: cid) != nil || $0.brought.contains(cid)) }
    }
  }

  /// Hands what the store wants done to the world.
  mutating func runErrands(_ effects: inout Effects<Effect>) {
    guard store.hasErrands else { return }
    for errand in store.takeErrands() { effects.append(.disk(errand)) }
  }

  /// Whether so much waits for the disk that nothing more should come.
  var isCongested: Bool { store.unsettledBytes > limits.unsettledBytes }

  /// How many blocks more an object may be asked for, so that what comes and what waits for the disk stay within
  /// ``Limits/unsettledBytes``: blocks to come count as those that came, or as a chunk. Who is asked for nothing may be asked for one.
  func allowance(of index: Int) -> Int {
    var underWay = 0
    var bytes = store.unsettledBytes
    for (other, fetch) in fetches.enumerated() {
      let asked = fetch.sources.reduce(0) { $0 + Int($1.outstanding) }
      if other == index { underWay = asked }
      bytes += asked * fetch.meanBytes
    }
    let room = (limits.unsettledBytes - bytes) / max(fetches[index].meanBytes, 1)
    return max(room, underWay == 0 ? 1 : 0)
  }

  /// Prepares a new fetch of an object of which some blocks may be elsewhere already.
  mutating func prepare(_ fetch: inout Fetch, _ keeping: Keeping, _ effects: inout Effects<Effect>) {
    fetch.keeping = keeping
    guard keeping == .memory else { return }
    for cid in store.elsewhere(of: fetch.root, limit: limits.blocksPerFetch) {
      fetch.pending.insert(cid)
      fetch.brought.insert(cid)
      load(cid, &effects)
    }
  }

  /// If the object is to be in memory, has all its blocks at and below `top` brought that are elsewhere.
  mutating func bring(below top: CID, in index: Int, _ effects: inout Effects<Effect>) {
    guard fetches[index].keeping == .memory else { return }
    for cid in store.elsewhere(of: top, limit: limits.blocksPerFetch) {
      fetches[index].pending.insert(cid)
      fetches[index].brought.insert(cid)
      load(cid, &effects)
    }
  }

  /// An object that was wanted on the disk only is now wanted in memory.
  mutating func keepInMemory(_ index: Int, _ effects: inout Effects<Effect>) {
    guard fetches[index].keeping == .disk else { return }
    fetches[index].keeping = .memory
    fetches[index].pending = []
    bring(below: fetches[index].root, in: index, &effects)
  }

  /// Fetches that want their object on the disk wait until a block that came is safe there.
  mutating func awaitSafety(of cid: CID) {
    for index in fetches.indices where fetches[index].keeping == .disk && fetches[index].place(of: cid) != nil {
      fetches[index].pending.insert(cid)
    }
  }

  /// Asks the world for a block's bytes, once.
  private mutating func load(_ cid: CID, _ effects: inout Effects<Effect>) {
    guard loading[cid] == nil else { return }
    let size = store.size(of: cid) ?? 0
    loading[cid] = Loading(size: size)
    loadingBytes += size
    effects.append(.disk(.load(cid)))
  }

  /// Has a block brought that a peer may have now; false if too much is on its way already.
  mutating func load(_ order: Ledger.Order, _ slot: Int, _ effects: inout Effects<Effect>) -> Bool {
    let size = store.size(of: order.cid) ?? 0
    guard loadingBytes == 0 || loading[order.cid] != nil || loadingBytes + size <= limits.loadingBytes else { return false }
    spend(size, slot)
    load(order.cid, &effects)
    let peer = ledgers[slot].peer
    loading[order.cid]?.waiters.append(Loading.Waiter(peer: peer, isVersion0: order.isVersion0))
    outgoing[peer, default: Outgoing()].loading.append(order.cid)
    return true
  }

  /// The peer does not want the block any more.
  mutating func stopWaiting(_ peer: PeerID, for cid: CID) {
    guard outgoing[peer]?.loading.contains(cid) == true else { return }
    loading[cid]?.waiters.removeAll { $0.peer == peer }
    outgoing[peer]?.loading.removeAll { $0 == cid }
    outgoing[peer]?.drain(loading[cid]?.size ?? 0)
  }

  /// The peer does not want any block that is being brought.
  mutating func stopWaiting(_ peer: PeerID) {
    let brought = outgoing[peer]?.loading ?? []
    for cid in brought { stopWaiting(peer, for: cid) }
  }

  /// Nothing is on its way to the peer any more.
  mutating func forgetOutgoing(_ peer: PeerID) {
    stopWaiting(peer)
    outgoing[peer] = nil
  }

  /// Whether the world got rid of enough of what was sent to the peer.
  func isDrained(_ peer: PeerID) -> Bool { (outgoing[peer]?.unwritten ?? 0) <= limits.unwrittenBytesPerPeer }

  /// The world did an errand.
  mutating func wasDone(_ outcome: BlockStore.Outcome, _ now: Instant, _ effects: inout Effects<Effect>) {
    guard store.shelf != nil else { return }
    switch outcome {
    case .stored(let cid):
      store.note(outcome)
      settled(cid)
      settle(now, &effects)
    case .notStored(let cid):
      store.note(outcome)
      for index in fetches.indices.reversed() where fetches[index].keeping == .disk && fetches[index].pending.contains(cid) {
        fail(index, .notStored, now, &effects)
      }
      settle(now, &effects)
    case .loaded(let cid, let block):
      let loaded = loading.removeValue(forKey: cid)
      loadingBytes -= loaded?.size ?? 0
      store.note(outcome)
      for waiter in loaded?.waiters ?? [] {
        if block == nil { outgoing[waiter.peer]?.drain(loaded?.size ?? 0) }
        answer(waiter, cid, block, &effects)
      }
      for index in fetches.indices where fetches[index].pending.contains(cid) && fetches[index].keeping == .memory {
        fetches[index].pending.remove(cid)
        if block == nil { fetches[index].add(cid) }
      }
      settle(now, &effects)
      serveMore(now, &effects)
    }
  }

  private mutating func settled(_ cid: CID) {
    for index in fetches.indices where fetches[index].keeping == .disk { fetches[index].pending.remove(cid) }
  }

  /// Sends a block that was brought to one for whom it was, or says that it is gone.
  private mutating func answer(_ waiter: Loading.Waiter, _ cid: CID, _ block: Block?, _ effects: inout Effects<Effect>) {
    outgoing[waiter.peer]?.loading.removeAll { $0 == cid }
    var message = BitswapMessage()
    if let block {
      message.blocks = [waiter.isVersion0 ? block.underVersion0 : block]
      let slot = ledgerIndex.find(waiter.peer, in: ledgers)
      for order in slot.map({ ledgers[$0].orders }) ?? [] { message.pendingBytes += store.size(of: order.cid) ?? 0 }
    } else {
      message.presences = [.init(cid, has: false, isVersion0: waiter.isVersion0)]
    }
    send(message, to: waiter.peer, &effects)
  }

  /// The world got rid of bytes that were sent to a peer; it may have more now.
  mutating func written(_ bytes: Int, to peer: PeerID, _ now: Instant, _ effects: inout Effects<Effect>) {
    outgoing[peer]?.drain(bytes)
    if let rest = outgoing[peer], rest.unwritten == 0, rest.loading.isEmpty { outgoing[peer] = nil }
    guard let slot = ledgerIndex.find(peer, in: ledgers) else { return }
    if !ledgers[slot].orders.isEmpty { serve(slot, [], now, &effects) }
  }

  /// Loading made room for other loads: those with orders are served, the least in debt first.
  private mutating func serveMore(_ now: Instant, _ effects: inout Effects<Effect>) {
    guard loadingBytes <= limits.loadingBytes / 2 else { return }
    serveBacklog(now, &effects)
  }
}

extension Fetch {
  /// Bytes of a block, as far as is known.
  fileprivate var meanBytes: Int { blocks > 0 ? bytes / blocks : Object.chunkBytes }
}

/// A block that the world was asked to bring.
struct Loading: Sendable {
  let size: Int
  /// The peers that it is for, in the order in which they were served; it is paid for.
  var waiters: [Waiter] = []

  struct Waiter: Sendable {
    let peer: PeerID
    let isVersion0: Bool
  }
}

/// What is on its way out to one peer.
struct Outgoing: Sendable {
  /// Bytes of blocks sent to it, or being brought for it, that the world did not get rid of yet.
  var unwritten = 0
  /// Blocks being brought for it.
  var loading: [CID] = []

  mutating func drain(_ bytes: Int) { unwritten = max(0, unwritten - bytes) }
}

extension BlockStore {
  /// Blocks at and below `top` that are within reach but not in memory, in the order of the file; at most `limit`.
  func elsewhere(of top: CID, limit: Int) -> [CID] {
    guard let shelf, shelf.bytes > 0 else { return [] }
    var out: [CID] = []
    var seen: Set<CID> = [top]
    var rest = [top]
    while let cid = rest.popLast(), out.count < limit {
      guard let block = peek(cid) else {
        if isElsewhere(cid) { out.append(cid) }
        continue
      }
      for child in Object.children(of: block).reversed() where seen.insert(child).inserted { rest.append(child) }
    }
    return out
  }
}

extension Block {
  /// The same block for a peer that knows it by its name of version 0.
  var underVersion0: Block {
    var block = self
    block.isVersion0 = cid.codec == .dagPB
    return block
  }
}

extension BitswapMessage.Want {
  /// The answer to the want, under the name that the asker used.
  func answer(_ has: Bool) -> BitswapMessage.Presence { BitswapMessage.Presence(cid, has: has, isVersion0: isVersion0) }
}
