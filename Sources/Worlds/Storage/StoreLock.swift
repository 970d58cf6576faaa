#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The mark that one process uses the folder: a lock on a file that holds the process's number. The system releases it when the
/// process ends, however it ends.
struct StoreLock: ~Copyable {
  private let file: Int32

  private init(file: Int32) { self.file = file }

  /// Takes the lock; throws ``StoreError/Cause/inUse(process:)`` if somebody has it.
  static func take(_ path: String) throws(StoreError) -> StoreLock {
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StoreError(FileFault(path, "open", errno), .opening) }
    let lock = StoreLock(file: file)
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      guard errno == EWOULDBLOCK else { throw StoreError(FileFault(path, "flock", errno), .opening) }
      throw StoreError(path, .opening, .inUse(process: holder(path)))
    }
    guard ftruncate(file, 0) == 0 else { throw StoreError(FileFault(path, "ftruncate", errno), .opening) }
    do { try SystemFiles.write(Array("\(getpid())\n".utf8), to: file, path) } catch { throw StoreError(error, .opening) }
    return lock
  }

  deinit { close(file) }

  private static func holder(_ path: String) -> Int? {
    do {
      let text = String(decoding: try SystemFiles().read(path, limit: 64) ?? [], as: UTF8.self)
      return Int(text.prefix { $0.isNumber })
    } catch {
      return nil
    }
  }
}
