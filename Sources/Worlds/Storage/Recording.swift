public import MurmurMachines
public import MurmurWire

/// The format of recordings: everything one peer was told, with its time and the digest of what it wanted done.
///
///     "murmur recording 1\n"  header: length, seed (8 bytes), peer, context (each behind its length), check
///     entry: length, time (8 bytes, ns), digest (32 bytes), input, check (4 bytes)
///
/// Checks are FNV-1a over what is before them since the length. A recording that ends in the middle of an entry (the process was
/// killed, the disk was full) is read up to there.
public enum Recording {
  /// What stands at the beginning of the file.
  public static let magic = Array("murmur recording 1\n".utf8)
  /// The most bytes of one entry.
  public static let mostBytes = 257 << 20
  /// The most bytes of the context.
  public static let mostContextBytes = 64 << 20

  /// What a replay begins with.
  public struct Header: Hashable, Sendable {
    /// The seed of the chance from which the peer's streams were forked.
    public var seed: UInt64
    /// The peer's identity, encoded.
    public var peer: [UInt8]
    /// Whatever else is needed to build the peer as it was; the host's business.
    public var context: [UInt8]

    /// What a replay begins with.
    public init(seed: UInt64, peer: [UInt8], context: [UInt8]) {
      self.seed = seed
      self.peer = peer
      self.context = context
    }
  }

  /// One input.
  public struct Entry: Hashable, Sendable {
    /// When it happened.
    public var time: Instant
    /// The digest of all effects up to and including what this input caused.
    public var digest: Digest
    /// The input, encoded.
    public var input: [UInt8]

    /// One input.
    public init(time: Instant, digest: Digest, input: [UInt8]) {
      self.time = time
      self.digest = digest
      self.input = input
    }
  }

  /// The beginning of a recording.
  public static func encode(_ header: Header) -> [UInt8] {
    var body: [UInt8] = []
    body.append(word: header.seed)
    body.append(content: header.peer)
    body.append(content: header.context)
    return magic + framed(body)
  }

  /// One entry.
  public static func encode(_ entry: Entry) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(entry.input.count + 48)
    body.append(word: UInt64(bitPattern: entry.time.nanoseconds))
    entry.digest.append(to: &body)
    body += entry.input
    return framed(body)
  }

  private static func framed(_ body: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.append(content: body)
    let check = check(body[...])
    for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: check >> shift)) }
    return out
  }

  static func check(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var hash: UInt32 = 0x811c_9dc5
    for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    return hash
  }
}

/// Reads a recording from pieces of any size; holds at most one entry and what was appended.
public struct RecordingReader: Sendable {
  /// What the recording begins with; `nil` before enough was appended.
  public private(set) var header: Recording.Header?
  /// Entries read so far.
  public private(set) var entries = 0
  private var buffer: [UInt8] = []
  private var start = 0

  /// A reader at the beginning.
  public init() {}

  /// Whether bytes are left that make no whole entry: after the last piece, the recording was cut off.
  public var isCutOff: Bool { start < buffer.count || header == nil }

  /// Takes the next bytes of the file.
  public mutating func append(_ bytes: [UInt8]) {
    if start > 1 << 16, start > buffer.count / 2 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
  }

  /// The next entry; `nil` if more bytes are needed. Throws if this is no recording, or a damaged one; then it ends there.
  public mutating func next() throws(WireError) -> Recording.Entry? {
    if header == nil {
      guard try readHeader() else { return nil }
    }
    guard let body = try frame(Recording.mostBytes) else { return nil }
    guard body.count >= 40, let digest = Digest(body[8..<40]) else {
      throw WireError("recording", "entry \(entries) has \(body.count) bytes; time and digest alone have 40")
    }
    var reader = ByteReader(Array(body.prefix(8)), "recording")
    entries += 1
    return Recording.Entry(
      time: Instant(nanoseconds: Int64(bitPattern: try reader.word())), digest: digest, input: Array(body[40...]))
  }

  private mutating func readHeader() throws(WireError) -> Bool {
    let known = min(buffer.count, Recording.magic.count)
    guard buffer[..<known].elementsEqual(Recording.magic[..<known]) else {
      throw WireError("recording", at: 0, "this is no recording of version 1")
    }
    guard known == Recording.magic.count else { return false }
    start = Recording.magic.count
    guard let body = try frame(Recording.mostContextBytes) else {
      start = 0
      return false
    }
    var reader = ByteReader(body, "recording")
    let seed = try reader.word()
    let peer = try reader.content(64)
    header = Recording.Header(seed: seed, peer: peer, context: try reader.content(Recording.mostContextBytes))
    try reader.end()
    return true
  }

  /// The next body whose check is right; `nil` if it is not here whole.
  private mutating func frame(_ limit: Int) throws(WireError) -> [UInt8]? {
    var position = start
    var length = 0
    var shift = 0
    while true {
      guard position < buffer.count else { return nil }
      let byte = buffer[position]
      position += 1
      length |= Int(byte & 0x7f) << shift
      if byte < 0x80 { break }
      shift += 7
      guard shift <= 28 else {
        throw WireError("recording", at: start, "the length of entry \(entries) has more than five bytes")
      }
    }
    guard length <= limit else {
      throw WireError("recording", at: start, "entry \(entries) has \(length) bytes; at most \(limit)")
    }
    guard buffer.count - position >= length + 4 else { return nil }
    let body = buffer[position..<position + length]
    var told: UInt32 = 0
    for index in 0..<4 { told |= UInt32(buffer[position + length + index]) << UInt32(8 * index) }
    guard Recording.check(body) == told else { throw WireError("recording", at: start, "entry \(entries) is damaged") }
    start = position + length + 4
    return Array(body)
  }
}
