/// Any value of DAG-CBOR.
public indirect enum CBORValue: Hashable, Sendable {
  /// No value.
  case null
  /// Yes or no.
  case bool(Bool)
  /// A number from 0 to 2⁶⁴ − 1.
  case unsigned(UInt64)
  /// The number −1 − n, so from −1 to −2⁶⁴.
  case negative(UInt64)
  /// A finite number with a fraction, eight bytes.
  case fraction(Double)
  /// Bytes.
  case bytes([UInt8])
  /// Text.
  case text(String)
  /// Values in order.
  case array([CBORValue])
  /// Values by name.
  case map([String: CBORValue])
  /// Another block.
  case link(CID)

  /// How much one value may hold; more is refused.
  public struct Limits: Hashable, Sendable {
    /// Bytes of the whole.
    public var bytes = 1 << 20
    /// Arrays and maps within each other.
    public var depth = 32
    /// Values in all.
    public var items = 65_536

    /// The default limits.
    public init() {}
  }

  /// The canonical encoding. Numbers with fractions must be finite.
  public var encoded: [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  private func append(to out: inout [UInt8]) {
    switch self {
    case .null: out.appendCBORNull()
    case .bool(let value): out.append(value ? 0xf5 : 0xf4)
    case .unsigned(let value): out.append(cborNumber: value)
    case .negative(let value): out.append(cbor: .negative, value)
    case .fraction(let value):
      precondition(value.isFinite, "DAG-CBOR has no infinities and no NaN")
      out.append(0xfb)
      for shift in stride(from: 56, through: 0, by: -8) {
        out.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
      }
    case .bytes(let bytes): out.append(cborBytes: bytes)
    case .text(let text): CBORValue.append(text, to: &out)
    case .array(let items):
      out.append(cborArray: items.count)
      for item in items { item.append(to: &out) }
    case .map(let values):
      out.append(cbor: .map, UInt64(values.count))
      for (key, value) in values.sorted(by: { CBORValue.precedes($0.key, $1.key) }) {
        CBORValue.append(key, to: &out)
        value.append(to: &out)
      }
    case .link(let cid): out.append(cborLink: cid)
    }
  }

  private static func append(_ text: String, to out: inout [UInt8]) {
    let bytes = Array(text.utf8)
    out.append(cbor: .text, UInt64(bytes.count))
    out += bytes
  }

  /// The order of keys: shorter ones first, those of one length by their bytes.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    let (a, b) = (left.utf8.count, right.utf8.count)
    return a != b ? a < b : left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// The value that `bytes` encode, all of them; throws unless they are the canonical encoding and within `limits`.
  public init(decoding bytes: [UInt8], limits: Limits = Limits()) throws(WireError) {
    guard bytes.count <= limits.bytes else {
      throw WireError("DAG-CBOR", "has \(bytes.count) bytes; at most \(limits.bytes) are read")
    }
    var reader = CBORReader(bytes, what: "DAG-CBOR")
    var left = limits.items
    self = try CBORValue.read(&reader, depth: limits.depth, &left)
    try reader.end()
  }

  private static func read(_ reader: inout CBORReader, depth: Int, _ left: inout Int) throws(WireError) -> CBORValue {
    left -= 1
    guard left >= 0 else { throw reader.fault("holds too many values") }
    guard depth > 0 else { throw reader.fault("is nested too deep") }
    switch try reader.peek() {
    case .unsigned: return .unsigned(try reader.number())
    case .negative: return .negative(try reader.head().value)
    case .bytes: return .bytes(try reader.content(.max))
    case .text: return .text(try reader.text(.max))
    case .tag: return .link(try reader.link())
    case .array:
      var items: [CBORValue] = []
      for _ in 0..<(try reader.array()) { items.append(try read(&reader, depth: depth - 1, &left)) }
      return .array(items)
    case .map:
      var values: [String: CBORValue] = [:]
      var last: String?
      for _ in 0..<(try reader.map(.max)) {
        let start = reader.position
        let key = try reader.text(.max)
        if let last, !precedes(last, key) { throw reader.fault("keys are not in order, or twice there", at: start) }
        last = key
        // Keys of different bytes may be one text: written with and without combining marks.
        guard values[key] == nil else { throw reader.fault("two keys are the same text", at: start) }
        values[key] = try read(&reader, depth: depth - 1, &left)
      }
      return .map(values)
    case .simple: return try simple(&reader)
    }
  }

  private static func simple(_ reader: inout CBORReader) throws(WireError) -> CBORValue {
    let byte = try reader.peekByte()
    switch byte {
    case 0xf4, 0xf5:
      reader.skip()
      return .bool(byte == 0xf5)
    case 0xf6:
      reader.skip()
      return .null
    default: return .fraction(try reader.fraction())
    }
  }
}
