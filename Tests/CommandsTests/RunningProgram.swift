import Foundation

/// `murmur peer --json` that goes on running, and what it says.
final class RunningProgram {
  private let process = Process()
  private let output = Pipe()
  private var rest = Data()
  private var addresses: [String] = []

  /// Starts the program in a folder; `inside` a network namespace, if one is named.
  init(_ folder: Folder, _ arguments: [String], inside namespace: String? = nil) throws {
    let path = try Program.path()
    process.executableURL = URL(fileURLWithPath: namespace == nil ? path : "/usr/bin/env")
    process.arguments = (namespace.map { ["ip", "netns", "exec", $0, path] } ?? []) + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  deinit { kill() }

  /// Ends it with signal 9, and waits until it is dead: Foundation may notice much later.
  func kill() {
    guard process.isRunning else { return }
    _ = Foundation.kill(process.processIdentifier, SIGKILL)
    while !output.fileHandleForReading.availableData.isEmpty {}
  }

  /// Where it listens, as it says first.
  func address() throws -> String {
    while addresses.isEmpty { guard try next() != nil else { throw CocoaError(.fileReadNoSuchFile) } }
    return addresses[0]
  }

  /// Reads what it says from now on until something holds of it; false if that takes too long, or it ends. What it said before it was
  /// asked is read too, with the time at which it is read.
  func hears(within seconds: Double, _ holds: ([String: Any]) -> Bool) throws -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      guard let news = try next() else { return false }
      if news["news"] as? String == "cycle", holds(news) { return true }
    }
    return false
  }

  /// Reads on to its end, and gives its code.
  func end() throws -> Int32 {
    while try next() != nil {}
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// The next line; `nil` at the end.
  private func next() throws -> [String: Any]? {
    while true {
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = rest[..<end]
        rest = Data(rest[rest.index(after: end)...])
        guard let news = try JSONSerialization.jsonObject(with: line) as? [String: Any] else {
          throw CocoaError(.fileReadCorruptFile)
        }
        if news["news"] as? String == "listening" { addresses = news["addresses"] as? [String] ?? [] }
        return news
      }
      let piece = output.fileHandleForReading.availableData
      guard !piece.isEmpty else { return nil }
      rest += piece
    }
  }
}
