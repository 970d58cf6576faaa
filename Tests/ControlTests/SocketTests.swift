import Foundation
import MurmurControl
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("A control socket", .timeLimit(.minutes(5)))
struct SocketTests {
  let group = MultiThreadedEventLoopGroup.singleton

  /// A desk that counts what it is brought, gives what it is asked for, and fails when it is told to.
  private static func desk(_ request: ControlRequest, _ line: ControlLine) async throws {
    switch request {
    case .add:
      var count: UInt64 = 0
      while let frame = try await line.next() {
        switch frame {
        case .bytes(let bytes): count += UInt64(bytes.count)
        case .end: return try await line.answer(ControlAnswer.Added(cid: "c", bytes: count))
        default: throw ControlError("bytes were expected")
        }
      }
    case .cat(let path, _):
      try await line.note(ControlNote("reading", bytes: 300_000))
      for part in 0..<3 { try await line.write(.bytes([UInt8](repeating: UInt8(part), count: 100_000))) }
      try await line.answer(ControlAnswer.Sent(cid: path, bytes: 300_000))
    case .pins: while try await line.next() != nil { continue }
    default: throw ControlError("nothing is known of \(request)")
    }
  }

  @Test("Bytes go in, bytes come out, failures are told in words, and only the owner may open it")
  func conversations() async throws {
    let folder = try Folder()
    let place = try ControlPlace(folder.path + "/control.sock")
    let server = try await ControlServer.open(place, group: group) { try await SocketTests.desk($0, $1) }
    defer { server.close() }
    let mode = try FileManager.default.attributesOfItem(atPath: place.path)[.posixPermissions] as? Int
    #expect(mode == 0o600 && place.isAnswered)
    let client = ControlClient(place)
    let left = Countdown(40)
    let added: ControlAnswer.Added = try await client.ask(
      .add(provide: false), source: { left.next() ? [UInt8](repeating: 1, count: 1_500_000) : nil })
    #expect(added.bytes == 60_000_000)
    let (heard, sunk) = (Countdown(0), Countdown(0))
    let sent: ControlAnswer.Sent = try await client.ask(
      .cat(path: "x", timeout: 1), note: { heard.add(Int($0.bytes ?? 0)) }, sink: { sunk.add($0.count) })
    #expect(sent.cid == "x" && heard.value == 300_000 && sunk.value == 300_000)
    await #expect(throws: ControlError("nothing is known of peers")) {
      let _: ControlAnswer.Peers = try await client.ask(.peers)
    }
  }

  @Test("A file that cannot be read further ends the conversation with its own reason")
  func brokenSource() async throws {
    let folder = try Folder()
    let place = try ControlPlace(folder.path + "/control.sock")
    let server = try await ControlServer.open(place, group: group) { try await SocketTests.desk($0, $1) }
    defer { server.close() }
    await #expect(throws: ControlError("the disk is gone")) {
      let _: ControlAnswer.Added = try await ControlClient(place).ask(
        .add(provide: false), source: { throw ControlError("the disk is gone") })
    }
  }

  @Test("A peer that closes lets nobody wait; its socket is gone, and what a dead one left is replaced")
  func closing() async throws {
    let folder = try Folder()
    let place = try ControlPlace(folder.path + "/control.sock")
    let (asked, tell) = AsyncStream.makeStream(of: Void.self)
    let server = try await ControlServer.open(place, group: group) { request, line in
      tell.yield()
      try await SocketTests.desk(request, line)
    }
    let waiting = Task { () -> ControlAnswer.Pins in try await ControlClient(place).ask(.pins) }
    for await _ in asked { break }
    await #expect(throws: ControlError.self) {
      let _ = try await ControlServer.open(place, group: group) { _, _ in }
    }
    server.close()
    await #expect(throws: ControlError.self) { try await waiting.value }
    #expect(!FileManager.default.fileExists(atPath: place.path))
    // A socket that nobody listens at any more, as kill -9 leaves it.
    let dead = try await ServerBootstrap(group: group).bind(unixDomainSocketPath: place.path + "2").get()
    try FileManager.default.moveItem(atPath: place.path + "2", toPath: place.path)
    try await dead.close()
    try #require(FileManager.default.fileExists(atPath: place.path) && !place.isAnswered)
    let next = try await ControlServer.open(place, group: group) { _, _ in throw ControlError("here") }
    defer { next.close() }
    await #expect(throws: ControlError("here")) { let _: ControlAnswer.Pins = try await ControlClient(place).ask(.pins) }
  }

  @Test("Where no peer is, and where none can be, is said with what to do")
  func errors() async throws {
    let folder = try Folder()
    let client = ControlClient(try ControlPlace(folder.path + "/none.sock"))
    let error = await #expect(throws: ControlError.self) { let _: ControlAnswer.Pins = try await client.ask(.pins) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("no peer runs there"))
    let long = #expect(throws: ControlError.self) { try ControlPlace("/" + String(repeating: "x", count: 120)) }
    #expect("\(long.map { "\($0)" } ?? "")".contains("--control"))
    try Data("a file".utf8).write(to: URL(fileURLWithPath: folder.path + "/file"))
    let file = await #expect(throws: ControlError.self) {
      try await ControlServer.open(try ControlPlace(folder.path + "/file"), group: group) { _, _ in }
    }
    #expect("\(file.map { "\($0)" } ?? "")".contains("no socket"))
    #expect(FileManager.default.fileExists(atPath: folder.path + "/file"))
  }

  @Test("Options come before the environment, and a store has its socket in its folder")
  func choosing() throws {
    let environment = ["MURMUR_CONTROL": "/tmp/e"]
    #expect(try ControlPlace.chosen(store: "s", control: "c", environment: environment)?.path == "c")
    #expect(try ControlPlace.chosen(store: "s", control: nil, environment: environment)?.path == "s/control.sock")
    #expect(try ControlPlace.chosen(store: nil, control: nil, environment: environment)?.path == "/tmp/e")
    #expect(try ControlPlace.chosen(store: nil, control: nil, environment: [:]) == nil)
  }
}

/// A number that several tasks share.
final class Countdown: Sendable {
  private let number: Mutex<Int>

  init(_ value: Int) { number = Mutex(value) }

  var value: Int { number.withLock { $0 } }

  func add(_ count: Int) { number.withLock { $0 += count } }

  /// One less; false when nothing is left.
  func next() -> Bool {
    number.withLock { value in
      value -= 1
      return value >= 0
    }
  }
}
