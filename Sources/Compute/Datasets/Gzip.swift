import CZlib

/// Gzip files (RFC 1952), unpacked by zlib with a bound on what comes out.
public enum Gzip {
  /// Whether `bytes` begin like a gzip file.
  public static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b }

  /// Unpacks all members of a gzip file, one after the other.
  ///
  /// - Throws: ``DataError`` if the file is damaged, cut short, or would unpack to more than `limit` bytes.
  public static func inflate(_ bytes: [UInt8], limit: Int, file: String = "") throws(DataError) -> [UInt8] {
    var inflater = Inflater(file: file, limit: limit)
    var output: [UInt8] = []
    // The last four bytes of a member say how much it unpacks to; believed only within reason.
    if bytes.count >= 18 {
      let hint = bytes[(bytes.count - 4)...].reversed().reduce(0) { $0 << 8 | Int($1) }
      output.reserveCapacity(min(hint, limit, bytes.count * 40))
    }
    try unsafe inflater.feed(bytes) { chunk throws(DataError) in unsafe output.append(contentsOf: chunk) }
    try inflater.finish()
    return output
  }

  /// A gzip stream that is unpacked piece by piece, in constant memory.
  @safe
  public struct Inflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private let file: String
    private let limit: Int
    private var state = State.betweenMembers
    private var consumed = 0
    private var produced = 0
    private var members = 0
    private let window: Int32

    private enum State { case betweenMembers, inMember, padding }

    /// A stream of which nothing has been read; `file` names it in errors.
    public init(file: String, limit: Int) { self.init(file: file, limit: limit, window: 15 + 16) }

    /// A stream with zlib's notion of a window: 15 + 16 for gzip, −15 for a bare deflate stream.
    init(file: String, limit: Int, window: Int32) {
      self.file = file
      self.limit = limit
      self.window = window
      unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      unsafe stream.initialize(to: z_stream())
      unsafe buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 17)
      let status = unsafe inflateInit2_(stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      precondition(status == Z_OK, "zlib cannot start: \(status)")
    }

    deinit {
      unsafe inflateEnd(stream)
      unsafe stream.deallocate()
      unsafe buffer.deallocate()
    }

    /// Unpacks the next bytes of the file; `body` gets the unpacked bytes in pieces of at most 128 KiB.
    public mutating func feed(
      _ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(DataError) -> Void
    ) throws(DataError) {
      // zlib wants a pointer it may write through in its declaration only; it never does.
      var failure: DataError?
      unsafe bytes.withUnsafeBufferPointer { source in
        do throws(DataError) { try unsafe feed(source, body) } catch { failure = error }
      }
      if let failure { throw failure }
    }

    /// Unpacks the next bytes of the file; `body` gets the unpacked bytes in pieces of at most 128 KiB.
    public mutating func feed(
      _ source: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) throws(DataError) -> Void
    ) throws(DataError) {
      guard let base = source.baseAddress else { return }
      var offset = 0
      while offset < source.count {
        if state != .inMember {
          if unsafe state == .padding || (members > 0 && source[offset] == 0) {
            guard unsafe source[offset] == 0 else { throw broken("there is something other than gzip data after its end") }
            state = .padding
            offset += 1
            consumed += 1
            continue
          }
          unsafe inflateReset2(stream, window)
          state = .inMember
        }
        let piece = min(source.count - offset, Int(Int32.max))
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: base + offset)
        unsafe stream.pointee.avail_in = UInt32(piece)
        let ended = try unsafe pump(body)
        let used = unsafe piece - Int(stream.pointee.avail_in)
        offset += used
        if ended {
          members += 1
          state = .betweenMembers
        } else if used == 0 {
          throw broken("the gzip data make no progress")
        }
      }
    }

    /// Runs zlib until its input is used up or a member ends.
    private mutating func pump(_ body: (UnsafeBufferPointer<UInt8>) throws(DataError) -> Void) throws(DataError) -> Bool {
      while true {
        unsafe stream.pointee.next_out = buffer.baseAddress
        unsafe stream.pointee.avail_out = UInt32(buffer.count)
        let before = unsafe stream.pointee.avail_in
        let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
        consumed += unsafe Int(before - stream.pointee.avail_in)
        let count = unsafe buffer.count - Int(stream.pointee.avail_out)
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
          let why = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib status \(status)"
          throw broken(
            members == 0 && produced + count == 0 ? "this is not gzip data (\(why))" : "the gzip data are damaged (\(why))")
        }
        produced += count
        guard produced <= limit else {
          throw DataError(
            file, "unpacks to more than the \(grouped(limit)) bytes allowed for it",
            advice: "check that it is the file you mean, or unpack it by hand")
        }
        if count > 0 { try unsafe body(UnsafeBufferPointer(rebasing: buffer[..<count])) }
        if status == Z_STREAM_END { return true }
        if unsafe stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 { return false }
        if status == Z_BUF_ERROR && count == 0 { return false }
      }
    }

    /// Checks that the file ended where a member ends.
    public func finish() throws(DataError) {
      guard state != .inMember, members > 0 else {
        throw DataError(
          file, .byte(consumed), consumed == 0 ? "the gzip file is empty" : "the gzip file ends too early",
          advice: "fetch it again; it was probably cut short")
      }
    }

    private func broken(_ problem: String) -> DataError {
      DataError(file, .byte(consumed), problem, advice: "fetch it again, or check that it is the file you mean")
    }
  }
}
