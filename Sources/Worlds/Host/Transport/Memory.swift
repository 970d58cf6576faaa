import Foundation
import MurmurKernels

/// How this process keeps freed memory.
public enum Memory {
  /// Keeps up to 16 MiB of freed memory for the next use, where the C library can be told so, instead of returning it and asking for it
  /// again with every record of 64 KiB. Call it once, at the start of a program.
  public static func keepFreed() {
    murmur_keep_record_memory()
    lookForCode()
  }

  /// Keeps next to nothing, and takes all memory from one place: for a small program on a small machine, whose threads seldom need memory at the
  /// same time.
  public static func keepLittle() {
    murmur_keep_little_memory()
    lookForCode()
  }

  private static func lookForCode() {
    #if os(Linux)
    _ = code
    #endif
  }

  /// Gives the system back what was freed so far, as after a start that read many rows and keeps few.
  public static func giveBack() { murmur_return_memory() }

  /// Lets go of the code and constants of the program and its libraries that are in memory (Linux): what is used again comes back from the
  /// files page by page, what only the start needed does not. It costs some milliseconds of page faults.
  ///
  /// Pages of a file that nobody may write and nobody has written hold what the file holds. Those that relocation wrote are left alone.
  /// Which pages these are is looked up once, at the start: to read that takes code, too, and what the program was started with is never
  /// unloaded, so that nothing else comes to lie there.
  public static func giveBackCode() {
    #if os(Linux)
    for mapping in code {
      if let address = unsafe UnsafeMutableRawPointer(bitPattern: mapping.lowerBound) {
        _ = unsafe madvise(address, mapping.count, MADV_DONTNEED)
      }
    }
    #endif
  }

  #if os(Linux)
  /// Where the program and the libraries that it was started with lie in memory, as far as nobody may write and nobody has written there.
  private static let code: [Range<UInt>] = {
    // The system gives such a file in pieces of a page; whoever reads it at once gets the first.
    guard let file = FileHandle(forReadingAtPath: "/proc/self/smaps") else { return [] }
    var bytes = Data()
    while bytes.count < 8 << 20, let piece = try? file.read(upToCount: 64 << 10), !piece.isEmpty { bytes += piece }
    let text = String(decoding: bytes, as: UTF8.self)
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    var (mapping, all) = (Range<UInt>?.none, [Range<UInt>]())
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      if fields.count >= 6, let dash = fields[0].firstIndex(of: "-"), fields[1].count == 4 {
        let (start, end) = (UInt(fields[0][..<dash], radix: 16), UInt(fields[0][fields[0].index(after: dash)...], radix: 16))
        let isCode = fields[5] == program || fields[5].contains(".so")
        let isFile = isCode && fields[5].hasPrefix("/") && !fields[1].contains("w") && fields[1].hasSuffix("p")
        mapping = if isFile, let start, let end, start < end { start..<end } else { nil }
      } else if fields.count >= 2, fields[0] == "Anonymous:" {
        if fields[1] == "0", let mapping { all.append(mapping) }
        mapping = nil
      } else if fields.count < 2 || !(fields[0].last == ":") {
        mapping = nil
      }
    }
    return all
  }()
  #endif

  /// Bytes of this process that are in memory; `nil` where the system does not say.
  public static var resident: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
