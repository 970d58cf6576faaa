import Foundation
import MurmurReports
import Testing

/// Runs `python3` over a text, where there is one: a judge that shares no code with us.
enum Python {
  /// Whether there is a Python to ask.
  static let exists = (try? run("import sys", on: "")) != nil

  /// What the program printed, with the text as its standard input.
  @discardableResult static func run(_ program: String, on text: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory
    let file = folder.appendingPathComponent("murmur-reports-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let said = String(decoding: data, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(said: said) }
    return said
  }

  struct Failure: Error { let said: String }
}

@Suite("Pages: what a person opens")
struct PagesTests {
  static let pages: [(name: String, html: String)] = [
    ("run", Samples.run().html()), ("run-crowd", Samples.run(peers: 1000, offline: 0.2, seed: 3).html()),
    ("run-single", Samples.run(peers: 1, offline: 0, seed: 4, length: 3).html()),
    ("demo", Samples.comparison([0, 0.8]).html()), ("levels", Samples.comparison([0, 0.2, 0.4, 0.6, 0.8]).html()),
    ("reproduction", Samples.reproduction().html()),
    ("empty", RunReport(result: RunResult(name: "", seed: 0), series: Series()).html()),
  ]

  /// With `MURMUR_REPORT_SAMPLES=folder` the pages are left there to be looked at.
  @Test("sample pages are complete, closed and self-contained", arguments: pages.map(\.name))
  func complete(name: String) throws {
    let html = try #require(Self.pages.first { $0.name == name }).html
    if let folder = ProcessInfo.processInfo.environment["MURMUR_REPORT_SAMPLES"] {
      try html.write(toFile: "\(folder)/\(name).html", atomically: true, encoding: .utf8)
    }
    #expect(html.hasPrefix("<!doctype html>"))
    #expect(html.hasSuffix("</html>\n"))
  }
}
