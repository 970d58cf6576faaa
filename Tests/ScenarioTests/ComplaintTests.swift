import MurmurScenario
import MurmurSessions
import Testing

/// What a person reads who got a file wrong: where, what, and what to do.
@Suite struct ComplaintTests {
  @Test(arguments: [
    ("peeers: {count: 3}", "t.yaml:1:1: unknown key 'peeers'; did you mean 'peers'?"),
    ("seed: 1\nsession:\n  training:\n    epoch: 3", "t.yaml:4:5: session.training: unknown key 'epoch'; did you mean 'epochs'?"),
    ("session: {slices: {perHashlist: 3}}", "did you mean 'per-hashlist'?"),
    ("epochs: 3", "t.yaml:1:1: unknown key 'epochs'; it belongs under 'session.training'"),
    ("peers: {count: many}", "t.yaml:1:16: peers.count: expected a whole number from 1 to 1000000, found 'many'; write"),
    ("peers: {count: 0}", "t.yaml:1:16: peers.count: '0' is out of range; write a whole number from 1"),
    ("peers: 20", "t.yaml:1:8: peers: expected a map of the keys count, roles, speed, late, found '20'; write"),
    ("peers:", "found nothing; write"),
    ("session: {length: 200}", "t.yaml:1:19: session.length: '200' has no unit; write a duration such as `200 min`"),
    ("session: {length: 200 mins}", "session.length: unknown unit 'mins'; did you mean 'min'?"),
    ("session: {length: 900 d}", "'900 d' is out of range; write a duration from 1 s to 366 d"),
    ("session: {privacy: maybe}", "expected `true` or `false`, found 'maybe'"),
    ("session: {work: combine}", "'combine' is no work cycle; did you mean 'combined'?"),
    ("session: {training: {optimizer: {adam: 3}}}", "'adam' takes no value; write adam alone"),
    ("session: {training: {optimizer: {sgd: 0.9, adam: 1}}}", "2 keys where one names the optimizer"),
    ("session: {jitter: 120 %}", "'120 %' is out of range; write a share such as `80 %` or `0.8`, from 0 to 1"),
    ("session: [1, 2]", "expected a map of the keys length,"),
    ("network: {bandwidth: 20 Mbits}", "unknown unit 'Mbits'; did you mean 'Mbit/s'?"),
    (
      "model: {hidden: 64,32}",
      "t.yaml:1:20: model: the comma ended the value before '32'; write a list inside braces as [64, 32]"
    ),
    ("model: {}", "t.yaml:1:8: model: the key 'hidden' is missing; add hidden: 64"),
    ("model: 64", "model: expected an architecture such as"),
    ("data: {partition: {dirichlet: -1}}", "data.partition.dirichlet: '-1' is out of range"),
    ("data: {partition: dirichlet}", "'dirichlet' needs a value; write {dirichlet: 0.3}"),
    ("faults:\n  - offlin: {probability: 3 %}", "t.yaml:2:5: faults[0]: 'offlin' is no fault; did you mean 'offline'?"),
    ("faults: [{offline: {cycle: 3 min}}]", "faults[0].offline: the key 'probability' is missing; add probability: 80 %"),
    ("faults: [{crash: {peers: 3, at: 1 h}}]", "'3' may be a number or a count; write [3] for peer 3, or any 3"),
    ("faults: [{crash: {peers: [9-3], at: 1 h}}]", "'9-3' runs backwards; write 3-9"),
    ("faults: [{partition: {groups: [60 %, 60 %]}}]", "add up to more than 100 %"),
    ("peers: {count: 20, roles: {full: 17}}", "the roles add up to 17, but count is 20; write count: 17 or full: rest"),
    ("peers: {count: 3, roles: {feeder: 3}}", "leave no full peer; raise count"),
    ("peers: {count: 3, late: [{count: 3}]}", "3 of 3 full peers come late, so nobody begins"),
    ("peers: {roles: {trainer: 2}}", "trainers and feeders live on shared slices"),
    ("seed: 1\nname: a\nseed: 2", "the key 'seed' is given more than once; keep one of them"),
    ("seed: [1", "this is not YAML: "),
    ("a: b: c", "t.yaml:1:5: this is not YAML: "),
    ("seed: \t*x", "found undefined alias"),
    ("seed: 1\n---\nseed: 2", "t.yaml:2:1: a second document begins here; keep one document per file"),
    ("name: \u{7}", "t.yaml:1:7: a character that YAML does not allow"),
    ("? [1, 2]\n: 3", "a key must be a word, found a list"),
  ])
  func eachNamesThePlaceAndTheRemedy(yaml: String, message: String) {
    let lines = complaints(yaml)
    #expect(lines.contains { $0.contains(message) }, "\(lines)")
    #expect(lines.allSatisfy { $0.hasPrefix("t.yaml:") && $0.contains("; ") && !$0.contains("\n") })
  }

  @Test func allProblemsAreReportedAtOnceInTheOrderOfTheFile() {
    let lines = complaints("sed: 1\npeers: {count: x}\nsession:\n  cycle: 1\n  jiter: 2\n")
    #expect(lines.map { $0.prefix(11) } == ["t.yaml:1:1:", "t.yaml:2:16", "t.yaml:4:10", "t.yaml:5:3:"], "\(lines)")
    let many = (0..<500).map { "key\($0): 1\n" }.joined()
    #expect(complaints(many).count == ScenarioError.limit)
  }

  @Test func hostileFilesAreRefusedQuickly() throws {
    var laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for (one, two) in zip("abcdefgh", "bcdefghi") {
      laughs += "\(two): &\(two) [\((0..<9).map { _ in "*\(one)" }.joined(separator: ", "))]\n"
    }
    #expect(complaints(laughs).first?.contains("more than 16 aliases") == true)
    #expect(complaints("a: &a 1\nb: *a\n" + String(repeating: "#", count: 70_000)).first?.contains("65536 bytes") == true)
    for opener in ["[", "{", "{a: ", "- ", "? ", "[{x: "] {
      #expect(!complaints(String(repeating: opener, count: 100_000)).isEmpty, "\(opener)")
    }
    #expect(complaints(String(repeating: "x", count: 1 << 20 + 1)).first?.contains("more than 1048576; shorten it") == true)
    #expect(!complaints((0..<60_000).map { "k\($0): 1\n" }.joined()).isEmpty)
    #expect { try Scenario(bytes: [0x61, 0xff], file: "t.yaml") } throws: { "\($0)".contains("not UTF-8") }
  }

  @Test func optionsSetFieldsAndComplainByName() throws {
    var scenario = Scenario()
    let values: [(Override, String)] = [
      (.data, "mnist"), (.label, "7"), (.peers, "50"), (.rows, "500"), (.hidden, "64,32"), (.epochs, "3"), (.offline, "80"),
      (.seed, "9"), (.threads, "2"), (.out, "/tmp/x"),
    ]
    #expect(values.map(\.0) == Override.allCases)
    for (option, text) in values { try scenario.set(option, to: text) }
    #expect(scenario.data.set == ["mnist"] && scenario.data.label == "7" && scenario.data.rows == 500)
    #expect(scenario.peers.count == 50 && scenario.model == .hidden([64, 32]) && scenario.session.training.epochs == 3)
    #expect(scenario.faults.faults == [.offline(.init(probability: 0.8))])
    #expect(scenario.seed == 9 && scenario.run.threads == 2 && scenario.run.out == "/tmp/x")
    try scenario.set(.offline, to: "20 %")
    #expect(scenario.faults.faults == [.offline(.init(probability: 0.2))])
    #expect(try Scenario(yaml: scenario.yaml, file: "t.yaml") == scenario)
    #expect(scenario.withoutRun.run == RunPlan() && !scenario.withoutRun.yaml.contains("threads"))
    for (option, text) in [(Override.peers, "few"), (.offline, "120"), (.hidden, "0"), (.rows, "-3"), (.seed, "x")] {
      #expect { try scenario.set(option, to: text) } throws: { "\($0)".hasPrefix("--\(option.rawValue): ") }
    }
  }
}
