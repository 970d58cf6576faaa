import Foundation
import Testing

/// Devices of a split network on this machine, each a process, over loopback.
@Suite("The split swarm", .serialized)
struct SplitSwarmTests {
  @Test("Four devices learn together; half of them are killed in the middle, and the rest go on and answer")
  func killed() throws {
    let folder = try Folder()
    let finished = try Program(folder: folder).run([
      "split", "swarm", "--devices", "4", "--data", "digits", "--epochs", "20", "--seconds", "60", "--kill", "0.5", "--seed", "3",
      "--ask", "200", "--out", "out",
    ])
    #expect(finished.code == 0, "\(finished.errors)")
    let result = try folder.object("out/result.json")
    func accuracy(_ when: String) throws -> Double {
      try #require((result[when] as? [String: Any])?["accuracy"] as? Double, "\(finished.output)")
    }
    #expect(try accuracy("before") > 75 && accuracy("after") > 45 && accuracy("end") > 45, "\(finished.output)")
    #expect((result["end"] as? [String: Any])?["devices"] as? Int == 2 && (result["killed"] as? [Int])?.count == 2)
    #expect(result["answers"] as? Int == 20)
    let pause = try #require(result["longestPauseSeconds"] as? Double)
    #expect(pause < 5, "\(pause) s")
    for device in try #require(result["each"] as? [[String: Any]]) where device["killed"] as? Bool == false {
      #expect(device["step"] as? Int == result["steps"] as? Int, "\(device)")
    }
  }

  @Test("Other rules, graphs, policies and ways of answers run on devices as they do in simulation")
  func others() throws {
    let folder = try Folder()
    let finished = try Program(folder: folder).run([
      "split", "swarm", "--devices", "4", "--data", "digits", "--epochs", "20", "--seconds", "60", "--seed", "5", "--ask", "200",
      "--graph", "ring", "--scheme", "greedy", "--missing", "estimate", "--answers", "gossip:3", "--out", "out",
    ])
    #expect(finished.code == 0, "\(finished.errors)")
    let end = try #require(try folder.object("out/result.json")["end"] as? [String: Any])
    // Who averages with its two neighbours of a ring heard three.
    #expect(try #require(end["accuracy"] as? Double) > 75 && end["devices"] as? Int == 3, "\(finished.output)")
    let session = try folder.object("out/session.json")
    #expect(
      session["scheme"] as? String == "greedy" && session["missing"] as? String == "estimate" && session["gossip"] as? Int == 3)
  }

  @Test("A device that was killed goes on from its checkpoint, the other one answers meanwhile, and both end in good order")
  func returns() throws {
    let folder = try Folder()
    let made = try Program(folder: folder).run([
      "split", "swarm", "--devices", "2", "--data", "digits", "--epochs", "100000", "--seconds", "1", "--seed", "4", "--out",
      "out",
    ])
    #expect(made.code == 0, "\(made.errors)")
    func device(_ number: Int) throws -> RunningDevice {
      try RunningDevice(
        folder,
        [
          "split", "device", "--session", "out/session.json", "--number", "\(number)", "--store", "out/devices/\(number)",
          "--checkpoint", "0.2", "--json",
        ])
    }
    let first = try device(0)
    var second = try device(1)
    #expect(try first.hears("resumed") { $0["step"] as? Int ?? 0 > 0 })
    var step = 0
    #expect(
      try second.hears("step") { news in
        step = news["step"] as? Int ?? 0
        return news["neighbours"] as? Int == 1 && news["steps"] as? Int ?? 0 > 50
      })
    second.kill()
    #expect(try first.hears("disconnected") { $0["device"] as? Int == 1 })
    #expect(try first.hears("step") { $0["step"] as? Int ?? 0 > step + 20 })
    let address = try #require(first.address)
    let asked = try Program(folder: folder).run(["predict", "--device", address, "--rows", "1438-1447", "--json"])
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(asked.output.utf8)) as? [String: Any], "\(asked.errors)")
    #expect(answer["devices"] as? Int == 1 && (answer["rows"] as? [Any])?.count == 10, "\(asked.output)")
    second = try device(1)
    #expect(try second.hears("resumed") { $0["step"] as? Int ?? 0 > 0 })
    #expect(try second.hears("step") { $0["step"] as? Int ?? 0 > step && $0["neighbours"] as? Int == 1 })
    #expect(try first.interrupt() == 0)
    #expect(try second.interrupt() == 0)
  }

  @Test(
    "What cannot be is said before anything starts",
    arguments: [
      (["split", "swarm", "--devices", "0"], "give 1 to 256"), (["split", "swarm", "--kill", "2"], "from 0 to 1"),
      (["split", "swarm", "--graph", "tree"], "there is no such graph or file"),
      (["split", "swarm", "--scheme", "greed"], "there is no such scheme"),
      (["split", "swarm", "--missing", "none"], "no such policy"),
      (["split", "swarm", "--answers", "gossip:0"], "give flood"),
      (["split", "swarm", "--data", "digits", "--devices", "100"], "cannot share 64 features"),
      (["split", "device", "--session", "nowhere.json", "--number", "0"], "nowhere.json"),
      (["split", "device", "--session", "bad.json", "--number", "0"], "it is no JSON"),
      (["split", "device", "--session", "empty.json", "--number", "0"], "it has no"),
      (["predict", "--rows", "1"], "which device?"),
      (["predict", "--device", "here", "--rows", "1"], "an address is like"),
      (["predict", "--device", "/ip4/127.0.0.1/tcp/1", "--rows", "5-1"], "give a row such as"),
      (["predict", "--device", "/ip4/127.0.0.1/tcp/1", "--rows", "1"], "is it running"),
    ])
  func refuses(arguments: [String], words: String) throws {
    let folder = try Folder()
    try folder.write("no", to: "bad.json")
    try folder.write("{}", to: "empty.json")
    let finished = try Program(folder: folder).run(arguments)
    #expect(finished.code == 1 && finished.errors.lowercased().contains(words.lowercased()), "\(finished.errors)")
  }
}

/// `murmur split device --json` that goes on running, and what it says.
private final class RunningDevice {
  private let process: Spawned
  private let output = Pipe()
  private var rest = Data()
  private var isOver = false
  /// Where it listens, once it has said so.
  private(set) var address: String?

  init(_ folder: Folder, _ arguments: [String]) throws {
    process = try Spawned([try Program.path()] + arguments, in: folder.path, output: output.fileHandleForWriting.fileDescriptor)
    try output.fileHandleForWriting.close()
  }

  deinit { kill() }

  func kill() {
    guard !isOver else { return }
    isOver = true
    process.kill()
  }

  /// Asks it to end; gives its code.
  func interrupt() throws -> Int32 {
    _ = Foundation.kill(process.pid, SIGINT)
    while try next() != nil {}
    isOver = true
    return process.end()
  }

  /// Reads what it says until something holds of such news; false if that takes too long, or it ends.
  func hears(_ kind: String, within seconds: Double = 60, _ holds: ([String: Any]) -> Bool) throws -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline, let news = try next() { if news["news"] as? String == kind, holds(news) { return true } }
    return false
  }

  private func next() throws -> [String: Any]? {
    while true {
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = rest[..<end]
        rest = Data(rest[rest.index(after: end)...])
        let news = try JSONSerialization.jsonObject(with: line) as? [String: Any]
        if news?["news"] as? String == "listening" { address = (news?["addresses"] as? [String])?.first }
        return news
      }
      let piece = output.fileHandleForReading.availableData
      guard !piece.isEmpty else { return nil }
      rest += piece
    }
  }
}
