import MurmurKernels

/// How this process keeps freed memory.
public enum Memory {
  /// Keeps up to 16 MiB of freed memory for the next use, where the C library can be told so, instead of returning it and asking for it
  /// again with every record of 64 KiB. Call it once, at the start of a program.
  public static func keepFreed() { murmur_keep_record_memory() }
}
