import MurmurMachines
import MurmurScenario
import MurmurSessions
import Testing

@Suite struct NetworkTests {
  @Test func aLinksDistanceIsItsOwnAndTheSameBothWays() {
    let (link, chance) = (LinkModel(), Chance(seed: 3))
    #expect(link.distance(3, 9, chance: chance) == link.distance(9, 3, chance: chance))
    let all = (0..<100).flatMap { one in ((one + 1)..<100).map { link.distance(one, $0, chance: chance).seconds } }.sorted()
    #expect(abs(all[all.count / 2] - 0.04) < 0.002)
    let within = Double(all.count { $0 > 0.04 / 1.5 && $0 < 0.04 * 1.5 }) / Double(all.count)
    #expect(abs(within - 0.683) < 0.02, "two thirds lie within one spread")
  }

  @Test func messagesMeetTheirFateAsOftenAsTheModelSays() {
    var link = LinkModel()
    (link.loss, link.duplication, link.reordering, link.corruption) = (0.1, 0.05, 0.2, 0.02)
    var chance = Chance(seed: 4)
    var (lost, twice, held, corrupt) = (0.0, 0.0, 0.0, 0.0)
    let count = 100_000.0
    for _ in 0..<Int(count) {
      let fate = link.fate(distance: .milliseconds(40), chance: &chance)
      guard let first = fate.first else {
        lost += 1
        continue
      }
      #expect(first.after >= .milliseconds(40) && first.after <= .milliseconds(40 * 5.1))
      if first.after > .milliseconds(44.1) { held += 1 }
      if first.isCorrupt { corrupt += 1 }
      if fate.second != nil { twice += 1 }
    }
    #expect(abs(lost / count - 0.1) < 0.005 && abs(twice / (count - lost) - 0.05) < 0.005)
    #expect(abs(held / (count - lost) - 0.2) < 0.005 && abs(corrupt / (count - lost) - 0.02) < 0.003)
  }

  @Test func aChangeOfOddsLeavesTheOtherDrawsAlone() {
    var lossy = LinkModel()
    lossy.loss = 0.5
    var (one, two) = (Chance(seed: 8), Chance(seed: 8))
    for _ in 0..<1_000 {
      let plain = LinkModel().fate(distance: .milliseconds(40), chance: &one)
      let fate = lossy.fate(distance: .milliseconds(40), chance: &two)
      #expect(fate.first == nil || fate == plain)
    }
  }

  @Test func anUplinkSendsOneAfterAnotherAndDropsWhatWouldWaitTooLong() {
    var uplink = Uplink()
    let rate = DataRate(bitsPerSecond: 8e6)
    #expect(uplink.send(bytes: 500_000, at: .origin, rate: rate, queue: 1_000_000) == .origin + .milliseconds(500))
    #expect(uplink.send(bytes: 600_000, at: .origin, rate: rate, queue: 1_000_000) == .origin + .milliseconds(1_100))
    #expect(uplink.send(bytes: 1, at: .origin, rate: rate, queue: 1_000_000) == nil)
    #expect(uplink.send(bytes: 1_000, at: .origin + .seconds(5), rate: rate, queue: 1_000_000) == .origin + .milliseconds(5_001))
    #expect(uplink.send(bytes: 1 << 40, at: .origin + .seconds(9), rate: .unlimited, queue: 0) == .origin + .seconds(9))
  }

  @Test func peersHaveRolesSpeedsAndTimesToJoin() throws {
    let plan = try Scenario(
      yaml:
        "peers: {count: 10, roles: {trainer: 2, feeder: 1}, late: [{count: 1, at: 50 %}, {count: 2, at: 30 min}]}\nsession: {privacy: no}",
      file: "t.yaml"
    ).peers
    #expect((0..<10).map(plan.role) == [Session.Role](repeating: .full, count: 7) + [.trainer, .trainer, .feeder])
    let joins = plan.joins(length: .minutes(200))
    #expect(joins.map { $0.seconds / 60 } == [0, 0, 0, 0, 30, 30, 100, 0, 0, 0])
    var many = PeerPlan()
    many.count = 5_000
    let speeds = many.speeds(chance: Chance(seed: 1)).sorted()
    #expect(abs(speeds[2_500] / 1e9 - 1) < 0.03 && speeds == many.speeds(chance: Chance(seed: 1)).sorted())
  }
}
