import Foundation
import Synchronization
import Testing

/// A `murmur peer` that runs beside a test, until the test ends it or is over.
final class LivePeer {
  let folder: Folder
  let name: String
  private let process = Process()
  private let output: Pipe
  private let told = Told()

  /// What a peer said so far.
  private final class Told: Sendable {
    let text = Mutex("")
    let changed = DispatchSemaphore(value: 0)

    func add(_ more: String) {
      text.withLock { $0 += more }
      changed.signal()
    }
  }

  /// Something a peer did not do in time.
  struct Silent: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts one with a store named `name`; returns when it listens.
  init(_ folder: Folder, _ name: String, _ arguments: [String], session: [String] = ["--session", "s.yaml"]) throws {
    self.folder = folder
    self.name = name
    output = Pipe()
    process.executableURL = URL(fileURLWithPath: try Program.path())
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.arguments = ["peer", "--listen", "/ip4/127.0.0.1/tcp/0", "--store", name, "--json"] + session + arguments
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    let errors = folder.path + "/\(name).errors"
    _ = FileManager.default.createFile(atPath: errors, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    output.fileHandleForReading.readabilityHandler = { [told] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      told.add(String(decoding: data, as: UTF8.self))
    }
    _ = try news("listening")
  }

  deinit { kill() }

  /// What it wrote on standard error.
  var errors: String { (try? folder.text("\(name).errors")) ?? "" }

  /// Where it listens, ending in its identity.
  var address: String { get throws { try #require((try news("listening")["addresses"] as? [String])?.first) } }

  /// Its identity.
  var identity: String { get throws { String(try #require(try address.split(separator: "/").last)) } }

  /// The first news of a kind, and of which something holds, when it comes.
  func news(
    _ kind: String, within seconds: Double = 30, where holds: ([String: Any]) -> Bool = { _ in true }
  ) throws -> [String: Any] {
    let deadline = DispatchTime.now() + seconds
    while true {
      for line in told.text.withLock({ $0 }).split(separator: "\n") {
        let news = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        if let news, news["news"] as? String == kind, holds(news) { return news }
      }
      guard process.isRunning, told.changed.wait(timeout: deadline) == .success else {
        throw Silent(description: "peer \(name) said no '\(kind)' within \(seconds) s: \(told.text.withLock { $0 }) \(errors)")
      }
    }
  }

  /// Ends it with signal 9, as a power failure would.
  func kill() {
    output.fileHandleForReading.readabilityHandler = nil
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Tells it to stop, as a service manager does, and waits until it has stopped; its code.
  func terminate() -> Int32 {
    output.fileHandleForReading.readabilityHandler = nil
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Runs a command that asks it.
  func ask(_ arguments: [String]) throws -> Program.Finished {
    try Program(folder: folder).run(arguments + ["--store", name])
  }

  /// Runs a command that asks it and succeeds; gives what it printed.
  func answer(_ arguments: [String]) throws -> String {
    let finished = try ask(arguments)
    #expect(finished.code == 0, "\(arguments): \(finished.errors)")
    return finished.output.trimmingCharacters(in: .newlines)
  }

  /// Asks again and again until the answer is as wanted.
  func answer(_ arguments: [String], until isRight: (String) -> Bool) throws -> String {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      let text = try ask(arguments).output.trimmingCharacters(in: .newlines)
      if isRight(text) { return text }
      guard ContinuousClock.now < deadline else { throw Silent(description: "\(arguments) of \(name) still says: \(text)") }
    }
  }
}
