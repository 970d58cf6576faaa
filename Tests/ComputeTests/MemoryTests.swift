import Foundation
import MurmurKernels
import Testing

/// Freed vectors that threads keep.
@Suite struct MemoryTests {
  /// A peer's worker makes a model every cycle, and its event loop lets it go: what one thread takes and another frees must not pile up.
  @Test func `a thread that only frees keeps nothing, and one that takes and frees keeps what it uses`() async {
    let bytes = 19_240
    for _ in 0..<3 {
      let taken = await onThread { (0..<200).map { _ in unsafe Address(murmur_allocate(bytes)) } }
      let kept = await onThread {
        for address in taken { unsafe murmur_release(address.pointer, bytes) }
        defer { murmur_forget_freed_memory() }
        return murmur_kept_memory()
      }
      #expect(kept == 0)
    }
    let busy = await onThread {
      for _ in 0..<100 {
        let two = unsafe (murmur_allocate(bytes), murmur_allocate(bytes))
        unsafe murmur_release(two.0, bytes)
        unsafe murmur_release(two.1, bytes)
      }
      defer { murmur_forget_freed_memory() }
      return murmur_kept_memory()
    }
    #expect(busy == 2 * 19_264)
  }

  @safe private struct Address: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    init(_ pointer: UnsafeMutableRawPointer) { unsafe self.pointer = pointer }
  }

  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: body()) }.start()
    }
  }
}
