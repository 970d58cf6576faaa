import NIOConcurrencyHelpers

/// A value that several threads use in turn, under a lock of the operating system's.
///
/// It stands here instead of `Synchronization.Mutex` for the sake of the thread sanitizer: whoever has to wait for that one takes it in a
/// library that the sanitizer does not see into, so that two uses in turn look like a race.
final class Guarded<Value: ~Copyable>: @unchecked Sendable {
  private let lock = NIOLock()
  private var value: Value

  init(_ value: consuming sending Value) { self.value = value }

  /// Runs `body` with the value, while nobody else does.
  func withLock<Result, Failure>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
