/// What must not be found anywhere.
enum CareRules {
  /// Tests look from outside, do not wait, and replay.
  static func tests(_ file: SourceFile) -> [Violation] {
    let sleeps = ["sleep(", "usleep(", "nanosleep("]
    let found =
      file.code.occurrences(of: "@testable").map { ($0, "`@testable`", "Test what is public, or mark it `package`") }
      + sleeps.flatMap { token in
        file.code.occurrences(of: token).map { ($0, "`\(token)`", "Move virtual time, or wait for the event itself") }
      }
      + file.code.occurrences(of: "import XCTest").map { ($0, "XCTest", "Write it with Swift Testing") }
    return found.compactMap { file.violation(.tests, at: $0.0, "\($0.1) in a test", do: $0.2) }
      + PurityRules.systemRandomness(file, .tests)
  }

  /// Marks of work left for later.
  static func unfinished(_ file: SourceFile) -> [Violation] {
    if file.isGenerated { return [] }
    let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    var found = file.comments.flatMap { comment in
      marks.filter { !Code(Array(comment.text.utf8)).occurrences(of: $0).isEmpty }.map {
        file.violation(.unfinished, line: comment.line, "`\($0)` in a comment", do: "Do it now, or open an issue")
      }
    }
    for stop in ["fatalError(", "preconditionFailure(", "assertionFailure("] {
      for position in file.code.occurrences(of: stop) {
        let open = position + stop.utf8.count - 1
        let message = file.raw.text((open + 1)..<file.code.closing(open)).lowercased()
        guard message.isEmpty || message.contains("implement") || message.contains("not yet") || message.contains("unsupported")
        else { continue }
        found.append(
          file.violation(
            .unfinished, at: position, "`\(stop)\(message))` stands for something that is not there",
            do: "Build it, or say in the message which promise of the caller was broken"))
      }
    }
    return found.compactMap { $0 }
  }

  /// Folders that exist on one machine only.
  static func paths(_ path: String, _ text: String) -> [Violation] {
    let folders = ["ro" + "ot", "wo" + "rk", "ho" + "me", "Us" + "ers"].map { "/" + $0 }
    var found: [Violation] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let code = Code(Array(line.utf8))
      for folder in folders {
        let hits = code.occurrences(of: folder).filter { isAbsolute(code, $0, folder) }
        guard !hits.isEmpty else { continue }
        found.append(
          Violation(
            path: path, line: index + 1, rule: .paths, problem: "`\(folder)` is a folder of one machine",
            remedy: "Name it from the package's folder, from an environment variable or from the caller"))
      }
    }
    return found
  }

  /// An absolute path goes on after the folder, or ends with it, and does not continue another one.
  private static func isAbsolute(_ code: Code, _ position: Int, _ folder: String) -> Bool {
    if position > 0 {
      let before = code.bytes[position - 1]
      if before.isWord
        || [UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ")"), UInt8(ascii: "}"), UInt8(ascii: "*")].contains(before)
      {
        return false
      }
    }
    let end = position + folder.utf8.count
    return end >= code.count || [UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "'"), .space].contains(code.bytes[end])
  }
}
