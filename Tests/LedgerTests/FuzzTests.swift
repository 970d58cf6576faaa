import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire
import Testing

/// Random bytes and random callers.
@Suite struct FuzzTests {
  @Test func `decoders refuse or read, and what they read they write`() throws {
    var chance = Chance(seed: 31)
    let made = try history(6, from: 1_000)
    let messages: [LedgerMessage] = [
      .frontier(made.map(\.digest)), .wanted([made[0].digest]), .frontier([]),
      .batch(.init(transactions: made.map(\.bytes), pruned: [made[1].digest], hasMore: true, answersFrontier: true)),
      .batch(.init()),
    ]
    var snapshot = LedgerSnapshot(entryPoints: made.map(\.digest).sorted())
    snapshot.issuers = [.init(key: made[0].digest, sequence: 5, last: made[0].digest, prunedSequence: -1, isDistrusted: true)]
    for message in messages {
      #expect(try LedgerMessage.decode(message.encode()) == message)
      #expect(message.encode().count == message.wireSize)
    }
    #expect(try LedgerSnapshot.decode(snapshot.encode()) == snapshot)
    var read = 0
    for round in 0..<Effort.inputs {
      switch round % 3 {
      case 0:
        let bytes = mutated(made[chance.below(6)].bytes, &chance)
        guard let transaction = try? Transaction(reading: bytes) else { continue }
        #expect(transaction.bytes == bytes)
        // What has this form is canonical: it can be written in no other way.
        #expect(try CBORValue(decoding: bytes).encoded == bytes, "seed 31, round \(round)")
        read += 1
      case 1:
        do throws(WireError) {
          _ = try LedgerMessage.decode(mutated(messages[chance.below(5)].encode(), &chance))
          read += 1
        } catch { continue }
      default:
        do throws(WireError) {
          let bytes = mutated(snapshot.encode(), &chance)
          #expect(try LedgerSnapshot.decode(bytes).encode() == bytes)
          read += 1
        } catch { continue }
      }
    }
    #expect(read > Effort.inputs / 50)
  }

  @Test(arguments: Effort.seeds.prefix(8)) func `whatever is done to a ledger, it stays within its bounds`(seed: UInt64) throws {
    var chance = Chance(seed: seed).fork("fuzz")
    let limits = (transactions: 80, waiting: 40)
    var lone = Lone(seed: seed) {
      $0.limits.transactions = limits.transactions
      $0.limits.waiting = limits.waiting
      $0.limits.queue = 4
      $0.limits.votes = 8
      $0.keepTime = .seconds(300)
    }
    var authors = Authors()
    var known = [Made.genesis.digest, Digest(1, 2, 3, 4)]
    var made: [Transaction] = []
    for _ in 0..<Effort.inputs / 20 {
      let peer = Lone.id(1 + chance.below(5))
      let some = known[chance.below(known.count)]
      switch chance.below(14) {
      case 0: lone.give(.connected(peer))
      case 1: lone.give(.disconnected(peer))
      case 2...5:
        let time = lone.time + Int64(chance.below(10_000)) - 5_000
        let next = try authors.next(
          1 + chance.below(6), at: max(0, time), on: (some, known[chance.below(known.count)]), payload: [UInt8(chance.below(3))])
        made.append(next)
        known.append(next.digest)
        if known.count > 60 { known.removeFirst(20) }
        if chance.happens(0.8) { lone.give(.gossiped(from: peer, next.bytes)) }
      case 6: if let old = made.last { lone.give(.gossiped(from: nil, mutated(old.bytes, &chance))) }
      case 7: lone.give(.received(from: peer, .frontier(chance.pick(5, from: known))))
      case 8: lone.give(.received(from: peer, .wanted(chance.pick(5, from: known))))
      case 9:
        let some = chance.pick(4, from: made.suffix(50).map(\.bytes))
        lone.give(
          .received(
            from: peer,
            .batch(
              .init(
                transactions: some, pruned: chance.pick(2, from: known), hasMore: chance.happens(0.5),
                answersFrontier: chance.happens(0.5)))))
      case 10: lone.give(.issue(tag: [UInt8(chance.below(3))], payload: [1]))
      case 11: lone.give(.fired(Ledger.Timer.allCases[chance.below(4)]))
      case 12: lone.give(.worked(Challenge(body: some, difficulty: 3), nonce: chance.next()))
      default: lone.wait(.seconds(Double(chance.below(6))))
      }
      let holdings = lone.ledger.holdings
      #expect(holdings.transactions <= limits.transactions && holdings.waiting <= limits.waiting, "seed \(seed): \(holdings)")
      #expect(
        holdings.unconfirmed >= 0 && holdings.unconfirmed <= holdings.transactions && holdings.tips <= holdings.transactions)
      #expect(lone.ledger.transactions.count == holdings.transactions, "seed \(seed)")
      guard holdings.transactions <= limits.transactions else { return }
    }
    // What approves is always after what it approves.
    var seen: Set<Digest> = []
    for transaction in lone.ledger.transactions {
      for link in [transaction.links.0, transaction.links.1]
      where lone.ledger.transaction(CID(codec: .dagCBOR, digest: link)) != nil {
        #expect(seen.contains(link), "seed \(seed)")
      }
      seen.insert(transaction.digest)
    }
  }
}
