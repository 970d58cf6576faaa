import MurmurIdentity
import MurmurMachines
import MurmurWire

/// What is old goes; what refers to it finds its name.
extension Tangle {
  /// Removes what became solid before `horizon`, and the oldest confirmed entries beyond `most` transactions and bytes; if that does not
  /// suffice, the oldest unconfirmed ones. What is left is closed: with an entry, all that approves it stays.
  mutating func prune(before horizon: Instant, transactions most: Int, bytes mostBytes: Int) -> [Digest] {
    var gone: [Digest] = []
    var carried: [Int32] = []
    var looked = 0
    while looked < order.count {
      let slot = Int(order[looked])
      let isOld = entries[slot].arrived < horizon
      guard isOld || count > most || byteCount > mostBytes else { break }
      looked += 1
      if isOld || entries[slot].isConfirmed { remove(slot, &gone) } else { carried.append(Int32(slot)) }
    }
    var dropped = 0
    while dropped < carried.count, count > most || byteCount > mostBytes {
      remove(Int(carried[dropped]), &gone)
      dropped += 1
    }
    order.replaceFirst(looked, by: Array(carried[dropped...]))
    return gone
  }

  private mutating func remove(_ slot: Int, _ gone: inout [Digest]) {
    let entry = entries[slot]
    guard let transaction = entry.transaction else { return }
    if entry.children == 0 { removeTip(slot) }
    gone.append(transaction.digest)
    index[transaction.digest] = nil
    if tags[transaction.tagKey] == Int32(slot) { tags[transaction.tagKey] = nil }
    let who = Int(entry.issuer)
    issuers[who].kept -= 1
    issuers[who].prunedSequence = max(issuers[who].prunedSequence, Int64(transaction.sequence))
    count -= 1
    byteCount -= transaction.bytes.count
    if !entry.isConfirmed { unconfirmedCount -= 1 }
    release(transaction.links.0)
    release(transaction.links.1)
    if let previous = transaction.previous { release(previous) }
    entries[slot] = Entry()
    free.append(Int32(slot))
    retire(transaction.digest, children: entry.children)
  }

  /// One entry less approves what has that digest.
  private mutating func release(_ digest: Digest) {
    guard let reasons = entryPoints[digest] else { return }
    entryPoints[digest] = reasons > 1 ? reasons - 1 : nil
    if reasons <= 1 { vouched.remove(digest) }
  }

  /// Remembers what is not kept: as long as `children` kept entries approve it, and for a while.
  mutating func retire(_ digest: Digest, children: Int32 = 0) {
    entryPoints[digest, default: 0] += children + 1
    retired.append(digest)
    // Two at most, so that what a snapshot brought goes little by little.
    for _ in 0..<2 where retired.count > Tangle.mostRetired {
      if let oldest = retired.popFirst() { release(oldest) }
    }
  }

  /// Forgets issuers of whom nothing is kept, all but `own`, if there are more than `most`; they are numbered anew.
  mutating func forgetIssuers(beyond most: Int, except own: Digest) {
    guard issuers.count > most else { return }
    var numbers = [Int32](repeating: -1, count: issuers.count)
    var rest: [Issuer] = []
    for (number, issuer) in issuers.enumerated() where issuer.kept > 0 || issuer.key == own {
      numbers[number] = Int32(rest.count)
      rest.append(issuer)
    }
    issuers = rest
    issuerIndex = [:]
    for (number, issuer) in issuers.enumerated() { issuerIndex[issuer.key] = Int32(number) }
    tipped = tipped.map { numbers[Int($0)] }
    for slot in entries.indices where entries[slot].transaction != nil {
      entries[slot].issuer = numbers[Int(entries[slot].issuer)]
      for place in 0..<4 where entries[slot].approvers[place] >= 0 {
        // A forgotten approver still counts, as nobody.
        let number = numbers[Int(entries[slot].approvers[place])]
        entries[slot].approvers[place] = number >= 0 ? number : Int32.max - Int32(place)
      }
    }
  }
}

extension Tangle {
  /// What is to be remembered beside the transactions.
  var snapshot: LedgerSnapshot {
    LedgerSnapshot(
      issuers: issuers.map {
        .init(key: $0.key, sequence: $0.sequence, last: $0.last, prunedSequence: $0.prunedSequence, isDistrusted: $0.isDistrusted)
      }, entryPoints: entryPoints.keys.sorted())
  }

  /// Takes over issuers and entry points.
  mutating func restore(_ snapshot: LedgerSnapshot) {
    for known in snapshot.issuers {
      let who = issuerNumber(known.key)
      issuers[who].prunedSequence = known.prunedSequence
    }
    for digest in snapshot.entryPoints where entryPoints[digest] == nil {
      entryPoints[digest] = 1
      retired.append(digest)
    }
  }

  /// Takes over how far its issuer has come from a transaction that may be here or not.
  mutating func claim(_ transaction: Transaction) {
    let who = issuerNumber(transaction.issuer.word)
    guard Int64(transaction.sequence) > issuers[who].sequence else { return }
    issuers[who].sequence = Int64(transaction.sequence)
    (issuers[who].last, issuers[who].lastSlot) = (transaction.digest, index[transaction.digest] ?? -1)
  }

  /// Takes over what the transactions restored since do not say.
  mutating func settle(_ snapshot: LedgerSnapshot) {
    for known in snapshot.issuers {
      let who = issuerNumber(known.key)
      issuers[who].isDistrusted = issuers[who].isDistrusted || known.isDistrusted
      if known.sequence > issuers[who].sequence {
        issuers[who].sequence = known.sequence
        issuers[who].last = known.last
        issuers[who].lastSlot = known.last.flatMap { index[$0] } ?? -1
      }
    }
  }
}
