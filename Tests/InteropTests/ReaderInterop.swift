import Foundation
import Testing

/// Streams as somebody reads them who has the document alone: a program without our code, which verifies and opens what ours sealed.
@Suite(.enabled(if: RealPeer.installed.contains(.pylp), "py-libp2p's Python, which has a library of ciphers, is not installed"))
struct ReaderInterop {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let vectors = root.appendingPathComponent("Tests/StreamsTests/Vectors/streams.json")

  private func read(_ path: String) throws -> (code: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: RealPeer.Kind.pylp.python)
    process.arguments = [Self.root.appendingPathComponent("Examples/streams/read_stream.py").path, path]
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    (process.standardOutput, process.standardError) = (output, output)
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test func `a reader written from the document alone verifies and opens the golden streams`() throws {
    let (code, text) = try read(Self.vectors.path)
    #expect(code == 0, "\(text)")
    for line in [
      "public: 6 messages and a head verified", "private: 6 messages and no head", "restricted: 6 messages and a head",
    ] {
      #expect(text.contains(line), "\(text)")
    }
  }

  @Test func `and it refuses them where a bit is another`() throws {
    let text = try String(contentsOf: Self.vectors, encoding: .utf8)
    let marks = text.ranges(of: "\"bytes\":\"").map(\.upperBound)
    #expect(marks.count > 10)
    let folder = try TemporaryFolder()
    for (number, mark) in marks.enumerated().filter({ $0.offset % 5 == 0 }) {
      var changed = text
      let place = changed.index(mark, offsetBy: 40)
      changed.replaceSubrange(place...place, with: changed[place] == "0" ? "1" : "0")
      try Data(changed.utf8).write(to: URL(fileURLWithPath: folder.path("changed-\(number)")))
      #expect(try read(folder.path("changed-\(number)")).code != 0, "message \(number)")
    }
  }
}
