import Foundation
import Synchronization

/// Ctrl-C as a question that long work asks itself: the first one ends the work and keeps what was done, the second one ends all.
final class Interruption: Sendable {
  private static let count = Atomic<Int>(0)
  private static let isTerminal = isatty(STDERR_FILENO) != 0
  private static let lineEnd: StaticString = "\n"
  private static let notice: StaticString = "stopping: what was done is kept (Ctrl-C again quits at once)\n"

  /// Whether Ctrl-C was pressed since somebody took it over.
  static var happened: Bool { count.load(ordering: .relaxed) > 0 }

  /// Whether the user wants to stop.
  var isWanted: Bool { Interruption.happened }

  /// Takes Ctrl-C over from now on.
  init(_: Console) {
    // Made before a signal can come: a handler may do no more than count, write what is there, and leave at the second time.
    _ = (Interruption.isTerminal, Interruption.lineEnd, Interruption.notice, Interruption.happened)
    signal(SIGINT) { _ in
      guard Interruption.count.add(1, ordering: .relaxed).oldValue == 0 else { _exit(130) }
      let before = errno
      if Interruption.isTerminal { _ = unsafe write(STDERR_FILENO, Interruption.lineEnd.utf8Start, 1) }
      _ = unsafe write(STDERR_FILENO, Interruption.notice.utf8Start, Interruption.notice.utf8CodeUnitCount)
      errno = before
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Runs `work` and cancels it when the user wants to stop.
  func cancelling<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while !self.isWanted, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(100)) }
        return nil
      }
      while let finished = try await group.next() {
        group.cancelAll()
        if let value = finished { return value }
      }
      throw CancellationError()
    }
  }
}
