import Foundation
import MurmurLibrary
import MurmurMachines
import Synchronization
import Testing

@Suite("Fetching from servers that are not at their best", .timeLimit(.minutes(5)))
struct FetchTests {
  let folder = TemporaryFolder()
  let content: [UInt8] = {
    var chance = Chance(seed: 8)
    return (0..<700_000).map { _ in UInt8(chance.below(256)) }
  }()

  private func entry(_ server: Server, bytes: Int? = nil, of content: [UInt8]? = nil) -> Catalogue.Entry {
    return Catalogue.Entry(
      name: "test", summary: "", licence: "",
      files: [Catalogue.File("file.bin", bytes: bytes, checksum: .sha256(of: content ?? self.content), url: server.url)])
  }

  private var library: Library { Library(folders: [folder.path], cache: folder.path) }
  private var quick: Fetch {
    var fetch = Fetch()
    fetch.patience = .milliseconds(1)
    fetch.attempts = 4
    return fetch
  }

  private func fetch(
    _ server: Server, _ entry: Catalogue.Entry? = nil, _ progress: @escaping Fetch.Listener = { _ in }
  ) async throws(LibraryError) -> String {
    defer { server.stop() }
    return try await library.fetch(entry ?? self.entry(server), with: quick, progress: progress)
  }

  @Test("all goes well, and the second time nothing is fetched")
  func proper() async throws {
    let server = Server(content)
    let phases = Mutex<[Fetch.Phase]>([])
    let entry = entry(server, bytes: content.count)
    #expect(try await library.fetch(entry, with: quick) == folder.path + "/test")
    #expect(folder.bytes("test/file.bin") == content)
    #expect(!folder.has("test/file.bin.part") && !folder.has("test/file.bin.part.tag"))
    _ = try await fetch(server, entry) { progress in phases.withLock { $0.append(progress.phase) } }
    #expect(phases.withLock { $0 } == [.checking, .wasHere])
    #expect(server.requests.count == 1)
    #expect(library.list().count == Catalogue.entries.count)
  }

  @Test("the connection drops three times; every byte is sent once")
  func drops() async throws {
    let server = Server(content, [.dropAfter(100_000), .dropAfter(1), .dropAfter(350_000)])
    let received = Mutex<[Int]>([])
    _ = try await fetch(server) { progress in received.withLock { $0.append(progress.received) } }
    #expect(folder.bytes("test/file.bin") == content)
    #expect(server.requests.count == 4)
    #expect(server.requests[1].contains("bytes=100000-") && server.requests[2].contains("bytes=100001-"))
    #expect(server.requests[1].contains("\"v1\""))
    #expect(received.withLock { $0 == $0.sorted() })
  }

  @Test("a server that ignores ranges, one that answers another range, and one whose file has changed in between")
  func ranges() async throws {
    for manners in [[Server.Manner.dropAfter(5000), .ignoreRange], [.dropAfter(5000), .wrongRange]] {
      let server = Server(content, manners)
      _ = try await fetch(server)
      #expect(folder.bytes("test/file.bin") == content)
      try FileManager.default.removeItem(atPath: folder.path + "/test/file.bin")
    }
    folder.write([UInt8](repeating: 9, count: 4000), "test/file.bin.part")
    folder.write(Array("\"v0\"".utf8), "test/file.bin.part.tag")
    _ = try await fetch(Server(content))
    #expect(folder.bytes("test/file.bin") == content)
  }

  @Test("a part that belongs to nothing is noticed by the checksum and fetched afresh")
  func foreignPart() async throws {
    folder.write([UInt8](repeating: 9, count: 4000), "test/file.bin.part")
    let server = Server(content)
    _ = try await fetch(server)
    #expect(folder.bytes("test/file.bin") == content)
    #expect(server.requests.count == 2)
  }

  @Test("wrong bytes and too many bytes are refused and not kept")
  func wrongBytes() async throws {
    for manner in [Server.Manner.other([1, 2, 3]), .tooMuch] {
      let server = Server(content, [manner])
      let error = await #expect(throws: LibraryError.self) { try await fetch(server, entry(server, of: content)) }
      #expect(error?.description.contains("nothing of it was kept") == true, "\(error?.description ?? "")")
      #expect(!folder.has("test/file.bin") && !folder.has("test/file.bin.part"))
    }
  }

  @Test("404 is final at once; 500 is tried again, but not for ever")
  func statuses() async throws {
    let gone = Server(content, [.status(404)])
    let error = await #expect(throws: LibraryError.self) { try await fetch(gone) }
    #expect(error?.description.hasSuffix("the server does not have this file (404)") == true, "\(error?.description ?? "")")
    #expect(gone.requests.count == 1)
    let recovering = Server(content, [.status(500), .status(503), .status(429)])
    _ = try await fetch(recovering)
    #expect(folder.bytes("test/file.bin") == content)
    try FileManager.default.removeItem(atPath: folder.path + "/test/file.bin")
    let broken = Server(content, [.dropAfter(1000)] + Array(repeating: .status(500), count: 9))
    let final = await #expect(throws: LibraryError.self) { try await fetch(broken) }
    #expect(final?.description.contains("(tried 4 times); what came so far is kept in") == true, "\(final?.description ?? "")")
    #expect(folder.bytes("test/file.bin.part") == Array(content[..<1000]))
  }

  @Test("nobody listens there")
  func noServer() async {
    let server = Server(content)
    server.stop()
    let error = await #expect(throws: LibraryError.self) { try await library.fetch(entry(server), with: quick) }
    #expect(error?.description.contains("cannot be reached") == true, "\(error?.description ?? "")")
  }

  @Test("stopped in the middle: the part is kept, and the next fetch goes on from there")
  func cancelled() async throws {
    let server = Server(content, [.hang(after: 600_000)])
    let entry = entry(server)
    let (signal, ready) = AsyncStream<Void>.makeStream()
    let task = Task { [library, quick] in
      try await library.fetch(entry, with: quick) { progress in if progress.received > 500_000 { ready.yield() } }
    }
    for await _ in signal { break }
    task.cancel()
    let error = await #expect(throws: LibraryError.self) { try await task.value }
    #expect(error == .cancelled(kept: folder.path + "/test/file.bin.part"))
    let kept = try #require(folder.bytes("test/file.bin.part")?.count)
    #expect(kept > 500_000)
    _ = try await fetch(server, entry)
    #expect(folder.bytes("test/file.bin") == content)
    #expect(server.requests[1].contains("bytes=\(kept)-"))
  }

  @Test("the disk is full", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func diskFull() async throws {
    folder.write([], "test/other")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/test/file.bin.part", withDestinationPath: "/dev/full")
    let error = await #expect(throws: LibraryError.self) { try await fetch(Server(content)) }
    #expect(error?.description.contains("the disk is full") == true, "\(error?.description ?? "")")
  }

  @Test("the cache cannot be written")
  func unwritable() async throws {
    folder.write([], "file")
    let server = Server(content)
    defer { server.stop() }
    let blocked = Library(folders: [], cache: folder.path + "/file")
    let error = await #expect(throws: LibraryError.self) { try await blocked.fetch(entry(server), with: quick) }
    #expect(error?.description.contains("cannot be made") == true, "\(error?.description ?? "")")
  }

  @Test("verification says of every file what is wrong with it")
  func verification() async throws {
    let server = Server(content)
    let entry = entry(server, bytes: content.count)
    #expect(try await library.verify(entry).map(\.finding) == [.missing])
    folder.write(Array(content[..<10]), "test/file.bin.part")
    #expect(try await library.verify(entry).map(\.finding) == [.partial(bytes: 10)])
    folder.write(Array(content[..<10]), "test/file.bin")
    #expect(try await library.verify(entry).map(\.finding) == [.wrongSize(found: 10, right: content.count)])
    var wrong = content
    wrong[5] ^= 1
    folder.write(wrong, "test/file.bin")
    #expect(try await library.verify(entry).first?.isGood == false)
    _ = try await fetch(server, entry)
    #expect(try await library.verify(entry).map(\.finding) == [.right])
  }
}
