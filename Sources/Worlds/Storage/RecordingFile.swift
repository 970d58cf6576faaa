#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A recording being written: entries gather in memory and go to the file in pieces, so that recording costs a host little. What is
/// not written when the process dies is lost; a recording is for looking back, not for going on.
public struct RecordingWriter: ~Copyable {
  /// The file.
  public let path: String
  /// Bytes written and gathered.
  public private(set) var bytes = 0
  /// Whether ``limit`` was reached, so that nothing more is recorded.
  public private(set) var isFull = false
  /// The most bytes of the file.
  public let limit: Int
  private let file: Int32
  private var gathered: [UInt8] = []

  private static let piece = 256 << 10

  /// Begins a recording, replacing what has that name.
  public init(_ path: String, _ header: Recording.Header, limit: Int = 4 << 30) throws(StoreError) {
    self.path = path
    self.limit = limit
    file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StoreError(FileFault(path, "open", errno), .recording) }
    gathered = Recording.encode(header)
    bytes = gathered.count
  }

  deinit { if file >= 0 { close(file) } }

  /// Records one entry; throws if the disk refuses.
  public mutating func append(_ entry: Recording.Entry) throws(StoreError) {
    guard !isFull else { return }
    let encoded = Recording.encode(entry)
    guard bytes + encoded.count <= limit else {
      isFull = true
      return try flush()
    }
    bytes += encoded.count
    gathered += encoded
    if gathered.count >= Self.piece { try flush() }
  }

  /// Hands everything to the system.
  public mutating func flush() throws(StoreError) {
    do { try SystemFiles.write(gathered, to: file, path) } catch { throw StoreError(error, .recording) }
    gathered.removeAll(keepingCapacity: true)
  }
}

/// A recording being read, entry by entry, whatever its length.
public struct RecordingFile: ~Copyable {
  /// The file.
  public let path: String
  private let file: Int32
  private var reader = RecordingReader()
  private var isAtEnd = false

  /// Opens a recording; throws if it cannot be read or is none.
  public init(_ path: String) throws(StoreError) {
    self.path = path
    file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw StoreError(FileFault(path, "open", errno), .recording) }
  }

  deinit { if file >= 0 { close(file) } }

  /// What the recording begins with; `nil` before the first ``next()``.
  public var header: Recording.Header? { reader.header }

  /// Whether the end was reached in the middle of an entry.
  public var isCutOff: Bool { isAtEnd && reader.isCutOff }

  /// The next entry; `nil` at the end. Throws if the file is damaged or no recording.
  public mutating func next() throws(StoreError) -> Recording.Entry? {
    while true {
      do {
        if let entry = try reader.next() { return entry }
      } catch {
        throw StoreError(path, .recording, .damaged("\(error)"))
      }
      guard !isAtEnd else { return nil }
      let piece = try read()
      isAtEnd = piece.isEmpty
      reader.append(piece)
    }
  }

  private func read() throws(StoreError) -> [UInt8] {
    var failure: Int32 = 0
    let file = file
    let piece = unsafe [UInt8](unsafeUninitializedCapacity: 256 << 10) { buffer, count in
      let got = unsafe SystemFiles.systemRead(file, buffer.baseAddress.unsafelyUnwrapped, 256 << 10)
      if got < 0 { failure = errno }
      count = max(0, got)
    }
    guard failure == 0 else { throw StoreError(FileFault(path, "read", failure), .recording) }
    return piece
  }
}
