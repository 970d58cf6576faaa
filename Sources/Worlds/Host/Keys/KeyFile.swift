import Foundation
public import MurmurIdentity
import MurmurWire

/// The file that keeps who this peer is: its key pair as a libp2p `PrivateKey` message, readable by its owner alone.
public struct KeyFile: Sendable {
  /// Where it lies.
  public let path: String
  /// The most bytes a key file may have.
  public static let mostBytes = 4_096

  /// The file at `path`.
  public init(_ path: String) { self.path = path }

  /// The pair in the file; if there is none, a new pair from the system's generator, which is stored first.
  ///
  /// A new file appears whole or not at all, and with its permissions: it is written under another name and linked into place, so that of
  /// two processes that start together both get the same pair.
  public func loadOrCreate() throws(KeyFileError) -> KeyPair {
    if let pair = try load() { return pair }
    var generator = SystemRandomNumberGenerator()
    let pair = KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
    if try create(pair) { return pair }
    guard let other = try load() else { throw problem("it appeared and is gone again", do: "let one process own it") }
    return other
  }

  /// The pair in the file; `nil` if there is no file.
  public func load() throws(KeyFileError) -> KeyPair? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw problem("it cannot be opened: \(systemError())", do: "check the path and its permissions")
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw problem("it is not a file", do: "name a file")
    }
    guard status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw problem("others may read it (mode \(mode))", do: "take that away with `chmod 600`; if they did, make a new key")
    }
    guard status.st_uid == geteuid() else {
      throw problem("it belongs to user \(status.st_uid), not to \(geteuid())", do: "run as its owner, or name another file")
    }
    guard status.st_size > 0, status.st_size <= KeyFile.mostBytes else {
      throw problem("it has \(status.st_size) bytes, which no key has", do: "restore it, or remove it to get a new key")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw problem("it cannot be read: \(systemError())", do: "try again") }
    do { return try KeyPair(encoded: bytes) } catch {
      throw problem("it holds no key (\(error))", do: "restore it, or remove it to get a new key")
    }
  }

  /// Stores `pair`; false if there is a file already.
  private func create(_ pair: KeyPair) throws(KeyFileError) -> Bool {
    let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0 ... .max)).new"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw problem("its folder takes no new file: \(systemError())", do: "make the folder, or name another file")
    }
    defer { unsafe unlink(temporary) }
    let bytes = pair.encoded
    let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    let isSafe = fchmod(descriptor, 0o600) == 0 && fsync(descriptor) == 0
    close(descriptor)
    guard count == bytes.count, isSafe else { throw problem("it cannot be written: \(systemError())", do: "make room") }
    if unsafe link(temporary, path) == 0 {
      syncFolder()
      return true
    }
    guard errno == EEXIST else { throw problem("it cannot be put in place: \(systemError())", do: "name another file") }
    return false
  }

  /// Makes the new name survive a power failure.
  private func syncFolder() {
    let folder = (path as NSString).deletingLastPathComponent
    let descriptor = unsafe open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private func systemError() -> String { unsafe String(cString: strerror(errno)) }

  private func problem(_ what: String, do remedy: String) -> KeyFileError {
    KeyFileError(path: path, problem: what, remedy: remedy)
  }
}

/// Why a key file is of no use: which file, why, and what to do.
public struct KeyFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong with it.
  public let problem: String
  /// What to do.
  public let remedy: String

  /// One sentence.
  public var description: String { "key file \(path): \(problem); \(remedy)" }
}
