import Foundation
import Synchronization

/// Ctrl-C as a question that long work asks itself: the first one ends the work and keeps what was done, the second one ends all.
///
/// Who takes termination over as well (SIGTERM, as a service manager sends it) is asked to stop by the first signal of
/// either kind, and ended by the second.
final class Interruption: Sendable {
  private static let count = Atomic<Int>(0)
  private static let isTerminal = isatty(STDERR_FILENO) != 0
  private static let lineEnd: StaticString = "\n"
  private static let wasTerminated = Atomic<Bool>(false)
  private static let farewell: StaticString = "stopping: what was done is kept (a second signal quits at once)\n"
  private static let notice: StaticString = "stopping: what was done is kept (Ctrl-C again quits at once)\n"

  /// Whether Ctrl-C was pressed since somebody took it over.
  static var happened: Bool { count.load(ordering: .relaxed) > 0 }

  /// What a process ends with that could not stop well: 128 and the signal's number.
  static var code: Int32 { wasTerminated.load(ordering: .relaxed) ? 143 : 130 }

  /// Whether the user wants to stop.
  var isWanted: Bool { Interruption.happened }

  /// Takes Ctrl-C over from now on, and with `termination` SIGTERM too.
  init(_: Console, termination: Bool = false) {
    // Made before a signal can come: a handler may do no more than count, write what is there, and leave at the second time.
    _ = (Interruption.isTerminal, Interruption.lineEnd, Interruption.notice, Interruption.happened)
    _ = (Interruption.farewell, Interruption.code)
    signal(SIGINT) { _ in
      guard Interruption.count.add(1, ordering: .relaxed).oldValue == 0 else { _exit(130) }
      let before = errno
      if Interruption.isTerminal { _ = unsafe write(STDERR_FILENO, Interruption.lineEnd.utf8Start, 1) }
      _ = unsafe write(STDERR_FILENO, Interruption.notice.utf8Start, Interruption.notice.utf8CodeUnitCount)
      errno = before
    }
    signal(SIGPIPE, SIG_IGN)
    guard termination else { return }
    signal(SIGTERM) { _ in
      guard Interruption.count.add(1, ordering: .relaxed).oldValue == 0 else { _exit(143) }
      Interruption.wasTerminated.store(true, ordering: .relaxed)
      let before = errno
      _ = unsafe write(STDERR_FILENO, Interruption.farewell.utf8Start, Interruption.farewell.utf8CodeUnitCount)
      errno = before
    }
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
