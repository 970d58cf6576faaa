import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire
import Testing

/// Edges of what is read, and peers that use them.
@Suite struct HardeningStories {
  @Test func `numbers at the edge of what is read neither trap nor cost a snapshot`() throws {
    let edge = Transaction.mostSequence
    var lone = Lone { $0.keepTime = .seconds(100) }
    let before = Digest(1, 2, 3, 4)
    let made = try Made.transaction(9, sequence: edge, time: lone.time, previous: before)
    #expect(try Transaction.verified(made.bytes, least: 4).sequence == edge)
    // One more, where the number stands: after the heads of array, version and issuer.
    var beyond = made.bytes
    #expect(beyond[36] == 0x1b && beyond[37] == 0x3f)
    for first: UInt8 in [0x40, 0x7f, 0x80, 0xff] {
      beyond[37] = first
      #expect(throws: LedgerError.self) { try Transaction(reading: beyond) }
    }
    lone.give(.connected(Lone.id(1)))
    lone.give(
      .received(from: Lone.id(1), .batch(.init(transactions: [made.bytes], pruned: [before], answersFrontier: true))))
    #expect(lone.ledger.transaction(made.id) != nil)
    lone.wait(.seconds(300))
    let snapshot = try #require(try lone.disk.snapshot)
    #expect(snapshot.issuers.contains { $0.sequence == Int64(edge) && $0.prunedSequence == Int64(edge) })
    #expect(try LedgerSnapshot.decode(snapshot.encode()) == snapshot)
  }

  @Test func `an issuer that hides its chain is not heard`() throws {
    var lone = Lone { $0.keepTime = .seconds(100) }
    let old = try history(10, from: lone.time - 10_000)
    for transaction in old { lone.hear(transaction) }
    lone.wait(.seconds(200))
    #expect(lone.ledger.holdings.transactions == 0)
    // The genesis has no issuer: nothing can follow it.
    #expect(lone.hear(try Made.transaction(8, sequence: 5, time: lone.time, previous: Made.genesis.digest), from: 3) == .reject)
    // Something pruned is named as the one before, though the issuer's last is another.
    let first = try Made.transaction(9, sequence: 0, time: lone.time)
    #expect(lone.hear(first) == .accept)
    let detached = try Made.transaction(9, sequence: 7, time: lone.time, previous: old[3].digest)
    #expect(lone.hear(detached) == .ignore && lone.ledger.transaction(detached.id) == nil)
    #expect(lone.hear(try Made.transaction(9, sequence: 1, time: lone.time, previous: first.digest)) == .accept)
    // Where another builds on it, it is had: else two peers would part for good.
    let child = try Made.transaction(30, sequence: 0, time: lone.time, links: (detached.digest, detached.digest))
    lone.hear(child)
    #expect(lone.hear(detached) == .accept && lone.ledger.transaction(child.id) != nil)
  }

  @Test func `who is alone for an hour does not give up what others may have`() throws {
    var lone = Lone()
    lone.give(.connected(Lone.id(2)))
    let parent = try Made.transaction(5, sequence: 0, time: lone.time, payload: [1])
    let child = try Made.transaction(6, sequence: 0, time: lone.time, links: (parent.digest, parent.digest), payload: [2])
    lone.hear(child, from: 2)
    lone.give(.disconnected(Lone.id(2)))
    lone.wait(.seconds(3_600))
    #expect(lone.ledger.statistics.orphaned == 0 && lone.ledger.transaction(child.id) == nil)
    lone.give(.connected(Lone.id(3)))
    lone.wait(.seconds(5))
    let asked = lone.sent(to: 3).contains { if case .wanted(let digests) = $0 { digests.contains(parent.digest) } else { false } }
    #expect(asked)
    lone.give(.received(from: Lone.id(3), .batch(.init(transactions: [parent.bytes]))))
    #expect(lone.ledger.transaction(child.id) != nil)
  }

  @Test func `peers that say something is gone hide it from nobody`() throws {
    var lone = Lone()
    for peer in 2...3 { lone.give(.connected(Lone.id(peer))) }
    let hidden = try Made.transaction(5, sequence: 0, time: lone.time, tag: [9], payload: [1])
    let child = try Made.transaction(6, sequence: 0, time: lone.time, links: (hidden.digest, hidden.digest), payload: [2])
    let other = try Made.transaction(7, sequence: 0, time: lone.time, payload: [3])
    // Nobody asked for it, and nothing that came builds on it.
    lone.give(.received(from: Lone.id(2), .batch(.init(pruned: [other.digest], answersFrontier: true))))
    #expect(lone.hear(other) == .accept && lone.ledger.transaction(other.id) != nil)
    // What is missing is believed to be gone, until it comes.
    lone.hear(child)
    #expect(lone.ledger.transaction(child.id) == nil)
    lone.give(.received(from: Lone.id(3), .batch(.init(pruned: [hidden.digest], answersFrontier: true))))
    #expect(lone.ledger.transaction(child.id) != nil)
    #expect(lone.hear(hidden) == .accept)
    #expect(lone.ledger.transactions(tagged: [9]).map(\.id) == [hidden.id])
    #expect(lone.hear(hidden) == .ignore)
  }

  @Test func `what is missing is asked for soon, whatever else is missing for long`() throws {
    var lone = Lone()
    for peer in 1...3 { lone.give(.connected(Lone.id(peer))) }
    let nowhere = Digest(1, 2, 3, 4)
    lone.hear(try Made.transaction(4, sequence: 0, time: lone.time, links: (nowhere, nowhere)), from: 1)
    lone.wait(.seconds(12))
    let all = try history(2, from: lone.time - 1_000)
    lone.hear(all[1], from: 2)
    lone.wait(.seconds(1))
    #expect(lone.sent(to: 2).contains { if case .wanted(let digests) = $0 { digests.contains(all[0].digest) } else { false } })
  }

  @Test func `frontiers that cost much and bring little are answered so often and no more`() throws {
    var mean = Lone(1) { $0.limits.visits = 300 }
    let all = try history(60, from: mean.time - 30_000)
    for transaction in all { mean.hear(transaction) }
    mean.give(.connected(Lone.id(9)))
    // All but what is newest: the whole ledger is walked through.
    for _ in 0..<50 { mean.give(.received(from: Lone.id(9), .frontier([]))) }
    #expect(mean.sent(to: 9).count <= 7 && mean.reports == [.excess(from: Lone.id(9))])
    mean.now = mean.now + .seconds(11)
    mean.give(.received(from: Lone.id(9), .frontier(all.map(\.digest))))
    guard case .batch(let batch)? = mean.sent(to: 9).last else { throw WireError("test", "no answer") }
    #expect(batch.transactions.isEmpty && !batch.hasMore)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func `a frontier is answered with what is not in its past`(seed: UInt64) throws
  {
    var lone = Lone(), chance = Chance(seed: seed)
    let all = try history(80, from: lone.time - 40_000, seed: seed)
    for transaction in all { lone.hear(transaction) }
    let known = chance.pick(1 + chance.below(4), from: all)
    var past = Set(known.map(\.digest))
    for transaction in all.reversed() where past.contains(transaction.digest) {
      past.formUnion([transaction.links.0, transaction.links.1])
      if let previous = transaction.previous { past.insert(previous) }
    }
    lone.give(.connected(Lone.id(9)))
    lone.give(.received(from: Lone.id(9), .frontier(known.map(\.digest))))
    guard case .batch(let batch)? = lone.sent(to: 9).last else { throw WireError("test", "no answer") }
    #expect(batch.transactions == all.filter { !past.contains($0.digest) }.map(\.bytes), "seed \(seed)")
  }

  @Test func `a crowd of lazy ones keeps nobody waiting for a nod`() throws {
    var lone = Lone { $0.nodSpacing = .milliseconds(1) }
    var authors = Authors()
    let begin = try history(60, from: lone.time - 30_000)
    for transaction in begin { lone.hear(transaction) }
    var last = begin.suffix(2).map(\.digest)
    for number in 0..<150 {
      lone.now = lone.now + .seconds(2)
      let next = try authors.next(11 + number % 4, at: lone.time, on: (last[0], last[1]))
      lone.hear(next)
      last = [last[1], next.digest]
    }
    for number in 0..<200 {
      lone.hear(
        try Made.transaction(
          1_000 + number, sequence: 0, time: lone.time, links: (begin[3].digest, begin[3].digest), payload: [1]))
    }
    let honest = try Made.transaction(20, sequence: 0, time: lone.time, links: (last[0], last[1]), payload: [7])
    lone.hear(honest)
    lone.wait(.seconds(20))
    #expect((lone.ledger.approvals(of: honest.id) ?? 0) > 0, "nods: \(lone.ledger.statistics.nods)")
  }

  @Test func `names that nobody has signed for fill no list of offenders, and an hour later all is told anew`() throws {
    var lone = Lone()
    for number in 0..<40 { lone.hear(try Made.transaction(number, sequence: 0, time: lone.time, difficulty: 2), from: 6) }
    #expect(lone.reports.count == 1)
    lone.hear([1, 2, 3], from: 6)
    #expect(lone.reports.count == 2)
    lone.now = lone.now + .minutes(61)
    lone.hear(try Made.transaction(3, sequence: 0, time: lone.time, difficulty: 2), from: 6)
    lone.hear([1, 2, 3], from: 6)
    #expect(lone.reports.count == 4)
  }
}
