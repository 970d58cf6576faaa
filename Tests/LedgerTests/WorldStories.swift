import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurSimulator
import MurmurWire
import Testing

/// Many ledgers with their gossip under virtual time.
@Suite struct WorldStories {
  private func conditions(_ peers: Int, seed: UInt64 = 1) -> LedgerConditions {
    var conditions = LedgerConditions(peers: peers)
    conditions.seed = seed
    conditions.ledger.baseDifficulty = 6
    return conditions
  }

  @Test func `fifty peers, a partition, newcomers and crashes: all is confirmed everywhere, nothing is lost`() {
    var experiment = LedgerExperiment()
    experiment.peers = 50
    experiment.transactions = 600
    experiment.rate = 2
    experiment.partition = (.origin + .seconds(60), .seconds(120))
    experiment.newcomers = 3
    experiment.crashes = 3
    experiment.conditions = conditions(50)
    let figures = experiment.run()
    print(figures)
    #expect(figures.issued == 600 && figures.unconfirmed == 0 && figures.lost == 0 && figures.reports == 0, "seed 1")
    #expect(figures.median < 5 && figures.percentile95 < 8 && figures.mergeSeconds < 60, "seed 1")
    let again = experiment.run()
    #expect(again.trace == figures.trace && again.events == figures.events, "the same seed is the same run")
    experiment.conditions.seed = 2
    #expect(experiment.run().trace != figures.trace)
  }

  @Test func `with a third of all messages lost nothing is`() {
    var experiment = LedgerExperiment()
    experiment.peers = 40
    experiment.transactions = 400
    experiment.rate = 5
    experiment.partition = nil
    experiment.conditions = conditions(40)
    experiment.conditions.loss = 0.3
    let figures = experiment.run()
    print(figures)
    #expect(figures.unconfirmed == 0 && figures.lost == 0 && figures.issued == 400, "seed 1")
  }

  @Test func `two peers confirm each other with a quorum of one`() {
    var conditions = conditions(2)
    conditions.ledger.quorum = 1
    var world = LedgerWorld(conditions)
    for number in 0..<20 { world.issue(by: 0, tag: [1], payload: [UInt8(number)], at: .origin + .seconds(Double(number))) }
    world.run(until: .origin + .seconds(60))
    for peer in 0..<2 {
      let found = world.ledger(of: peer).transactions(tagged: [1])
      #expect(found.map { $0.payload[0] } == Array(0..<20))
      #expect(found.allSatisfy { world.ledger(of: peer).isConfirmed($0.id) })
    }
  }

  @Test func `what is kept is bounded, and a newcomer gets what there is from those who have pruned`() {
    var conditions = conditions(20)
    conditions.ledger.keepTime = .seconds(60)
    conditions.ledger.pruneInterval = .seconds(5)
    conditions.faults = [
      .init(.origin, .absent(7)), .init(.origin + .seconds(200), .start(7)), .init(.origin + .seconds(220), .crash(8)),
      .init(.origin + .seconds(240), .start(8)),
    ]
    var world = LedgerWorld(conditions)
    for number in 0..<900 {
      world.issue(by: number % 20, tag: [UInt8(number & 255)], payload: [1], at: .origin + .seconds(5 + Double(number) / 3))
    }
    world.run(until: .origin + .seconds(310))
    for peer in 0..<20 {
      let ledger = world.ledger(of: peer)
      #expect((100..<450).contains(ledger.holdings.transactions), "peer \(peer): \(ledger.holdings)")
      #expect(ledger.holdings.waiting == 0 && ledger.holdings.entryPoints < 6_000)
    }
    let latest = world.stories.filter { $0.value.said > .origin + .seconds(250) && $0.value.said < .origin + .seconds(295) }
    #expect(latest.count > 100)
    #expect(latest.allSatisfy { $0.value.solid == 20 && $0.value.confirmed == 20 })
    #expect(world.reports.isEmpty, "\(world.reports.prefix(3))")
  }

  @Test func `floods, with work and without, delay nobody else`() throws {
    func honest(_ world: LedgerWorld) -> Double {
      let times = world.stories.values.compactMap { $0.confirmedAtIssuer?.seconds.advanced(by: -$0.said.seconds) }.sorted()
      return times.count > 200 ? times[times.count / 2] : .infinity
    }
    func world() -> LedgerWorld {
      var world = LedgerWorld(conditions(30))
      for number in 0..<300 {
        world.issue(by: 1 + number % 29, tag: [1], payload: [1], at: .origin + .seconds(5 + Double(number) / 5))
      }
      return world
    }
    var quiet = world(), loud = world()
    quiet.run(until: .origin + .seconds(90))
    let flooder = LedgerWorld.id(0)
    var sequence: UInt64 = 0, last: Digest?, times: [Int64] = []
    for tick in 0..<600 {
      loud.run(until: .origin + .seconds(5 + Double(tick) / 10))
      let time = LedgerWorld.epoch + Int64(loud.now.seconds * 1_000)
      for number in 0..<5 {
        // Each fifth pays what its rate costs, the others do not, or nothing at all.
        let isPaid = number == 0
        if isPaid { times.append(time) }
        let ratio = times.count > 16 ? 1_000 / Double(max(time - times[times.count - 17], 1)) : 0
        let bits = isPaid ? 6 + (ratio >= 2 ? 2 : 0) : number % 2 == 0 ? 6 : 0
        let links = (loud.ledger(of: 0).transactions.last?.digest ?? loud.conditions.ledger.genesis)
        let body = Transaction.encode(
          .init(
            issuer: isPaid ? flooder : LedgerWorld.id(1_000 + number), sequence: isPaid ? sequence : 0, time: time,
            links: (links, links),
            previous: isPaid ? last : nil, tag: [], difficulty: bits), payload: [UInt8(tick & 255)])
        let digest = Digest.sha256(of: body)
        let nonce = try #require(Challenge(body: digest, difficulty: bits).solve())
        let issuer = isPaid ? flooder : LedgerWorld.id(1_000 + number)
        let signature = SharedTransactions.signature(of: issuer, over: Transaction.signedBytes(of: digest, nonce: nonce))
        let made = try Transaction(body: body, nonce: nonce, signature: signature)
        if isPaid {
          sequence += 1
          last = made.digest
        }
        loud.publish(made.bytes, by: 0)
      }
    }
    loud.run(until: .origin + .seconds(90))
    print("confirmed after \(honest(quiet)) s, in a flood after \(honest(loud)) s")
    #expect(honest(loud) < honest(quiet) * 2 + 1)
    #expect(loud.stories.values.allSatisfy { $0.confirmed == 30 })
    let named = Set(loud.reports.compactMap(\.1.issuer))
    #expect(named.contains(LedgerWorld.id(1_001)) && named.contains(LedgerWorld.id(1_002)))
    #expect(named.isSubset(of: Set([flooder] + (1_000..<1_006).map(LedgerWorld.id))), "honest issuers are not accused")
  }
}
