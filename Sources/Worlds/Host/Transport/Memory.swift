import Foundation
import MurmurKernels

/// How this process keeps freed memory.
public enum Memory {
  /// Keeps up to 16 MiB of freed memory for the next use, where the C library can be told so, instead of returning it and asking for it
  /// again with every record of 64 KiB. Call it once, at the start of a program.
  public static func keepFreed() { murmur_keep_record_memory() }

  /// Gives the system back what was freed so far, as after a start that read many rows and keeps few.
  public static func giveBack() { murmur_return_memory() }

  /// Lets go of the code and constants of the program and its libraries that are in memory: what is used again comes back from the files
  /// page by page, what only the start needed does not. It costs some milliseconds of page faults.
  public static func giveBackCode() { murmur_return_code() }

  /// Bytes of this process that are in memory; `nil` where the system does not say.
  public static var resident: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
