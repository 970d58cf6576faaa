import Foundation

/// The program as a user has it: a process with arguments, two streams and an exit code.
struct Program {
  /// The folder it is started in.
  let folder: Folder
  /// Variables it finds besides those of the tests.
  var environment: [String: String] = [:]

  /// What became of a process.
  struct Finished {
    var code: Int32
    /// Whether it ended by a signal that it did not handle.
    var wasKilled: Bool
    /// Standard output and standard error.
    var output: String
    var errors: String
  }

  /// The program was not built beside the tests.
  struct Missing: Error, CustomStringConvertible {
    var looked: String
    var description: String {
      "there is no program at \(looked); build it with swift build --product murmur, as the tests are built"
    }
  }

  /// The program beside the bundle of the tests.
  static func path() throws -> String {
    let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    let path = bundle.deletingLastPathComponent().appendingPathComponent("murmur").path
    guard FileManager.default.isExecutableFile(atPath: path) else { throw Missing(looked: path) }
    return path
  }

  /// Runs `murmur` to its end; `heard` is told of every line on standard error as it comes, and of the process, to signal it.
  func run(_ arguments: [String], heard: (String, Process) -> Void = { _, _ in }) throws -> Finished {
    try run(Program.path(), arguments, heard: heard)
  }

  /// Runs `murmur` in a shell after `preparation`.
  func run(after preparation: String, _ arguments: [String]) throws -> Finished {
    try run("/bin/sh", ["-c", preparation + "; exec \"$0\" \"$@\"", Program.path()] + arguments) { _, _ in }
  }

  private func run(_ path: String, _ arguments: [String], heard: (String, Process) -> Void) throws -> Finished {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = folder.path + "/.output"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    let errors = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = errors
    try process.run()
    var all = Data()
    var lines = 0
    while true {
      let piece = errors.fileHandleForReading.availableData
      guard !piece.isEmpty else { break }
      all.append(piece)
      let whole = String(decoding: all, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      for line in whole.dropFirst(lines) { heard(String(line), process) }
      lines = whole.count
    }
    process.waitUntilExit()
    return Finished(
      code: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "", errors: String(decoding: all, as: UTF8.self))
  }
}

/// A folder that goes away with whoever holds it.
final class Folder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("murmur-commands-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path within the folder.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    return name
  }

  func text(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

  /// A JSON file's object.
  func object(_ name: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    guard let object = value as? [String: Any] else { throw CocoaError(.fileReadCorruptFile) }
    return object
  }
}
