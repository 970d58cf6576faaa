import MurmurWire

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One file of a spool's log: records, each behind its length (four bytes, little-endian) and eight bytes of a hash that goes over the record
/// and the hash before.
final class SpoolFile {
  /// Bytes before each record.
  static let overhead = 12
  private static let mark = "murmur spool 1"
  let number: UInt64
  private(set) var size: UInt64 = 0
  private let name: String
  private let file: Int32
  private var chain: [UInt8]

  private init(_ folder: String, _ number: UInt64, _ flags: Int32) throws(StoreError) {
    name = SpoolFile.path(folder, number)
    self.number = number
    chain = Digest.sha256(of: Array("\(SpoolFile.mark) \(number)".utf8)).bytes
    file = unsafe open(name, flags | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StoreError(FileFault(name, "open", errno), .opening) }
  }

  deinit { close(file) }

  /// Where the file of that number lies.
  static func path(_ folder: String, _ number: UInt64) -> String {
    let digits = "\(number)"
    return folder + "/spool-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }

  /// The numbers of the files in a folder, in ascending order.
  static func numbers(in folder: String) throws(StoreError) -> [UInt64] {
    do {
      return try SystemFiles().names(in: folder).filter { $0.hasPrefix("spool-") }.compactMap { UInt64($0.dropFirst(6)) }.sorted()
    } catch { throw StoreError(error, .opening) }
  }

  /// Begins a file with a record, safe before anything else is.
  static func create(_ folder: String, _ number: UInt64, beginning: SpoolRecord) throws(StoreError) -> SpoolFile {
    let file = try SpoolFile(folder, number, O_RDWR | O_CREAT | O_TRUNC)
    _ = try file.append(beginning.encode())
    try file.sync()
    do { try SystemFiles().sync(folder) } catch { throw StoreError(error, .syncing) }
    return file
  }

  static func at(_ folder: String, _ number: UInt64, forWriting: Bool) throws(StoreError) -> SpoolFile {
    try SpoolFile(folder, number, forWriting ? O_RDWR : O_RDONLY)
  }

  /// Appends a record; gives where it begins. What could not be written whole is taken back.
  func append(_ record: [UInt8]) throws(StoreError) -> UInt64 {
    let sum = sum(record)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(record.count + SpoolFile.overhead)
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: record.count >> shift)) }
    bytes += sum
    bytes += record
    let offset = size
    guard lseek(file, off_t(offset), SEEK_SET) >= 0 else { throw StoreError(FileFault(name, "lseek", errno), .writing) }
    do { try SystemFiles.write(bytes, to: file, name) } catch {
      _ = ftruncate(file, off_t(offset))
      throw StoreError(error, .writing)
    }
    size += UInt64(bytes.count)
    chain = sum
    return offset
  }

  private func sum(_ record: [UInt8]) -> [UInt8] { Array(Digest.sha256(of: chain + record).bytes.prefix(8)) }

  /// A record of so many bytes.
  func read(_ offset: UInt64, _ length: Int) throws(StoreError) -> [UInt8] {
    let bytes = try piece(offset + UInt64(SpoolFile.overhead), length)
    guard bytes.count == length else { throw StoreError(name, .reading, .damaged("a record is cut short")) }
    return bytes
  }

  private func piece(_ offset: UInt64, _ length: Int) throws(StoreError) -> [UInt8] {
    var failure: Int32 = 0
    let file = file
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      while count < length {
        let got = unsafe pread(file, buffer.baseAddress.unsafelyUnwrapped + count, length - count, off_t(offset) + off_t(count))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        guard got > 0 else { return }
        count += got
      }
    }
    guard failure == 0 else { throw StoreError(FileFault(name, "pread", failure), .reading) }
    return bytes
  }

  /// The next whole record, and where it begins; `nil` at the end, or where what follows is none.
  func next() throws(StoreError) -> (record: SpoolRecord, offset: UInt64, length: Int)? {
    let head = try piece(size, SpoolFile.overhead)
    guard head.count == SpoolFile.overhead else { return nil }
    let length = Int(head[0]) | Int(head[1]) << 8 | Int(head[2]) << 16 | Int(head[3]) << 24
    guard length > 0, length <= SpoolRecord.mostBytes else { return nil }
    let bytes = try piece(size + UInt64(SpoolFile.overhead), length)
    guard bytes.count == length else { return nil }
    let sum = sum(bytes)
    guard sum.elementsEqual(head[4...]) else { return nil }
    let offset = size
    let record: SpoolRecord
    // What has its hash was written like this.
    do { record = try SpoolRecord.decode(bytes) } catch { throw StoreError(name, .recovering, .damaged("\(error)")) }
    size += UInt64(SpoolFile.overhead + length)
    chain = sum
    return (record, offset, length)
  }

  /// Whether the first record is there: it is made safe before another one follows. Throws if it is not, and another one does.
  func hasBegun() throws(StoreError) -> Bool {
    if try next() != nil { return true }
    let head = try piece(0, SpoolFile.overhead + 1)
    let length = head.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length > 0, try !piece(UInt64(SpoolFile.overhead + length), 1).isEmpty || length > SpoolRecord.mostBytes else {
      return false
    }
    throw StoreError(name, .recovering, .damaged("its first record is not what it was; restore it from a copy"))
  }

  /// Cuts off what follows the last whole record; gives how many bytes.
  func cutOff() throws(StoreError) -> Int {
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw StoreError(FileFault(name, "fstat", errno), .recovering) }
    let torn = Int(status.st_size) - Int(size)
    guard torn > 0 else { return 0 }
    guard ftruncate(file, off_t(size)) == 0 else { throw StoreError(FileFault(name, "ftruncate", errno), .recovering) }
    return torn
  }

  func sync() throws(StoreError) {
    do { try SystemFiles.flush(file, name) } catch { throw StoreError(error, .syncing) }
  }

  /// Another descriptor of the file, to be made safe while others write.
  func duplicate() throws(StoreError) -> Int32 {
    let other = dup(file)
    guard other >= 0 else { throw StoreError(FileFault(name, "dup", errno), .syncing) }
    return other
  }

  static func sync(closing file: Int32, _ name: String) throws(StoreError) {
    defer { close(file) }
    do { try SystemFiles.flush(file, name) } catch { throw StoreError(error, .syncing) }
  }
}

/// Puts a log together from its files.
enum SpoolRecovery {
  static func open(_ path: String) throws(StoreError) -> (Spool.Log, cutOff: Int) {
    var numbers = try SpoolFile.numbers(in: path)
    var torn = 0
    // A file without its first record was about to begin when the process or the power went.
    if let last = numbers.last, try !SpoolFile.at(path, last, forWriting: false).hasBegun() {
      guard numbers.count > 1 || last == 1 else {
        throw StoreError(SpoolFile.path(path, last), .recovering, .damaged("its beginning is gone; restore it from a copy"))
      }
      do { try SystemFiles().remove(SpoolFile.path(path, last)) } catch { throw StoreError(error, .recovering) }
      numbers.removeLast()
      torn += 1
    }
    guard let last = numbers.last else {
      let writer = try SpoolFile.create(path, 1, beginning: .snapshot(Spool.State(), first: 0, count: 0))
      return (Spool.Log(writer: writer, files: [1]), torn)
    }
    var log = Spool.Log(writer: try SpoolFile.at(path, last, forWriting: true), files: numbers)
    for number in numbers {
      let file = number == last ? log.writer : try SpoolFile.at(path, number, forWriting: false)
      while let (record, offset, length) = try file.next() { log.apply(record, in: number, at: offset, length) }
      let name = SpoolFile.path(path, number)
      if number == last {
        torn += try file.cutOff()
      } else if SystemFiles().size(of: name) != Int(file.size) {
        let words = "what follows byte \(file.size) is no record; restore it from a copy, or begin a new stream in another folder"
        throw StoreError(name, .recovering, .damaged(words))
      }
    }
    return (log, torn)
  }
}
