import Foundation
import Synchronization

/// Ctrl-C as a question that long work asks itself: the first one ends the work and keeps what was done, the second one ends all.
final class Interruption: Sendable {
  private static let count = Atomic<Int>(0)
  private let console: Console
  private let announced = Atomic<Bool>(false)

  /// Whether the user wants to stop.
  var isWanted: Bool {
    guard Interruption.count.load(ordering: .relaxed) > 0 else { return false }
    if !announced.exchange(true, ordering: .relaxed) {
      console.say("stopping: what was done is kept (Ctrl-C again quits at once)")
    }
    return true
  }

  /// Takes Ctrl-C over from now on.
  init(_ console: Console) {
    self.console = console
    // A signal handler may do no more than this: count, and leave at the second time.
    signal(SIGINT) { _ in
      if Interruption.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
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
