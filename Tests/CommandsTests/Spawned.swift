import Foundation

/// A process started without Foundation, which on Linux takes a program's end in only when no other program keeps what that one inherited. This one
/// keeps nothing: all but its three streams are closed before it begins.
struct Spawned {
  /// Its number.
  let pid: pid_t

  /// It could not be started.
  struct Failed: Error {}

  private static let script = """
    cd "$1" && shift
    for f in /dev/fd/*; do n=${f##*/}; [ "$n" -gt 2 ] 2>/dev/null && eval "exec $n>&-"; done
    exec "$@"
    """

  /// Starts `arguments`, whose first is the program, in a folder, writing to a file descriptor, or to nothing.
  init(_ arguments: [String], in folder: String, output: Int32? = nil) throws {
    #if os(Linux)
    var actions = unsafe posix_spawn_file_actions_t()
    #else
    var actions: posix_spawn_file_actions_t?
    #endif
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    if let output {
      unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    let all = ["bash", "-c", Spawned.script, "bash", folder] + arguments
    var words: [UnsafeMutablePointer<CChar>?] = unsafe all.map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    guard unsafe posix_spawnp(&pid, "bash", &actions, nil, words, environ) == 0 else { throw Failed() }
    self.pid = pid
  }

  /// Waits for its end; gives its exit code, or -1 if a signal ended it.
  func end() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status & 0x7f == 0 ? status >> 8 & 0xff : -1
  }

  /// Ends it with signal 9, and waits for that.
  func kill() {
    _ = Foundation.kill(pid, SIGKILL)
    _ = end()
  }
}
