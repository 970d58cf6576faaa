import Foundation

/// The folder a run leaves behind; made before the run begins, so that an unwritable place is known at once.
struct RunFolder {
  /// Where it is.
  let path: String

  /// Makes the folder and sees that it can be written to.
  init(_ path: String) throws {
    self.path = path
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let probe = path + "/.murmur-write-test"
      try Data("x".utf8).write(to: URL(fileURLWithPath: probe))
      try FileManager.default.removeItem(atPath: probe)
    } catch {
      throw Failure("cannot write to the folder \(path): \(Self.reason(error)); choose another one with --out")
    }
  }

  /// Writes a file whole or not at all.
  func write(_ text: String, to name: String) throws {
    let target = path + "/" + name
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: target), options: .atomic)
    } catch {
      throw Failure("cannot write \(target): \(Self.reason(error)); the other files of the run are kept")
    }
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
    if underlying.domain == NSPOSIXErrorDomain { return unsafe String(cString: strerror(Int32(underlying.code))).lowercased() }
    switch (error as? CocoaError)?.code {
    case .fileWriteNoPermission: return "permission denied"
    case .fileWriteOutOfSpace: return "no space left on the disk"
    case .fileWriteVolumeReadOnly: return "the file system is read-only"
    case .fileWriteFileExists: return "a file of that name is in the way"
    default: return error.localizedDescription
    }
  }
}
