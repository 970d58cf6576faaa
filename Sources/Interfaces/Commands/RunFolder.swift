import Foundation

/// The folder a run leaves behind; made before the run begins, so that an unwritable place is known at once.
struct RunFolder {
  /// Where it is.
  let path: String

  /// Makes the folder and sees that it can be written to.
  init(_ path: String) throws {
    guard !path.isEmpty else { throw Failure("the folder for the results has no name; give one with --out") }
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    do throws(SystemError) {
      try RunFolder.make(self.path)
      try RunFolder.store([], at: self.path + "/.murmur-write-test")
    } catch {
      throw Failure("cannot write to the folder \(path): \(error); choose another one with --out")
    }
    _ = unsafe unlink(self.path + "/.murmur-write-test")
  }

  /// Writes a file whole or not at all.
  func write(_ text: String, to name: String) throws {
    let target = path + "/" + name
    do throws(SystemError) {
      try RunFolder.store(Array(text.utf8), at: target)
    } catch {
      let isOld = FileManager.default.fileExists(atPath: target)
      throw Failure(
        "cannot write \(target): \(error); the run's other files are kept"
          + (isOld ? ", and the \(name) that is there is an earlier run's" : ""))
    }
  }

  /// What the operating system says no with.
  private struct SystemError: Error, CustomStringConvertible {
    var code: Int32

    var description: String {
      switch code {
      case EEXIST, ENOTDIR: "a file is in the way"
      case ENOSPC: "the disk is full"
      case EDQUOT: "the disk quota is used up"
      case EFBIG: "the file is larger than is allowed here"
      case EROFS: "the file system can only be read"
      case EACCES, EPERM: "there is no permission"
      case ENOENT: "the system allows no folder there"
      default: unsafe String(cString: strerror(code)).lowercased()
      }
    }
  }

  /// Makes a folder and those above it.
  private static func make(_ path: String) throws(SystemError) {
    var isFolder: ObjCBool = false
    if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { throw SystemError(code: EEXIST) }
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try make(String(path[..<slash])) }
    // Somebody else may have made it in between.
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else { throw SystemError(code: errno) }
  }

  /// Writes beside the target, then takes the target's place: a reader sees the old file or the new one, never half of one.
  private static func store(_ bytes: [UInt8], at target: String) throws(SystemError) {
    let part = target + ".part\(getpid())"
    let file = unsafe open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw SystemError(code: errno) }
    var written = 0
    var problem: Int32 = 0
    while written < bytes.count, problem == 0 {
      let count = unsafe bytes.withUnsafeBytes { unsafe Foundation.write(file, $0.baseAddress! + written, bytes.count - written) }
      if count >= 0 { written += count } else if errno != EINTR { problem = errno }
    }
    if close(file) != 0, problem == 0 { problem = errno }
    if problem == 0, unsafe rename(part, target) != 0 { problem = errno }
    if problem != 0 {
      _ = unsafe unlink(part)
      throw SystemError(code: problem)
    }
  }
}
