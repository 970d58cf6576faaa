import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire
import Testing

/// What one ledger does with what it is told.
@Suite struct LedgerStories {
  @Test func `what the application says is kept before it is published, and told`() throws {
    var lone = Lone()
    lone.give(.issue(tag: [1], payload: [2, 3]))
    let kinds = lone.wanted.map { effect in
      switch effect {
      case .keep: "keep"
      case .solid: "solid"
      case .publish: "publish"
      case .issued: "issued"
      default: "other"
      }
    }
    #expect(kinds == ["keep", "solid", "publish", "issued"])
    let found = lone.ledger.transactions(tagged: [1])
    #expect(found.map(\.payload) == [[2, 3]] && found[0].links.0 == Made.genesis.digest && found[0].sequence == 0)
    lone.give(.issue(tag: [1], payload: [4]))
    #expect(lone.ledger.transactions(tagged: [1]).map(\.payload) == [[2, 3], [4]])
    #expect(lone.ledger.transactions(tagged: [1])[1].previous == found[0].digest)
    lone.give(.issue(tag: [UInt8](repeating: 0, count: 65), payload: []))
    guard case .refused(_, .tooLarge)? = lone.wanted.last else { throw WireError("test", "\(lone.wanted)") }
  }

  @Test func `two other issuers confirm a transaction and all of its past; the own ones count for nothing`() throws {
    var lone = Lone(), authors = Authors()
    let first = try authors.next(1, at: lone.time)
    let second = try authors.next(1, at: lone.time + 1, on: (first.digest, first.digest))
    lone.hear(first)
    lone.hear(second)
    #expect(lone.ledger.approvals(of: first.id) == 0)
    let third = try authors.next(2, at: lone.time + 2, on: (second.digest, second.digest))
    lone.hear(third)
    #expect(lone.ledger.approvals(of: first.id) == 1 && lone.ledger.approvals(of: second.id) == 1)
    let fourth = try authors.next(2, at: lone.time + 3, on: (third.digest, third.digest))
    lone.hear(fourth)
    #expect(!lone.ledger.isConfirmed(first.id))
    lone.hear(try authors.next(3, at: lone.time + 4, on: (fourth.digest, fourth.digest)))
    #expect(lone.ledger.isConfirmed(first.id) && lone.ledger.isConfirmed(second.id))
    #expect(lone.ledger.approvals(of: third.id) == 1)
    let told = lone.wanted.flatMap { if case .confirmed(let ids) = $0 { ids } else { [CID]() } }
    #expect(Set(told) == [first.id, second.id])
    #expect(lone.ledger.holdings.tips == 1)
  }

  @Test(arguments: Effort.seeds.prefix(20)) func `in any order, with repetitions, the ledger becomes the same`(seed: UInt64)
    throws
  {
    let all = try history(120, from: 900_000)
    var straight = Lone(), mixed = Lone()
    for transaction in all { straight.hear(transaction) }
    var chance = Chance(seed: seed)
    var order = all + chance.pick(40, from: all)
    chance.shuffle(&order)
    for transaction in order { mixed.hear(transaction) }
    #expect(mixed.ledger.holdings.waiting == 0, "seed \(seed)")
    #expect(Set(mixed.ledger.transactions) == Set(straight.ledger.transactions) && mixed.ledger.holdings.transactions == 120)
    for transaction in all {
      #expect(mixed.ledger.isConfirmed(transaction.id) == straight.ledger.isConfirmed(transaction.id), "seed \(seed)")
    }
    #expect(mixed.ledger.holdings.tips == straight.ledger.holdings.tips)
    #expect(mixed.reports.isEmpty)
    #expect(mixed.ledger.transactions.count > 100 && mixed.ledger.holdings.unconfirmed < 20)
  }

  @Test func `with nothing to say a peer nods, unless others were faster`() throws {
    var lone = Lone(), authors = Authors()
    let lonely = try authors.next(1, at: lone.time, tag: [9])
    lone.hear(lonely)
    lone.wait(.seconds(1))
    #expect(lone.ledger.statistics.nods == 0)
    lone.wait(.seconds(4))
    #expect(lone.ledger.statistics.nods == 1, "it approves once, more would not help")
    #expect(lone.ledger.approvals(of: lonely.id) == 1)
    lone.wait(.seconds(100))
    #expect(lone.ledger.statistics.nods == 1)
    var busy = Lone()
    busy.hear(lonely)
    for number in 2...3 { busy.hear(try authors.next(number, at: busy.time, on: (lonely.digest, lonely.digest))) }
    #expect(busy.ledger.isConfirmed(lonely.id))
    busy.wait(.seconds(100))
    #expect(busy.ledger.statistics.nods <= 1, "what others said wants to be confirmed as well, what they nodded does not")
  }

  @Test func `what is missing is asked of who brought it, then of others, and forgotten at last`() throws {
    var lone = Lone()
    for peer in 1...3 { lone.give(.connected(Lone.id(peer))) }
    let all = try history(3, from: 900_000)
    lone.hear(all[2], from: 2)
    #expect(lone.ledger.holdings.waiting == 1)
    lone.wait(.milliseconds(500))
    #expect(!lone.sent(to: 2).contains { if case .wanted = $0 { true } else { false } })
    lone.wait(.seconds(1))
    #expect(lone.sent(to: 2).contains { if case .wanted(let digests) = $0 { digests.contains(all[1].digest) } else { false } })
    lone.give(.received(from: Lone.id(2), .batch(.init(transactions: [all[1].bytes]))))
    #expect(lone.ledger.holdings.waiting == 2)
    lone.give(.received(from: Lone.id(2), .batch(.init(transactions: [all[0].bytes]))))
    lone.wait(.seconds(2))
    lone.give(.received(from: Lone.id(2), .batch(.init(transactions: [all[0].bytes]))))
    #expect(lone.ledger.holdings.waiting == 0 && lone.ledger.holdings.transactions == 3)
    let orphan = try Made.transaction(4, sequence: 0, time: lone.time, links: (Digest(1, 2, 3, 4), Digest(1, 2, 3, 4)))
    lone.hear(orphan, from: 1)
    lone.wait(.seconds(600))
    #expect(lone.ledger.holdings.waiting == 0 && lone.ledger.statistics.orphaned == 1)
  }

  @Test func `a restart goes on where it was, also after pruning`() throws {
    var lone = Lone { $0.keepTime = .seconds(100) }
    for transaction in try history(60, from: lone.time - 120_000) { lone.hear(transaction) }
    lone.give(.issue(tag: [1], payload: [1]))
    lone.wait(.seconds(80))
    for transaction in try history(50, issuers: 3, from: lone.time - 20_000, seed: 9) where transaction.sequence == 0 {
      lone.hear(transaction)
    }
    lone.give(.issue(tag: [1], payload: [2]))
    lone.wait(.seconds(90))
    let disk = try lone.disk
    #expect(disk.snapshot != nil && !disk.transactions.isEmpty && lone.ledger.statistics.pruned >= 60)
    var next = Lone { $0.keepTime = .seconds(100) }
    next.now = lone.now
    next.give(.restored(disk.transactions, disk.snapshot))
    next.give(.started)
    #expect(Set(next.ledger.transactions) == Set(lone.ledger.transactions))
    for transaction in lone.ledger.transactions {
      #expect(next.ledger.isConfirmed(transaction.id) == lone.ledger.isConfirmed(transaction.id))
    }
    next.give(.issue(tag: [1], payload: [3]))
    let mine = try #require(next.ledger.transactions(tagged: [1]).last)
    let before = try #require(lone.ledger.transactions(tagged: [1]).last)
    #expect(mine.sequence == before.sequence + 1 && mine.previous == before.digest, "no number is used twice")
  }

  /// A peer that came late is told by its guide what need not be had, learns from there on and says something; then it dies.
  @Test func `a newcomer that is killed soon goes on with its own next number, whatever of the ledger its disk kept`() throws {
    let pruned = Digest(7, 7, 7, 7)
    func newcomer() throws -> Lone {
      var lone = Lone()
      lone.give(.connected(Lone.id(1)))
      var authors = Authors()
      let first = try authors.next(1, at: lone.time - 5_000, on: (pruned, pruned))
      let second = try authors.next(2, at: lone.time - 4_000, on: (first.digest, first.digest))
      lone.give(
        .received(
          from: Lone.id(1), .batch(.init(transactions: [first.bytes, second.bytes], pruned: [pruned], answersFrontier: true))))
      #expect(lone.ledger.holdings.waiting == 0 && lone.ledger.holdings.transactions == 2)
      lone.give(.issue(tag: [1], payload: [1]))
      lone.give(.issue(tag: [1], payload: [2]))
      return lone
    }
    let lone = try newcomer()
    let disk = try lone.disk
    #expect(disk.transactions.count == 4)
    // Its disk knows what its guide vouched for; one of an earlier version does not, and everything waits.
    for snapshot in [disk.snapshot, nil] {
      var next = Lone()
      next.now = lone.now + .seconds(1)
      next.ledger = Lone().ledger
      next.timers = [:]
      next.give(.restored(disk.transactions, snapshot))
      next.give(.started)
      #expect(next.ledger.holdings.transactions == (snapshot == nil ? 0 : 4))
      next.give(.issue(tag: [1], payload: [3]))
      let published = next.wanted.compactMap { effect -> [UInt8]? in if case .publish(let bytes) = effect { bytes } else { nil } }
      let mine = try Transaction(reading: try #require(published.last))
      #expect(mine.sequence == 2 && mine.previous == disk.transactions.last?.digest, "no number is used twice")
      guard snapshot == nil else { continue }
      // What is missing is asked for.
      next.give(.connected(Lone.id(1)))
      next.wait(.seconds(3))
      #expect(next.sent(to: 1).contains { if case .wanted(let names) = $0 { names.contains(pruned) } else { false } })
    }
  }

  @Test func `an issuer that was silent for longer than anything is kept goes on`() throws {
    var lone = Lone { $0.keepTime = .seconds(100) }, other = Lone(1) { $0.keepTime = .seconds(100) }
    lone.give(.issue(tag: [1], payload: [1]))
    let first = try #require(lone.ledger.transactions.last)
    other.hear(first)
    lone.wait(.seconds(1_000))
    other.wait(.seconds(1_000))
    #expect(lone.ledger.holdings.transactions == 0 && other.ledger.holdings.transactions == 0)
    lone.give(.issue(tag: [1], payload: [2]))
    let second = try #require(lone.ledger.transactions.last)
    #expect(second.previous == first.digest)
    #expect(other.hear(second) == .accept)
    #expect(other.ledger.transaction(second.id) != nil)
    #expect(other.hear(first) == .ignore, "what was pruned does not come back")
  }

  @Test func `room is bounded, whatever comes`() throws {
    var lone = Lone {
      $0.limits.transactions = 64
      $0.limits.issuers = 16
      $0.limits.waiting = 32
    }
    for transaction in try history(400, from: 700_000) {
      lone.now = lone.now + .seconds(20)
      lone.hear(transaction)
    }
    #expect(lone.ledger.holdings.transactions <= 64 && lone.ledger.statistics.pruned >= 336)
    for number in 100..<300 {
      lone.hear(try Made.transaction(number, sequence: 0, time: lone.time))
      lone.hear(
        try Made.transaction(number, sequence: 1, time: lone.time, previous: Digest(UInt64(number), 0, 0, 0)),
        from: 1 + number % 3)
    }
    let holdings = lone.ledger.holdings
    #expect(holdings.transactions <= 64 && holdings.waiting <= 32, "\(holdings)")
    #expect(try lone.disk.transactions.count == holdings.transactions)
    lone.wait(.seconds(3_000))
    #expect(lone.ledger.holdings.issuers <= 64 + 16, "\(lone.ledger.holdings)")
  }
}
