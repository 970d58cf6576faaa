/// A JSON value (RFC 8259) as it was written: members keep their order, numbers their digits.
///
/// For what comes from elsewhere: parsing is bounded in depth and in the number of values, and throws.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// A number as text, checked to be one.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  /// How deep values may be nested.
  public static let depth = 32
  /// How many values a text may hold.
  public static let values = 1 << 20

  /// The value that UTF-8 text holds, nested at most so deep.
  ///
  /// - Throws: ``StreamError`` that names the byte.
  public static func parse(_ text: [UInt8], depth: Int = JSONValue.depth) throws(StreamError) -> JSONValue {
    var parser = JSONParser(text, depth: depth)
    let value = try parser.value(0)
    parser.skipSpace()
    guard parser.isAtEnd else { throw parser.complaint("something follows the value") }
    return value
  }

  /// Two values are equal if they are written alike, spaces aside.
  public static func == (left: JSONValue, right: JSONValue) -> Bool { left.text == right.text }
  /// Feeds the text.
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  /// The member of an object; the last, if there are several.
  public subscript(_ key: String) -> JSONValue? {
    if case .object(let members) = self { members.last { $0.key == key }?.value } else { nil }
  }

  /// The text of a string.
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  /// The values of a list.
  public var array: [JSONValue]? { if case .array(let list) = self { list } else { nil } }
  /// A number that is whole and not negative.
  public var whole: UInt64? { if case .number(let text) = self { UInt64(text) } else { nil } }
  /// A number, or a string that holds one; true and false as 1 and 0.
  public var double: Double? {
    switch self {
    case .number(let text): Double(text)
    case .string(let text): Double(text)
    case .bool(let flag): flag ? 1 : 0
    default: nil
    }
  }

  /// The value as JSON, without spaces.
  public var text: String {
    switch self {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .number(let digits): digits
    case .string(let text): JSONValue.quote(text)
    case .array(let list): "[" + list.map(\.text).joined(separator: ",") + "]"
    case .object(let members): "{" + members.map { JSONValue.quote($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
    }
  }

  /// A string as JSON writes it.
  public static func quote(_ text: String) -> String {
    var out: [UInt8] = [UInt8(ascii: "\"")]
    out.reserveCapacity(text.utf8.count + 2)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0x0a: out += Array("\\n".utf8)
      case 0x0d: out += Array("\\r".utf8)
      case 0x09: out += Array("\\t".utf8)
      case 0..<0x20: out += Array("\\u00".utf8) + [hex(byte >> 4), hex(byte & 15)]
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
    return String(decoding: out, as: UTF8.self)
  }

  private static func hex(_ digit: UInt8) -> UInt8 { digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10 }
}

/// A walk over JSON text.
struct JSONParser {
  private let text: [UInt8]
  private var position = 0
  private var count = 0

  private let depth: Int

  init(_ text: [UInt8], depth: Int = JSONValue.depth) { (self.text, self.depth) = (text, depth) }

  var isAtEnd: Bool { position == text.count }

  func complaint(_ words: String) -> StreamError { .malformed("JSON, byte \(position): \(words)") }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0d).contains(byte) && byte != 0x0b && byte != 0x0c { position += 1 }
  }

  private mutating func take(_ word: StaticString) throws(StreamError) {
    for index in 0..<word.utf8CodeUnitCount {
      guard position < text.count, unsafe text[position] == word.utf8Start[index] else { throw complaint("\(word) was expected") }
      position += 1
    }
  }

  mutating func value(_ depth: Int) throws(StreamError) -> JSONValue {
    guard depth < self.depth else { throw complaint("nested more than \(self.depth) deep") }
    count += 1
    guard count <= JSONValue.values else { throw complaint("more than \(JSONValue.values) values") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{")?: return try object(depth)
    case UInt8(ascii: "[")?: return try list(depth)
    case UInt8(ascii: "\"")?: return .string(try string())
    case UInt8(ascii: "t")?:
      try take("true")
      return .bool(true)
    case UInt8(ascii: "f")?:
      try take("false")
      return .bool(false)
    case UInt8(ascii: "n")?:
      try take("null")
      return .null
    case nil: throw complaint("a value was expected, the text ends")
    default: return .number(try number())
    }
  }

  private mutating func object(_ depth: Int) throws(StreamError) -> JSONValue {
    position += 1
    var members: [(key: String, value: JSONValue)] = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw complaint("a key in quotes was expected") }
      let key = try string()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw complaint("a colon was expected after \"\(key.printable)\"") }
      position += 1
      members.append((key, try value(depth + 1)))
      guard try goesOn(UInt8(ascii: "}")) else { return .object(members) }
    }
  }

  private mutating func list(_ depth: Int) throws(StreamError) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      values.append(try value(depth + 1))
      guard try goesOn(UInt8(ascii: "]")) else { return .array(values) }
    }
  }

  private mutating func goesOn(_ end: UInt8) throws(StreamError) -> Bool {
    skipSpace()
    guard let byte = next, byte == end || byte == UInt8(ascii: ",") else { throw complaint("a comma or the end was expected") }
    position += 1
    return byte != end
  }

  private mutating func string() throws(StreamError) -> String {
    position += 1
    var out: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: out, as: UTF8.self) else { throw complaint("a string that is no UTF-8") }
        return text
      case UInt8(ascii: "\\"): out += Array(String(try escaped()).utf8)
      case 0..<0x20: throw complaint("a control character in a string")
      default: out.append(byte)
      }
    }
    throw complaint("a string that does not end")
  }

  private mutating func escaped() throws(StreamError) -> Character {
    guard let byte = next else { throw complaint("a string that does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(byte))
    case UInt8(ascii: "u"):
      var code = UInt32(try unit())
      if (0xd800..<0xdc00).contains(code) {
        try take("\\u")
        let low = UInt32(try unit())
        guard (0xdc00..<0xe000).contains(low) else { throw complaint("half a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw complaint("half a surrogate pair") }
      return Character(scalar)
    default: throw complaint("an unknown escape")
    }
  }

  private mutating func unit() throws(StreamError) -> UInt16 {
    guard position + 4 <= text.count, text[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: text[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw complaint("four hexadecimal digits were expected") }
    position += 4
    return unit
  }

  private mutating func number() throws(StreamError) -> String {
    let begin = position
    if next == UInt8(ascii: "-") { position += 1 }
    let digits = run()
    guard digits > 0, digits == 1 || text[position - digits] != UInt8(ascii: "0") else { throw complaint("a value was expected") }
    if next == UInt8(ascii: ".") {
      position += 1
      guard run() > 0 else { throw complaint("digits were expected") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard run() > 0 else { throw complaint("digits were expected") }
    }
    return String(decoding: text[begin..<position], as: UTF8.self)
  }

  private mutating func run() -> Int {
    let begin = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - begin
  }
}
