import ArgumentParser
import Foundation
import MurmurControl
import Synchronization

/// `murmur add`: files into the store of a running peer.
struct AddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Put files into the store of a running peer, which keeps and serves them.",
    discussion: """
      Prints the CID of each file, the same that `ipfs add --cid-version=1` gives it. Files of any size are streamed; they are safe on the \
      peer's disk, and pinned, when their CID appears. FILE may be - for standard input.
      """)

  @Argument(help: ArgumentHelp("The files; - is standard input.", valueName: "FILE"))
  var files: [String]
  @OptionGroup var options: ControlOptions
  @Flag(help: "Tell the hash tables that the peer has the files, so that others find them there.") var provide = false
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let client = try options.client()
      // What cannot be read is known before anything is sent.
      let sources = try files.map { try FileSource($0, isAlone: files.count == 1) }
      for source in sources {
        let added: ControlAnswer.Added = try await client.ask(
          .add(provide: provide),
          source: {
            let part = try source.next()
            source.tell(console)
            return part
          })
        console.clear()
        if let warning = added.warning { console.say("murmur: \(source.name): \(warning)") }
        if json {
          try console.show(json: Line(file: source.name, added))
        } else {
          console.show(files.count == 1 ? added.cid : "\(added.cid) \(source.name)")
        }
      }
    }
  }

  private struct Line: Encodable {
    var file: String
    var cid: String
    var bytes: UInt64
    var provided: Int?

    init(file: String, _ added: ControlAnswer.Added) {
      (self.file, cid, bytes, provided) = (file, added.cid, added.bytes, added.provided)
    }
  }
}

/// A file that is read part by part.
final class FileSource: Sendable {
  /// What it is called.
  let name: String
  private let handle: FileHandle
  private let size: UInt64?
  private let sent = Mutex<UInt64>(0)
  /// Bytes of a part: a block's.
  private static let part = 256 << 10

  init(_ name: String, isAlone: Bool) throws {
    guard name != "-" else {
      (self.name, handle, size) = ("standard input", .standardInput, nil)
      return
    }
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else {
      throw Failure("\(name): there is no such file; nothing was added")
    }
    guard !isFolder.boolValue else {
      throw Failure("\(name): this is a folder; name the files in it (\(name)/*). Nothing was added")
    }
    guard let handle = FileHandle(forReadingAtPath: name) else {
      throw Failure("\(name): the file cannot be read; check its permissions. Nothing was added")
    }
    self.name = name
    self.handle = handle
    size = (try? FileManager.default.attributesOfItem(atPath: name)[.size] as? NSNumber)?.uint64Value
  }

  /// The next part; `nil` at the end.
  func next() throws -> [UInt8]? {
    let data: Data?
    do { data = try handle.read(upToCount: FileSource.part) } catch {
      throw Failure("\(name): reading failed after \(sent.withLock { $0 }) bytes; what was sent is not kept")
    }
    guard let data, !data.isEmpty else { return nil }
    sent.withLock { $0 += UInt64(data.count) }
    return Array(data)
  }

  /// Says how far it is.
  func tell(_ console: Console) {
    let sent = sent.withLock { $0 }
    guard let size, size > 0 else {
      if console.isTerminal { console.progress("adding \(name)", 0, Amount.bytes(sent)) }
      return
    }
    guard size > 8 << 20 else { return }
    console.progress("adding \(name)", Double(sent) / Double(size), "\(Amount.bytes(sent)) of \(Amount.bytes(size))")
  }
}
