public import MurmurStreams
public import MurmurWire

/// The rows of one message of a sensor.
public struct FeedRows: Sendable {
  /// Whose they are.
  public var sensor: Sensor
  /// The stream they came by.
  public var channel: Digest
  /// The number of the message in its stream.
  public var message: UInt64
  /// The number of the first row, as the sensor counts.
  public var first: UInt64
  /// When they were sent, in milliseconds since 1970.
  public var milliseconds: UInt64
  /// Whether later ones were handed on before.
  public var isLate: Bool
  /// The rows.
  public var rows: [FeedRow]

  /// Reads a message's payload: `{"first":N,"rows":[…]}`. A row given as an object has a field for every column of the sensor, however
  /// little it says: `fields` bounds what that comes to.
  static func parse(
    _ message: StreamMessage, of sensor: Sensor, channel: Digest, isLate: Bool, most: Int, fields: Int
  ) throws(StreamError) -> FeedRows {
    let json = try JSONValue.parse(message.payload)
    guard let first = json["first"]?.whole, let list = json["rows"]?.array else {
      throw .malformed("\"first\" or \"rows\" is missing")
    }
    guard list.count <= most else { throw .malformed("it has \(list.count) rows, at most \(most) are allowed") }
    guard first <= .max - UInt64(list.count) else { throw .malformed("its rows are numbered from \(first), beyond all numbers") }
    let sparse = list.count { if case .object = $0 { true } else { false } }
    guard sparse * sensor.columns.count <= fields else {
      throw .malformed("it has \(sparse) rows of \(sensor.columns.count) columns, at most \(fields) fields are allowed")
    }
    var rows: [FeedRow] = []
    rows.reserveCapacity(list.count)
    for value in list { rows.append(FeedRow(value, sensor)) }
    return FeedRows(
      sensor: sensor, channel: channel, message: message.number, first: first, milliseconds: message.milliseconds, isLate: isLate,
      rows: rows)
  }
}

/// Rows as bytes, to be kept with the place of their stream.
extension FeedRows {
  /// The rows as JSON.
  public var encoded: [UInt8] {
    let rows = rows.map { row in JSONValue.array(row.fields.map { .string($0) }) }
    return Array(
      JSONValue.object([
        ("id", .string(sensor.id)), ("format", .string(sensor.format)),
        ("columns", .array(sensor.columns.map { .string($0) })), ("channel", .string(Multibase.base16.encode(channel.bytes))),
        ("message", .number("\(message)")), ("first", .number("\(first)")), ("time", .number("\(milliseconds)")),
        ("rows", .array(rows)),
      ]).text.utf8)
  }

  /// How many rows `bytes` hold, without reading them: lists within the outermost list that is last.
  public static func count(encoded bytes: [UInt8]) -> Int {
    var (depth, count, last, isQuoted, isEscaped) = (0, 0, 0, false, false)
    for byte in bytes {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\") where isQuoted: isEscaped = true
      case UInt8(ascii: "\""): isQuoted.toggle()
      case _ where isQuoted: break
      case UInt8(ascii: "["):
        depth += 1
        if depth == 2 { count += 1 }
      case UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { (last, count) = (count, 0) }
      default: break
      }
    }
    return last
  }

  /// The rows that `bytes` hold.
  public init(encoded bytes: [UInt8]) throws(StreamError) {
    let json = try JSONValue.parse(bytes)
    guard let id = json["id"]?.string, let format = json["format"]?.string, let root = json["channel"]?.string,
      let raw = try? Multibase.decode(root), let channel = Digest(raw), let message = json["message"]?.whole,
      let first = json["first"]?.whole, let time = json["time"]?.whole, let list = json["rows"]?.array,
      first <= .max - UInt64(list.count)
    else { throw .malformed("kept rows lack a part") }
    sensor = Sensor(id: id, columns: (json["columns"]?.array ?? []).compactMap(\.string), format: format)
    (self.channel, self.message, self.first, milliseconds, isLate) = (channel, message, first, time, false)
    rows = list.map { FeedRow(fields: ($0.array ?? []).compactMap(\.string)) }
  }
}

/// One row: its fields as text, under the sensor's columns.
public struct FeedRow: Hashable, Sendable {
  /// The fields, in the order of the sensor's columns; what was missing is empty.
  public var fields: [String]

  /// A row of fields.
  public init(fields: [String]) { self.fields = fields }

  init(_ value: JSONValue, _ sensor: Sensor) {
    switch value {
    case .string(let line): fields = FeedRow.split(line)
    case .object(let members):
      // The last of several, as ever.
      let values = Dictionary(members.map { ($0.key, $0.value) }) { $1 }
      fields = sensor.columns.map { FeedRow.text(values[$0]) }
    case .array(let list): fields = list.map { FeedRow.text($0) }
    default: fields = [FeedRow.text(value)]
    }
  }

  private static func text(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null?: ""
    case .string(let text)?: text
    case .bool(let flag)?: flag ? "1" : "0"
    case let other?: other.text
    }
  }

  /// The fields of a CSV line (RFC 4180): commas between, quotes around what holds commas, doubled quotes within.
  public static func split(_ line: String) -> [String] {
    let (comma, quote) = (UInt8(ascii: ","), UInt8(ascii: "\""))
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var mayDouble = false
    for byte in line.utf8 {
      if byte == quote {
        // A quote right after a closing one stands for itself.
        if mayDouble { field.append(quote) }
        mayDouble = isQuoted
        isQuoted.toggle()
        continue
      }
      mayDouble = false
      if byte == comma, !isQuoted {
        fields.append(String(decoding: field, as: UTF8.self))
        field = []
      } else {
        field.append(byte)
      }
    }
    fields.append(String(decoding: field, as: UTF8.self))
    return fields
  }

  /// The fields as numbers; `nil` where one is none.
  public var values: [Double?] { fields.map { Double($0) } }
}
