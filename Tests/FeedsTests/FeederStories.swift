import MurmurFeeds
import MurmurMachines
import MurmurWire
import Testing

/// A feeder, its gateways and what happens to them, told by a seed.
@Suite struct FeederStories {
  @Test func `a packet goes to the gateway, is held, is confirmed, and is forgotten only then`() {
    var world = FeedWorld(seed: 1, gateways: 1)
    world.write(1)
    #expect(world.run(for: 5) { $0.events.contains { if case .held(0, .some) = $0 { true } else { false } } })
    #expect(world.forgotten == 0)
    #expect(world.run(for: 5) { $0.isDone })
    #expect(world.isWhole && world.feeder.statistics.published == 1 && world.feeder.statistics.asked == 0)
  }

  @Test func `a thousand packets need one question and one transaction each on a good line`() {
    var world = FeedWorld(seed: 2, gateways: 2)
    world.write(1_000)
    #expect(world.run(for: 60) { $0.isDone })
    #expect(world.isWhole && world.transactions.values.allSatisfy { $0 == 1 })
    #expect(world.feeder.statistics.published == 1_000 && world.feeder.statistics.asked == 0)
    #expect(world.feeder.unconfirmed == 0 && world.gateways[0].unissued == 0)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func `a line that loses a third and reorders brings everything`(seed: UInt64) {
    var world = FeedWorld(seed: seed, gateways: 2, weather: .init(loss: 0.3, delay: 0.1, isReordered: true))
    world.write(300)
    #expect(world.run(for: 3_600) { $0.isDone }, "seed \(seed)")
    #expect(world.isWhole, "seed \(seed)")
    // Asking first keeps what is issued twice rare.
    #expect(world.transactions.values.reduce(0, +) < 400, "seed \(seed)")
  }

  @Test func `on a line that loses three of ten messages it waits as long as answers take, which is worth a lot`() {
    var (learnt, fixed) = (0.0, 0.0)
    for seed in 1...10 as ClosedRange<UInt64> {
      for isFixed in [false, true] {
        var world = FeedWorld(seed: seed, gateways: 1, weather: .init(loss: 0.3)) { if isFixed { $0.leastSilence = $0.silence } }
        // The hello may be lost as well; that is another story.
        world.write(1)
        world.run(for: 300) { $0.isWhole }
        let begun = world.now
        for _ in 0..<200 {
          world.write(1)
          world.run(for: 0.04)
        }
        #expect(world.run(for: 300) { $0.isWhole }, "seed \(seed): \(world.contents.count) of 201")
        if isFixed { fixed += (world.now - begun).seconds } else { learnt += (world.now - begun).seconds }
        #expect(world.run(for: 600) { $0.isDone }, "seed \(seed): \(world.forgotten) of 201 were forgotten")
      }
    }
    print(
      "200 messages in 8 s over a line that loses 30 %: there after \(learnt / 10) s, with a fixed wait after \(fixed / 10) s")
    #expect(learnt * 2 < fixed, "\(learnt / 10) s, \(fixed / 10) s")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func `the gateway dies right after it held everything: the next one gets it`(
    seed: UInt64
  ) {
    var weather = FeedWorld.Weather()
    weather.confirmation = 30
    var world = FeedWorld(seed: seed, gateways: 2, weather: weather)
    world.write(20)
    #expect(world.run(for: 20) { $0.transactions.count == 20 }, "seed \(seed)")
    let first = world.feeder.gateway ?? 0
    world.kill(first, losesLedger: true)
    world.weather.confirmation = 1
    #expect(world.run(for: 300) { $0.isDone }, "seed \(seed)")
    #expect(world.isWhole && world.feeder.gateway == 1 - first && world.feeder.statistics.again == 20, "seed \(seed)")
  }

  @Test func `a new gateway that has heard of the messages by gossip gets none again`() {
    var world = FeedWorld(seed: 4, gateways: 2)
    world.weather.confirmation = 5
    world.write(50)
    #expect(world.run(for: 60) { $0.confirmed.count == 50 && !$0.isDone || $0.isDone })
    world.write(50)
    world.run(for: 4)
    world.cut()
    #expect(world.run(for: 60) { $0.isDone })
    #expect(world.isWhole && world.transactions.values.allSatisfy { $0 <= 2 })
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>) func `whatever is killed and cut, nothing is lost and nothing else is said`(
    seed: UInt64
  ) {
    var chance = Chance(seed: seed).fork("story")
    var world = FeedWorld(seed: seed, gateways: 3, weather: .init(loss: 0.1, delay: 0.2, isReordered: true))
    for _ in 0..<60 {
      world.write(chance.below(20))
      world.run(for: chance.uniform() * 4)
      switch chance.below(6) {
      case 0: world.kill(chance.below(3), losesLedger: false)
      case 1: world.killFeeder()
      case 2: world.cut()
      default: world.revive(chance.below(3))
      }
    }
    for number in 0..<3 { world.revive(number) }
    #expect(world.run(for: 3_600) { $0.isDone }, "seed \(seed)")
    #expect(world.isWhole && world.contents.count == world.written, "seed \(seed)")
    #expect(world.shutOut.isEmpty, "seed \(seed)")
  }

  @Test func `a gateway that nobody hears is left for one that gets messages confirmed`() {
    var world = FeedWorld(seed: 5, gateways: 2, weather: .init(confirmation: 1e6))
    world.write(10)
    #expect(world.run(for: 100) { $0.transactions.count == 10 })
    let first = world.feeder.gateway
    #expect(world.run(for: 600) { $0.feeder.gateway != nil && $0.feeder.gateway != first })
    world.weather.confirmation = 1
    world.write(1)
    #expect(world.run(for: 600) { $0.transactions.count == 11 })
  }

  @Test func `gateways that are away are tried less and less, and found again`() {
    var world = FeedWorld(seed: 6, gateways: 3)
    for number in 0..<3 { world.kill(number) }
    world.write(5)
    world.run(for: 600)
    let dials = world.events.count { if case .dialling = $0 { true } else { false } }
    #expect(dials > 20 && dials < 80, "\(dials) dials in ten minutes")
    world.revive(1)
    #expect(world.run(for: 120) { $0.isDone })
  }

  @Test func `a gateway of another session is told from a dead one and not pestered`() {
    var world = FeedWorld(seed: 7, gateways: 1, rules: .init(session: "other"))
    world.write(1)
    world.run(for: 600)
    let dials = world.events.count { if case .dialling = $0 { true } else { false } }
    #expect(dials < 30, "\(dials) dials in ten minutes")
    #expect(world.events.contains { if case .left(0, let why) = $0 { why.contains("session 'other'") } else { false } })
  }

  @Test func `a spool larger than the window is worked off in order`() {
    var world = FeedWorld(seed: 8, gateways: 1) { $0.window = 64 }
    world.write(1_000)
    #expect(world.feeder.unconfirmed == 64)
    #expect(world.run(for: 600) { $0.isDone } && world.isWhole)
  }

  @Test func `a slow gateway gets no more than its window and is not taken for dead`() {
    var rules = Gateway.Configuration(session: "s")
    rules.window = 4
    (rules.messagesPerSecond, rules.messageBurst) = (0.05, 1)
    var world = FeedWorld(seed: 9, gateways: 1, rules: rules)
    world.write(10)
    #expect(world.run(for: 1_000) { $0.isDone })
    #expect(world.isWhole && world.shutOut.isEmpty && world.feeder.statistics.changes == 0)
  }

  @Test func `what cannot be taken is reported and does not stand in the way`() {
    var rules = Gateway.Configuration(session: "s") { _, content in content.first == UInt8(ascii: "m") && content.count != 77 }
    rules.contentBytes = 1_000
    var world = FeedWorld(seed: 10, gateways: 1, rules: rules)
    world.write(1)
    world.write(1, bytes: 77)
    world.write(1, bytes: 2_000)
    world.write(3)
    #expect(world.run(for: 30) { $0.confirmed.count == 4 })
    world.run(for: 30)
    #expect(world.forgotten == 1)
    #expect(world.events.contains(.refused(1, .noMessage)) && world.events.contains(.refused(2, .tooLarge)))
  }
}
