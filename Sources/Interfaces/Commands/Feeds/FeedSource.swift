import Foundation
import MurmurStorage
import MurmurWire

/// Where a feed's bytes come from.
protocol FeedSource: Sendable {
  /// Waits a while for bytes.
  mutating func read(within milliseconds: Int32) throws -> FeedPiece
}

/// What a source has.
enum FeedPiece {
  case bytes([UInt8])
  /// Nothing came in time.
  case nothing
  /// The input goes on in another file, or at the beginning of this one: what is unfinished ends here. Words say what may be lost.
  case moved(Spool.Place, String?)
  /// There will be nothing more.
  case end

  static let most = 64 << 10

  /// What is there: nothing at the end, `nil` if there may be something later.
  static func read(_ file: Int32) throws -> [UInt8]? {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
      while true {
        let got = unsafe Foundation.read(file, buffer.baseAddress, most)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        count = max(got, 0)
        return
      }
    }
    if failure == EAGAIN { return nil }
    guard failure == 0 else { throw Failure(unsafe "reading: \(String(cString: strerror(failure)))") }
    return bytes
  }
}

/// Standard input.
struct PipeSource: FeedSource {
  /// What tells a pipe without a name from all others since the machine was started; `nil` for whatever else standard input is.
  static var identity: String? {
    guard let pipe = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(STDIN_FILENO)"),
      pipe.hasPrefix("pipe:"), let start = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    else { return nil }
    return pipe + " " + start
  }

  mutating func read(within milliseconds: Int32) throws -> FeedPiece {
    var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard unsafe Foundation.poll(&poll, 1, milliseconds) > 0 else { return .nothing }
    guard let bytes = try FeedPiece.read(STDIN_FILENO) else { return .nothing }
    return bytes.isEmpty ? .end : .bytes(bytes)
  }
}

/// A file that grows, is renamed and begun anew, or cut short.
struct FollowedFile: FeedSource {
  let path: String
  /// What was read last.
  private(set) var place: Spool.Place
  private var file: Int32 = -1
  /// The path's file has another number and was not gone over to; the old one is read to its end first, once more.
  private var isLeaving = false
  private var news: (Spool.Place, String?)?

  /// Follows the file at `path` from a place in it, or from its beginning.
  init(_ path: String, from place: Spool.Place) throws {
    self.path = path
    self.place = place
    guard place.file != 0 else { return }
    // The file may have another name by now.
    for name in FollowedFile.candidates(path) {
      guard let (number, device, size) = FollowedFile.identity(name), number == place.file, device == place.device else {
        continue
      }
      guard size >= place.offset else {
        news = (Spool.Place(file: number, device: device), "it was cut short meanwhile")
        return
      }
      file = open(name)
      guard file >= 0 else { continue }
      _ = lseek(file, off_t(place.offset), SEEK_SET)
      return
    }
    news = (Spool.Place(), "the file that was read last is gone; rows that were added to it since are lost")
  }

  private static func candidates(_ path: String) -> [String] {
    let folder = (path as NSString).deletingLastPathComponent
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    return [path] + names.sorted().prefix(10_000).map { folder.isEmpty ? $0 : folder + "/" + $0 }
  }

  private static func identity(_ path: String) -> (file: UInt64, device: UInt64, size: UInt64)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return (UInt64(status.st_ino), UInt64(truncatingIfNeeded: status.st_dev), UInt64(status.st_size))
  }

  private func open(_ name: String) -> Int32 { unsafe Foundation.open(name, O_RDONLY | O_CLOEXEC) }

  mutating func read(within milliseconds: Int32) throws -> FeedPiece {
    if let (place, words) = news {
      news = nil
      if file >= 0 { close(file) }
      file = -1
      self.place = place
      return .moved(place, words)
    }
    if file < 0 { try begin() }
    guard file >= 0 else { return wait(milliseconds) }
    let bytes = try FeedPiece.read(file) ?? []
    if !bytes.isEmpty {
      place.offset += UInt64(bytes.count)
      isLeaving = false
      return .bytes(bytes)
    }
    var status = stat()
    if unsafe fstat(file, &status) == 0, UInt64(status.st_size) < place.offset {
      news = (Spool.Place(file: place.file, device: place.device), nil)
      return try read(within: milliseconds)
    }
    guard let now = FollowedFile.identity(path), now.file != place.file || now.device != place.device else {
      return wait(milliseconds)
    }
    // Whoever wrote may have written on between its end and its new name.
    guard isLeaving else {
      isLeaving = true
      return wait(milliseconds)
    }
    isLeaving = false
    news = (Spool.Place(file: now.file, device: now.device), nil)
    return try read(within: milliseconds)
  }

  private func wait(_ milliseconds: Int32) -> FeedPiece {
    _ = Foundation.poll(nil, 0, milliseconds)
    return .nothing
  }

  private mutating func begin() throws {
    file = open(path)
    guard file >= 0 else {
      guard errno == ENOENT else {
        throw Failure(unsafe "--follow \(path): it cannot be opened: \(String(cString: strerror(errno)))")
      }
      return
    }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Failure("--follow \(path): it is no file; a pipe is read from standard input")
    }
    let (number, device) = (UInt64(status.st_ino), UInt64(truncatingIfNeeded: status.st_dev))
    if place.file == number, place.device == device, UInt64(status.st_size) >= place.offset {
      _ = lseek(file, off_t(place.offset), SEEK_SET)
    } else {
      place = Spool.Place(file: number, device: device)
    }
  }
}
