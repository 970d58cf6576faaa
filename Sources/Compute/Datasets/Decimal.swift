/// Decimal numbers in bytes, read without allocation: the value is the nearest Double, rounded to Float32.
enum Decimal {
  /// What a field of text stands for.
  enum Field { case number(Double), missing, text }

  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
  ]

  /// Reads `bytes[start ..< end]`; spaces around the number are allowed.
  @inline(__always)
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int, _ to: Int) -> Field {
    var start = from
    var end = to
    while start < end, unsafe bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
    while end > start, unsafe bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    guard start < end else { return .missing }
    var index = start
    var negative = false
    switch unsafe bytes[index] {
    case 0x2d:
      negative = true
      index += 1
    case 0x2b: index += 1
    default: break
    }
    var mantissa: UInt64 = 0
    var digits = 0
    let whole = index
    while index < end, case let digit = unsafe bytes[index] &- 0x30, digit < 10 {
      mantissa = mantissa &* 10 &+ UInt64(digit)
      index += 1
    }
    digits = index - whole
    var exponent = 0
    if index < end, unsafe bytes[index] == 0x2e {
      index += 1
      let fraction = index
      while index < end, case let digit = unsafe bytes[index] &- 0x30, digit < 10 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        index += 1
      }
      exponent = fraction - index
      digits += index - fraction
    }
    guard digits > 0 else { return unsafe word(bytes, start, end) }
    if index < end, unsafe bytes[index] | 0x20 == 0x65 {
      guard let power = unsafe power(bytes, &index, end) else { return .text }
      exponent += power
    }
    guard index == end else { return unsafe word(bytes, start, end) }
    if digits <= 19, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
      let magnitude = exponent < 0 ? Double(mantissa) / powers[-exponent] : Double(mantissa) * powers[exponent]
      return .number(negative ? -magnitude : magnitude)
    }
    return unsafe slow(bytes, start, end)
  }

  private static func power(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ end: Int) -> Int? {
    index += 1
    var negative = false
    if index < end, unsafe bytes[index] == 0x2d || bytes[index] == 0x2b {
      negative = unsafe bytes[index] == 0x2d
      index += 1
    }
    let first = index
    var value = 0
    while index < end, case let digit = unsafe bytes[index] &- 0x30, digit < 10 {
      value = min(value * 10 + Int(digit), 100_000)
      index += 1
    }
    return index == first ? nil : negative ? -value : value
  }

  /// Numbers with many digits or great exponents: the standard library rounds them correctly.
  @inline(never)
  private static func slow(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Field {
    let text = unsafe String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    if let value = Double(text) { return .number(value) }
    return .text
  }

  /// Words that stand for a number or for nothing.
  @inline(never)
  private static func word(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Field {
    guard end - start <= 9 else { return .text }
    let text = unsafe String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self).lowercased()
    switch text {
    case "?", "na", "n/a", "nan", "-nan", "null", "none": return .missing
    case "inf", "+inf", "infinity", "+infinity": return .number(.infinity)
    case "-inf", "-infinity": return .number(-.infinity)
    case "true": return .number(1)
    case "false": return .number(0)
    default: return .text
    }
  }
}
