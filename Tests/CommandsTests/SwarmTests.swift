import Foundation
import Testing

/// Real peers on this machine, each a process, over loopback.
@Suite("The swarm", .serialized)
struct SwarmTests {
  @Test("Four processes learn together better than alone; with half of them killed the rest goes on", arguments: ["0", "0.5"])
  func learns(kill: String) throws {
    let folder = try Folder()
    let finished = try Program(folder: folder).run([
      "swarm", "--peers", "4", "--seconds", "8", "--kill", kill, "--seed", "3", "--out", "out",
    ])
    #expect(finished.code == 0, "\(finished.errors)")
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/out/result.json"))
    let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let together = try #require((result["together"] as? [String: Any])?["mean"] as? Double)
    let alone = try #require((result["alone"] as? [String: Any])?["mean"] as? Double)
    #expect(together > alone, "seed 3: \(together) % together, \(alone) % alone; \(finished.errors)")
    #expect(result["ended"] as? Int == (kill == "0" ? 4 : 2), "\(finished.output)")
    #expect(result["killed"] as? Int == (kill == "0" ? 0 : 2))
    let peers = try #require(result["peers"] as? [[String: Any]])
    for peer in peers where peer["killed"] as? Bool == false { #expect(peer["averages"] as? Int ?? 0 > 5, "\(peer)") }
  }

  @Test("With --offline peers are away as often as it says, and hear less of each other")
  func offline() throws {
    let folder = try Folder()
    let averages = try ["0", "0.9"].map { share in
      let finished = try Program(folder: folder).run([
        "swarm", "--peers", "4", "--seconds", "6", "--offline", share, "--seed", "3", "--out", "out\(share)",
      ])
      #expect(finished.code == 0, "\(finished.errors)")
      let peers = try #require(try folder.object("out\(share)/result.json")["peers"] as? [[String: Any]])
      return peers.map { $0["averages"] as? Int ?? 0 }.reduce(0, +)
    }
    #expect(averages[1] * 2 < averages[0], "seed 3: \(averages[0]) averages without, \(averages[1]) with --offline 0.9")
  }

  @Test(
    "What cannot be is said before anything starts",
    arguments: [
      (["swarm", "--seconds", "0"], "give a second or more"),
      (["swarm", "--kill", "2"], "give a share from 0 to 1"),
      (["peer", "--session", "nowhere.yaml"], "nowhere.yaml"),
      (["peer", "--session", "s.yaml"], "give --number"),
      (["peer", "--session", "s.yaml", "--number", "20"], "numbered 0 to 19"),
      (["peer", "--session", "s.yaml", "--number", "0", "--listen", "here"], "--listen here"),
      (["peer", "--session", "s.yaml", "--number", "0", "--join", "/ip4/127.0.0.1/tcp/4001"], "must end in /p2p/"),
      (["peer", "--session", "s.yaml", "--number", "0", "--role", "king"], "full, trainer or feeder"),
    ])
  func refuses(arguments: [String], words: String) throws {
    let folder = try Folder()
    try Data("name: s\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/s.yaml"))
    let finished = try Program(folder: folder).run(arguments)
    #expect(finished.code == 1 && finished.errors.lowercased().contains(words.lowercased()), "\(finished.errors)")
  }
}
