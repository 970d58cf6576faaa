#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The few things a store does with files, so that tests can cut writes short, fill the disk and count.
///
/// All paths are absolute or relative to the process's folder; all calls block.
public protocol FileLayer: Sendable {
  /// Makes a folder; fine if it is there.
  func makeFolder(_ path: String) throws(FileFault)
  /// Writes a new file; with `sync` its bytes are safe afterwards (its name is not, before ``sync(_:)`` of the folder).
  func write(_ bytes: [UInt8], to path: String, sync: Bool) throws(FileFault)
  /// Gives a file another name within the same file system, replacing what has that name.
  func rename(_ path: String, to other: String) throws(FileFault)
  /// Makes the bytes of a file, or the names in a folder, safe. Nothing happens if it is not there.
  func sync(_ path: String) throws(FileFault)
  /// Begins to write a file's bytes to the disk, so that a ``sync(_:)`` to come waits less: of several files that are begun first and
  /// synced then, all share what one costs. Nothing is promised.
  func beginSync(_ path: String)
  /// The whole file; `nil` if it is not there. Throws if it has more than `limit` bytes.
  func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8]?
  /// The file's size in bytes; `nil` if it is not there.
  func size(of path: String) -> Int?
  /// Removes a file; fine if it is not there.
  func remove(_ path: String) throws(FileFault)
  /// The names in a folder, in ascending order; none if it is not there.
  func names(in folder: String) throws(FileFault) -> [String]
}

/// What the system refused.
public struct FileFault: Error, Hashable, Sendable {
  /// The file or folder.
  public let path: String
  /// What was asked, as the system's function is called.
  public let operation: String
  /// The system's error number.
  public let code: Int32

  /// The system refused `operation` on `path`.
  public init(_ path: String, _ operation: String, _ code: Int32) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  /// Whether the disk, or the user's share of it, is full.
  public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
  /// Whether files may not be written or read there.
  public var isNotPermitted: Bool { code == EACCES || code == EPERM || code == EROFS }

  /// What the system calls it.
  public var words: String { unsafe String(cString: strerror(code)) }
}

/// The system's files.
public struct SystemFiles: FileLayer {
  /// The system's files.
  public init() {}

  /// Makes a folder; fine if it is there.
  public func makeFolder(_ path: String) throws(FileFault) {
    guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
    throw FileFault(path, "mkdir", errno)
  }

  /// Writes a new file.
  public func write(_ bytes: [UInt8], to path: String, sync: Bool) throws(FileFault) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileFault(path, "open", errno) }
    defer { close(file) }
    try SystemFiles.write(bytes, to: file, path)
    if sync { try SystemFiles.flush(file, path) }
  }

  /// Gives a file another name.
  public func rename(_ path: String, to other: String) throws(FileFault) {
    #if canImport(Glibc)
    let result = unsafe Glibc.rename(path, other)
    #else
    let result = unsafe Darwin.rename(path, other)
    #endif
    guard result == 0 else { throw FileFault(other, "rename", errno) }
  }

  /// Makes a file or folder safe.
  public func sync(_ path: String) throws(FileFault) {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return }
      throw FileFault(path, "open", errno)
    }
    defer { close(file) }
    try SystemFiles.flush(file, path)
  }

  /// Begins to write a file's bytes to the disk.
  public func beginSync(_ path: String) {
    #if os(Linux)
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    // Linux answers this advice by beginning to write dirty pages; those stay in memory until they are written.
    _ = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    #endif
  }

  /// The whole file.
  public func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw FileFault(path, "open", errno)
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw FileFault(path, "fstat", errno) }
    let size = Int(status.st_size)
    guard size <= limit else { throw FileFault(path, "read", EFBIG) }
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = unsafe Self.systemRead(file, buffer.baseAddress.unsafelyUnwrapped + count, size - count)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        guard got > 0 else { return }
        count += got
      }
    }
    guard failure == 0 else { throw FileFault(path, "read", failure) }
    return bytes
  }

  /// The file's size.
  public func size(of path: String) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Int(status.st_size)
  }

  /// Removes a file.
  public func remove(_ path: String) throws(FileFault) {
    guard unsafe unlink(path) != 0, errno != ENOENT else { return }
    throw FileFault(path, "unlink", errno)
  }

  /// The names in a folder.
  public func names(in folder: String) throws(FileFault) -> [String] {
    guard let directory = unsafe opendir(folder) else {
      if errno == ENOENT { return [] }
      throw FileFault(folder, "opendir", errno)
    }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func systemRead(_ file: Int32, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
    #if canImport(Glibc)
    unsafe Glibc.read(file, target, count)
    #else
    unsafe Darwin.read(file, target, count)
    #endif
  }

  /// Writes all of `bytes` to an open file.
  static func write(_ bytes: [UInt8], to file: Int32, _ path: String) throws(FileFault) {
    var failure: Int32 = 0
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        #if canImport(Glibc)
        let count = unsafe Glibc.write(file, buffer.baseAddress.unsafelyUnwrapped + done, buffer.count - done)
        #else
        let count = unsafe Darwin.write(file, buffer.baseAddress.unsafelyUnwrapped + done, buffer.count - done)
        #endif
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          failure = count < 0 ? errno : EIO
          return
        }
        done += count
      }
    }
    guard failure == 0 else { throw FileFault(path, "write", failure) }
  }

  /// Makes an open file's bytes safe.
  static func flush(_ file: Int32, _ path: String) throws(FileFault) {
    #if canImport(Darwin)
    if fcntl(file, F_FULLFSYNC) == 0 { return }
    #endif
    guard fsync(file) == 0 else { throw FileFault(path, "fsync", errno) }
  }
}
