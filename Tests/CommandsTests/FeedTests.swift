import Foundation
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurStreams
import MurmurWire
import NIOPosix
import Synchronization
import Testing

/// `murmur feed` as a user has it: a process with a file or a pipe, gateways that come and go, and kills.
@Suite("Feeds", .serialized)
struct FeedTests {
  /// The rows that readers get: what gateways took, read as one who follows the stream from its head.
  final class Reader: Sendable {
    private struct State {
      var messages: [[UInt8]: [UInt8]] = [:]
      var heads: [[UInt8]] = []
      var forked = 0
    }

    private let state = Mutex(State())
    private let news = DispatchSemaphore(value: 0)
    let session: String
    let side: SideKey?
    /// All side keys that it holds.
    let keys: [SideKey]

    init(session: String, side: SideKey? = nil, sides: [SideKey]? = nil) {
      (self.session, self.side, keys) = (session, side, sides ?? (side.map { [$0] } ?? []))
    }

    /// Returns when something came, or after a moment.
    func pause() { _ = news.wait(timeout: .now() + .milliseconds(50)) }

    func take(_ tag: [UInt8], _ content: [UInt8]) {
      defer { news.signal() }
      state.withLock { state in
        if tag == StreamHead.tag(of: session, side: side) { return state.heads.append(content) }
        if let before = state.messages[tag], before != content { state.forked += 1 }
        state.messages[tag] = content
      }
    }

    var forked: Int { state.withLock { $0.forked } }
    var heads: Int { state.withLock { Set($0.heads).count } }

    /// The head, and all rows from the first on that it leads to.
    func rows(from first: Int = 0) throws -> (head: StreamHead?, rows: [String]) {
      let (messages, heads) = state.withLock { ($0.messages, $0.heads) }
      guard let bytes = heads.first else { return (nil, []) }
      let head = try StreamHead.open(bytes, session: session, side: side)
      var reader = StreamReader(head.pointer, sides: keys)
      var rows: [String] = []
      while let address = reader.addresses.first(where: { messages[$0.bytes] != nil }), let message = messages[address.bytes] {
        let json = try JSONValue.parse(try reader.open(message, at: address).payload)
        guard json["first"]?.whole == UInt64(first + rows.count) else { throw CocoaError(.fileReadCorruptFile) }
        rows += (json["rows"]?.array ?? []).map { $0.string ?? $0.text }
      }
      return (head, rows)
    }
  }

  static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  static let scenario = "name: feeds\n"

  static func gateway(_ name: String, _ reader: Reader, port: Int = 0) async throws -> (gateway: LoneGateway, address: Multiaddr)
  {
    try await LoneGateway.start(
      session: reader.session, keys: KeyPair(seed: .sha256(of: Array(name.utf8))),
      listen: Multiaddr(parsing: "/ip4/127.0.0.1/tcp/\(port)"), confirmation: .milliseconds(50), group: loops.next()
    ) { reader.take($0, $1) }
  }

  static func row(_ number: Int) -> String { "\(number),\(number * 7 % 1_000),\(String(repeating: "x", count: 80))" }

  /// Starts the feeder in a folder; what it says goes to a file there.
  static func start(_ folder: Folder, _ arguments: [String], input: FileHandle = .nullDevice) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Program.path())
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.arguments = ["feed", "--session", "s.yaml", "--json"] + arguments
    process.standardInput = input
    let said = folder.path + "/said"
    if !FileManager.default.fileExists(atPath: said) { _ = FileManager.default.createFile(atPath: said, contents: nil) }
    let file = try #require(FileHandle(forUpdatingAtPath: said))
    try file.seekToEnd()
    (process.standardOutput, process.standardError) = (file, file)
    try process.run()
    return process
  }

  /// Looks again and again until something holds.
  static func wait(_ what: String, _ folder: Folder, _ reader: Reader, until holds: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try !holds() {
      guard ContinuousClock.now < deadline else {
        throw LivePeer.Silent(description: "\(what) were waited for in vain: \(try folder.text("said").suffix(2_000))")
      }
      reader.pause()
    }
  }

  /// How many rows a feeder has, in packets and waiting, as it said last.
  static func progress(_ folder: Folder) throws -> Int? {
    for line in try folder.text("said").split(separator: "\n").reversed() where line.contains("\"progress\"") {
      // The last line may be half there.
      guard let news = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { continue }
      return (news["rows"] as? Int ?? 0) + (news["waiting"] as? Int ?? 0)
    }
    return nil
  }

  @Test(
    "A followed file comes exactly once, though the feeder is killed ten times, the file rotated and a gateway killed half-way")
  func follow() async throws {
    let folder = try Folder()
    try folder.write(Self.scenario, to: "s.yaml")
    let reader = Reader(session: "feeds")
    let first = try await Self.gateway("first", reader)
    let second = try await Self.gateway("second", reader)
    let log = folder.path + "/log.csv"
    try folder.write("n,value,text\n", to: "log.csv")
    var handle = try #require(FileHandle(forWritingAtPath: log))
    try handle.seekToEnd()
    var written = 0
    func write(_ count: Int) throws {
      for _ in 0..<count {
        try handle.write(contentsOf: Data((Self.row(written) + "\n").utf8))
        written += 1
      }
    }
    let arguments = [
      "--id", "sensor", "--follow", "log.csv", "--packet", "10", "--to", "\(first.address)", "--to", "\(second.address)",
    ]
    for life in 0..<11 {
      let process = try Self.start(folder, arguments + (life == 10 ? ["--every", "0.2"] : []))
      try write(53)
      if life == 4 {
        try FileManager.default.moveItem(atPath: log, toPath: folder.path + "/log.csv.1")
        try write(7)
        try folder.write("n,value,text\n", to: "log.csv")
        handle = try #require(FileHandle(forWritingAtPath: log))
        try handle.seekToEnd()
        try write(30)
      }
      if life == 5 { try await first.gateway.close() }
      let goal = life == 10 ? written : written - 35
      try await Self.wait("\(goal) rows in life \(life)", folder, reader) { try reader.rows().rows.count >= goal }
      if life == 10 {
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      } else {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
    }
    let (head, rows) = try reader.rows()
    #expect(rows == (0..<written).map(Self.row) && reader.forked == 0 && reader.heads >= 1)
    #expect(head?.sensor == Sensor(id: "sensor", columns: ["n", "value", "text"], format: "csv"))
    try await second.gateway.close()
  }

  @Test("Of a pipe everything that was read comes, across kills, and a restricted stream opens with its side key alone")
  func pipe() async throws {
    let folder = try Folder()
    try folder.write(Self.scenario, to: "s.yaml")
    let digits = String(repeating: "5a", count: 32)
    try folder.write(digits + "\n", to: "side")
    let side = SideKey(try #require(Digest(try Multibase.decode("f" + digits))))
    let reader = Reader(session: "feeds", side: side)
    let gateway = try await Self.gateway("gateway", reader)
    let pipe = Pipe()
    var written = 0
    let arguments = [
      "--id", "pipe", "--mode", "restricted", "--key", "side", "--packet", "7", "--store", "kept", "--to", "\(gateway.address)",
    ]
    for life in 0..<4 {
      let process = try Self.start(folder, arguments, input: pipe.fileHandleForReading)
      for _ in 0..<40 {
        try pipe.fileHandleForWriting.write(contentsOf: Data("{\"n\":\(written)}\n".utf8))
        written += 1
      }
      try await Self.wait("\(written) rows in the spool in life \(life)", folder, reader) { try Self.progress(folder) == written }
      if life < 3 {
        kill(process.processIdentifier, SIGKILL)
      } else {
        try pipe.fileHandleForWriting.close()
      }
      process.waitUntilExit()
      if life == 3 { #expect(process.terminationReason == .exit && process.terminationStatus == 0) }
    }
    let (head, rows) = try reader.rows()
    #expect(rows == (0..<written).map { "{\"n\":\($0)}" } && reader.forked == 0)
    #expect(head?.sensor.columns == ["n"] && head?.sensor.format == "json" && head?.pointer.mode == .restricted)
    try await gateway.gateway.close()
  }

  @Test("Half a line of a pipe does not become one with what another pipe brings; in the same pipe it goes on")
  func torn() async throws {
    let folder = try Folder()
    try folder.write(Self.scenario, to: "s.yaml")
    let reader = Reader(session: "feeds")
    let gateway = try await Self.gateway("gateway", reader)
    let arguments = ["--id", "pipe", "--packet", "100", "--to", "\(gateway.address)"]
    var pipe = Pipe()
    // What each life reads, and how many rows are then known. The third life reads the pipe of the second.
    let lives: [(text: String, rows: Int)] = [("v\n1\n12", 1), ("34\n5\n6", 3), ("7\n", 4)]
    for (life, (text, rows)) in lives.enumerated() {
      if life == 1 { pipe = Pipe() }
      let process = try Self.start(folder, arguments, input: pipe.fileHandleForReading)
      try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
      try await Self.wait("\(rows) rows in life \(life)", folder, reader) { try Self.progress(folder) == rows }
      if life < 2 { kill(process.processIdentifier, SIGKILL) } else { try pipe.fileHandleForWriting.close() }
      process.waitUntilExit()
    }
    #expect(try reader.rows().rows == ["1", "34", "5", "67"])
    #expect(try folder.text("said").contains("2 bytes of a line"))
    try await gateway.gateway.close()
  }

  @Test("A restricted stream goes on under another side key while it runs: who has the old one alone reads what came before")
  func rotation() async throws {
    let folder = try Folder()
    try folder.write(Self.scenario, to: "s.yaml")
    let digits = ["5a", "6b"].map { String(repeating: $0, count: 32) }
    let sides = try digits.map { SideKey(try #require(Digest(try Multibase.decode("f" + $0)))) }
    try folder.write(digits[0] + "\n", to: "side")
    let old = Reader(session: "feeds", side: sides[0])
    // One who holds both keys, the newest first, and a newcomer who holds the new one.
    let both = Reader(session: "feeds", side: sides[0], sides: [sides[1], sides[0]])
    let new = Reader(session: "feeds", side: sides[1])
    let (gateway, address) = try await LoneGateway.start(
      session: "feeds", keys: KeyPair(seed: .sha256(of: Array("rotation".utf8))),
      listen: Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0"),
      confirmation: .milliseconds(50), group: Self.loops.next()
    ) { tag, content in for reader in [old, both, new] { reader.take(tag, content) } }
    let pipe = Pipe()
    let process = try Self.start(
      folder, ["--id", "pipe", "--mode", "restricted", "--key", "side", "--packet", "4", "--to", "\(address)"],
      input: pipe.fileHandleForReading)
    func write(_ rows: Range<Int>) throws {
      for row in rows { try pipe.fileHandleForWriting.write(contentsOf: Data("{\"n\":\(row)}\n".utf8)) }
    }
    try write(0..<6)
    try await Self.wait("the first packet", folder, old) { try old.rows().rows.count == 4 }
    try folder.write("half a key", to: "side")
    try await Self.wait("a complaint", folder, old) { try folder.text("said").contains("under the key before") }
    try folder.write(digits[1] + "\n", to: "side")
    // What waited when the key changed is for those of the old one.
    try await Self.wait("what waited", folder, old) { try old.rows().rows.count == 6 }
    try write(6..<14)
    try await Self.wait("all rows", folder, both) { try both.rows().rows.count == 14 }
    #expect(try old.rows().rows.count == 6)
    let (head, rows) = try new.rows(from: 6)
    #expect(head?.pointer.number == 2 && rows == (6..<14).map { "{\"n\":\($0)}" })
    try pipe.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && old.forked == 0)
    try await gateway.close()
  }

  @Test("What is wrong with the command line or the folder is said in one sentence")
  func complaints() throws {
    let folder = try Folder()
    try folder.write(Self.scenario, to: "s.yaml")
    try folder.write("no key", to: "bad.key")
    let to = ["--to", "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGzBXWNvHpLALvszeYi6sYqLT2tKbR7cFJHRgSFNJ5oHV"]
    let wrong: [([String], String)] = [
      (["--id", "a"], "--to"), (["--id", "a", "--to", "/ip4/127.0.0.1/tcp/1"], "/p2p/"), (["--id", "a/b"] + to, "--id"),
      (["--id", "a", "--mode", "secret"] + to, "--mode secret"), (["--id", "a", "--mode", "restricted"] + to, "--key"),
      (["--id", "a", "--mode", "restricted", "--key", "bad.key"] + to, "bad.key"),
      (["--id", "a", "--packet", "0"] + to, "--packet"), (["--id", "a", "--packet", "4097"] + to, "4096"),
      (["--id", "a", "--columns", "a,,b"] + to, "--columns"),
    ]
    for (arguments, word) in wrong {
      let finished = try Program(folder: folder).run(["feed", "--session", "s.yaml"] + arguments)
      #expect(finished.code == 1 && finished.errors.contains(word), "\(arguments): \(finished.errors)")
      #expect(finished.errors.split(separator: "\n").count == 1, "\(finished.errors)")
    }
  }
}
