import Foundation
import MurmurCommands
import MurmurReports
import Testing

@Suite("A paper is run again and held against what it says")
struct ReproduceTests {
  typealias Policy = ReproducePlan.Policy

  /// Six peers with forty digits each, eight cycles: everything a reproduction does, in a moment.
  static let plan: ReproducePlan = {
    var plan = ReproducePlan(data: [.init("digits", perPeer: 40, model: "64-64-10")], seeds: [4, 5])
    plan.probabilities = [0, 0.8]
    plan.peers = 6
    plan.cycles = 8
    return plan
  }()

  @Test("every session of a plan runs, the same each time, and the report has every figure and table")
  func whole() throws {
    var checkpoints: [Int] = []
    let first = try ReproduceRunner(threads: 2) { false }.run(Self.plan) { checkpoints.append($0.runs.count) }
    let second = try ReproduceRunner(threads: 1) { false }.run(Self.plan)
    #expect(first.runs.count == Policy.all.count * 2 * 2, "seeds 4 and 5")
    #expect(checkpoints == [6, 12])
    #expect(first.interrupted == nil)
    #expect(
      first.runs.map(\.report.result.trace) == second.runs.map(\.report.result.trace), "seeds 4 and 5, on two threads and on one")
    #expect(Set(first.runs.map(\.report.result.trace)).count == first.runs.count, "no two sessions are the same")
    for run in first.runs {
      let result = run.report.result
      #expect(result.alone != nil && result.central != nil && result.together != nil, "seed \(run.seed), \(run.policy.name)")
      #expect(result.virtualSeconds == 8 * 5 * 60)
      #expect(run.kept.allSatisfy { (0...100).contains($0) })
    }

    let report = first.report(command: "murmur reproduce learnae")
    let numbers = (6...14).map { "Figure \($0)" } + ["Table 6", "Table 7", "Beyond the paper"]
    #expect(report.exhibits.map(\.number) == numbers)
    for exhibit in report.exhibits where exhibit.number != "Beyond the paper" {
      #expect(!exhibit.findings.isEmpty, "\(exhibit.number)")
      #expect(exhibit.number.hasPrefix("Table") || !exhibit.figures.isEmpty, "\(exhibit.number)")
    }
    #expect(report.html().contains("78.74 → 79.86"))
    let text = report.terminal(width: 100)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  @Test("results.json holds every run with its seed, series.csv every sample")
  func files() throws {
    let runs = try ReproduceRunner(threads: 2) { false }.run(Self.plan)
    let report = runs.report(command: "murmur reproduce learnae")
    let files = runs.files(report, command: "murmur reproduce learnae")
    #expect(files.map(\.name) == ["results.json", "series.csv", "report.html"])
    let json = try #require(try JSONSerialization.jsonObject(with: Data(files[0].text.utf8)) as? [String: Any])
    let list = try #require(json["runs"] as? [[String: Any]])
    #expect(list.compactMap { $0["seed"] as? Int } == [4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5])
    #expect(Set(list.compactMap { $0["policy"] as? String }) == ["paper-1", "paper-10", "default"])
    for run in list {
      let hasFault = (run["configuration"] as? String)?.contains("probability: 80 %") == true
      #expect(hasFault == (run["offlineProbability"] as? Double == 0.8))
    }
    let findings = try #require(json["findings"] as? [[String: String]])
    #expect(findings.count == report.exhibits.flatMap(\.findings).count)
    let lines = files[1].text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).count }
    #expect(Set(lines).count == 1)
    #expect(lines.count == 1 + runs.runs.reduce(0) { $0 + $1.report.series.samples.count })
  }

  @Test("what is stopped keeps the sessions that are complete and says how many; findings about the rest stay open")
  func stopped() throws {
    var asked = 0
    let all = try ReproduceRunner(threads: 2) {
      asked += 1
      return false
    }.run(Self.plan)
    let enough = asked / 3
    asked = 0
    let some = try ReproduceRunner(threads: 2) {
      asked += 1
      return asked > enough
    }.run(Self.plan)
    #expect(some.runs.count > 0 && some.runs.count < all.runs.count)
    #expect(some.interrupted?.contains("\(some.runs.count) of 12") == true)
    #expect(some.runs.map(\.report.result.trace) == all.runs.prefix(some.runs.count).map(\.report.result.trace))
    let report = some.report(command: "")
    #expect(report.notes.first == some.interrupted)
    #expect(!report.html().isEmpty && report.exhibits.count == 12)
    let none = try ReproduceRunner(threads: 1) { true }.run(Self.plan)
    #expect(none.runs.isEmpty && none.interrupted != nil)
  }

  @Test("at 80 % offline fewer are online, and a paper's peer sends less than when nobody is away")
  func disruption() throws {
    let runs = try ReproduceRunner(threads: 2) { false }.run(Self.plan)
    let ten = Policy.paper(epochs: 10)
    let online = try #require(runs.difference("digits", ten, from: 0, to: 0.8) { $0.report.result.onlineMean })
    let bytes = try #require(runs.difference("digits", ten, from: 0, to: 0.8) { $0.report.result.bytesSentPerPeer })
    #expect(online.values.count == 2 && online.values.allSatisfy { $0 < -2 }, "seeds 4 and 5: \(online.values)")
    #expect(bytes.values.allSatisfy { $0 < 0 }, "seeds 4 and 5: \(bytes.values)")
    let pooled = try #require(runs.pooled("digits", ten, 0))
    let each = runs.runs("digits", ten, 0).map(\.report)
    #expect(pooled.result.averaging?.attempts == each.reduce(0) { $0 + ($1.result.averaging?.attempts ?? 0) })
    let last = try #require(pooled.series.samples.last?.accuracy?.mean)
    let lasts = each.compactMap { $0.series.samples.last?.accuracy?.mean }
    #expect(abs(last - lasts.reduce(0, +) / 2) < 1e-9)
  }
}

@Suite("Rules by which findings are judged")
struct ReproduceRulesTests {
  private func over(_ values: Double...) -> Sampled? { Sampled(values) }

  @Test("a figure over seeds has a mean, the deviation of a sample and a margin; a single seed has a margin of a point")
  func sampled() throws {
    let three = try #require(over(1, 2, 3))
    #expect(three.mean == 2 && three.deviation == 1)
    #expect(abs(three.margin - 2 / 3.0.squareRoot()) < 1e-12)
    #expect(three.text() == "2.0 ± 1.0" && three.text(signed: true) == "+2.0 ± 1.0")
    #expect(over(0.4)?.margin == 1 && over(0.4)?.text(places: 2) == "0.40")
    #expect(Sampled([]) == nil)
  }

  @Test("better than alone: beyond the margin everywhere, somewhere, nowhere; unknown if a run is missing")
  func better() {
    #expect(ReproduceRules.better([over(1, 1.2, 0.9), over(2, 2, 2)]) == .holds)
    #expect(ReproduceRules.better([over(1, 1.2, 0.9), over(0.1, -0.1, 0.2)]) == .partly)
    #expect(ReproduceRules.better([over(0.9)]) == .fails, "less than a point with one seed is nothing")
    #expect(ReproduceRules.better([over(-3, -3, -3)]) == .fails)
    #expect(ReproduceRules.better([over(1, 1, 1), nil]) == .open)
    #expect(ReproduceRules.better([]) == .open)
    #expect(ReproduceRules.notBetter(over(0.2)) == .holds)
    #expect(ReproduceRules.notBetter(over(2)) == .fails)
    #expect(ReproduceRules.notBetter(nil) == .open)
  }

  @Test("80 % offline does not hurt: half a point at most, or at least better than alone")
  func harmless() {
    #expect(ReproduceRules.harmless(loss: over(0.4), advantage: over(0)) == .holds)
    #expect(ReproduceRules.harmless(loss: over(-2), advantage: over(-5)) == .holds)
    #expect(ReproduceRules.harmless(loss: over(0.6), advantage: over(3)) == .partly)
    #expect(ReproduceRules.harmless(loss: over(0.6), advantage: over(0.5)) == .fails)
    #expect(ReproduceRules.harmless(loss: nil, advantage: over(3)) == .open)
  }

  @Test("spreads, gains, shares and curves have their own rules")
  func others() {
    let paper = [0.54, 0.43]
    #expect(ReproduceRules.narrower([0.5, 0.43], paper: paper) == .holds)
    #expect(ReproduceRules.narrower([0.5, 1.3], paper: paper) == .partly)
    #expect(ReproduceRules.narrower([0.9, 0.9], paper: paper) == .partly)
    #expect(ReproduceRules.narrower([0.9, 1.1], paper: paper) == .fails)
    #expect(ReproduceRules.narrower([0.5, nil], paper: paper) == .open)
    #expect(ReproduceRules.gains(over(1.2, 1.3), paper: 1.12) == .holds)
    #expect(ReproduceRules.gains(over(0.6, 0.6), paper: 1.12) == .partly)
    #expect(ReproduceRules.gains(over(0.6, -0.6), paper: 1.12) == .fails)
    #expect(ReproduceRules.atLeast(6, paper: 6) == .holds && ReproduceRules.atLeast(3, paper: 6) == .partly)
    #expect(ReproduceRules.atLeast(2.9, paper: 6) == .fails && ReproduceRules.atLeast(nil, paper: 6) == .open)
    #expect(ReproduceRules.near(20, paper: 10) == .holds && ReproduceRules.near(39, paper: 10) == .partly)
    #expect(ReproduceRules.near(2.4, paper: 10) == .fails && ReproduceRules.near(0, paper: 10) == .fails)
    #expect(ReproduceRules.near(.infinity, paper: 10) == .open)
    #expect(ReproduceRules.falls(early: 70, late: 10) == .holds && ReproduceRules.falls(early: 12, late: 10) == .partly)
    #expect(ReproduceRules.falls(early: 10, late: 10) == .fails && ReproduceRules.falls(early: nil, late: 1) == .open)
    #expect(ReproduceRules.asSet([(1, 0), (0.52, 0.5)], draws: 400) == .holds)
    #expect(ReproduceRules.asSet([(1, 0), (0.7, 0.5)], draws: 400) == .partly)
    #expect(ReproduceRules.asSet([(0.9, 0)], draws: 400) == .fails)
    #expect(ReproduceRules.asSet([(nil, 0)], draws: 400) == .open)
  }
}
