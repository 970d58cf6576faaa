import MurmurReports
import Testing

@Suite("Results: what programs read")
struct ResultsTests {
  /// The keys others rely on, with the types of their values, as `path:type`.
  static let contract = [
    "name:str", "command:str", "seed:int", "trace:str", "data.name:str", "data.rows:int", "data.features:int", "data.classes:int",
    "peerCount:int", "model:str", "offline:str", "faults:list", "alone.mean:float", "alone.spread:float", "central:float",
    "together.mean:float", "together.spread:float", "together.sd:float", "gapClosed:float", "online.mean:float",
    "resilience.mean:float", "resilience.spread:float", "bytesSent.total:int", "bytesSent.perPeer:float",
    "averaging.attempts:int",
    "averaging.successes:int", "messages.total:int", "messages.perPeerAndCycle:float", "cycles.total:int", "cycles.perPeer:float",
    "virtualSeconds:int", "wallSeconds:float", "peerCyclesPerSecond:float", "threads:int", "versions.murmur:str", "notes:list",
    "configuration:str", "peers:list", "peers.0.id:int", "peers.0.role:str", "peers.0.accuracy:float",
    "peers.0.aloneAccuracy:float",
    "peers.0.rows:int", "peers.0.cycles:int", "peers.0.bytesSent:int", "peers.0.bytesReceived:int", "peers.0.model:str",
    "peers.0.joinedAt:int", "peers.0.onlineShare:float",
  ]

  @Test("python reads result.json and finds every key of the contract with its type", .enabled(if: Python.exists))
  func keys() throws {
    let program = """
      import json, sys
      value = json.load(sys.stdin)
      for line in '''\(Self.contract.joined(separator: "\n"))'''.split('\\n'):
          path, kind = line.split(':')
          found = value
          for key in path.split('.'):
              found = found[int(key)] if key.isdigit() else found[key]
          # a number without a fraction is written without one
          fits = type(found).__name__ == kind or (kind == 'float' and type(found) is int)
          assert fits, f'{path} is {found!r}, not {kind}'
      print(list(value)[0], value['seed'], len(value['peers']))
      """
    var report = Samples.run()
    report.result.seed = .max
    #expect(try Python.run(program, on: report.result.json()) == "name 18446744073709551615 20\n")
  }

  @Test("what a run does not have is null, and nothing is ever NaN", .enabled(if: Python.exists))
  func absent() throws {
    var result = RunResult(name: "bare", seed: 1)
    result.central = .nan
    result.together = Distribution(mean: .infinity, deviation: 0, minimum: 1, maximum: 2)
    let program = """
      import json, sys
      def refuse(name): raise ValueError(name)
      value = json.load(sys.stdin, parse_constant=refuse)
      assert value['central'] is None and value['alone'] is None and value['gapClosed'] is None
      assert value['together']['mean'] is None and value['averaging'] is None and value['wallSeconds'] is None
      assert value['online']['mean'] is None and value['bytesSent']['total'] is None and value['peers'] == []
      print('fine')
      """
    #expect(try Python.run(program, on: result.json()) == "fine\n")
  }

  @Test("strings of every kind come back as they were", .enabled(if: Python.exists))
  func strings() throws {
    let hostile = "a\"b\\c\n\r\t\u{0}\u{1f}\u{7f}\u{2028}\u{2029}é漢🐦</script>"
    let program = "import json,sys; print(json.load(sys.stdin)['s'].encode().hex())"
    let said = try Python.run(program, on: JSON.object([.init("s", .string(hostile))]).compact())
    let bytes = hostile.utf8.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    #expect(said == bytes + "\n")
  }

  @Test("equal results are written as equal bytes; short lists stay on one line")
  func deterministic() {
    #expect(Samples.run(seed: 5).result.json() == Samples.run(seed: 5).result.json())
    let value = JSON.object([
      .init("b", .integer(1)), .init("a", .array([.number(0.5), .null, .bool(true)])), .init("empty", .array([])),
      .init("deep", .array([.object([.init("x", .number(1e22))])])),
    ])
    #expect(value.compact() == #"{"b":1,"a":[0.5,null,true],"empty":[],"deep":[{"x":1e+22}]}"#)
    #expect(
      value.indented() == """
        {
          "b": 1,
          "a": [0.5, null, true],
          "empty": [],
          "deep": [
            {"x": 1e+22}
          ]
        }
        """)
  }

  @Test("events.jsonl: one line each, time, peer and kind first")
  func events() {
    let event = RunEvent(
      time: 61.5, peer: 3, kind: "model-adopted", fields: [.init("accuracy", .number(91.25)), .init("from", .string("x\ny"))])
    #expect(event.line() == #"{"time":61.5,"peer":3,"event":"model-adopted","accuracy":91.25,"from":"x\ny"}"# + "\n")
    #expect(RunEvent(time: 0, kind: "healed").line() == #"{"time":0,"event":"healed"}"# + "\n")
  }

  @Test("series.csv: one header, as many fields in every line, nothing where nobody looked")
  func series() {
    var series = Samples.run(length: 10).series
    series.samples.append(Series.Sample(time: 660))
    let lines = series.csv().split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 1 + 12 + 1)
    #expect(lines[0].hasPrefix("time,accuracyMean,accuracyMin,accuracyMax,accuracySd,online,resilienceMean,"))
    let commas = lines[0].filter { $0 == "," }.count
    for line in lines.dropLast() { #expect(line.filter { $0 == "," }.count == commas) }
    #expect(lines[12] == "660" + String(repeating: ",", count: commas))
    #expect(lines.last == "")
    #expect(Series().csv().split(separator: "\n").count == 1)
  }

  @Test("the closed gap exists only where there is a gap")
  func gap() {
    #expect(RunResult.gapClosed(alone: 80, central: 100, together: 95) == 0.75)
    #expect(RunResult.gapClosed(alone: 80, central: 100, together: 70) == -0.5)
    #expect(RunResult.gapClosed(alone: 80, central: 80, together: 90) == nil)
    #expect(RunResult.gapClosed(alone: nil, central: 80, together: 90) == nil)
    #expect(RunResult.gapClosed(alone: 80, central: .infinity, together: .infinity) == nil)
  }

  @Test("success is shared out over windows of time, not summed up since the beginning")
  func success() {
    let series = Series(
      (0...4).map { step in
        var sample = Series.Sample(time: Double(step) * 60)
        (sample.attempts, sample.successes) = ([0, 10, 20, 20, 40][step], [0, 9, 10, 10, 15][step])
        return sample
      })
    #expect(series.successShares(windows: 4) == [Point(30, 90), Point(90, 10), Point(210, 25)])
    #expect(series.successShares(windows: 1) == [Point(120, 37.5)])
    #expect(Series([Series.Sample(time: 0)]).successShares().isEmpty)
  }

  @Test("a distribution knows mean, deviation and extremes, and leaves out what is no number")
  func distribution() throws {
    let some = try #require(Distribution(of: [2, 4, 4, 4, 5, 5, 7, 9, .nan]))
    #expect(some == Distribution(mean: 5, deviation: 2, minimum: 2, maximum: 9))
    #expect(some.spread == 7)
    #expect(Distribution(of: [.nan]) == nil)
    #expect(Distribution(of: []) == nil)
  }

  @Test("the verdict says what happened, whatever happened")
  func verdict() {
    var result = RunResult(name: "r", seed: 1)
    result.peerCount = 20
    result.together = Distribution(mean: 95, deviation: 1, minimum: 94, maximum: 96)
    #expect(result.verdict == "Together, 20 peers reach 95.0 %.")
    result.alone = Distribution(mean: 80, deviation: 1, minimum: 78, maximum: 82)
    result.central = 100
    result.gapClosed = 0.75
    result.offlineProbability = 0.8
    #expect(
      result.verdict == """
        Together, 20 peers reach 95.0 % with 80 % of them offline at any time: that closes 75 % of the gap between learning alone \
        (80.0 %) and pooling all rows (100.0 %).
        """)
    result.gapClosed = 1.01
    #expect(result.verdict.hasSuffix("at any time: nothing is lost against pooling all rows (100.0 %)."))
    result.gapClosed = -0.1
    #expect(result.verdict.hasSuffix("at any time: no better than learning alone (80.0 %)."))
    result.together = nil
    #expect(result.verdict == "20 peers ran for 0 s; no accuracy was measured.")
  }
}
