import MurmurCollective
import MurmurCompute
import MurmurDatasets
import MurmurFeeds
import MurmurScenario
import MurmurSimulator
import MurmurStreams
import MurmurWire
import Testing

/// Sessions whose peers have no rows of their own: thin sensors publish all of them.
@Suite("Learning from the streams of sensors")
struct FeedSessionTests {
  static let base = """
    name: fields
    data: {set: digits, rows: 230}
    model: {hidden: [32]}
    peers: {count: 6}
    feeds: {sensors: 3, rate: 0.5}
    session: {length: 25 min, cycle: 30 s}
    network: {degree: 4}
    """

  static func run(_ yaml: String, seed: UInt64, threads: Int = 2) throws -> Experiment.Outcome {
    var scenario = try Scenario(yaml: yaml + "\n", file: "a test")
    scenario.seed = seed
    return Experiment(try Setup(scenario, Digits.load()), threads: threads).run { _ in true }
  }

  static func accuracy(_ outcome: Experiment.Outcome) -> Double {
    let all = outcome.peers.compactMap(\.accuracy)
    return all.reduce(0, +) / Double(max(1, all.count))
  }

  @Test(arguments: [UInt64(1), 2]) func `every peer reads every row once, and learns as if it had held them`(seed: UInt64) throws
  {
    let streamed = try Self.run(Self.base, seed: seed)
    #expect(streamed.peers.allSatisfy { $0.rows == 690 }, "seed \(seed): \(streamed.peers.map(\.rows))")
    let held = try Self.run(Self.base.replacing("rate: 0.5", with: "rate: 0.5, held: true"), seed: seed)
    #expect(Self.accuracy(held) - Self.accuracy(streamed) < 0.01, "seed \(seed)")
    #expect(Self.accuracy(streamed) > 0.94, "seed \(seed)")
  }

  @Test func `through loss, absence and crashes every row still comes once, and a seed gives the same run on any threads`() throws
  {
    let storm =
      Self.base.replacing("degree: 4", with: "degree: 4, loss: 30 %").replacing("rate: 0.5", with: "rate: 0.5, mode: restricted")
      + "\nfaults:\n  - crash: {peers: 50 %, at: 10 %, over: 30 %, restart: 2 min}\n  - offline: {probability: 15 %}"
    for seed: UInt64 in [4, 5] {
      let one = try Self.run(storm, seed: seed, threads: 1)
      #expect(one.peers.allSatisfy { $0.rows == 690 }, "seed \(seed): \(one.peers.map(\.rows))")
      let two = try Self.run(storm, seed: seed, threads: 2)
      #expect(one.trace == two.trace && one.peers.map(\.model) == two.peers.map(\.model), "seed \(seed)")
    }
  }

  @Test func `where rows are shared, they become dataslices, and trainers learn from them`() throws {
    let shared = Self.base.replacing("peers: {count: 6}", with: "peers: {count: 6, roles: {trainer: 2}}")
      .replacing("cycle: 30 s", with: "cycle: 30 s, privacy: false")
    let outcome = try Self.run(shared, seed: 3)
    #expect(outcome.peers.filter { $0.role == "trainer" }.allSatisfy { ($0.accuracy ?? 0) > 0.8 })
  }

  @Test func `a session that names its sensors learns from these alone`() throws {
    let channels = (0..<2).map { number in
      StreamWriter(seed: StreamSeed(.sha256(of: Array("murmur simulated sensor 1 \(number)".utf8))), mode: .public).channel
    }
    func hex(_ digest: Digest) -> String { String(Multibase.base16.encode(digest.bytes).dropFirst()) }
    // The second is named with the channel of the first.
    let named = "allowed: [sensor-0 \(hex(channels[0])), sensor-1 \(hex(channels[0]))]"
    let outcome = try Self.run(Self.base.replacing("rate: 0.5", with: "rate: 0.5, \(named)"), seed: 1)
    #expect(outcome.peers.allSatisfy { $0.rows == 230 }, "\(outcome.peers.map(\.rows))")
  }

  @Test func `rows with numbers that no model can bear are left out and counted`() throws {
    let scenario = try Scenario(yaml: Self.base + "\n", file: "a test")
    var basket = try #require(try Setup(scenario, Digits.load()).basket())
    let lines = ["1", "", "inf", "-inf", "1e99", "3e38", "nan"].map { first in
      "[\"\(first)\"" + String(repeating: ",\"0\"", count: 63) + ",\"3\"]"
    }
    let text =
      "{\"id\":\"s\",\"format\":\"csv\",\"columns\":[],\"channel\":\"f\(String(repeating: "00", count: 32))\",\"message\":1,"
      + "\"first\":18446744073709551000,\"time\":1,\"rows\":[\(lines.joined(separator: ","))]}"
    basket.add(try FeedRows(encoded: Array(text.utf8)))
    #expect(basket.count == 3 && basket.refused == 4)
    let taken = basket.take(all: true)
    let rows = try #require(taken)
    #expect((0..<rows.samples.count).allSatisfy { rows.samples.row($0).allSatisfy(\.isFinite) })
  }
}
