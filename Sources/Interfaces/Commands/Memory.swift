#if canImport(Glibc)
import Glibc
#endif

/// The allocator's habits.
enum Memory {
  /// Keeps freed memory for the next use: a simulation frees and takes model-sized pieces all the time, and handing them back to the
  /// system in between costs a page fault for every four kilobytes.
  static func keepFreed() {
    #if canImport(Glibc)
    _ = mallopt(M_TRIM_THRESHOLD, 512 << 20)
    _ = mallopt(M_MMAP_THRESHOLD, 64 << 20)
    #endif
  }
}
