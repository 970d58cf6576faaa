import Foundation
import MurmurScenario

/// The project's folder, found from this file.
let home = URL(filePath: #filePath).resolvingSymlinksInPath()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The example files with their texts, by name.
func examples() throws -> [(name: String, text: String)] {
  let folder = home.appending(path: "Examples")
  let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }.sorted()
  return try names.map { ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) }
}

/// The problems of a text, one line each; empty if it reads.
func complaints(_ yaml: String) -> [String] {
  do throws(ScenarioError) {
    _ = try Scenario(yaml: yaml, file: "t.yaml")
    return []
  } catch { return error.problems.map(\.description) }
}
