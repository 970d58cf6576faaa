import MurmurMachines
import MurmurWire

/// Which tips are worth approving, and how much work an issuer owes.
extension Tangle {
  /// Two transactions to approve, the issuer `own`'s left out as long as there are others. `first` is approved in any case, if given. Lazy
  /// tips that were come by are added to `lazy`.
  mutating func chooseLinks(
    for own: Digest, first: Int?, at time: Int64, window: Int64, _ limits: Ledger.Limits, _ chance: inout Chance,
    lazy: inout [Int]
  ) -> (Digest, Digest) {
    var chosen: [Int] = first.map { [$0] } ?? []
    var tries = limits.candidates
    while chosen.count < 2, tries > 0, !tipped.isEmpty {
      tries -= 1
      let who = Int(tipped[chance.below(tipped.count)])
      guard issuers[who].key != own, !issuers[who].isDistrusted, let tip = newestTip(of: who), !chosen.contains(tip) else {
        continue
      }
      guard let transaction = entries[tip].transaction, transaction.time <= time + 5_000 else { continue }
      if isLazy(tip, window: window, walk: limits.walk) { lazy.append(tip) } else { chosen.append(tip) }
    }
    if chosen.count < 2, newestConfirmed >= 0, entries[Int(newestConfirmed)].transaction != nil,
      entries[Int(newestConfirmed)].isConfirmed, !chosen.contains(Int(newestConfirmed))
    {
      chosen.append(Int(newestConfirmed))
    }
    let digests = chosen.compactMap { entries[$0].transaction?.digest }
    let one = digests.first ?? genesis
    return (one, digests.count > 1 ? digests[1] : one)
  }

  /// The tip of an issuer with the highest number.
  private func newestTip(of who: Int) -> Int? {
    issuers[who].tips.max { (entries[Int($0)].transaction?.sequence ?? 0) < (entries[Int($1)].transaction?.sequence ?? 0) }.map {
      Int($0)
    }
  }

  /// Whether an entry ignores what was long confirmed when it was issued: its past holds nothing confirmed that is as new as the newest
  /// confirmed transaction of a window before its time.
  mutating func isLazy(_ slot: Int, window: Int64, walk limit: Int) -> Bool {
    guard let time = entries[slot].transaction?.time, let due = milestones.newest(before: time - window) else { return false }
    guard entries[slot].anchor < due else { return false }
    // What was unconfirmed when it came may be confirmed by now.
    var newest = entries[slot].anchor
    var rest = [Int32(slot)]
    var seen: Set<Int32> = [Int32(slot)]
    while let next = rest.popLast() {
      guard seen.count <= limit else { break }
      let entry = entries[Int(next)]
      for reference in [entry.first, entry.second] {
        guard let parent = resolve(reference, from: entry.serial), seen.insert(Int32(parent)).inserted else { continue }
        newest = max(newest, entries[parent].anchor)
        if entries[parent].isConfirmed {
          newest = max(newest, entries[parent].transaction?.time ?? .min)
        } else {
          rest.append(Int32(parent))
        }
      }
      if newest >= due { break }
    }
    entries[slot].anchor = newest
    return newest < due
  }

  /// How many bits of work a transaction owes that follows `previous` at `time`: the base, and one for each doubling of the issuer's rate
  /// over the allowance, from the time of its transaction so many before. Of a chain that is not known so far back, the base.
  func difficulty(after previous: Digest?, at time: Int64, _ configuration: Ledger.Configuration) -> Int {
    var place = previous.flatMap { slot($0) } ?? -1
    var serial = Int.max
    for _ in 1..<max(configuration.allowance, 2) {
      guard place >= 0, entries[place].serial < serial else { return configuration.baseDifficulty }
      (serial, place) = (entries[place].serial, Int(entries[place].previous))
    }
    guard place >= 0, entries[place].serial < serial, let before = entries[place].transaction?.time else {
      return configuration.baseDifficulty
    }
    let span = max(time - before, 0)
    let free = configuration.allowanceTime.nanoseconds / 1_000_000
    guard span * 2 <= free else { return configuration.baseDifficulty }
    let ratio = span > 0 ? free / span : free * 2
    let extra = Int64.bitWidth - 1 - ratio.leadingZeroBitCount
    return min(configuration.baseDifficulty + extra, Transaction.mostDifficulty)
  }

  /// Why a transaction whose past is known does not count.
  enum Flaw {
    case untimely, workless, broken
  }

  /// What is wrong with a transaction whose past is known, as far as it is kept; all peers that keep it come to the same verdict.
  func flaw(in transaction: Transaction, _ configuration: Ledger.Configuration) -> Flaw? {
    for link in [transaction.links.0, transaction.links.1] {
      if let slot = slot(link), let parent = entries[slot].transaction, parent.time > transaction.time { return .untimely }
    }
    if let previous = transaction.previous, let slot = slot(previous), let before = entries[slot].transaction {
      guard before.issuer == transaction.issuer, before.sequence + 1 == transaction.sequence else { return .broken }
      guard before.time <= transaction.time else { return .untimely }
    }
    let owed = difficulty(after: transaction.previous, at: transaction.time, configuration)
    return transaction.difficulty < owed ? .workless : nil
  }
}
