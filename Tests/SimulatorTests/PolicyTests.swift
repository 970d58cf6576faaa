import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import Testing

/// Every rule under every schedule and every trouble: the axes are independent, and this table holds them to it.
@Suite("Any rule runs under any schedule and any fault")
struct PolicyTests {
  static let rules: [Session.Averaging.Rule] = [.mean, .byRows, .byLoss, .lineSearch, .median, .trimmedMean(0.2)]
  static let troubles: [(name: String, faults: [Fault])] = {
    var link = Fault.LinkTrouble()
    (link.loss, link.duplication, link.reordering, link.corruption) = (0.1, 0.05, 0.1, 0.02)
    return [("none", []), ("lossy links", [.link(link)]), ("offline", [.offline(Fault.Offline(probability: 0.5))])]
  }()

  @Test("all combinations learn", arguments: rules, 0..<troubles.count)
  func product(rule: Session.Averaging.Rule, trouble: Int) throws {
    for announcements in [Session.Announcements.newscast(fanout: 4, entries: 6), .broadcast] {
      for work in [Session.Work.combined, .alternating(trainingShare: 0.5)] {
        let scenario = SessionTests.scenario(21, minutes: 20) {
          $0.session.averaging.rule = rule
          $0.session.averaging.varianceCorrected = rule == .mean
          $0.session.announcements = announcements
          $0.session.work = work
          $0.faults.faults = Self.troubles[trouble].faults
        }
        let outcome = try SessionTests.run(scenario)
        let accuracy = SessionTests.accuracy(outcome)
        let what = "seed 21, \(rule), \(announcements), \(work), \(Self.troubles[trouble].name): \(accuracy)"
        #expect(accuracy.mean > 0.75, "\(what)")
        #expect(outcome.total.successes > 0, "\(what)")
      }
    }
  }

  @Test("LEARNAE as published: train or average at random, one better model, adopted only if better, told to all")
  func learnae() throws {
    let scenario = SessionTests.scenario(8, minutes: 60) {
      $0.session.work = .alternating(trainingShare: 0.5)
      $0.session.announcements = .broadcast
      $0.session.averaging.choice = .better
      $0.session.averaging.adoption = .ifBetter
      $0.session.averaging.partners = 1
    }
    let outcome = try SessionTests.run(scenario)
    #expect(outcome.total.attempts > outcome.total.successes, "seed 8: some averages are no better and not adopted")
    #expect(SessionTests.accuracy(outcome).mean > 0.85, "seed 8: \(SessionTests.accuracy(outcome))")
  }

  @Test("rows that are shared as dataslices teach trainers who have none, and no slice is used more often than agreed")
  func slices() throws {
    let scenario = SessionTests.scenario(9, minutes: 60) {
      $0.peers.roles.trainers = 4
      $0.peers.roles.feeders = 3
      $0.session.privacy = false
      $0.session.slices.rows = 20
      $0.session.slices.overuse = 25
    }
    let outcome = try SessionTests.run(scenario)
    let trainers = outcome.peers.filter { $0.role == "trainer" }
    #expect(trainers.count == 4 && trainers.allSatisfy { ($0.accuracy ?? 0) > 0.85 }, "seed 9: \(trainers.map(\.accuracy))")
    #expect(outcome.peers.filter { $0.role == "feeder" }.allSatisfy { $0.accuracy == nil })
    // 16 peers have 70 rows less one tenth each, in slices of 20: four each. Announcements take time, so a few uses go past the limit.
    let slices = 16 * 4
    #expect(outcome.total.trained <= slices * 25 * 5 / 4, "seed 9: \(outcome.total.trained) uses of \(slices) slices")
    #expect(outcome.total.trained > slices, "seed 9: \(outcome.total.trained) uses of \(slices) slices")
  }
}
