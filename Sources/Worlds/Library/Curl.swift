#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A run of the program curl: its standard output, piece by piece, and its exit code.
///
/// Started without Foundation, which on Linux may wait for the end of a program until all others that were started meanwhile have ended.
struct Curl: ~Copyable {
  /// The process.
  let pid: pid_t
  private let output: Int32

  /// Starts curl; `nil` if there is none.
  init?(_ arguments: [String]) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    #if os(Linux)
    var actions = unsafe posix_spawn_file_actions_t()
    #else
    var actions: posix_spawn_file_actions_t?
    #endif
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var words: [UnsafeMutablePointer<CChar>?] = unsafe (["curl"] + arguments).map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { for unsafe word in unsafe words { unsafe free(word) } }
    var pid: pid_t = 0
    let code = unsafe posix_spawnp(&pid, "curl", &actions, nil, words, environ)
    close(ends[1])
    guard code == 0 else {
      close(ends[0])
      return nil
    }
    self.pid = pid
    output = ends[0]
  }

  deinit { close(output) }

  /// What curl writes next; empty at its end.
  func read() -> [UInt8] {
    var got = 0
    let piece = unsafe [UInt8](unsafeUninitializedCapacity: 256 << 10) { buffer, count in
      repeat {
        got = unsafe systemRead(output, buffer.baseAddress, 256 << 10)
      } while got < 0 && errno == EINTR
      count = max(0, got)
    }
    return piece
  }

  /// Waits for the end; the exit code, 127 if there is no such program, or −1 if a signal ended it.
  func end() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status & 0x7f == 0 ? status >> 8 & 0xff : -1
  }

  /// Ends it.
  static func stop(_ pid: pid_t) { kill(pid, SIGTERM) }
}

private func systemRead(_ file: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
  unsafe read(file, buffer, count)
}
