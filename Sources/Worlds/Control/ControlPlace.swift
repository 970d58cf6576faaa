import Foundation

/// The file of a control socket: `DIR/control.sock` of a store, or wherever `--control` says.
public struct ControlPlace: Hashable, Sendable {
  /// The file.
  public let path: String

  /// The name of the file in a store's folder.
  public static let name = "control.sock"
  /// The variable that names the file where no option does.
  public static let variable = "MURMUR_CONTROL"

  #if os(Linux)
  /// The most bytes of a socket's path; the system allows one more for its end.
  public static let mostBytes = 107
  #else
  /// The most bytes of a socket's path; the system allows one more for its end.
  public static let mostBytes = 103
  #endif

  /// The socket at `path`; throws if no socket can have that path.
  public init(_ path: String) throws(ControlError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw ControlError("--control: an empty path names no socket; give a file")
    }
    guard path.utf8.count <= ControlPlace.mostBytes else {
      throw ControlError(
        "control socket \(path): the path has \(path.utf8.count) bytes, and the system allows a socket \(ControlPlace.mostBytes); "
          + "name a shorter one with --control, or a folder nearer to the root with --store, or start from inside the folder with a relative path"
      )
    }
    self.path = path
  }

  /// The socket that options and environment name; `nil` if they name none.
  public static func chosen(
    store: String?, control: String?, environment: [String: String]
  ) throws(ControlError) -> ControlPlace? {
    if let control { return try ControlPlace(control) }
    if let store { return try ControlPlace(store + "/" + name) }
    guard let named = environment[variable], !named.isEmpty else { return nil }
    return try ControlPlace(named)
  }

  /// Whether a peer answers there.
  public var isAnswered: Bool { if case .answers = probe() { true } else { false } }

  // MARK: The system

  /// A socket bound to the path, to be listened at, which only its owner can open. What a dead peer left there is replaced.
  func bindSocket() throws(ControlError) -> Int32 {
    try clear()
    let descriptor = try ControlPlace.open()
    // The mode is set by the mask while the file is made, so that nobody can open it in between.
    let before = umask(0o177)
    let result = unsafe withAddress { unsafe bind(descriptor, $0, $1) }
    let failure = errno
    umask(before)
    guard result == 0 else {
      close(descriptor)
      throw ControlError(
        "control socket \(path): \(ControlPlace.words(failure)); make its folder, or name another file with --control")
    }
    return descriptor
  }

  /// Takes away what a dead peer left; throws if somebody answers there, or if it is no socket.
  private func clear() throws(ControlError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw ControlError("control socket \(path): \(ControlPlace.words(errno)); name another file with --control")
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw ControlError(
        "control socket \(path): there is a file of that name which is no socket; remove it, or name another with --control")
    }
    switch probe() {
    case .answers:
      throw ControlError(
        "control socket \(path): a running peer answers there; stop that one, or name another file with --control")
    case .isDead: break
    case .fails(let code):
      throw ControlError(
        "control socket \(path): \(ControlPlace.words(code)); does it belong to another user? Name another file with --control")
    }
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw ControlError(
        "control socket \(path): what a dead peer left there cannot be removed: \(ControlPlace.words(errno)); remove it by hand")
    }
  }

  /// Whether somebody answers at a socket.
  enum Probe {
    case answers
    case isDead
    case fails(Int32)
  }

  /// Tries the socket.
  func probe() -> Probe {
    guard let descriptor = try? ControlPlace.open() else { return .fails(errno) }
    defer { close(descriptor) }
    if unsafe withAddress({ unsafe connect(descriptor, $0, $1) }) == 0 { return .answers }
    return errno == ECONNREFUSED || errno == ENOENT ? .isDead : .fails(errno)
  }

  /// Why a program that asks cannot reach the peer, and what to do.
  func unreachable() -> ControlError {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      let why = errno == ENOENT ? "no peer runs there: there is no such file" : ControlPlace.words(errno)
      return ControlError(
        "control socket \(path): \(why); start one with `murmur peer … --store DIR` (or --control PATH) and name the same DIR or PATH here"
      )
    }
    switch probe() {
    case .answers: return ControlError("control socket \(path): the peer does not answer; try again")
    case .isDead:
      return ControlError(
        "control socket \(path): the peer that made it has ended; start it again with the same --store or --control")
    case .fails(let code) where code == EACCES || code == EPERM:
      return ControlError("control socket \(path): \(ControlPlace.words(code)); only the user who started the peer may use it")
    case .fails(let code):
      return ControlError("control socket \(path): \(ControlPlace.words(code)); is it a peer's control socket?")
    }
  }

  private static func open() throws(ControlError) -> Int32 {
    #if os(Linux)
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #else
    let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else {
      throw ControlError("no socket can be made: \(words(errno)); see the limit on open files, `ulimit -n`")
    }
    return descriptor
  }

  /// Calls `body` with the path as the system wants it.
  private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8.prefix(ControlPlace.mostBytes))
    return unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe withUnsafeMutableBytes(of: &pointer.pointee.sun_path) { unsafe $0.copyBytes(from: bytes) }
      return unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  private static func words(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
