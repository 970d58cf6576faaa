import Foundation
import MurmurHost
import MurmurIdentity
import MurmurStorage
import MurmurStreams
import MurmurWire

/// A feeder's folder: its identity, the stream's secret, the spool, and what the stream is.
struct FeedStore: Sendable {
  /// What a stream is for good, as the spool notes it.
  struct Notes: Codable, Equatable, Sendable {
    var session: String
    var id: String
    var mode: String
    var format: String
    var columns: [String]
    var created: UInt64
  }

  let folder: String
  let keys: KeyPair
  let seed: StreamSeed
  let spool: Spool
  /// What the stream is; `nil` before its first row.
  private(set) var notes: Notes?

  init(_ folder: String, options: Spool.Options) throws {
    self.folder = folder
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw Failure("--store \(folder): the folder cannot be made: \(error.localizedDescription); name another one")
    }
    spool = try Spool(at: folder, options: options)
    keys = try KeyFile(folder + "/identity.key").loadOrCreate()
    // A key file is made once, whole and readable by its owner alone; the stream's seed follows from what is in it.
    let secret = try KeyFile(folder + "/stream.key").loadOrCreate()
    seed = StreamSeed(.sha256(of: Array("murmur feed stream seed".utf8) + secret.encoded))
    let bytes = spool.state.notes
    guard !bytes.isEmpty else { return }
    do { notes = try JSONDecoder().decode(Notes.self, from: Data(bytes)) } catch {
      throw Failure("--store \(folder): what is noted of the stream cannot be read; restore the folder from a copy")
    }
  }

  /// Where a private stream's pointer is written.
  var pointerFile: String { folder + "/pointer" }

  /// Whether what is read is the very pipe that an earlier life read: then a line that it read half of goes on.
  func goesOn(_ pipe: String?) -> Bool {
    guard let pipe, let before = FileManager.default.contents(atPath: folder + "/input") else { return false }
    return before == Data(pipe.utf8)
  }

  /// Notes what pipe is read.
  func note(pipe: String?) throws {
    guard pipe.map({ !goesOn($0) }) ?? FileManager.default.fileExists(atPath: folder + "/input") else { return }
    try SystemFiles().write(Array((pipe ?? "").utf8), to: folder + "/input", sync: true)
  }

  /// Complains if the folder holds another stream than the one that is wanted.
  func check(session: String, id: String, mode: StreamMode, format: FeedLines.Format?, columns: [String]?) throws {
    guard let notes else { return }
    let wanted: [(String, String, String?)] = [
      ("session", notes.session, session), ("--id", notes.id, id), ("--mode", notes.mode, mode.name),
      ("--format", notes.format, format?.rawValue),
      ("--columns", notes.columns.joined(separator: ","), columns?.joined(separator: ",")),
    ]
    for (what, has, should) in wanted {
      guard let should, should != has else { continue }
      throw Failure(
        "--store \(folder): \(what) of the stream in it is '\(has)', not '\(should)'; name another folder for another stream")
    }
  }

  /// Notes what the stream is.
  mutating func note(_ notes: Notes) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try spool.note(Array(try encoder.encode(notes)))
    self.notes = notes
  }

  /// The secret that the readers of a restricted stream share: 64 hexadecimal digits in a file.
  static func sideKey(_ path: String) throws -> SideKey {
    guard let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int, size <= 4_096,
      let data = FileManager.default.contents(atPath: path)
    else { throw Failure("--key \(path): the file cannot be read; make one with `openssl rand -hex 32 > \(path)`") }
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.utf8.count == 64, text.allSatisfy(\.isHexDigit), let bytes = try? Multibase.decode("f" + text.lowercased()),
      let key = Digest(bytes)
    else { throw Failure("--key \(path): a side key is 64 hexadecimal digits; make one with `openssl rand -hex 32`") }
    return SideKey(key)
  }
}
