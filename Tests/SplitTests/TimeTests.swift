import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSimulator
import MurmurSplit
import Testing

/// Networks that change: devices and links that fail at a time, come and go, or are out for certain, while devices learn and when asked.
@Suite struct TimeTests {
  private func setup(_ more: String, test: String) throws -> SplitSetup {
    let text = """
      devices: {count: 4}
      network: {hidden: 6, depth: 2}
      training: {epochs: 8, drop: 60 %, links: 30 %}
      data: {test: 200}
      test: {dead: [0], links: [], central: false, \(test)}
      \(more)
      """
    return try SplitSetup(try SplitScenario(bytes: Array(text.utf8), file: "time.yaml"), Digits.load())
  }

  @Test func `certain devices are dead in every sample, and the others answer without them`() throws {
    let outcome = try #require(try SplitExperiment(try setup("", test: "named: [[3, 1, 2], [0, 1, 2, 3], [2]]")).run(seed: 3))
    let (whole, one, nobody, three) = (outcome.risks[0], outcome.risks[1], outcome.risks[2], outcome.risks[3])
    #expect(outcome.risks.map(\.level.name) == ["nobody dead", "dead: 1, 2, 3", "dead: 0, 1, 2, 3", "dead: 2"])
    // One device has no answer but its own, and nobody to tell it to.
    #expect(one.accuracy == one.ownAccuracy && one.accuracy == one.askedAccuracy && one.messages < whole.messages / 2)
    #expect(whole.accuracy > three.accuracy && three.accuracy > one.accuracy && one.accuracy > 0.15)
    #expect(nobody.correct == 0 && !nobody.isAnswered && nobody.messages == 0)
  }

  @Test func `devices that die while questions are asked are missed from then on`() throws {
    // Two hundred samples are eight questions: the fifth and those after it meet one device alone.
    let dying = (1...3).map { "{dies: {device: \($0), at: 350 ms}}" }.joined(separator: ", ")
    let back = dying.replacing("dies", with: "returns").replacing("350 ms", with: "360 ms")
    let named = "named: [[1, 2, 3]], pace: 100 ms"
    let levels = try ["\(named), faults: [\(dying)]", "\(named), faults: [\(dying), \(back)]"].map { test in
      try #require(try SplitExperiment(try setup("", test: test)).run(seed: 3)).risks
    }
    for risks in levels { #expect(risks.map(\.level.kind) == [.devices, .named, .inTime]) }
    let (whole, one, dead, returned) = (levels[0][0], levels[0][1], levels[0][2], levels[1][2])
    #expect(dead.correct < whole.correct && dead.correct > one.correct)
    #expect(returned.correct == whole.correct, "who returns knows what it knew")
  }

  @Test(arguments: [1, 2] as [UInt64]) func `links and devices come and go while questions are asked, and all of them end`(
    seed: UInt64
  ) throws {
    let test =
      "faults: [{flapping: {share: 50 %, on: 100 ms, off: 100 ms}}, {flapping-links: {share: 100 %, on: 50 ms, off: 50 ms}}], pace: 40 ms"
    let setup = try setup("", test: test)
    let (first, again) = try (
      #require(try SplitExperiment(setup).run(seed: seed)).risks, #require(try SplitExperiment(setup).run(seed: seed)).risks
    )
    #expect(first[1].count == 200 && first[1] == again[1], "seed \(seed)")
    #expect(first[1].correct < first[0].correct && first[1].accuracy > 0.2, "seed \(seed)")
  }

  @Test func `a device dies at a time, and links come and go all along, while the others learn`() throws {
    let faults = "faults: [{dies: {device: 2, at: 1 ms}}, {flapping-links: {share: 50 %, on: 400 us, off: 100 us}}]"
    let outcome = try #require(try SplitExperiment(try setup(faults, test: "named: [[2]]")).run(seed: 4))
    let calm = try #require(try SplitExperiment(try setup("", test: "named: [[2]]")).run(seed: 4))
    #expect(outcome.living == 3 && calm.living == 4)
    #expect(outcome.training.missed > calm.training.missed)
    // Who is gone from the beginning is not missed much: the others learn without it.
    #expect(outcome.risks[0].accuracy > 0.5)
    #expect(outcome.trace != calm.trace)
  }

  @Test func `settings are chosen on rows that are not test rows`() throws {
    let data = Digits.load()
    let text = "test: {central: false}\ndata: {validation: 20 %}"
    let setup = try SplitSetup(try SplitScenario(bytes: Array(text.utf8), file: "v.yaml"), data)
    let plain = try SplitSetup(try SplitScenario(bytes: Array("test: {central: false}".utf8), file: "p.yaml"), data)
    #expect(setup.samples.count == plain.training && setup.test.count == Int((Double(plain.training) * 0.2).rounded()))
    #expect(setup.samples.count < data.count && setup.training + setup.test.count == setup.samples.count)
    #expect(Set(setup.samples.labels).count == 10)
  }

  @Test func `on the complete graph where nothing fails the ideal is the network itself`() throws {
    let experiment = SplitExperiment(try setup("", test: "ideal: true"))
    let (outcome, ideal) = (try #require(try experiment.run(seed: 5)), try #require(try experiment.ideal(seed: 5)))
    #expect(ideal.correct == outcome.risks[0].correct && ideal.loss == outcome.risks[0].loss)
  }

  @Test(arguments: [
    ("test: {named: [[16]]}", "no device 16"), ("faults: [{dies: {device: 1}}]", "`step` or with `at`"),
    ("faults: [{dies: {device: 1, step: 2, at: 1 s}}]", "one of the two"),
    ("test: {faults: [{dies: {device: 1, step: 2}}]}", "nobody learns"),
    ("test: {faults: [{joins: {device: 1, at: 2 s}}]}", "has learnt nothing"),
    ("faults: [{flapping-links: {on: 0 s}}]", "times above 0"), ("data: {validation: 100 %}", "cannot be kept apart"),
  ])
  func `what cannot be is said, with what to do`(yaml: String, words: String) throws {
    let scenario = try SplitScenario(bytes: Array(yaml.utf8), file: "test.yaml")
    #expect { try SplitSetup(scenario, Digits.load()) } throws: { "\($0)".contains(words) }
  }
}
