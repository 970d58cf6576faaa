import Foundation
import Testing

@Suite("Stopped in the middle: what was done is kept", .serialized, .timeLimit(.minutes(5)))
struct InterruptionTests {
  /// A run that would take minutes; each phase announces itself by a line, and Ctrl-C comes right then.
  @Test("Ctrl-C in any phase", arguments: ["each peer alone", "the session", "evaluation"])
  func interrupted(phase: String) throws {
    let folder = try Folder()
    // Each makes its own phase the long one, so that there is time to press Ctrl-C in it.
    let heavy =
      switch phase {
      case "each peer alone": "model: {hidden: [200, 200]}, baselines: {central: false}"
      case "the session": "session: {length: 100000 s}, baselines: {alone: false, central: false}"
      default:
        """
        model: {hidden: [1000, 1000]}, peers: {count: 10}, session: {length: 60 s}, observe: {every: 50 %, peers: 1},
          baselines: {alone: false, central: false}
        """
      }
    let scenario = try folder.write("{name: long, data: {rows: 20},\n  \(heavy)}\n", to: "long.yaml")
    var isSent = false
    let finished = try Program(folder: folder).run(["simulate", scenario, "--threads", "1", "--out", "kept"]) { line, process in
      if line == phase + " …", !isSent {
        process.interrupt()
        isSent = true
      }
    }
    #expect(isSent, "\(finished.errors)")
    #expect(finished.code == 130 && !finished.wasKilled, "\(finished.errors)")
    #expect(finished.errors.contains("Ctrl-C again"), "\(finished.errors)")
    let result = try folder.object("kept/result.json")
    // The last phase may be over by the time the signal is there.
    #expect(phase == "evaluation" || (result["interrupted"] as? String)?.contains("interrupted") == true)
    for name in ["report.html", "series.csv", "events.jsonl", "run.json"] { #expect(folder.has("kept/" + name)) }
    #expect(finished.output.contains("kept/report.html"))
  }

  @Test("A second Ctrl-C does not wait")
  func twice() throws {
    let folder = try Folder()
    let scenario = try folder.write(
      "{data: {rows: 60}, model: {hidden: [400, 400]}, session: {length: 100000 s}, baselines: {alone: false, central: false}}",
      to: "long.yaml")
    let finished = try Program(folder: folder).run(["simulate", scenario, "--out", "kept"]) { line, process in
      if line == "the session …" || line.contains("Ctrl-C again") { process.interrupt() }
    }
    #expect(finished.code == 130 && !finished.wasKilled, "\(finished.errors)")
  }

  @Test("The demo, stopped while it trains the controls, leaves a report too")
  func demo() throws {
    let folder = try Folder()
    let finished = try Program(folder: folder).run(["demo", "--out", "kept"]) { line, process in
      if line == "each peer alone …" { process.interrupt() }
    }
    #expect(finished.code == 130 && !finished.wasKilled, "\(finished.errors)")
    #expect(folder.has("kept/report.html"))
  }
}

@Suite("A disk that is full: what fits is kept", .serialized, .timeLimit(.minutes(2)))
struct FullDiskTests {
  /// A limit on the size of files stands in for a disk that fills up: both make the write fail half-way.
  @Test("Files that no longer fit are named, the others are there, and the figures are on the screen")
  func full() throws {
    let folder = try Folder()
    let small = ["simulate", "--peers", "4", "--rows", "30", "--hidden", "8", "--out", "run"]
    let finished = try Program(folder: folder).run(after: "trap '' XFSZ; ulimit -f 64", small)
    #expect(finished.code == 1 && !finished.wasKilled, "\(finished.errors)")
    #expect(finished.errors.contains("cannot write run/"), "\(finished.errors)")
    #expect(finished.errors.contains("kept"), "\(finished.errors)")
    #expect(finished.output.contains("together"), "\(finished.output)")
    #expect(try folder.object("run/result.json")["trace"] is String)
    #expect(!folder.has("run/report.html"), "a file is there whole or not at all")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/run").filter { $0.hasPrefix(".") }
    #expect(left.isEmpty, "nothing half-written is left behind")
  }
}
