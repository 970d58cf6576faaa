public import MurmurWire

/// A thin feeder's memory on the disk: messages that are sealed and not confirmed, how far the input was read, and what was read and is in
/// no message yet.
///
/// It is a log of records, each behind its length and chained to those before it by a checksum, in files that follow each other. What was
/// appended survives the end of the process at once and a loss of power after ``sync()``; a record that was torn is cut off when the
/// spool is opened. Every file begins with all that is known, so that older ones are removed when their messages are.
///
/// A message must be here, and safe, before it is sent: a feeder that sealed another one under the same number would fork its stream. Methods may be
/// called from several threads; only ``sync()`` waits for the disk without keeping others waiting.
public final class Spool: Sendable {
  /// How much it keeps.
  public struct Options: Hashable, Sendable {
    /// Bytes of messages that are not forgotten; when they are more, ``hasRoom`` is false.
    public var limit = 256 << 20
    /// Messages that are not forgotten.
    public var messages = 65_536
    /// Bytes of a file, after which the next is begun.
    public var fileBytes = 4 << 20
    /// Whether ``sync()`` waits until everything is safe against a loss of power.
    public var isDurable = true

    /// The defaults.
    public init() {}
  }

  /// Where in the input something ends.
  public struct Place: Hashable, Sendable {
    /// Bytes from the beginning of the pipe, or of the file.
    public var offset: UInt64
    /// Which file: its number in the file system and the file system's; zeros for a pipe.
    public var file: UInt64
    /// See ``file``.
    public var device: UInt64

    /// A place in a pipe, or in a file.
    public init(offset: UInt64 = 0, file: UInt64 = 0, device: UInt64 = 0) {
      (self.offset, self.file, self.device) = (offset, file, device)
    }
  }

  /// A sealed message.
  public struct Message: Hashable, Sendable {
    /// Where readers look for it.
    public var tag: [UInt8]
    /// What feeders and gateways call it.
    public var name: Digest
    /// What is published.
    public var content: [UInt8]

    /// A sealed message.
    public init(tag: [UInt8], name: Digest, content: [UInt8]) {
      (self.tag, self.name, self.content) = (tag, name, content)
    }
  }

  /// What is known besides the messages.
  public struct State: Hashable, Sendable {
    /// What the owner noted about the stream.
    public var notes: [UInt8] = []
    /// The number of the stream's next message.
    public var position: UInt64 = 0
    /// Rows in all messages so far.
    public var rows: UInt64 = 0
    /// Where the last row of the messages so far ends in the input.
    public var place = Place()
    /// What was read from a pipe after that place, and is in no message.
    public var rest: [UInt8] = []

    /// A stream at its beginning.
    public init() {}
  }

  /// A message in the log.
  struct Slot {
    var file: UInt64
    var offset: UInt64
    var length: UInt32
  }

  struct Log {
    var state = State()
    /// The number of the first message that is not forgotten, and where all from there on are.
    var first = 0
    var slots: [Slot] = []
    var bytes = 0
    /// Messages before this one are safe.
    var safe = 0
    var writer: SpoolFile
    /// Numbers of the files there are, the one that is written last.
    var files: [UInt64]
    var isClosed = false
    /// The files that are read, opened last.
    var reading: (number: UInt64, file: SpoolFile)?
  }

  /// The folder.
  public let path: String
  /// How much it keeps.
  public let options: Options
  /// Bytes that were cut off when the spool was opened because they were torn.
  public let cutOff: Int
  private let lock: Guarded<StoreLock?>
  let log: Guarded<Log>

  /// The most bytes of a message's content, of the notes, and of what is read ahead.
  public static let mostBytes = 512 << 10

  /// Opens the spool in a folder, which is made if it is not there.
  ///
  /// - Throws: ``StoreError`` if another process uses it, or a file is damaged elsewhere than at its end.
  public init(at path: String, options: Options = Options()) throws(StoreError) {
    self.path = path
    self.options = options
    do { try SystemFiles().makeFolder(path) } catch { throw StoreError(error, .opening) }
    let lock = try StoreLock.take(path + "/spool.lock")
    var (log, cutOff) = try SpoolRecovery.open(path)
    // An earlier life may have ended before it was sure of the last ones.
    if options.isDurable { try log.writer.sync() }
    log.safe = log.first + log.slots.count
    self.cutOff = cutOff
    self.log = Guarded(log)
    self.lock = Guarded(lock)
  }

  // MARK: What there is

  /// What is known besides the messages.
  public var state: State { log.withLock { $0.state } }
  /// The numbers of the messages that are not forgotten.
  public var numbers: Range<Int> { log.withLock { $0.first..<$0.first + $0.slots.count } }
  /// Those of them that are safe, and so may be sent: a message that went out and is gone after a loss of power would be sealed anew with other
  /// rows, which forks the stream for good.
  public var safe: Range<Int> { log.withLock { $0.first..<max($0.first, min($0.safe, $0.first + $0.slots.count)) } }
  /// Bytes of these messages.
  public var bytes: Int { log.withLock { $0.bytes } }
  /// Whether a further message is taken.
  public var hasRoom: Bool { log.withLock { $0.slots.count < options.messages && $0.bytes < options.limit } }

  /// A message that is not forgotten; `nil` for other numbers.
  public func message(_ number: Int) throws(StoreError) -> Message? {
    try log.withLock { log throws(StoreError) in
      guard !log.isClosed, number >= log.first, number < log.first + log.slots.count else { return nil }
      return try Spool.read(log.slots[number - log.first], &log, path)
    }
  }

  private static func read(_ slot: Slot, _ log: inout Log, _ path: String) throws(StoreError) -> Message {
    if slot.file != log.writer.number, slot.file != log.reading?.number {
      log.reading = (slot.file, try SpoolFile.at(path, slot.file, forWriting: false))
    }
    let bytes =
      slot.file == log.writer.number
      ? try log.writer.read(slot.offset, Int(slot.length)) : try log.reading?.file.read(slot.offset, Int(slot.length)) ?? []
    do throws(WireError) {
      guard case .message(let message, _, _, _) = try SpoolRecord.decode(bytes) else {
        throw WireError("spool", "there is another record in its place")
      }
      return message
    } catch { throw StoreError(SpoolFile.path(path, slot.file), .reading, .damaged("\(error)")) }
  }

  // MARK: What comes

  /// Replaces what the owner noted.
  public func note(_ notes: [UInt8]) throws(StoreError) { try append(.notes(notes)) }

  /// What was read from a pipe, before anything is done with it.
  public func append(read bytes: [UInt8]) throws(StoreError) { try append(.input(bytes)) }

  /// A sealed message; the next one of its stream has number `position`, and of the input everything up to `place` is in messages, so many
  /// `rows` so far. Gives its number in the spool. It may be sent after ``sync()``, see ``safe``.
  @discardableResult public func append(
    _ message: Message, position: UInt64, rows: UInt64, place: Place
  ) throws(StoreError) -> Int {
    try log.withLock { log throws(StoreError) in
      try Spool.append(.message(message, position: position, rows: rows, place: place), to: &log, path, options)
      return log.first + log.slots.count - 1
    }
  }

  /// Of the input, everything up to there is of no use: it held no rows.
  public func move(to place: Place) throws(StoreError) { try append(.moved(place)) }

  /// Messages with smaller numbers are not needed any more.
  public func forget(upTo number: Int) throws(StoreError) { try append(.forgotten(number)) }

  private func append(_ record: SpoolRecord) throws(StoreError) {
    try log.withLock { log throws(StoreError) in try Spool.append(record, to: &log, path, options) }
  }

  private static func append(
    _ record: SpoolRecord, to log: inout Log, _ path: String, _ options: Options
  ) throws(StoreError) {
    guard !log.isClosed else { throw StoreError(path, .writing, .closed) }
    if log.writer.size >= UInt64(options.fileBytes) { try rotate(&log, path) }
    let encoded = record.encode()
    guard encoded.count <= SpoolRecord.mostBytes else {
      throw StoreError(path, .writing, .tooLarge(bytes: encoded.count, limit: SpoolRecord.mostBytes))
    }
    let offset = try log.writer.append(encoded)
    log.apply(record, in: log.writer.number, at: offset, encoded.count)
    try tidy(&log, path)
  }

  /// Begins the next file with all that is known.
  private static func rotate(_ log: inout Log, _ path: String) throws(StoreError) {
    try log.writer.sync()
    let next = try SpoolFile.create(
      path, log.writer.number + 1, beginning: .snapshot(log.state, first: log.first, count: log.slots.count))
    log.writer = next
    log.files.append(next.number)
  }

  /// Removes files that nothing is needed of.
  private static func tidy(_ log: inout Log, _ path: String) throws(StoreError) {
    let needed = log.slots.first?.file ?? log.writer.number
    while let oldest = log.files.first, oldest < needed {
      if log.reading?.number == oldest { log.reading = nil }
      do { try SystemFiles().remove(SpoolFile.path(path, oldest)) } catch { throw StoreError(error, .collecting) }
      log.files.removeFirst()
    }
  }

  // MARK: Safety

  /// Returns when all that was appended before is safe.
  public func sync() throws(StoreError) {
    let isDurable = options.isDurable
    // Files before the one that is written were made safe when they ended.
    let (file, number, last): (Int32, UInt64, Int) = try log.withLock { log throws(StoreError) in
      guard !log.isClosed else { return (-1, 0, log.safe) }
      return (isDurable ? try log.writer.duplicate() : -1, log.writer.number, log.first + log.slots.count)
    }
    if file >= 0 { try SpoolFile.sync(closing: file, SpoolFile.path(path, number)) }
    log.withLock { $0.safe = max($0.safe, last) }
  }

  /// Makes everything safe; nobody uses this one any more, and another may be opened.
  public func close() throws(StoreError) {
    try sync()
    log.withLock { log in
      log.isClosed = true
      log.reading = nil
    }
    lock.withLock { $0 = nil }
  }
}

extension Spool.Log {
  /// Takes a record into account.
  mutating func apply(_ record: SpoolRecord, in file: UInt64, at offset: UInt64, _ length: Int) {
    switch record {
    case .snapshot(let state, let first, let count):
      self.state = state
      // What a snapshot says of messages is known from the files before; of those that are gone it says that they are.
      if slots.isEmpty { self.first = first + count }
    case .notes(let notes): state.notes = notes
    case .input(let bytes): state.rest += bytes
    case .moved(let place): move(to: place)
    case .message(_, let position, let rows, let place):
      move(to: place)
      (state.position, state.rows) = (position, rows)
      slots.append(Spool.Slot(file: file, offset: offset, length: UInt32(length)))
      bytes += length
    case .forgotten(let number):
      let count = min(max(number - first, 0), slots.count)
      for slot in slots[..<count] { bytes -= Int(slot.length) }
      slots.removeFirst(count)
      first += count
    }
  }

  /// Of the input, everything up to there is in messages, or of no use.
  private mutating func move(to place: Spool.Place) {
    if place.file == 0, place.device == 0, place.offset >= state.place.offset {
      state.rest.removeFirst(min(state.rest.count, Int(clamping: place.offset - state.place.offset)))
    } else {
      state.rest = []
    }
    state.place = place
  }
}
