import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSimulator
import MurmurSplit
import Testing

/// Split scenarios, and what is said when they do not fit.
@Suite struct SetupTests {
  private func scenario(_ yaml: String) throws -> SplitScenario { try SplitScenario(bytes: Array(yaml.utf8), file: "test.yaml") }

  @Test func `a scenario that is printed is read as the same scenario`() throws {
    let text = """
      name: farm
      runs: 3
      data: {set: digits, validation: 10 %, deal: {columns: [0-15, "16-31,40", 32-39]}}
      devices: {count: 3, graph: {geometric: 4}, latency: 5 ms, bandwidth: 1 MB/s, loss: 2 %, jitter: 0.4, deadline: 50 ms}
      network: {scheme: {softhebb: 0.02}, hidden: 8, depth: 2, missing: mean}
      timing: {shortest: 5 ms, polls: 2, patience: 4, flights: 2, ahead: 6}
      training: {epochs: 3, batch: 16, rate: 0.01, drop: 50 %, links: 10 %}
      faults: [{dies: {device: 1, step: 4}}, {heals: {from: 0, to: 2, at: 9 s}}, {flapping: {share: 50 %, on: 2 s, off: 1 s}}]
      test:
        dead: [0, 1, 50 %, 100 %]
        links: [30 %]
        named: [[2], [0, 1]]
        faults: [{returns: {device: 1, at: 40 ms}}, {flapping-links: {share: 10 %, on: 1 s, off: 1 s}}]
        pace: 20 ms
        answers: {gossip: 4}
        steps: [1, 2]
        deadlines: [5 ms]
        central: false
        ideal: true
      """
    let read = try scenario(text)
    #expect(try scenario(read.yaml) == read)
    #expect(
      read.faults.count == 3 && read.test.faults.count == 2 && read.test.named == [[2], [0, 1]]
        && read.network.scheme == .softHebb(0.02) && read.test.answers == .gossip(4))
    #expect(try scenario(SplitScenario().yaml) == SplitScenario())
  }

  @Test(arguments: [
    ("devices: {count: 4, graf: ring}", "did you mean 'graph'"), ("network: {scheme: softheb}", "did you mean 'softhebb'"),
    ("training: {drop: 150 %}", "from 0 to 1"), ("faults: [{dies: {step: 4}}]", "the key 'device' is missing"),
  ])
  func `a wrong key or value is named, with what to do`(yaml: String, words: String) {
    #expect { try scenario(yaml) } throws: { "\($0)".contains(words) && "\($0)".contains("test.yaml:1") }
  }

  @Test func `what does not fit the data is said before anything runs`() throws {
    let digits = Digits.load()
    for (yaml, words) in [
      ("devices: {count: 100}", "100 devices cannot share 64 features"),
      ("data: {deal: {patches: 3}}\ndevices: {count: 9}", "3 × 3"),
      ("faults: [{dies: {device: 16, step: 4}}]", "no device 16"), ("data: {deal: {columns: [0-63, 64]}}", "no feature 64"),
      ("data: {deal: {columns: [a]}}", "no list of columns"),
    ] {
      #expect { try SplitSetup(try scenario(yaml), digits) } throws: { "\($0)".contains(words) }
    }
  }

  @Test func `links from a file are read, and a wrong line is named`() throws {
    let graph = try SplitSetup.parse("# two links\n0,1,5,1000\n\n1 2\n", file: "links.csv", devices: 3)
    #expect(graph.links == [.init(0, 1, latency: .milliseconds(5), bandwidth: 1_000), .init(1, 2)])
    for text in ["0,1\n0,3", "0,1\n1,1", "0,1\nx,y", "0,1\n0,2,-1", "0,1\n0,2,1,1,1"] {
      #expect { try SplitSetup.parse(text, file: "links.csv", devices: 3) } throws: { "\($0)".contains("links.csv:2") }
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>) func `no text of links makes the reader crash`(seed: UInt64) {
    var chance = Chance(seed: seed)
    let alphabet = Array("0123456789,;. \n#-exX\u{e9}")
    let text = String((0..<200).map { _ in alphabet[chance.below(alphabet.count)] })
    let graph = try? SplitSetup.parse(text, file: "fuzz", devices: 1 + chance.below(50))
    #expect(graph.map { $0.links.count <= 200 } ?? true, "seed \(seed)")
  }

  @Test func `the digits are learnt by sixteen devices, and the risk grows as they die`() throws {
    var scenario = SplitScenario()
    scenario.training.epochs = 30
    scenario.network.hidden = 16
    scenario.test = SplitTestPlan()
    scenario.test.dead = [.count(0), .count(4), .count(8)]
    let experiment = SplitExperiment(try SplitSetup(scenario, Digits.load()))
    let outcome = try #require(try experiment.run(seed: 1))
    let accuracies = outcome.risks.map(\.accuracy)
    #expect(accuracies[0] > 0.94 && accuracies[1] > 0.88 && accuracies[2] > 0.75, "\(accuracies)")
    #expect(outcome.risks[0].interval.low < accuracies[0] && outcome.risks[0].interval.high > accuracies[0])
    #expect(outcome.risks[2].loss > outcome.risks[0].loss)
    #expect(try #require(try experiment.central(seed: 1)) > 0.94)
  }
}
