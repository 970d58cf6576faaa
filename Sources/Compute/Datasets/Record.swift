/// One record of a delimited table: where its fields begin and end.
struct Record {
  /// Start and end of a field, without its quotes; `escaped` if a quote inside is written as two.
  struct Field {
    var start: Int
    var end: Int
    var quoted: Bool
    var escaped: Bool
  }

  var fields: [Field] = []
  /// How many line ends the record spans.
  var lines = 0
  /// The offset in the record of a quote that does not match.
  var brokenQuote: Int?
  /// Whether the record is an empty line.
  var isBlank = false

  /// Finds the fields of the record that begins at `start`; returns where the next one begins, or `nil` if this one is not whole.
  @inline(__always)
  mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, delimiter: UInt8, atEnd: Bool) -> Int? {
    fields.removeAll(keepingCapacity: true)
    lines = 0
    brokenQuote = nil
    isBlank = false
    let count = bytes.count
    var index = start
    while true {
      let first = index
      if index < count, unsafe bytes[index] == 0x22 {
        guard let end = unsafe quoted(bytes, &index, start, atEnd: atEnd) else { return nil }
        if brokenQuote != nil { return end }
      } else {
        while index < count, case let byte = unsafe bytes[index], byte != delimiter, byte != 0x0a, byte != 0x0d { index += 1 }
        fields.append(Field(start: first, end: index, quoted: false, escaped: false))
      }
      guard index < count else {
        guard atEnd else { return nil }
        lines += 1
        isBlank = fields.count == 1 && fields[0].start == fields[0].end && !fields[0].quoted
        return count
      }
      let byte = unsafe bytes[index]
      if byte == delimiter {
        index += 1
        continue
      }
      // Only a field in quotes can end before anything else: something stands between its closing quote and the next delimiter.
      guard byte == 0x0a || byte == 0x0d else {
        brokenQuote = first - start
        return index
      }
      if byte == 0x0d {
        if index + 1 >= count && !atEnd { return nil }
        if index + 1 < count, unsafe bytes[index + 1] == 0x0a { index += 1 }
      }
      lines += 1
      isBlank = fields.count == 1 && fields[0].start == fields[0].end && !fields[0].quoted
      return index + 1
    }
  }

  /// Reads a field in quotes; afterwards `index` is at the delimiter or line end behind it.
  private mutating func quoted(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ start: Int, atEnd: Bool) -> Int? {
    let open = index
    var escaped = false
    index += 1
    while index < bytes.count {
      let byte = unsafe bytes[index]
      if byte == 0x22 {
        if index + 1 >= bytes.count && !atEnd { return nil }
        if index + 1 < bytes.count, unsafe bytes[index + 1] == 0x22 {
          escaped = true
          index += 2
          continue
        }
        fields.append(Field(start: open + 1, end: index, quoted: true, escaped: escaped))
        index += 1
        while index < bytes.count, unsafe bytes[index] == 0x20 { index += 1 }
        return index
      }
      if byte == 0x0a { lines += 1 }
      index += 1
    }
    guard atEnd else { return nil }
    brokenQuote = open - start
    return bytes.count
  }

  /// The text of one field, quotes undone and spaces trimmed.
  func text(_ bytes: UnsafeBufferPointer<UInt8>, _ field: Int) -> String {
    let place = fields[field]
    var start = place.start
    var end = place.end
    if !place.quoted {
      while start < end, unsafe bytes[start] == 0x20 { start += 1 }
      while end > start, unsafe bytes[end - 1] == 0x20 { end -= 1 }
    }
    guard place.escaped else { return unsafe String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self) }
    var plain: [UInt8] = []
    var index = start
    while index < end {
      unsafe plain.append(bytes[index])
      index += unsafe bytes[index] == 0x22 ? 2 : 1
    }
    return String(decoding: plain, as: UTF8.self)
  }

  /// The texts of all fields.
  func texts(_ bytes: UnsafeBufferPointer<UInt8>) -> [String] { fields.indices.map { unsafe text(bytes, $0) } }

  /// Whether no field is a number but some field is text: numbers make a row, names a header.
  func looksLikeHeader(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var texts = 0
    for field in fields {
      switch unsafe Decimal.read(bytes, field.start, field.end) {
      case .number: return false
      case .missing: continue
      case .text: texts += 1
      }
    }
    return texts > 0
  }

  /// The one of comma, semicolon and tab that is most frequent in the first line, outside quotes.
  static func likelyDelimiter(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> UInt8 {
    var counts = (comma: 0, semicolon: 0, tab: 0)
    var inQuotes = false
    var index = start
    while index < bytes.count {
      switch unsafe bytes[index] {
      case 0x22: inQuotes.toggle()
      case 0x2c where !inQuotes: counts.comma += 1
      case 0x3b where !inQuotes: counts.semicolon += 1
      case 0x09 where !inQuotes: counts.tab += 1
      case 0x0a where !inQuotes, 0x0d where !inQuotes: index = bytes.count
      default: break
      }
      index += 1
    }
    if counts.tab > counts.comma && counts.tab >= counts.semicolon { return 0x09 }
    return counts.semicolon > counts.comma ? 0x3b : 0x2c
  }
}
