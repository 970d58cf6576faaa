import Foundation

/// Files read in pieces and written at the end, with errors in plain words.
enum DiskFile {
  /// Reads the file in pieces of a mebibyte until `body` returns false.
  static func read(
    _ path: String, _ body: (UnsafeBufferPointer<UInt8>) throws(LibraryError) -> Bool
  ) throws(LibraryError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, "cannot be read", errno) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 20)
    defer { unsafe buffer.deallocate() }
    while true {
      let count = unsafe Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(path, "cannot be read", errno) }
      guard count > 0 else { return }
      guard try unsafe body(UnsafeBufferPointer(rebasing: buffer[..<count])) else { return }
    }
  }

  /// The whole file.
  static func bytes(_ path: String) throws(LibraryError) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(size(path) ?? 0)
    try unsafe read(path) { chunk throws(LibraryError) in
      unsafe all.append(contentsOf: chunk)
      return true
    }
    return all
  }

  /// The first bytes of the file, `count` at most.
  static func beginning(_ path: String, _ count: Int) throws(LibraryError) -> [UInt8] {
    var first: [UInt8] = []
    try unsafe read(path) { chunk throws(LibraryError) in
      unsafe first.append(contentsOf: chunk.prefix(count - first.count))
      return first.count < count
    }
    return first
  }

  /// The size in bytes of a file; `nil` if there is none.
  static func size(_ path: String) -> Int? {
    var facts = stat()
    guard unsafe stat(path, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else { return nil }
    return Int(facts.st_size)
  }

  static func isFolder(_ path: String) -> Bool {
    var facts = stat()
    return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
  }

  static func makeFolder(_ path: String) throws(LibraryError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .file(
        path: path, problem: "this folder cannot be made (\(reason(errno)))",
        advice: "choose another with MURMUR_DATA or XDG_CACHE_HOME, or change its permissions")
    }
  }

  /// What `code` of the operating system means, and what to do.
  static func failure(_ path: String, _ what: String, _ code: Int32) -> LibraryError {
    let advice =
      switch code {
      case ENOSPC, EDQUOT: "the disk is full: make room and fetch again, it goes on from where it stopped"
      case EACCES, EPERM, EROFS: "change its permissions, or choose another folder with MURMUR_DATA or XDG_CACHE_HOME"
      case ENOENT: "check the path"
      default: ""
      }
    return .file(path: path, problem: "\(what) (\(reason(code)))", advice: advice)
  }

  private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// A file that is being appended to, and renamed to its real name when it is whole.
struct PartFile: Sendable {
  let path: String
  private let descriptor: Int32
  private(set) var size: Int

  /// Opens the file at `path`, or makes it.
  init(_ path: String) throws(LibraryError) {
    self.path = path
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DiskFile.failure(path, "cannot be written", errno) }
    size = DiskFile.size(path) ?? 0
  }

  mutating func append(_ data: Data) throws(LibraryError) {
    var problem: Int32 = 0
    unsafe data.withUnsafeBytes { source in
      var offset = 0
      while offset < source.count {
        let count = unsafe write(descriptor, source.baseAddress.map { unsafe $0 + offset }, source.count - offset)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else {
          problem = count < 0 ? errno : EIO
          return
        }
        offset += count
        size += count
      }
    }
    guard problem == 0 else { throw DiskFile.failure(path, "cannot be written", problem) }
  }

  mutating func truncate() throws(LibraryError) {
    guard size == 0 || ftruncate(descriptor, 0) == 0 else { throw DiskFile.failure(path, "cannot be emptied", errno) }
    size = 0
  }

  /// Makes sure that the bytes are on the disk, and lets go of the file.
  func finish() throws(LibraryError) {
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      let code = errno
      close(descriptor)
      throw DiskFile.failure(path, "cannot be written", code)
    }
    close(descriptor)
  }
}
