import MurmurWire

/// What a spool's log is made of.
enum SpoolRecord: Equatable {
  /// All that is known besides messages, and of these how many are not forgotten, from which on. Every file begins with one.
  case snapshot(Spool.State, first: Int, count: Int)
  case notes([UInt8])
  case input([UInt8])
  case moved(Spool.Place)
  case message(Spool.Message, position: UInt64, rows: UInt64, place: Spool.Place)
  case forgotten(Int)

  /// The most bytes of a record.
  static let mostBytes = 4 << 20
  private static let what = "spool record"

  /// The record without its length and checksum.
  func encode() -> [UInt8] {
    var out: [UInt8] = []
    switch self {
    case .snapshot(let state, let first, let count):
      out.append(0)
      out.append(content: state.notes)
      out.append(word: state.position)
      out.append(word: state.rows)
      SpoolRecord.append(state.place, to: &out)
      out.append(content: state.rest)
      out.append(number: first)
      out.append(number: count)
    case .notes(let bytes):
      out.append(1)
      out.append(content: bytes)
    case .input(let bytes):
      out.append(2)
      out.append(content: bytes)
    case .moved(let place):
      out.append(3)
      SpoolRecord.append(place, to: &out)
    case .message(let message, let position, let rows, let place):
      out.reserveCapacity(message.content.count + 256)
      out.append(4)
      out.append(word: position)
      out.append(word: rows)
      SpoolRecord.append(place, to: &out)
      out.append(content: message.tag)
      out.append(content: message.name.bytes)
      out.append(content: message.content)
    case .forgotten(let number):
      out.append(5)
      out.append(number: number)
    }
    return out
  }

  private static func append(_ place: Spool.Place, to out: inout [UInt8]) {
    out.append(word: place.offset)
    out.append(word: place.file)
    out.append(word: place.device)
  }

  /// Reads what ``encode()`` wrote.
  static func decode(_ bytes: [UInt8]) throws(WireError) -> SpoolRecord {
    var reader = ByteReader(bytes, what)
    let record: SpoolRecord
    switch try reader.byte() {
    case 0:
      var state = Spool.State()
      state.notes = try reader.content(Spool.mostBytes)
      state.position = try reader.word()
      state.rows = try reader.word()
      state.place = try place(&reader)
      state.rest = try reader.content(mostBytes)
      record = .snapshot(state, first: try reader.number(1 << 60), count: try reader.number(1 << 30))
    case 1: record = .notes(try reader.content(Spool.mostBytes))
    case 2: record = .input(try reader.content(Spool.mostBytes))
    case 3: record = .moved(try place(&reader))
    case 4:
      let (position, rows) = (try reader.word(), try reader.word())
      let place = try place(&reader)
      let tag = try reader.content(256)
      guard let name = Digest(try reader.content(Digest.count)) else { throw WireError(what, "a name is cut short") }
      let message = Spool.Message(tag: tag, name: name, content: try reader.content(Spool.mostBytes))
      record = .message(message, position: position, rows: rows, place: place)
    case 5: record = .forgotten(try reader.number(1 << 60))
    case let kind: throw WireError(what, "kind \(kind) is not known; a newer version may have written it")
    }
    try reader.end()
    return record
  }

  private static func place(_ reader: inout ByteReader) throws(WireError) -> Spool.Place {
    Spool.Place(offset: try reader.word(), file: try reader.word(), device: try reader.word())
  }
}
