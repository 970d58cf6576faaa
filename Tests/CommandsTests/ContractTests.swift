import Foundation
import Testing

@Suite("What murmur simulate promises to whoever reads its files", .serialized, .timeLimit(.minutes(5)))
struct ContractTests {
  /// A run of a second, with every option there is.
  private static let options = [
    "--data", "digits", "--label", "0", "--peers", "5", "--rows", "40", "--hidden", "12,8", "--epochs", "2", "--offline", "0.3",
    "--seed", "18446744073709551615",
  ]

  @Test("Every option has its effect, result.json has every key, every figure is a finite number")
  func result() throws {
    let folder = try Folder()
    let finished = try Program(folder: folder).run(
      ["simulate"] + ContractTests.options + ["--threads", "1", "--out", "made/here"])
    try #require(finished.code == 0, "\(finished.errors)")
    for name in ["result.json", "report.html", "series.csv", "events.jsonl", "run.json"] {
      #expect(folder.has("made/here/" + name))
    }
    #expect(finished.output.contains("made/here/report.html"))

    let result = try folder.object("made/here/result.json")
    #expect((result["seed"] as? NSNumber)?.uint64Value == .max)
    let trace = try #require(result["trace"] as? String)
    #expect(trace.count >= 16 && trace.allSatisfy(\.isHexDigit))
    let alone = try Figures(result, "alone", ["mean", "spread"])
    let together = try Figures(result, "together", ["mean", "spread", "sd"])
    let central = try Figures.number(result, "central")
    for accuracy in [alone["mean"], together["mean"], central] { #expect((10...100).contains(accuracy), "in percent") }
    for spread in [alone["spread"], together["spread"], together["sd"]] { #expect((0...100).contains(spread)) }
    // More than one in a hundred of some thousand predictions are right, so percent and shares cannot be confused.
    let gap = (together["mean"] - alone["mean"]) / (central - alone["mean"])
    #expect(abs(try Figures.number(result, "gapClosed") - gap) < 1e-6)
    #expect((1...5).contains(try Figures(result, "online", ["mean"])["mean"]))
    let resilience = try Figures(result, "resilience", ["mean", "spread"])
    #expect((0...4).contains(resilience["mean"]) && (0...4).contains(resilience["spread"]))
    let bytes = try Figures(result, "bytesSent", ["total", "perPeer"])
    #expect(bytes["total"] > 0 && abs(bytes["perPeer"] * 5 - bytes["total"]) <= 5)
    let averaging = try Figures(result, "averaging", ["attempts", "successes"])
    #expect(averaging["attempts"] >= averaging["successes"] && averaging["successes"] > 0)
    #expect(try Figures.number(result, "virtualSeconds") > 0 && Figures.number(result, "wallSeconds") > 0)
    #expect(result["model"] as? String == "64-12-8-10")
    try checkPeers(result, mean: together["mean"], alone: alone["mean"])
    ContractTests.checkFinite(result, "result.json")

    let configuration = try #require(folder.object("made/here/run.json")["configuration"] as? String)
    #expect(configuration.contains("epochs: 2") && configuration.contains("18446744073709551615"))
  }

  private func checkPeers(_ result: [String: Any], mean: Double, alone: Double) throws {
    let peers = try #require(result["peers"] as? [[String: Any]])
    #expect(peers.count == 5)
    let accuracies = try peers.map { try Figures.number($0, "accuracy") }
    #expect(abs(accuracies.reduce(0, +) / 5 - mean) < 1e-6)
    #expect(abs(try peers.map { try Figures.number($0, "aloneAccuracy") }.reduce(0, +) / 5 - alone) < 1e-6)
    #expect(try peers.allSatisfy { try Figures.number($0, "rows") == 40 })
    #expect(peers.allSatisfy { ($0["model"] as? String)?.hasPrefix("baf") == true }, "a model's address is a CID")
  }

  @Test("The same seed gives the same run in two processes, with one thread and with two; another seed another one")
  func replay() throws {
    let folder = try Folder()
    var results: [[String: Any]] = []
    for (number, threads) in ["1", "2"].enumerated() {
      let out = "run\(number)"
      let finished = try Program(folder: folder).run(["simulate"] + ContractTests.options + ["--threads", threads, "--out", out])
      try #require(finished.code == 0, "\(finished.errors)")
      results.append(try folder.object(out + "/result.json"))
    }
    for key in results[0].keys.sorted() where !["wallSeconds", "peerCyclesPerSecond", "threads", "command"].contains(key) {
      let texts = try results.map {
        try JSONSerialization.data(withJSONObject: $0[key] ?? NSNull(), options: [.sortedKeys, .fragmentsAllowed])
      }
      #expect(texts[0] == texts[1], "\(key)")
    }
    for name in ["series.csv", "events.jsonl"] {
      #expect(try folder.text("run0/" + name) == folder.text("run1/" + name), "\(name)")
    }
    let other = try Program(folder: folder).run(["simulate"] + ContractTests.options.dropLast() + ["3", "--out", "other"])
    #expect(other.code == 0)
    #expect(try folder.object("other/result.json")["trace"] as? String != results[0]["trace"] as? String)
  }

  @Test("Options stand on top of a scenario file; what a run leaves behind runs again")
  func scenario() throws {
    let folder = try Folder()
    let file = try folder.write(
      """
      name: small
      seed: 7
      data: {set: digits, rows: 30}
      model: {hidden: 8}
      peers: {count: 4}
      session: {length: 60 s}
      """, to: "small.yaml")
    let program = Program(folder: folder)
    let first = try program.run(["simulate", file, "--offline", "50%"])
    try #require(first.code == 0, "\(first.errors)")
    let result = try folder.object("runs/small-seed7/result.json")
    #expect(try Figures.number(result, "seed") == 7 && Figures.number(result, "offlineProbability") == 0.5)
    let kept = try #require(folder.object("runs/small-seed7/run.json")["configuration"] as? String)
    try folder.write(kept, to: "again.yaml")
    let second = try program.run(["simulate", "again.yaml", "--out", "again"])
    try #require(second.code == 0, "\(second.errors)")
    #expect(try folder.object("again/result.json")["trace"] as? String == result["trace"] as? String)
  }

  @Test("A log of a run is a few lines: phases, no bars, nothing rewritten")
  func log() throws {
    let folder = try Folder()
    let small = ["simulate", "--peers", "4", "--rows", "30", "--hidden", "8", "--out", "o"]
    let finished = try Program(folder: folder).run(small)
    try #require(finished.code == 0, "\(finished.errors)")
    let lines = finished.errors.split(separator: "\n")
    #expect(lines.count <= 14, "\(finished.errors)")
    #expect(lines[0].contains("4 peers × 30 rows of digits"), "\(finished.errors)")
    #expect(!finished.errors.contains("\r") && !finished.errors.contains("█") && !finished.output.contains("\u{1b}"))
    for phase in ["each peer alone …", "the session …"] { #expect(lines.filter { $0 == phase }.count == 1, "\(finished.errors)") }
  }

  /// Every number within is finite; JSON could not even say otherwise, so this looks for `null`s and for words as well.
  static func checkFinite(_ value: Any, _ path: String) {
    switch value {
    case let object as [String: Any]:
      for key in object.keys.sorted() where key != "interrupted" { checkFinite(object[key] ?? NSNull(), path + "." + key) }
    case let array as [Any]: for (index, item) in array.enumerated() { checkFinite(item, path + "[\(index)]") }
    case let number as NSNumber: #expect(number.doubleValue.isFinite, "\(path)")
    case let text as String: #expect(!["nan", "inf", "-inf", "infinity"].contains(text.lowercased()), "\(path)")
    default: Issue.record("\(path) is \(value)")
    }
  }
}

/// The numbers in an object of `result.json`.
struct Figures {
  private let numbers: [String: Double]

  init(_ result: [String: Any], _ key: String, _ names: [String]) throws {
    let object = try #require(result[key] as? [String: Any], "\(key) is an object")
    numbers = try Dictionary(uniqueKeysWithValues: names.map { ($0, try Figures.number(object, $0)) })
  }

  subscript(_ name: String) -> Double { numbers[name] ?? .nan }

  static func number(_ object: [String: Any], _ key: String) throws -> Double {
    let number = try #require(object[key] as? NSNumber, "\(key) is a number")
    #expect(number.doubleValue.isFinite, "\(key)")
    return number.doubleValue
  }
}
