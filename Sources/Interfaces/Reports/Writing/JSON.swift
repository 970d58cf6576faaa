/// A JSON value that is only ever written: keys keep their order, numbers read back as the same bits, nothing is ever `NaN`.
public indirect enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A seed: any 64 bits, written in full. (JavaScript rounds above 2⁵³, Python and Swift do not.)
  case unsigned(UInt64)
  /// Written in the shortest form that reads back as the same bits; `null` if it is infinite or not a number.
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  /// A key and its value.
  public struct Member: Hashable, Sendable {
    /// The key.
    public var key: String
    /// The value.
    public var value: JSON

    /// A key and its value.
    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// The number, or `null` if there is none.
  public static func optional(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
  /// The whole number, or `null` if there is none.
  public static func optional(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }
  /// The string, or `null` if there is none.
  public static func optional(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

  /// The value on one line, without spaces.
  public func compact() -> String {
    var text = ""
    appendCompact(to: &text)
    return text
  }

  /// Appends ``compact()`` to `text`.
  func appendCompact(to text: inout String) { write(into: &text, indent: nil) }

  /// The value indented by two spaces; arrays and objects of plain values that fit stay on one line.
  public func indented() -> String {
    var text = ""
    write(into: &text, indent: 0)
    return text
  }

  private func write(into text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    case .number(let value): text += value.isFinite ? Numerals.exact(value) : "null"
    case .string(let value): JSON.quote(value, into: &text)
    case .array(let values):
      write(values, "[", "]", into: &text, indent: indent) { value, text, indent in value.write(into: &text, indent: indent) }
    case .object(let members):
      write(members, "{", "}", into: &text, indent: indent) { member, text, indent in
        JSON.quote(member.key, into: &text)
        text += indent == nil ? ":" : ": "
        member.value.write(into: &text, indent: indent)
      }
    }
  }

  /// Writes a container: on one line if not indented or if it is short and flat, otherwise one item per line.
  private func write<Item>(
    _ items: [Item], _ open: String, _ close: String, into text: inout String, indent: Int?,
    item: (Item, inout String, Int?) -> Void
  ) {
    let flat = indent == nil || isFlat
    text += open
    for (index, value) in items.enumerated() {
      if index > 0 { text += indent != nil && flat ? ", " : "," }
      if let indent, !flat {
        text += "\n" + String(repeating: " ", count: indent + 2)
        item(value, &text, indent + 2)
      } else {
        item(value, &text, indent)
      }
    }
    if let indent, !flat { text += "\n" + String(repeating: " ", count: indent) }
    text += close
  }

  /// Whether the value is written on one line: no container inside, and few items.
  private var isFlat: Bool {
    switch self {
    case .array(let values): values.count <= 16 && values.allSatisfy(\.isPlain)
    case .object(let members): members.count <= 12 && members.allSatisfy { $0.value.isPlain }
    default: true
    }
  }

  private var isPlain: Bool {
    switch self {
    case .null, .bool, .integer, .unsigned, .number: true
    case .string(let value): value.utf8.count <= 100
    case .array(let values): values.isEmpty
    case .object(let members): members.isEmpty
    }
  }

  static func quote(_ value: String, into text: inout String) {
    text += "\""
    // Names, addresses and most words need no escape and are taken over whole.
    if value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      text += value
      text += "\""
      return
    }
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f || scalar.value == 0x2028 || scalar.value == 0x2029:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
