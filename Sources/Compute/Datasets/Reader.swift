/// Reads numbers of a binary format from bytes, in order, and never past the end.
struct Reader {
  let bytes: [UInt8]
  let file: String
  var offset = 0

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  var left: Int { bytes.count - offset }

  func error(_ problem: String, at place: Int? = nil, advice: String = "") -> DataError {
    DataError(file, .byte(place ?? offset), problem, advice: advice)
  }

  mutating func byte(_ what: String) throws(DataError) -> UInt8 {
    guard left >= 1 else { throw error("the file ends before its \(what)", advice: "it was probably cut short; fetch it again") }
    defer { offset += 1 }
    return bytes[offset]
  }

  /// A whole number of `size` bytes.
  mutating func number(_ size: Int, bigEndian: Bool, _ what: String) throws(DataError) -> UInt64 {
    guard left >= size else {
      throw error("the file ends before its \(what)", advice: "it was probably cut short; fetch it again")
    }
    var value: UInt64 = 0
    for index in 0..<size { value = value << 8 | UInt64(bytes[offset + (bigEndian ? index : size - 1 - index)]) }
    offset += size
    return value
  }

  mutating func take(_ count: Int, _ what: String) throws(DataError) -> ArraySlice<UInt8> {
    guard count >= 0, left >= count else {
      throw error("the file ends before its \(what)", advice: "it was probably cut short; fetch it again")
    }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }
}

/// How one number is stored.
enum NumberFormat: Hashable, Sendable {
  case unsigned(Int), signed(Int), float(Int), boolean

  /// Bytes per number.
  var size: Int {
    switch self {
    case .unsigned(let size), .signed(let size), .float(let size): size
    case .boolean: 1
    }
  }

  /// Writes the numbers in `bytes`, which holds a whole number of them, to `target`, which has room for exactly these.
  func decode(_ bytes: ArraySlice<UInt8>, bigEndian: Bool, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(target.count == bytes.count / size, "room for \(target.count) numbers")
    unsafe bytes.withUnsafeBufferPointer { source in
      if self == .unsigned(1) {
        for index in 0..<target.count { unsafe target[index] = Float(source[index]) }
        return
      }
      for index in 0..<target.count {
        var bits: UInt64 = 0
        let start = index * size
        for byte in 0..<size { bits = unsafe bits << 8 | UInt64(source[start + (bigEndian ? byte : size - 1 - byte)]) }
        unsafe target[index] = value(bits)
      }
    }
  }

  private func value(_ bits: UInt64) -> Float {
    switch self {
    case .boolean: return bits == 0 ? 0 : 1
    case .unsigned: return Float(bits)
    case .signed(let size):
      let unused = UInt64(64 - size * 8)
      return Float(Int64(bitPattern: bits << unused) >> Int64(unused))
    case .float(2): return NumberFormat.half(UInt16(truncatingIfNeeded: bits))
    case .float(4): return Float(bitPattern: UInt32(truncatingIfNeeded: bits))
    case .float: return Float(Double(bitPattern: bits))
    }
  }

  /// IEEE 754 half precision, by hand: `Float16` is not there on every platform.
  private static func half(_ bits: UInt16) -> Float {
    let exponent = Int(bits >> 10) & 31
    let fraction = Float(bits & 1023)
    let magnitude: Float =
      switch exponent {
      case 0: fraction * 0x1p-24
      case 31: fraction == 0 ? .infinity : .nan
      default: (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
      }
    return bits & 0x8000 == 0 ? magnitude : -magnitude
  }
}

/// Numbers in a shape, as a binary file holds them: row-major, the last axis fastest.
public struct NumberArray: Hashable, Sendable {
  /// The lengths of the axes; empty for a single number.
  public let shape: [Int]
  /// The numbers.
  public let values: [Float]

  /// How many numbers a shape holds; `nil` if it has a negative length or more than can be counted.
  static func count(_ shape: [Int]) -> Int? {
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }

  /// The first axis is rows, the others are one row's features; the label column, if any, is taken out.
  ///
  /// - Throws: ``DataError`` if there is no second axis, or if the label column holds fractions or too many classes.
  public func dataset(name: String, label: CSV.Column = .guessed) throws(DataError) -> Dataset {
    try labelled(name: name, label: label)
  }
}
