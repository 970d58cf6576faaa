import Dispatch
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// A peer of another implementation, run as a process and driven by lines of JSON (see `Peers/`).
final class RealPeer: Sendable {
  /// The implementations.
  enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// The daemon of go-libp2p 0.32.
    case p2pd
    /// go-libp2p 0.24 as a library.
    case golp
    /// Kubo 0.22, whose key is RSA.
    case kubo
    /// py-libp2p 0.8.1.
    case pylp

    /// The folder of its Python environment within the peers' folder.
    var folder: String {
      switch self {
      case .p2pd: "hm"
      case .golp: "lpgo"
      case .kubo: "ik"
      case .pylp: "p2p"
      }
    }

    var testDescription: String { rawValue }

    /// Whether `Peers/setup.sh` has installed it.
    var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: python) }
    var python: String { "\(RealPeer.home)/\(folder)/bin/python" }
  }

  /// What a peer answered, or why it did not.
  struct Answer: Sendable {
    let text: String
    /// The error it reported, if any.
    let error: String?
    /// Whether it reported none.
    var isGood: Bool { error == nil }
    /// What it answered.
    var value: Any? { (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])?["v"] }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Where `Peers/setup.sh` installs: `INTEROP_HOME`, or a folder in the user's cache.
  static let home =
    ProcessInfo.processInfo.environment["INTEROP_HOME"]
    ?? "\(NSHomeDirectory())/.cache/murmur-interop"

  /// Those that are there. The tests of a missing one are left out, and ``missing`` says so.
  static let installed = Kind.allCases.filter(\.isInstalled)
  /// What to say about the others.
  static let missing: String? = {
    let names = Kind.allCases.filter { !$0.isInstalled }.map(\.rawValue)
    guard !names.isEmpty else { return nil }
    return "no \(names.joined(separator: ", ")) in \(home): run Tests/InteropTests/Peers/setup.sh, or set INTEROP_HOME"
  }()

  let kind: Kind
  /// Its peer ID, as text.
  let id: String
  /// Its address, with the peer ID.
  let address: String
  private let process: NIOLockedValueBox<Process>
  private let lines: Lines
  private let input: FileHandle

  /// Starts a peer and waits until it listens on a free port of the loopback interface. A port that was free may be somebody else's by
  /// the time the peer takes it, so a peer that ends before it listens is started again, on another port.
  init(_ kind: Kind, _ arguments: String...) async throws {
    self.kind = kind
    var start = try await Start(kind, arguments)
    for _ in 0..<2 where start.id == nil { start = try await Start(kind, arguments) }
    guard let id = start.id else { throw Failure(description: "\(kind) did not start: \(start.complaint)") }
    self.id = id
    address = "/ip4/127.0.0.1/tcp/\(start.port)/p2p/\(id)"
    (process, input, lines) = (NIOLockedValueBox(start.process), start.input, start.lines)
  }

  /// One attempt at starting a peer.
  private struct Start {
    let port: Int
    let process: Process
    let input: FileHandle
    let lines: Lines
    /// Its peer ID; `nil` if it ended before it listened.
    var id: String?
    /// What it said instead.
    var complaint = ""

    init(_ kind: Kind, _ arguments: [String]) async throws {
      port = try await RealPeer.freePort()
      process = Process()
      process.executableURL = URL(fileURLWithPath: kind.python)
      let script = "\(RealPeer.scripts)/node_\(kind.rawValue).py"
      let folder = NSTemporaryDirectory() + "murmur-\(kind)-\(port)-\(ProcessInfo.processInfo.processIdentifier)"
      process.arguments = [script] + (kind == .kubo ? [folder] : []) + ["\(port)"] + arguments
      let (stdin, stdout) = (Pipe(), Pipe())
      let errors = folder + ".stderr"
      _ = FileManager.default.createFile(atPath: errors, contents: nil)
      // The file stays open in the peer; its name is needed only until the peer listens.
      defer { try? FileManager.default.removeItem(atPath: errors) }
      process.standardInput = stdin
      process.standardOutput = stdout
      process.standardError = FileHandle(forWritingAtPath: errors)
      try process.run()
      input = stdin.fileHandleForWriting
      lines = Lines(stdout.fileHandleForReading)
      do {
        let first = try await lines.next()
        id = (try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])?["id"] as? String
        if id == nil { complaint = first }
      } catch {
        complaint = "\(error): \((try? String(contentsOfFile: errors, encoding: .utf8))?.suffix(2000) ?? "")"
      }
      if id == nil { process.terminate() }
    }
  }

  /// Asks the peer to do something and waits for its answer.
  func callAsFunction(_ operation: String, _ arguments: [String: any Sendable] = [:]) async throws -> Answer {
    var message: [String: Any] = arguments
    message["op"] = operation
    let line = try JSONSerialization.data(withJSONObject: message) + Data("\n".utf8)
    try input.write(contentsOf: line)
    let text = try await lines.next()
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return Answer(text: text, error: object?["err"].map { "\($0)" })
  }

  /// What a script of `Peers` prints, run in the environment of a kind.
  static func run(_ script: String, _ arguments: [String], in kind: Kind) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: kind.python)
    process.arguments = ["\(scripts)/\(script)"] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let (said, complained) = (output.fileHandleForReading, errors.fileHandleForReading)
    let text = try await NIOThreadPool.singleton.runIfActive { try said.readToEnd() ?? Data() }
    guard !text.isEmpty else {
      let why = try await NIOThreadPool.singleton.runIfActive { try complained.readToEnd() ?? Data() }
      throw Failure(description: "\(script) says nothing: \(String(decoding: why, as: UTF8.self))")
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static let scripts = Bundle.module.resourceURL?.appendingPathComponent("Peers").path ?? "Peers"

  /// Ends the process.
  func stop() {
    try? input.write(contentsOf: Data("{\"op\":\"quit\"}\n".utf8))
    try? input.close()
    process.withLockedValue { process in
      let deadline = DispatchTime.now() + .seconds(5)
      let ended = DispatchSemaphore(value: 0)
      process.terminationHandler = { _ in ended.signal() }
      if process.isRunning, ended.wait(timeout: deadline) == .timedOut { kill(process.processIdentifier, SIGKILL) }
    }
  }

  /// A port nobody listens on now.
  private static func freePort() async throws -> Int {
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    let channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
    defer { channel.close(promise: nil) }
    return channel.localAddress?.port ?? 0
  }
}

/// The lines a process writes.
private final class Lines: Sendable {
  private let queue = DispatchQueue(label: "lines")
  private let state: NIOLockedValueBox<(handle: FileHandle, rest: Data)>

  init(_ handle: FileHandle) { state = NIOLockedValueBox((handle, Data())) }

  /// The next line; waits for it on a thread of its own.
  func next() async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      queue.async {
        continuation.resume(with: Result { try self.read() })
      }
    }
  }

  private func read() throws -> String {
    try state.withLockedValue { state in
      while true {
        if let end = state.rest.firstIndex(of: UInt8(ascii: "\n")) {
          let line = String(decoding: state.rest[..<end], as: UTF8.self)
          state.rest = Data(state.rest[(end + 1)...])
          return line
        }
        let more = state.handle.availableData
        guard !more.isEmpty else { throw RealPeer.Failure(description: "the peer's process ended") }
        state.rest += more
      }
    }
  }
}
