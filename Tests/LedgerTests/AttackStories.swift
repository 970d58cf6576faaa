import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire
import Testing

/// Whoever means ill is named, and the others notice nothing.
@Suite struct AttackStories {
  /// A ledger with an honest history up to now.
  private func settled() throws -> (lone: Lone, honest: [Transaction]) {
    var lone = Lone()
    let honest = try history(60, from: lone.time - 30_000)
    for transaction in honest { lone.hear(transaction) }
    return (lone, honest)
  }

  @Test func `forged, garbled and truncated transactions are rejected and reported with who brought them`() throws {
    var (lone, honest) = try settled()
    let before = Set(lone.ledger.transactions)
    var forged = try Made.transaction(2, sequence: 900, time: lone.time, previous: honest[0].digest).bytes
    forged[forged.count - 3] ^= 7
    #expect(lone.hear(forged, from: 9) == .reject)
    #expect(lone.hear(Array(honest[3].bytes.dropLast(9)), from: 8) == .reject)
    #expect(lone.hear([], from: 7) == .reject)
    #expect(lone.hear(try Made.transaction(2, sequence: 0, time: lone.time, difficulty: 2), from: 6) == .reject)
    #expect(Set(lone.ledger.transactions) == before)
    #expect(lone.reports.contains(.forged(from: Lone.id(9), issuer: Lone.id(2))))
    #expect(lone.reports.contains(.workless(from: Lone.id(6), issuer: Lone.id(2))))
    #expect(lone.reports.count == 4)
  }

  @Test func `replayed transactions are kept to oneself and cost nobody anything`() throws {
    var (lone, honest) = try settled()
    let kept = lone.wanted.count
    for transaction in honest { #expect(lone.hear(transaction, from: 9) == .ignore) }
    #expect(lone.wanted.count == kept + honest.count, "a verdict each, nothing else")
    #expect(lone.ledger.statistics.duplicates == honest.count && lone.reports.isEmpty)
  }

  @Test func `a flood without work is stopped at the first hash, one with too little by the issuer's rate`() throws {
    var (lone, honest) = try settled()
    var flooder = Authors()
    var accepted = 0
    for _ in 0..<100 where lone.hear(try flooder.next(9, at: lone.time, on: (honest[59].digest, honest[58].digest))) == .accept {
      accepted += 1
    }
    #expect(accepted == 16, "at one moment the allowance is free, then it costs")
    #expect(lone.reports == [.workless(from: nil, issuer: Lone.id(9))])
    // Whoever pays is heard: a rate of thirty-two in a second costs one bit, sixty-four two.
    var payer = Authors()
    for number in 0..<48 {
      let bits = number < 16 ? 4 : 7
      #expect(
        lone.hear(
          try payer.next(8, at: lone.time + Int64(number * 10), on: (honest[59].digest, honest[58].digest), difficulty: bits))
          == .accept, "\(number)")
    }
  }

  @Test func `one that issues twice in one place is reported with the proof, and no longer heard or approved`() throws {
    var (lone, honest) = try settled()
    let links = (honest[59].digest, honest[58].digest)
    let first = try Made.transaction(9, sequence: 0, time: lone.time, links: links, payload: [1])
    let second = try Made.transaction(9, sequence: 0, time: lone.time, links: links, payload: [2])
    #expect(lone.hear(first) == .accept && lone.hear(second) == .accept, "others may build on either")
    #expect(lone.reports == [.doubleIssue(issuer: Lone.id(9), first.id, second.id)])
    #expect(lone.ledger.isDistrusted(Lone.id(9)))
    #expect(lone.hear(try Made.transaction(9, sequence: 1, time: lone.time, links: links, previous: first.digest)) == .ignore)
    for number in 0..<20 { lone.give(.issue(tag: [1], payload: [UInt8(number)])) }
    let approved = lone.ledger.transactions(tagged: [1]).flatMap { [$0.links.0, $0.links.1] }
    #expect(!approved.contains(first.digest) && !approved.contains(second.digest))
    // Its approvals count for nothing: one honest issuer is one.
    let victim = try Made.transaction(7, sequence: 0, time: lone.time, links: links, payload: [5])
    lone.hear(victim)
    lone.give(.connected(Lone.id(3)))
    let nod = try Made.transaction(
      9, sequence: 2, time: lone.time, links: (victim.digest, victim.digest), previous: second.digest)
    lone.give(.received(from: Lone.id(3), .batch(.init(transactions: [nod.bytes]))))
    #expect(lone.ledger.approvals(of: victim.id) == 0)
  }

  @Test func `lazy tips are reported and not chosen`() throws {
    var (lone, _) = try settled()
    var authors = Authors()
    // Five minutes of honest work after the first history.
    var last = lone.ledger.transactions.suffix(2).map(\.digest)
    for number in 0..<150 {
      lone.now = lone.now + .seconds(2)
      let next = try authors.next(11 + number % 4, at: lone.time, on: (last[0], last[1]))
      lone.hear(next)
      last = [last[1], next.digest]
    }
    #expect(lone.reports.isEmpty)
    let old = lone.ledger.transactions[3].digest
    var lazy: [Digest] = []
    var idler = Authors()
    for _ in 0..<10 {
      let next = try idler.next(9, at: lone.time, on: (old, old))
      #expect(lone.hear(next) == .accept)
      lazy.append(next.digest)
    }
    lone.now = lone.now + .seconds(30)
    for number in 0..<40 { lone.give(.issue(tag: [1], payload: [UInt8(number)])) }
    guard case .lazy(let issuer, _)? = lone.reports.first else { throw WireError("test", "\(lone.reports)") }
    #expect(issuer == Lone.id(9) && lone.reports.count == 1)
    let approved = lone.ledger.transactions(tagged: [1]).flatMap { [$0.links.0, $0.links.1] }
    #expect(Set(approved).isDisjoint(with: lazy))
  }

  @Test func `a chain built aside and shown at once is not taken up`() throws {
    var (lone, honest) = try settled()
    var authors = Authors(), parasite = Authors()
    var secret: [Transaction] = []
    var tail = (honest[59].digest, honest[58].digest)
    var last = [honest[58].digest, honest[59].digest]
    for number in 0..<150 {
      lone.now = lone.now + .seconds(2)
      let next = try authors.next(11 + number % 4, at: lone.time, on: (last[0], last[1]))
      lone.hear(next)
      last = [last[1], next.digest]
      let hidden = try parasite.next(9, at: lone.time, on: tail)
      tail = (hidden.digest, tail.0)
      secret.append(hidden)
    }
    for hidden in secret { #expect(lone.hear(hidden) == .accept) }
    lone.now = lone.now + .seconds(30)
    for number in 0..<40 { lone.give(.issue(tag: [1], payload: [UInt8(number)])) }
    #expect(lone.reports.contains { $0.issuer == Lone.id(9) })
    let approved = Set(lone.ledger.transactions(tagged: [1]).flatMap { [$0.links.0, $0.links.1] })
    #expect(approved.isDisjoint(with: secret.suffix(100).map(\.digest)))
    #expect(!lone.ledger.isConfirmed(secret[149].id))
    #expect(lone.ledger.isConfirmed(CID(codec: .dagCBOR, digest: last[0])) || lone.ledger.holdings.unconfirmed < 200)
  }

  @Test func `times ahead of the clock and before the past are refused`() throws {
    var (lone, honest) = try settled()
    let links = (honest[59].digest, honest[58].digest)
    #expect(lone.hear(try Made.transaction(9, sequence: 0, time: lone.time + 121_000, links: links)) == .ignore)
    #expect(lone.hear(try Made.transaction(8, sequence: 0, time: honest[59].time - 1, links: links)) == .ignore)
    #expect(lone.reports.map(\.issuer) == [Lone.id(9), Lone.id(8)])
    #expect(lone.hear(try Made.transaction(9, sequence: 0, time: lone.time + 100_000, links: links)) == .accept)
    lone.give(.issue(tag: [1], payload: [1]))
    let mine = try #require(lone.ledger.transactions(tagged: [1]).first)
    #expect(mine.time <= lone.time + 1, "a time ahead of the clock draws nobody with it")
  }

  @Test func `batches nobody asked for are not read, and who asks too much waits`() throws {
    var (lone, _) = try settled()
    lone.give(.connected(Lone.id(9)))
    lone.give(.received(from: Lone.id(9), .batch(.init(answersFrontier: true))))
    let stranger = try Made.transaction(8, sequence: 0, time: lone.time)
    lone.give(.received(from: Lone.id(9), .batch(.init(transactions: [stranger.bytes]))))
    lone.give(.received(from: Lone.id(7), .batch(.init(transactions: [stranger.bytes]))))
    #expect(lone.ledger.transaction(stranger.id) == nil)
    #expect(lone.reports == [.excess(from: Lone.id(9))])
    var mean = Lone(1) { $0.limits.servedBytes = 20_000 }
    for transaction in lone.ledger.transactions { mean.hear(transaction) }
    mean.give(.connected(Lone.id(9)))
    for _ in 0..<50 { mean.give(.received(from: Lone.id(9), .frontier([]))) }
    #expect(mean.sent(to: 9).count < 8 && mean.reports == [.excess(from: Lone.id(9))])
    mean.now = mean.now + .seconds(11)
    mean.give(.received(from: Lone.id(9), .frontier([])))
    #expect(mean.sent(to: 9).count > 1)
  }
}
