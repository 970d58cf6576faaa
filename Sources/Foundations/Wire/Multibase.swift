/// Bytes as text, with a first letter that names the alphabet: multiformats/multibase, of which we speak base32 (`b`), base58btc
/// (`z`) and base16 (`f`).
public enum Multibase: Character, Sendable, CaseIterable {
  /// RFC 4648 base32, lower case, without padding.
  case base32 = "b"
  /// Bitcoin's base58.
  case base58btc = "z"
  /// Hexadecimal, lower case.
  case base16 = "f"

  /// The longest text that is decoded, in characters: base58 takes quadratic time.
  public static let longestText = 1_024

  /// `bytes` as text with the alphabet's letter in front.
  public func encode(_ bytes: [UInt8]) -> String {
    switch self {
    case .base32: "b" + Multibase.base32(bytes)
    case .base58btc: "z" + Multibase.base58(bytes)
    case .base16: "f" + Multibase.base16(bytes)
    }
  }

  /// The bytes that `text`, with its alphabet's letter in front, stands for.
  public static func decode(_ text: some StringProtocol) throws(WireError) -> [UInt8] {
    guard let first = text.first else { throw WireError("multibase text", "is empty") }
    guard let base = Multibase(rawValue: first) else {
      throw WireError(
        "multibase text", at: 0, "alphabet '\(first)' is not supported; use b (base32), z (base58btc) or f (base16)")
    }
    switch base {
    case .base32: return try decodeBase32(text.dropFirst())
    case .base58btc: return try decodeBase58(text.dropFirst())
    case .base16: return try decodeBase16(text.dropFirst())
    }
  }

  private static let alphabet32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
  private static let alphabet58 = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
  private static let alphabet16 = Array("0123456789abcdef".utf8)
  private static let values32 = values(of: alphabet32)
  private static let values58 = values(of: alphabet58)
  private static let values16 = values(of: alphabet16)

  /// For each byte its value in `alphabet`, 255 for bytes outside it.
  private static func values(of alphabet: [UInt8]) -> [UInt8] {
    var table = [UInt8](repeating: 255, count: 256)
    for (value, letter) in alphabet.enumerated() { table[Int(letter)] = UInt8(value) }
    return table
  }

  private static func digits(_ text: some StringProtocol, _ what: String, _ table: [UInt8]) throws(WireError) -> [UInt8] {
    guard text.utf8.count <= longestText else { throw WireError(what, "is longer than \(longestText) characters") }
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    for letter in text.utf8 {
      let value = table[Int(letter)]
      guard value < 255 else { throw WireError(what, at: out.count, "this character is not in the alphabet") }
      out.append(value)
    }
    return out
  }
}

extension Multibase {
  /// `bytes` in base32 without a letter in front.
  static func base32(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count * 8 + 4) / 5)
    var buffer: UInt32 = 0
    var bits: UInt32 = 0
    for byte in bytes {
      buffer = buffer << 8 | UInt32(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        out.append(alphabet32[Int(buffer >> bits & 31)])
      }
      buffer &= (1 << bits) - 1
    }
    if bits > 0 { out.append(alphabet32[Int(buffer << (5 - bits) & 31)]) }
    return String(decoding: out, as: UTF8.self)
  }

  static func decodeBase32(_ text: some StringProtocol) throws(WireError) -> [UInt8] {
    let digits = try digits(text, "base32 text", values32)
    var out: [UInt8] = []
    out.reserveCapacity(digits.count * 5 / 8)
    var buffer: UInt32 = 0
    var bits: UInt32 = 0
    for digit in digits {
      buffer = buffer << 5 | UInt32(digit)
      bits += 5
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: buffer >> bits))
        buffer &= (1 << bits) - 1
      }
    }
    guard bits < 5, buffer == 0 else { throw WireError("base32 text", "its last character carries bits that belong to no byte") }
    return out
  }

  /// `bytes` in base58btc without a letter in front: the number they are, big-endian, and a `1` for each leading zero byte.
  package static func base58(_ bytes: [UInt8]) -> String {
    let zeros = bytes.prefix { $0 == 0 }.count
    var digits: [UInt8] = []  // little-endian, base 58
    for byte in bytes.dropFirst(zeros) {
      var carry = Int(byte)
      for index in digits.indices {
        carry += Int(digits[index]) << 8
        digits[index] = UInt8(carry % 58)
        carry /= 58
      }
      while carry > 0 {
        digits.append(UInt8(carry % 58))
        carry /= 58
      }
    }
    let letters = [UInt8](repeating: alphabet58[0], count: zeros) + digits.reversed().map { alphabet58[Int($0)] }
    return String(decoding: letters, as: UTF8.self)
  }

  /// The bytes of base58btc `text` without a letter in front.
  package static func decodeBase58(_ text: some StringProtocol) throws(WireError) -> [UInt8] {
    let digits = try digits(text, "base58 text", values58)
    let zeros = digits.prefix { $0 == 0 }.count
    var bytes: [UInt8] = []  // little-endian
    for digit in digits.dropFirst(zeros) {
      var carry = Int(digit)
      for index in bytes.indices {
        carry += Int(bytes[index]) * 58
        bytes[index] = UInt8(carry & 0xff)
        carry >>= 8
      }
      while carry > 0 {
        bytes.append(UInt8(carry & 0xff))
        carry >>= 8
      }
    }
    return [UInt8](repeating: 0, count: zeros) + bytes.reversed()
  }

  static func base16(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    for byte in bytes { out += [alphabet16[Int(byte >> 4)], alphabet16[Int(byte & 15)]] }
    return String(decoding: out, as: UTF8.self)
  }

  static func decodeBase16(_ text: some StringProtocol) throws(WireError) -> [UInt8] {
    let digits = try digits(text, "base16 text", values16)
    guard digits.count.isMultiple(of: 2) else { throw WireError("base16 text", "has an odd number of digits") }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
