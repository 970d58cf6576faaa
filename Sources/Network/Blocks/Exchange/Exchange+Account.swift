internal import MurmurMachines
internal import MurmurWire

/// The slow account: what the counters must add up to. Tests keep it beside random courses of events.
extension Exchange {
  /// What does not add up; empty if all is well.
  package var contradictions: [String] {
    var found: [String] = []
    for fetch in fetches {
      found += fetch.contradictions
      // What waits for the disk is a reason to ask nobody.
      if !isCongested, fetch.isIdle { found.append("nobody is asked, though somebody could be") }
      for source in fetch.sources where source.expires < patienceArmed && source.expires != .never && source.isBusy {
        // The timer may be armed for later only if the source's patience shortened since; the next firing sees to it.
        if patienceArmed == .never { found.append("nobody waits for \(source.peer)") }
      }
      if fetch.deadline != .never, patienceArmed == .never { found.append("nobody watches a deadline") }
    }
    if waiting != ledgers.count(where: { !$0.waiting.isEmpty }) { found.append("\(waiting) ledgers are said to wait") }
    for (slot, ledger) in ledgers.enumerated() {
      if ledgerIndex.find(ledger.peer, in: ledgers) != slot { found.append("the index does not find \(ledger.peer)") }
      if !ledger.orders.isEmpty, serviceArmed == .never { found.append("nobody serves \(ledger.peer)") }
      if ledger.orders.count > limits.ordersPerPeer { found.append("too many orders") }
      if ledger.waiting.count > limits.waitingPerPeer { found.append("too many waiting wants") }
    }
    return found
  }
}

extension Fetch {
  /// What does not add up; empty if all is well.
  fileprivate var contradictions: [String] {
    var found: [String] = []
    let open = wants.filter { !$0.isHere }
    if missing != open.count { found.append("\(missing) blocks are said to be missing, \(open.count) are") }
    if unasked != open.count(where: { $0.asked == 0 }) { found.append("\(unasked) blocks are said to be nobody's") }
    if missing == 0, pending.isEmpty { found.append("a complete fetch goes on") }
    if wants.contains(where: { $0.isHere && $0.asked != 0 }) { found.append("a block that is here is asked for") }
    for (index, source) in sources.enumerated() {
      let asked = wants.count { $0.asked >> UInt64(index) & 1 == 1 }
      if asked != Int(source.outstanding) { found.append("source \(index) owes \(asked), counted \(source.outstanding)") }
      if source.isBusy != (source.expires != .never) {
        found.append("source \(index) is busy: \(source.isBusy), but expires \(source.expires)")
      }
      if source.isGone, source.isBusy { found.append("source \(index) is gone and busy") }
    }
    return found
  }

  /// Whether nobody is asked, though somebody could be.
  fileprivate var isIdle: Bool {
    guard !sources.contains(where: \.isBusy), unasked == missing, places.isEmpty || unasked > 0 else { return false }
    return sources.contains { !$0.isGone && $0.failures == 0 && $0.probe < 0 && !lacksAll($0) }
  }

  private func lacksAll(_ source: Source) -> Bool {
    guard let index = self.source(of: source.peer) else { return true }
    return wants.allSatisfy { $0.isHere || $0.lacking >> UInt64(index) & 1 == 1 }
  }
}
