import Foundation

/// `murmur peer --json` that goes on running, and what it says.
final class RunningProgram {
  private let process: Spawned
  private let output = Pipe()
  private var isOver = false
  private var rest = Data()
  private var addresses: [String] = []

  /// Starts the program in a folder; `inside` a network namespace, if one is named.
  init(_ folder: Folder, _ arguments: [String], inside namespace: String? = nil) throws {
    let enter = namespace.map { ["ip", "netns", "exec", $0] } ?? []
    process = try Spawned(
      enter + [try Program.path()] + arguments, in: folder.path, output: output.fileHandleForWriting.fileDescriptor)
    try output.fileHandleForWriting.close()
  }

  deinit { kill() }

  /// Ends it with signal 9.
  func kill() {
    guard !isOver else { return }
    isOver = true
    process.kill()
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
    isOver = true
    return process.end()
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
