import Foundation
import Testing

/// A trained split network that is asked again under faults, from its folder.
@Suite("The risk of a trained split network")
struct RiskTests {
  @Test(
    "A network is read back as it was, with what stands for the missing, and gaps are those to another run",
    arguments: ["mean", "estimate"])
  func again(missing: String) throws {
    let folder = try Folder()
    func run(_ arguments: [String]) throws -> Program.Finished {
      let finished = try Program(folder: folder).run(arguments)
      #expect(finished.code == 0, "\(finished.errors)")
      return finished
    }
    let common = ["--devices", "4", "--epochs", "20", "--hidden", "6", "--dead", "0,2", "--seed", "5"]
    _ = try run(["split", "simulate", "--graph", "line", "--missing", missing, "--link-loss", "0.3", "--out", "run"] + common)
    _ = try run(["split", "simulate", "--out", "complete"] + common)
    let asked = try run(["risk", "run", "--ideal", "complete", "--out", "asked"])
    #expect(asked.output.contains("links down 30 %"), "\(asked.output)")
    func levels(_ name: String) throws -> [[String: Any]] {
      try #require(try folder.object("\(name)/result.json")["levels"] as? [[String: Any]])
    }
    let (first, second, ideal) = (try levels("run"), try levels("asked"), try levels("complete"))
    #expect(first.count == 3 && second.count == 3)
    for (before, after) in zip(first, second) {
      #expect(
        before["accuracy"] as? Double == after["accuracy"] as? Double && before["loss"] as? Double == after["loss"] as? Double)
      let gap = try #require(after["gap"] as? Double)
      let best = try #require(ideal[0]["accuracy"] as? Double)
      #expect(abs(gap - (best - (after["accuracy"] as? Double ?? 2))) < 1e-9)
    }
    // A lost file is named.
    let lost = "run/network/device-1-\(missing == "mean" ? "usual.json" : "estimator-1.safetensors")"
    try FileManager.default.removeItem(atPath: folder.path + "/" + lost)
    let refused = try Program(folder: folder).run(["risk", "run"])
    #expect(refused.code == 1 && refused.errors.contains(lost), "\(refused.errors)")
  }
}
