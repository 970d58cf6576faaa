/// The small, bounded part of JSON a safetensors header uses: objects of known depth, strings, arrays of whole numbers.
struct HeaderParser {
  let bytes: [UInt8]
  var position: Int
  let end: Int

  /// What a header says; `offsets` are those of the architecture's ranges, nil if the tensors lie in canonical order.
  struct Result {
    var architecture: Architecture
    var metadata: [String: String]
    var offsets: [Int]?
  }

  /// A tensor's entry.
  private struct Entry {
    let position: Int
    let shape: [Int]
    let begin: Int
    let end: Int
  }

  /// The most pairs of metadata that are read.
  static let pairLimit = 256

  mutating func parse(expected: Architecture?) throws(SafeTensorsError) -> Result {
    var metadata: [String: String]?
    var entries: [String: Entry] = [:]
    try expect("{")
    var first = true
    while true {
      skip()
      if peek == UInt8(ascii: "}") { break }
      if !first { try expect(",") }
      first = false
      let at = position
      let key = try string()
      try expect(":")
      if key == "__metadata__" {
        guard metadata == nil else { throw error(at, "a second __metadata__") }
        let pairs = try self.pairs()
        metadata = pairs
        if entries.isEmpty, let result = try canonical(pairs, expected) { return result }
      } else {
        guard entries[key] == nil else { throw error(at, "a second tensor '\(shown(key))'") }
        guard entries.count < 2 * Architecture.layerLimit else {
          throw error(at, "more than \(2 * Architecture.layerLimit) tensors")
        }
        entries[key] = try entry()
      }
    }
    position += 1
    skip()
    guard position == end else { throw error(position, "something follows the header's closing brace") }
    guard let metadata else { throw error(8, "no __metadata__, which would name the architecture") }
    let architecture = try architecture(metadata, expected)
    return Result(architecture: architecture, metadata: without(metadata), offsets: try offsets(entries, architecture))
  }

  /// If what follows the metadata's last pair is exactly what ``SafeTensors/encode(_:_:metadata:)`` writes, the result at once.
  private mutating func canonical(_ pairs: [String: String], _ expected: Architecture?) throws(SafeTensorsError) -> Result? {
    let architecture = try architecture(pairs, expected)
    let tensors = architecture.plan.header.tensors
    let from = position - 1
    guard end - from >= tensors.count, end - from < tensors.count + 8 else { return nil }
    let same = unsafe bytes.withUnsafeBytes { raw in
      unsafe tensors.withUnsafeBytes { wanted in
        unsafe raw[from..<from + wanted.count].elementsEqual(wanted) && raw[(from + wanted.count)..<end].allSatisfy { $0 == 0x20 }
      }
    }
    return same ? Result(architecture: architecture, metadata: without(pairs), offsets: nil) : nil
  }

  private func without(_ metadata: [String: String]) -> [String: String] {
    var rest = metadata
    rest[SafeTensors.architectureKey] = nil
    return rest
  }

  private func architecture(_ metadata: [String: String], _ expected: Architecture?) throws(SafeTensorsError) -> Architecture {
    guard let text = metadata[SafeTensors.architectureKey] else {
      throw error(8, "__metadata__ has no '\(SafeTensors.architectureKey)'; was the file written by another program?")
    }
    if let expected, expected.description == text { return expected }
    do { return try Architecture(parsing: text) } catch { throw self.error(8, error.description) }
  }

  /// The offset of every range of the architecture, after checking names, shapes and that the tensors fill the file.
  private func offsets(_ entries: [String: Entry], _ architecture: Architecture) throws(SafeTensorsError) -> [Int] {
    guard entries.count == architecture.ranges.count else {
      throw error(8, "\(entries.count) tensors; \(architecture) has \(architecture.ranges.count)")
    }
    var offsets: [Int] = []
    var spans: [Range<Int>] = []
    for range in architecture.ranges {
      guard let entry = entries[range.name] else { throw error(8, "no tensor '\(range.name)', which \(architecture) has") }
      guard entry.shape == range.shape else {
        throw error(entry.position, "'\(range.name)' has shape \(entry.shape); \(architecture) wants \(range.shape)")
      }
      guard entry.begin <= entry.end, entry.end - entry.begin == 4 * range.range.count else {
        throw error(
          entry.position, "'\(range.name)' spans \(entry.begin) to \(entry.end); its shape takes \(4 * range.range.count) bytes")
      }
      offsets.append(entry.begin)
      spans.append(entry.begin..<entry.end)
    }
    spans.sort { $0.lowerBound < $1.lowerBound }
    var position = 0
    for span in spans {
      guard span.lowerBound == position else {
        throw error(8, "tensors overlap or leave a gap at \(position) of the tensor bytes")
      }
      position = span.upperBound
    }
    return offsets
  }

  private mutating func pairs() throws(SafeTensorsError) -> [String: String] {
    var pairs: [String: String] = [:]
    try expect("{")
    skip()
    while peek != UInt8(ascii: "}") {
      if !pairs.isEmpty { try expect(",") }
      let at = position
      let key = try string()
      try expect(":")
      let value = try string()
      guard pairs.updateValue(value, forKey: key) == nil else { throw error(at, "a second metadata key '\(shown(key))'") }
      guard pairs.count <= HeaderParser.pairLimit else {
        throw error(at, "more than \(HeaderParser.pairLimit) pairs of metadata")
      }
      skip()
    }
    position += 1
    return pairs
  }

  private mutating func entry() throws(SafeTensorsError) -> Entry {
    let at = position
    var dtype: String?
    var shape: [Int]?
    var offsets: [Int]?
    try expect("{")
    for index in 0..<3 {
      if index > 0 { try expect(",") }
      let keyAt = position
      let key = try string()
      try expect(":")
      switch key {
      case "dtype" where dtype == nil: dtype = try string()
      case "shape" where shape == nil: shape = try numbers(limit: 8)
      case "data_offsets" where offsets == nil: offsets = try numbers(limit: 2)
      default: throw error(keyAt, "'\(shown(key))' is not expected here; a tensor has dtype, shape and data_offsets, once each")
      }
    }
    try expect("}")
    guard let dtype, let shape, let offsets, offsets.count == 2 else { throw error(at, "data_offsets wants two numbers") }
    guard dtype == "F32" else { throw error(at, "dtype '\(shown(dtype))'; only F32 is read") }
    return Entry(position: at, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private mutating func numbers(limit: Int) throws(SafeTensorsError) -> [Int] {
    var numbers: [Int] = []
    try expect("[")
    skip()
    while peek != UInt8(ascii: "]") {
      if !numbers.isEmpty {
        try expect(",")
        skip()
      }
      let at = position
      var value = 0
      while let byte = peek, byte >= 0x30, byte <= 0x39 {
        value = value * 10 + Int(byte - 0x30)
        guard value <= 1 << 40 else { throw error(at, "a number above 2^40") }
        position += 1
      }
      guard position > at else { throw error(at, "expected a whole number") }
      guard numbers.count < limit else { throw error(at, "more than \(limit) numbers") }
      numbers.append(value)
      skip()
    }
    position += 1
    return numbers
  }

  private mutating func string() throws(SafeTensorsError) -> String {
    skip()
    let at = position
    guard peek == UInt8(ascii: "\"") else { throw error(at, "expected a string") }
    position += 1
    let from = position
    while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    if peek == UInt8(ascii: "\"") {
      position += 1
      guard let text = String(validating: bytes[from..<position - 1], as: UTF8.self) else { throw error(from, "not UTF-8") }
      return text
    }
    var units = Array(bytes[from..<position])
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error(position, "a control character in a string") }
      position += 1
      if byte == UInt8(ascii: "\\") { try escape(into: &units) } else { units.append(byte) }
    }
    guard peek == UInt8(ascii: "\"") else { throw error(at, "a string without end") }
    position += 1
    guard let text = String(validating: units, as: UTF8.self) else { throw error(from, "not UTF-8") }
    return text
  }

  private mutating func escape(into units: inout [UInt8]) throws(SafeTensorsError) {
    guard let byte = peek else { throw error(position, "a string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
    case UInt8(ascii: "b"): units.append(0x08)
    case UInt8(ascii: "f"): units.append(0x0c)
    case UInt8(ascii: "n"): units.append(0x0a)
    case UInt8(ascii: "r"): units.append(0x0d)
    case UInt8(ascii: "t"): units.append(0x09)
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if (0xd800..<0xdc00).contains(value), peek == UInt8(ascii: "\\") {
        position += 1
        guard peek == UInt8(ascii: "u") else { throw error(position, "half a surrogate pair") }
        position += 1
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low) else { throw error(position, "half a surrogate pair") }
        value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(value) else { throw error(position, "half a surrogate pair") }
      units.append(contentsOf: Array(String(scalar).utf8))
    default: throw error(position - 1, "an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(SafeTensorsError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error(position, "expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private var peek: UInt8? { position < end ? bytes[position] : nil }

  private mutating func skip() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafeTensorsError) {
    skip()
    guard peek == UInt8(ascii: character) else { throw error(position, "expected '\(character)'") }
    position += 1
  }

  private func shown(_ text: String) -> String { String(text.prefix(40)) }
  private func error(_ offset: Int, _ reason: String) -> SafeTensorsError { SafeTensorsError(offset: offset, reason: reason) }
}

/// Strings as JSON, always the same bytes for the same text.
enum JSONText {
  static func append(_ key: String, _ value: String, to bytes: inout [UInt8]) {
    append(key, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    append(value, to: &bytes)
  }

  static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: bytes += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
