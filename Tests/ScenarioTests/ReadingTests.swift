import Foundation
import MurmurMachines
import MurmurScenario
import MurmurSessions
import Testing

@Suite struct ReadingTests {
  @Test func anEmptyFileIsTheDefaultScenario() throws {
    #expect(try Scenario(yaml: "", file: "t.yaml") == Scenario())
    #expect(try Scenario(yaml: "# nothing but a comment\n", file: "t.yaml") == Scenario())
    #expect(try Scenario(yaml: "{}", file: "t.yaml") == Scenario())
  }

  @Test func everyExampleReadsAndItsEffectiveFormReadsTheSame() throws {
    let all = try examples()
    #expect(all.map(\.name).contains("digits.yaml") && all.count >= 7)
    for (name, text) in all {
      let scenario = try Scenario(yaml: text, file: name)
      #expect(try Scenario(yaml: scenario.yaml, file: name) == scenario, "\(name) printed as\n\(scenario.yaml)")
      #expect(try Scenario(yaml: scenario.yaml, file: name).yaml == scenario.yaml)
      #expect(scenario.name + ".yaml" == name)
    }
  }

  @Test func theDemoLeavesTheSessionAtItsDefaults() throws {
    let text = try #require(try examples().first { $0.name == "digits.yaml" }).text
    let scenario = try Scenario(yaml: text, file: "digits.yaml")
    #expect(scenario.session == Session())
    #expect(scenario.peers.count == 20 && scenario.data.rows == 70)
    #expect(scenario.session(inputs: 64, outputs: 10).model == "64-64-10")
    #expect(scenario.session(inputs: 64, outputs: 10).name == "digits")
  }

  @Test func theStormHasEveryKindOfFaultAndEachSaysWhatItMeans() throws {
    let text = try #require(try examples().first { $0.name == "storm.yaml" }).text
    let faults = try Scenario(yaml: text, file: "storm.yaml").faults.faults
    let summaries = faults.map(\.summary)
    for word in [
      "Offline, redrawn", "On/off", "Crash", "Sleep", "Partition", "Slow", "Bad links", "skew", "Liars", "permanent loss",
    ] {
      #expect(summaries.contains { $0.contains(word) }, "\(word) in \(summaries)")
    }
    #expect(summaries.allSatisfy { $0.hasSuffix(".") })
    #expect(
      summaries[0].contains("every 15 min") && summaries[0].contains("probability 30 %") && summaries[0].contains("for 5 min"))
  }

  @Test(arguments: [
    ("90 s", 90.0), ("1.5 h", 5_400), ("15min", 900), ("40 ms", 0.04), ("250 µs", 0.00025), ("250us", 0.00025), ("2 d", 172_800),
    ("1e3 s", 1_000), ("1_200 s", 1_200),
  ])
  func durationsHaveUnits(text: String, seconds: Double) throws {
    let scenario = try Scenario(yaml: "network: {delay: {median: \(seconds < 3_600 ? text : "1 s")}}", file: "t.yaml")
    if seconds < 3_600 { #expect(scenario.network.link.delay.median == .seconds(seconds)) }
    if seconds >= 1 {
      #expect(try Scenario(yaml: "session: {length: \(text)}", file: "t.yaml").session.length == .seconds(seconds))
    }
  }

  @Test func sensorsThatAreBelievedAreNamedWithTheirChannels() throws {
    let channel = String(repeating: "0f", count: 32)
    let scenario = try Scenario(yaml: "feeds: {sensors: 2, allowed: [soil 7 \(channel), b \(channel)]}", file: "t.yaml")
    #expect(scenario.feeds.allowed == [.init(id: "soil 7", channel: channel), .init(id: "b", channel: channel)])
    #expect(try Scenario(yaml: scenario.yaml, file: "t.yaml") == scenario)
    for wrong in ["soil", channel, "a \(channel)0", "a \(channel.dropLast())x"] {
      #expect(throws: ScenarioError.self) { try Scenario(yaml: "feeds: {sensors: 2, allowed: [\(wrong)]}", file: "t.yaml") }
    }
  }

  @Test func otherQuantitiesHaveTheirs() throws {
    let scenario = try Scenario(
      yaml: """
        session: {jitter: 25 %, final: 0.125, averaging: {adoption: {unless-worse: 150 %}}}
        network: {bandwidth: 1 MB/s, queue: 256 KiB, loss: 3%}
        peers: {speed: {median: 2.5 GFLOP/s}, late: [{count: 2, at: 50 %}, {at: 30 min}]}
        model: {hidden: "64,32"}
        faults: [{crash: {peers: [0, 4, 7-9], at: 0.5 h}}, {skew: {peers: any 3, by: -2 s}}]
        """, file: "t.yaml")
    #expect(scenario.session.jitter == 0.25 && scenario.session.finalShare == 0.125)
    #expect(scenario.session.averaging.adoption == .unlessWorse(by: 1.5))
    #expect(scenario.network.link.bandwidth.bitsPerSecond == 8e6 && scenario.network.queue == 262_144)
    #expect(scenario.network.link.loss == 0.03 && scenario.peers.speed.median.perSecond == 2.5e9)
    #expect(scenario.peers.late == [.init(count: 2, at: .share(0.5)), .init(count: 1, at: .after(.minutes(30)))])
    #expect(scenario.model == .hidden([64, 32]))
    guard case .crash(let crash) = scenario.faults.faults[0], case .skew(let skew) = scenario.faults.faults[1] else {
      Issue.record("\(scenario.faults)")
      return
    }
    #expect(crash.peers == .numbers([0...0, 4...4, 7...9]) && crash.at == .after(.minutes(30)))
    #expect(skew.peers == .some(3) && skew.by == .seconds(-2))
  }

  /// Any value that a program can set in range prints as something that reads back to the same bits.
  @Test func oddNumbersSurvivePrinting() throws {
    var chance = Chance(seed: 11)
    for _ in 0..<500 {
      var scenario = Scenario()
      scenario.seed = chance.next()
      scenario.session.jitter = chance.uniform()
      scenario.session.training.rate = 1e-6 + chance.uniform()
      scenario.session.length = Instant.Span(nanoseconds: 1_000_000_000 + Int64(chance.below(10_000_000_000_000_000)))
      scenario.network.link.bandwidth = DataRate(bitsPerSecond: 1 + chance.uniform() * 1e9)
      scenario.network.queue = 1_024 + chance.below(1 << 39)
      scenario.peers.speed.median = ComputeRate(perSecond: 1_000 + chance.uniform() * 1e12)
      scenario.name = "ünd \"so\" \\ #: \(chance.below(9)) {x} - no"
      scenario.data.set = ["a, b: c.csv", "-", "null", " x "]
      #expect(try Scenario(yaml: scenario.yaml, file: "t.yaml") == scenario, "seed 11\n\(scenario.yaml)")
    }
  }

  @Test func aliasesStandForWhatTheyName() throws {
    let scenario = try Scenario(
      yaml: "faults:\n  - slow: {peers: &weak [1, 2], factor: 4}\n  - crash: {peers: *weak, at: 50 %}\n", file: "t.yaml")
    guard case .crash(let crash) = scenario.faults.faults[1] else {
      Issue.record("\(scenario.faults)")
      return
    }
    #expect(crash.peers == .numbers([1...1, 2...2]))
  }

  @Test func aSessionFileHoldsNoSimulation() throws {
    let scenario = try Scenario(
      yaml: "name: x\npeers: {count: 7}\ndata: {set: mnist, rows: 3}\nsession: {cycle: 2 min}", file: "t.yaml")
    let session = SessionFile(scenario)
    #expect(try SessionFile(yaml: session.yaml, file: "s.yaml") == session)
    #expect(session.session.cycle == .minutes(2) && session.data.set == ["mnist"])
    #expect {
      try SessionFile(yaml: "name: x\npeers: {count: 7}\n", file: "s.yaml")
    } throws: { "\($0)".hasPrefix("s.yaml:2:1: unknown key 'peers'; ") }
  }

  @Test func theReferenceNamesEveryKey() throws {
    let url = home.appending(path: "Documentation/Scenario.md")
    let text = try String(contentsOf: url, encoding: .utf8)
    let parts = text.components(separatedBy: "<!-- keys -->")
    try #require(parts.count == 5, "Documentation/Scenario.md has each reference between two <!-- keys --> lines")
    if ProcessInfo.processInfo.environment["MURMUR_UPDATE"] != nil {
      try [parts[0], "\n\(Reference.tables)\n", parts[2], "\n\(Reference.splitTables)\n", parts[4]]
        .joined(separator: "<!-- keys -->").write(to: url, atomically: true, encoding: .utf8)
    } else {
      #expect(parts[3] == "\n\(Reference.splitTables)\n", "run the tests once with MURMUR_UPDATE=1")
      #expect(parts[1] == "\n\(Reference.tables)\n", "run the tests once with MURMUR_UPDATE=1 to bring the reference up to date")
      for key in Reference.keys { #expect(text.contains("`\(key)`"), "\(key)") }
    }
    for block in text.components(separatedBy: "```yaml\n").dropFirst() {
      let yaml = block.components(separatedBy: "```")[0]
      #expect(complaints(yaml).isEmpty, "\(complaints(yaml)) in\n\(yaml)")
    }
  }
}
