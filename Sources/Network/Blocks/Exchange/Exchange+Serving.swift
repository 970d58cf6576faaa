internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// The giving side: who gets what, and how much of it.
extension Exchange {
  /// A peer changed its want-list.
  mutating func asked(_ message: BitswapMessage, by slot: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    if message.isFull {
      ledgers[slot].orders = []
      if !outgoing.isEmpty { stopWaiting(ledgers[slot].peer) }
      forgetWaiting(slot)
    }
    var presences: [BitswapMessage.Presence] = []
    for want in message.wants {
      switch want.kind {
      case .cancel:
        ledgers[slot].orders.removeAll { $0.cid == want.cid }
        if !loading.isEmpty { stopWaiting(ledgers[slot].peer, for: want.cid) }
        forgetWaiting(slot, want.cid)
      case .have:
        guard let size = store.size(of: want.cid) else {
          deny(want, slot, &presences)
          continue
        }
        if size <= limits.smallBlock {
          order(want, slot, &presences)
        } else {
          presences.append(want.answer(true))
        }
      case .block:
        if store.has(want.cid) { order(want, slot, &presences) } else { deny(want, slot, &presences) }
      }
    }
    serve(slot, presences, now, &effects)
  }

  /// The peer disconnected: what it wanted is forgotten, what it gave is not.
  mutating func hangUp(_ slot: Int) {
    ledgers[slot].isConnected = false
    ledgers[slot].orders = []
    if !outgoing.isEmpty { forgetOutgoing(ledgers[slot].peer) }
    forgetWaiting(slot)
  }

  /// A block turned up: whoever waits for it gets it, or is told.
  mutating func serveWaiting(_ cid: CID, _ size: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    for slot in ledgers.indices where !ledgers[slot].waiting.isEmpty {
      let wants = ledgers[slot].waiting.filter { $0.cid == cid }
      guard !wants.isEmpty else { continue }
      forgetWaiting(slot, cid)
      var presences: [BitswapMessage.Presence] = []
      if wants.contains(where: { $0.kind == .block }) || size <= limits.smallBlock {
        order(wants[0], slot, &presences)
      } else {
        presences.append(wants[0].answer(true))
      }
      serve(slot, presences, now, &effects)
    }
  }

  /// A service window begins: those with orders are served, the least in debt first.
  mutating func serveBacklog(_ now: Instant, _ effects: inout Effects<Effect>) {
    var backlog: [(ratio: Double, peer: PeerID, slot: Int)] = []
    for slot in ledgers.indices where !ledgers[slot].orders.isEmpty {
      backlog.append((ledgers[slot].debtRatio(grace: limits.grace), ledgers[slot].peer, slot))
    }
    backlog.sort { $0.ratio != $1.ratio ? $0.ratio < $1.ratio : $0.peer < $1.peer }
    for entry in backlog { serve(entry.slot, [], now, &effects) }
  }

  /// Puts a block in the peer's queue, behind those of the same or higher priority.
  private mutating func order(_ want: BitswapMessage.Want, _ slot: Int, _ presences: inout [BitswapMessage.Presence]) {
    guard !ledgers[slot].orders.contains(where: { $0.cid == want.cid }) else { return }
    guard ledgers[slot].orders.count < limits.ordersPerPeer else {
      if want.sendDontHave { presences.append(want.answer(false)) }
      return
    }
    var place = ledgers[slot].orders.count
    while place > 0, ledgers[slot].orders[place - 1].priority < want.priority { place -= 1 }
    let order = Ledger.Order(cid: want.cid, priority: want.priority, isVersion0: want.isVersion0)
    if place == ledgers[slot].orders.count {
      ledgers[slot].orders.append(order)
    } else {
      ledgers[slot].orders.insert(order, at: place)
    }
  }

  /// The block is not here: says so, or remembers the want.
  private mutating func deny(_ want: BitswapMessage.Want, _ slot: Int, _ presences: inout [BitswapMessage.Presence]) {
    if want.sendDontHave {
      presences.append(want.answer(false))
      return
    }
    guard limits.waitingPerPeer > 0, !ledgers[slot].waiting.contains(where: { $0.cid == want.cid && $0.kind == want.kind }) else {
      return
    }
    if ledgers[slot].waiting.isEmpty { waiting += 1 }
    if ledgers[slot].waiting.count >= limits.waitingPerPeer { ledgers[slot].waiting.removeFirst() }
    ledgers[slot].waiting.append(want)
  }

  private mutating func forgetWaiting(_ slot: Int, _ cid: CID? = nil) {
    guard !ledgers[slot].waiting.isEmpty else { return }
    if let cid { ledgers[slot].waiting.removeAll { $0.cid == cid } } else { ledgers[slot].waiting = [] }
    if ledgers[slot].waiting.isEmpty { waiting -= 1 }
  }

  /// Sends what the peer may have now, with `presences`; the rest waits for the next window.
  mutating func serve(
    _ slot: Int, _ presences: [BitswapMessage.Presence], _ now: Instant, _ effects: inout Effects<Effect>
  ) {
    openWindows(slot, now)
    var message = BitswapMessage(presences: presences)
    var size = 0
    var served = 0
    let orders = ledgers[slot].orders
    while served < orders.count, isAllowed(slot), windowSpent <= limits.windowBytes {
      let order = orders[served]
      let cid = order.cid
      if store.isElsewhere(cid) {
        guard load(order, slot, &effects) else { break }
        served += 1
        continue
      }
      served += 1
      guard let block = store.get(cid) else {
        message.presences.append(.init(cid, has: false, isVersion0: order.isVersion0))
        continue
      }
      let count = block.bytes.count
      if size > 0, size + count > limits.messageBytes || message.blocks.count >= BitswapMessage.mostBlocks {
        send(message, to: ledgers[slot].peer, &effects)
        message = BitswapMessage()
        size = 0
      }
      message.blocks.append(order.isVersion0 ? block.underVersion0 : block)
      size += count
      spend(count, slot)
    }
    if served == orders.count {
      if served > 0 { ledgers[slot].orders = [] }
    } else {
      ledgers[slot].orders.removeFirst(served)
      message.pendingBytes = orders[served...].reduce(0) { $0 + (store.size(of: $1.cid) ?? 0) }
      let next = min(ledgers[slot].windowStart, windowStart) + limits.window
      if serviceArmed > next {
        serviceArmed = next
        effects.append(.arm(.service, at: next))
      }
    }
    // A queue alone is no reason to send a message.
    if !message.blocks.isEmpty || !message.presences.isEmpty { send(message, to: ledgers[slot].peer, &effects) }
  }

  /// Whether the peer may have another block in this window; the first is free, so that a debtor gets at least a trickle.
  private func isAllowed(_ slot: Int) -> Bool {
    guard limits.unwrittenBytesPerPeer == .max || isDrained(ledgers[slot].peer) else { return false }
    guard ledgers[slot].windowSpent > 0 else { return true }
    return ledgers[slot].windowSpent <= Int(Double(limits.windowBytesPerPeer) * ledgers[slot].share(grace: limits.grace))
  }

  private mutating func openWindows(_ slot: Int, _ now: Instant) {
    if now >= windowStart + limits.window {
      windowStart = now
      windowSpent = 0
    }
    if now >= ledgers[slot].windowStart + limits.window {
      ledgers[slot].windowStart = now
      ledgers[slot].windowSpent = 0
    }
  }

  mutating func spend(_ count: Int, _ slot: Int) {
    windowSpent += count
    if limits.unwrittenBytesPerPeer != .max { outgoing[ledgers[slot].peer, default: Outgoing()].unwritten += count }
    ledgers[slot].windowSpent += count
    ledgers[slot].sent += count
    statistics.blocksSent += 1
    statistics.bytesSent += count
  }
}
