import Foundation
import MurmurKernels

/// How this process keeps freed memory.
public enum Memory {
  /// Keeps up to 16 MiB of freed memory for the next use, where the C library can be told so, instead of returning it and asking for it
  /// again with every record of 64 KiB. Call it once, at the start of a program.
  public static func keepFreed() { murmur_keep_record_memory() }

  /// Gives the system back what was freed so far, as after a start that read many rows and keeps few.
  public static func giveBack() { murmur_return_memory() }

  /// Bytes of this process that are in memory; `nil` where the system does not say.
  public static var resident: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
