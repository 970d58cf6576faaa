import Foundation
import MurmurFeeds
import MurmurReports
import MurmurStorage
import MurmurStreams
import MurmurWire

/// Makes packets of rows, seals them, and puts them into the spool.
struct FeedPacker: Sendable {
  /// What a packet is like.
  struct Shape: Sendable {
    var session: String
    var id: String
    var mode: StreamMode
    var side: SideKey?
    /// Rows in a packet.
    var packet = 50
    /// Seconds after which a packet that is not full is sealed; `nil` waits until it is full.
    var every: Double?
  }

  private var store: FeedStore
  private var writer: StreamWriter
  private let shape: Shape
  private let teller: FeedTeller
  private var rows: [[UInt8]] = []
  private var bytes = 0
  /// Where the last of ``rows`` ends, and when the first of them came.
  private var end = Spool.Place()
  private var since: ContinuousClock.Instant?
  /// The number of the message that the last head of this life leads to.
  private var announced: UInt64?
  /// Rows in messages so far, over all lives.
  private(set) var sealedRows: UInt64
  /// Messages sealed in this life.
  private(set) var sealed = 0

  /// The most bytes of rows in a packet.
  static let packetBytes = StreamLimits.payload - 1_024

  init(_ store: FeedStore, _ shape: Shape, _ teller: FeedTeller) {
    self.store = store
    self.shape = shape
    self.teller = teller
    let state = store.spool.state
    sealedRows = state.rows
    writer = StreamWriter(seed: store.seed, mode: shape.mode, number: state.position, side: shape.side)
  }

  /// Rows that are in no message yet.
  var waiting: Int { rows.count }

  /// When the packet that is being filled is to be sealed as it is.
  var due: ContinuousClock.Instant? {
    guard let since, let every = shape.every else { return nil }
    return since + .seconds(every)
  }

  private static var milliseconds: UInt64 { UInt64(max(Date().timeIntervalSince1970, 0) * 1_000) }

  /// Takes a row that ends there; seals a message when the packet is full.
  mutating func take(_ text: [UInt8], end: Spool.Place, format: FeedLines.Format, columns: [String]) throws {
    if store.notes == nil || isHeadless { try announce(format, columns) }
    if bytes + text.count + 1 > FeedPacker.packetBytes { try flush() }
    if rows.isEmpty { since = .now }
    rows.append(text)
    bytes += text.count + 1
    self.end = end
    if rows.count >= shape.packet { try flush() }
  }

  /// Of the input everything up to there is of no use.
  mutating func skip(to place: Spool.Place) throws {
    if rows.isEmpty { try store.spool.move(to: place) } else { end = place }
  }

  /// What follows is for those who share another side key; what there is yet for those of the old one.
  mutating func turn(to side: SideKey) throws {
    try flush()
    writer.side = side
    // A head under the new key leads its holders to the next message.
    announced = nil
  }

  /// Seals what there is.
  mutating func flush() throws {
    guard !rows.isEmpty else { return }
    var payload = Array("{\"first\":\(sealedRows),\"rows\":[".utf8)
    payload.reserveCapacity(bytes + 64)
    for (index, row) in rows.enumerated() {
      if index > 0 { payload.append(UInt8(ascii: ",")) }
      payload += row
    }
    payload += Array("]}".utf8)
    let message = writer.seal(payload, milliseconds: FeedPacker.milliseconds)
    try append(message.address.bytes, message.bytes, rows: sealedRows + UInt64(rows.count), end)
    sealedRows += UInt64(rows.count)
    (bytes, since) = (0, nil)
    rows.removeAll(keepingCapacity: true)
  }

  private mutating func append(_ tag: [UInt8], _ content: [UInt8], rows: UInt64, _ place: Spool.Place) throws {
    let message = Spool.Message(tag: tag, name: FeedKey(tag: tag, content: content).name, content: content)
    try store.spool.append(message, position: writer.pointer.number, rows: rows, place: place)
    sealed += 1
  }

  /// A private stream is read by whoever has the pointer to its beginning, which so goes into a file that its owner alone may read, with what
  /// other streams' heads say of the sensor.
  func handOut(_ notes: FeedStore.Notes) throws {
    guard shape.mode == .private else { return }
    let first = writer.pointer.number == 0 ? writer.pointer : StreamWriter(seed: store.seed, mode: .private).pointer
    let file = JSONValue.object([
      ("id", .string(shape.id)), ("pointer", .string(first.text)), ("format", .string(notes.format)),
      ("columns", .array(notes.columns.map { .string($0) })),
    ])
    try SystemFiles().write(Array((file.text + "\n").utf8), to: store.pointerFile, sync: true)
    teller.tell(
      "pointer", [.init("file", .string(store.pointerFile))],
      words: "who may read the stream is given the pointer in \(store.pointerFile), and nobody else")
  }

  // MARK: The head

  /// Whether the stream has to be announced: at the beginning of every life, as its side key may be new, and of every tree, so that newcomers find
  /// a head that leads to what the ledger still keeps.
  private var isHeadless: Bool {
    guard shape.mode != .private, rows.isEmpty else { return false }
    let number = writer.pointer.number
    return announced == nil || number % (1 << UInt64(writer.height)) == 0 && announced != number
  }

  /// Notes what the stream is, and announces it in the session.
  private mutating func announce(_ format: FeedLines.Format, _ columns: [String]) throws {
    guard columns.count <= StreamLimits.columns, columns.reduce(0, { $0 + $1.utf8.count + 8 }) <= StreamLimits.head - 2_048 else {
      throw Failure(
        "the columns' names have too many bytes for a head, or there are more than \(StreamLimits.columns); shorten them")
    }
    if store.notes == nil {
      let notes = FeedStore.Notes(
        session: shape.session, id: shape.id, mode: shape.mode.name, format: format.rawValue, columns: columns,
        created: FeedPacker.milliseconds)
      try handOut(notes)
      try store.note(notes)
    }
    let sensor = Sensor(id: shape.id, columns: columns, format: format.rawValue)
    guard isHeadless, let head = writer.head(sensor, session: shape.session, milliseconds: FeedPacker.milliseconds) else {
      return
    }
    announced = writer.pointer.number
    try append(head.tag, head.bytes, rows: sealedRows, store.spool.state.place)
  }
}
