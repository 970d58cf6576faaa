public import MurmurMachines
public import MurmurStreams
public import MurmurWire

/// What has to be kept of a stream, so that its reader goes on where it stopped: neither a row lost nor one read twice.
public struct FeedState: Hashable, Sendable {
  /// Whose it is.
  public var sensor: Sensor
  /// What it is known by.
  public var channel: Digest
  /// Where it is read next. A secret, if the stream is masked.
  public var pointer: StreamPointer
  /// Messages read.
  public var messages: UInt64 = 0
  /// Rows read.
  public var rows: UInt64 = 0
  /// Messages that never came.
  public var lost: UInt64 = 0
  /// Whether the stream said two things at one place, and is followed no further.
  public var isForked = false
  /// Messages under its addresses that were not its own, up to when this was kept.
  public var failures: UInt64 = 0
  /// Heads of other streams under its name, likewise.
  public var doubles: UInt64 = 0
  /// When its latest message was made, in milliseconds since 1970 by its own clock; 0 before the first.
  public var lastMilliseconds: UInt64 = 0

  init(_ head: StreamHead) { (sensor, channel, pointer) = (head.sensor, head.channel, head.pointer) }

  /// The state as bytes, to be kept where nobody else reads.
  public var encoded: [UInt8] {
    let columns = sensor.columns.map { JSONValue.string($0) }
    return Array(
      JSONValue.object([
        ("id", .string(sensor.id)), ("format", .string(sensor.format)), ("columns", .array(columns)),
        ("channel", .string(Multibase.base16.encode(channel.bytes))), ("next", .string(pointer.text)),
        ("messages", .number("\(messages)")), ("rows", .number("\(rows)")), ("lost", .number("\(lost)")),
        ("forked", .bool(isForked)), ("failures", .number("\(failures)")), ("doubles", .number("\(doubles)")),
        ("last", .number("\(lastMilliseconds)")),
      ]).text.utf8)
  }

  /// The state that `bytes` hold.
  public init(encoded bytes: [UInt8]) throws(StreamError) {
    let json = try JSONValue.parse(bytes)
    guard let id = json["id"]?.string, let format = json["format"]?.string, let next = json["next"]?.string,
      let root = json["channel"]?.string, let raw = try? Multibase.decode(root), let channel = Digest(raw),
      let messages = json["messages"]?.whole, let rows = json["rows"]?.whole, let lost = json["lost"]?.whole
    else { throw .malformed("the kept state of a stream lacks a part") }
    sensor = Sensor(id: id, columns: (json["columns"]?.array ?? []).compactMap(\.string), format: format)
    self.channel = channel
    pointer = try StreamPointer(text: next)
    (self.messages, self.rows, self.lost) = (messages, rows, lost)
    isForked = json["forked"] == .bool(true)
    // Earlier versions did not keep these.
    (failures, doubles) = (json["failures"]?.whole ?? 0, json["doubles"]?.whole ?? 0)
    lastMilliseconds = json["last"]?.whole ?? 0
  }
}

/// A stream as its reader sees it.
public struct SensorRecord: Sendable {
  /// What is kept of it.
  public internal(set) var state: FeedState
  /// Messages under its addresses that were not its own.
  public internal(set) var failures: UInt64 {
    get { state.failures }
    set { state.failures = newValue }
  }
  /// Messages that came once more.
  public internal(set) var repetitions: UInt64 = 0
  /// Heads of other streams under its name.
  public internal(set) var doubles: UInt64 {
    get { state.doubles }
    set { state.doubles = newValue }
  }
  /// When its latest message was made, in milliseconds since 1970 by its own clock; 0 before the first.
  public internal(set) var lastMilliseconds: UInt64 {
    get { state.lastMilliseconds }
    set { state.lastMilliseconds = newValue }
  }
  /// When its latest message was read here.
  public internal(set) var lastRead = Instant.origin

  /// Whose it is.
  public var sensor: Sensor { state.sensor }
  /// What it is known by.
  public var channel: Digest { state.channel }
  /// Whether it said two things at one place.
  public var isForked: Bool { state.isForked }

  struct Held: Sendable {
    var bytes: Digest
    var message: StreamMessage
    /// The message's place, knowing how the stream goes on.
    var pointer: StreamPointer
    var address: Digest
    var transaction: CID
  }

  struct Awaited: Sendable {
    var pointer: StreamPointer
    var addresses: [Digest]
    var held: Held?
  }

  struct Read: Sendable {
    var pointer: StreamPointer
    var address: Digest
    var bytes: Digest
  }

  /// The next messages, the first of them awaited.
  var window: [Awaited] = []
  /// Messages read lately.
  var recent: [Read] = []
  /// Messages gone over.
  var lost: [Awaited] = []
  var missingSince: Instant?
  /// A head further on.
  struct Renewal: Sendable {
    var head: StreamHead
    /// Since when one is known, and nothing has come.
    var since: Instant
    /// Whether what lies between was looked for, as far as that can be.
    var hasSearched = false
  }

  var renewal: Renewal?
  var drift: DriftDetector

  init(_ state: FeedState, _ configuration: Harvest.Configuration) {
    self.state = state
    drift = DriftDetector(configuration.drift)
  }
}

/// Something a reader of streams noticed.
public struct FeedReport: Hashable, Sendable, CustomStringConvertible {
  /// What it is.
  public enum Kind: Hashable, Sendable {
    /// A stream was found and is followed.
    case found
    /// What stands under the session's tag is no head.
    case badHead(String)
    /// A head claims a name that another stream has.
    case doubleTag
    /// A head of a sensor that is not among those allowed.
    case stranger
    /// So many streams are followed already.
    case tooMany(Int)
    /// What stands under a stream's address is not its message.
    case refused(String)
    /// The stream said two things as this message; it is followed no further.
    case forked(UInt64)
    /// So many messages did not come, and were gone over.
    case lost(Int)
    /// A message is its stream's own, but its rows cannot be read.
    case unreadable(String)
    /// The readings are no longer what they were.
    case drift(Drift)
  }

  /// What it is.
  public var kind: Kind
  /// Whom it concerns; empty if nobody is known.
  public var sensor: String
  /// The stream it concerns.
  public var channel: Digest?
  /// The transaction it concerns.
  public var transaction: CID?

  init(_ kind: Kind, sensor: String = "", channel: Digest? = nil, transaction: CID? = nil) {
    (self.kind, self.channel, self.transaction) = (kind, channel, transaction)
    self.sensor = sensor.printable
  }

  /// Whether somebody did what may not be done.
  public var isOffence: Bool {
    switch kind {
    case .badHead, .doubleTag, .stranger, .refused, .forked, .unreadable: true
    case .found, .tooMany, .lost, .drift: false
    }
  }

  /// One sentence that names the sensor.
  public var description: String {
    let who = channel.map { "sensor \(sensor) (\(Multibase.base16.encode($0.bytes).dropFirst().prefix(12)))" } ?? "a head"
    return switch kind {
    case .found: "\(who) is followed"
    case .badHead(let why): "a head \(why)"
    case .doubleTag: "\(who) claims a name that another stream has; it is left alone"
    case .stranger: "\(who) is not among the session's sensors; it is left alone"
    case .tooMany(let most): "\(who) is left alone: \(most) streams are followed already"
    case .refused(let why): "\(who): a message under its address \(why)"
    case .forked(let number):
      "\(who) forked its stream: there are two messages \(number), both signed by it; it is followed no further"
    case .lost(let count): "\(who): \(count) messages did not come and were gone over"
    case .unreadable(let why): "\(who): a message \(why)"
    case .drift(let drift): "\(who): \(drift)"
    }
  }
}
