public import MurmurWire

/// The form on the wire: RFC 1035 §4, with the top bit of the class as RFC 6762 §18 uses it.
extension DNSMessage {
  private static let topBit: UInt16 = 0x8000

  /// The message's bytes; names that were written before are referred to. Lists longer than 65,535 have no form.
  public func encode() -> [UInt8] {
    var writer = DNSWriter()
    writer.word(id)
    var flags = UInt16(operation & 0x0f) << 11
    if isResponse { flags |= 0x8000 }
    if isAuthoritative { flags |= 0x0400 }
    if isTruncated { flags |= 0x0200 }
    writer.word(flags)
    for count in [questions.count, answers.count, authorities.count, additionals.count] { writer.word(UInt16(count)) }
    for question in questions {
      writer.name(question.name)
      writer.word(question.type.number)
      writer.word(question.kind | (question.wantsUnicast ? DNSMessage.topBit : 0))
    }
    for record in answers + authorities + additionals { writer.record(record, topBit: DNSMessage.topBit) }
    return writer.bytes
  }

  /// The message that `bytes` hold; they must hold nothing else.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> DNSMessage {
    guard bytes.count <= mostBytes else {
      throw WireError(DNSReader.what, "has \(bytes.count) bytes; at most \(mostBytes) are read")
    }
    var reader = DNSReader(bytes)
    var message = DNSMessage()
    message.id = try reader.word()
    let flags = try reader.word()
    message.isResponse = flags & 0x8000 != 0
    message.isAuthoritative = flags & 0x0400 != 0
    message.isTruncated = flags & 0x0200 != 0
    message.operation = UInt8(flags >> 11 & 0x0f)
    var counts: [Int] = []
    for _ in 0..<4 { counts.append(Int(try reader.word())) }
    guard counts.reduce(0, +) <= mostRecords else {
      throw WireError(DNSReader.what, at: 4, "holds \(counts.reduce(0, +)) records; at most \(mostRecords) are read")
    }
    for _ in 0..<counts[0] {
      var question = Question(try reader.name(), RecordType(try reader.word()))
      let kind = try reader.word()
      question.kind = kind & ~topBit
      question.wantsUnicast = kind & topBit != 0
      message.questions.append(question)
    }
    for _ in 0..<counts[1] { message.answers.append(try reader.record(topBit: topBit)) }
    for _ in 0..<counts[2] { message.authorities.append(try reader.record(topBit: topBit)) }
    for _ in 0..<counts[3] { message.additionals.append(try reader.record(topBit: topBit)) }
    guard reader.position == bytes.count else {
      throw WireError(DNSReader.what, at: reader.position, "\(bytes.count - reader.position) bytes follow its end")
    }
    return message
  }
}

/// A walk over a message. Everything is bounded by the message's own length.
private struct DNSReader {
  static let what = "DNS message"
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func word() throws(WireError) -> UInt16 {
    let pair = try take(2)
    return UInt16(pair[pair.startIndex]) << 8 | UInt16(pair[pair.startIndex + 1])
  }

  private mutating func take(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
    guard bytes.count - position >= count else { throw WireError(DNSReader.what, at: position, "is cut off") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// A name. A pointer must lead to before everything read of the name so far, so that a name ends after finitely many.
  mutating func name() throws(WireError) -> DomainName {
    var labels: [[UInt8]] = []
    var length = 1
    var cursor = position
    var piece = position
    var end: Int?
    while true {
      guard cursor < bytes.count else { throw WireError(DNSReader.what, at: cursor, "a name is cut off") }
      let first = Int(bytes[cursor])
      switch first >> 6 {
      case 0 where first == 0:
        position = end ?? cursor + 1
        return DomainName(unchecked: labels)
      case 0:
        guard bytes.count - cursor > first else { throw WireError(DNSReader.what, at: cursor, "a label is cut off") }
        length += first + 1
        guard length <= DomainName.mostBytes else {
          throw WireError(DNSReader.what, at: cursor, "a name is longer than \(DomainName.mostBytes) bytes")
        }
        labels.append(bytes[cursor + 1...cursor + first].map(DomainName.lowered))
        cursor += first + 1
      case 3:
        guard cursor + 1 < bytes.count else { throw WireError(DNSReader.what, at: cursor, "a pointer is cut off") }
        let target = (first & 0x3f) << 8 | Int(bytes[cursor + 1])
        guard target < piece else { throw WireError(DNSReader.what, at: cursor, "a pointer does not lead backwards") }
        end = end ?? cursor + 2
        cursor = target
        piece = target
      default: throw WireError(DNSReader.what, at: cursor, "a label's length has a form that means nothing")
      }
    }
  }

  mutating func record(topBit: UInt16) throws(WireError) -> DNSMessage.Record {
    let name = try name()
    let type = DNSMessage.RecordType(try word())
    let kind = try word()
    let timeToLive = UInt32(try word()) << 16 | UInt32(try word())
    let length = Int(try word())
    guard bytes.count - position >= length else { throw WireError(DNSReader.what, at: position, "a record is cut off") }
    let end = position + length
    let data = try data(type, end)
    guard position == end else { throw WireError(DNSReader.what, at: position, "a record's length does not fit what it holds") }
    var record = DNSMessage.Record(name, data, timeToLive: timeToLive, flushes: kind & topBit != 0)
    record.kind = kind & ~topBit
    return record
  }

  private mutating func data(_ type: DNSMessage.RecordType, _ end: Int) throws(WireError) -> DNSMessage.RecordData {
    switch type {
    case .a: return .a(Array(try take(4)))
    case .aaaa: return .aaaa(Array(try take(16)))
    case .ptr: return .ptr(try name())
    case .srv:
      return .srv(priority: try word(), weight: try word(), port: try word(), host: try name())
    case .txt:
      var strings: [[UInt8]] = []
      while position < end {
        guard strings.count < DNSMessage.mostStrings else {
          throw WireError(DNSReader.what, at: position, "a record has more than \(DNSMessage.mostStrings) strings")
        }
        let length = Int(bytes[position])
        guard end - position > length else { throw WireError(DNSReader.what, at: position, "a string is cut off") }
        position += 1
        strings.append(Array(try take(length)))
      }
      return .txt(strings)
    default: return .other(type, Array(try take(end - position)))
    }
  }
}

/// Writes a message, and remembers where names stand.
private struct DNSWriter {
  var bytes: [UInt8] = []
  /// Where a name, or the end of one, was written.
  private var places: [[[UInt8]]: Int] = [:]

  mutating func word(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xff)] }

  mutating func name(_ name: DomainName) {
    var rest = name.labels
    while let label = rest.first {
      if let place = places[rest] { return word(0xc000 | UInt16(place)) }
      if bytes.count < 0x4000 { places[rest] = bytes.count }
      bytes.append(UInt8(label.count))
      bytes += label
      rest.removeFirst()
    }
    bytes.append(0)
  }

  mutating func record(_ record: DNSMessage.Record, topBit: UInt16) {
    name(record.name)
    word(record.data.type.number)
    word(record.kind | (record.flushes ? topBit : 0))
    word(UInt16(record.timeToLive >> 16))
    word(UInt16(record.timeToLive & 0xffff))
    let place = bytes.count
    word(0)
    switch record.data {
    case .a(let address), .aaaa(let address): bytes += address
    case .ptr(let other): name(other)
    case .srv(let priority, let weight, let port, let host):
      for value in [priority, weight, port] { word(value) }
      name(host)
    case .txt(let strings):
      for string in strings {
        bytes.append(UInt8(min(string.count, 255)))
        bytes += string.prefix(255)
      }
    case .other(_, let content): bytes += content
    }
    let length = UInt16(bytes.count - place - 2)
    bytes[place] = UInt8(length >> 8)
    bytes[place + 1] = UInt8(length & 0xff)
  }
}
