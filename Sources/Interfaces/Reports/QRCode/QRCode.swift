/// A QR code: text as black and white modules that a camera reads (ISO/IEC 18004, model 2, error correction level L).
///
/// Text of capital letters, digits and ` $%*+-./:` takes five and a half bits a character, any other eight. Level L mends 7 % of the code,
/// which is what a screen needs; the smallest of the forty versions that holds the text is used, and the mask with the least penalty.
public struct QRCode: Hashable, Sendable {
  /// Modules on a side: 17 + 4 × version.
  public let size: Int
  /// The version, 1 to 40.
  public let version: Int
  /// The mask, 0 to 7.
  public let mask: Int
  /// Row by row, whether a module is dark.
  var modules: [Bool]

  /// The most characters of a code: of capitals and digits, and of bytes.
  public static let mostCharacters = (alphanumeric: 4_296, bytes: 2_953)

  /// The code of `text`; `nil` if it is longer than any code can hold.
  public init?(_ text: String) {
    let segment = Segment(text)
    guard let version = (1...40).first(where: { segment.bitCount($0) <= Version.dataCodewords($0) * 8 }) else { return nil }
    self.version = version
    size = 17 + 4 * version
    let words = ErrorCorrection.interleaved(segment.codewords(version), version)
    var canvas = Canvas(version)
    canvas.place(words)
    var best = canvas
    var least = Int.max
    var chosen = 0
    for mask in 0..<8 {
      var tried = canvas
      tried.apply(mask: mask)
      let penalty = tried.penalty
      if penalty < least { (best, least, chosen) = (tried, penalty, mask) }
    }
    mask = chosen
    modules = best.modules
  }

  /// Whether the module in that row and column is dark; outside it is light.
  public subscript(row: Int, column: Int) -> Bool {
    (0..<size).contains(row) && (0..<size).contains(column) && modules[row * size + column]
  }

  /// What the text is as bits: how it is written, how long it is, its characters.
  struct Segment {
    let isAlphanumeric: Bool
    let content: [UInt8]

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

    init(_ text: String) {
      let bytes = Array(text.utf8)
      let values = bytes.compactMap { byte in Segment.alphabet.firstIndex(of: byte).map { UInt8($0) } }
      isAlphanumeric = values.count == bytes.count
      content = isAlphanumeric ? values : bytes
    }

    /// Bits of the field that holds the length.
    private func lengthBits(_ version: Int) -> Int {
      if isAlphanumeric { return version < 10 ? 9 : version < 27 ? 11 : 13 }
      return version < 10 ? 8 : 16
    }

    func bitCount(_ version: Int) -> Int {
      let bits = isAlphanumeric ? content.count / 2 * 11 + content.count % 2 * 6 : content.count * 8
      guard content.count < 1 << lengthBits(version) else { return .max }
      return 4 + lengthBits(version) + bits
    }

    /// All data codewords of a version: the text, an end, and padding.
    func codewords(_ version: Int) -> [UInt8] {
      var bits = Bits()
      bits.append(isAlphanumeric ? 0b0010 : 0b0100, 4)
      bits.append(content.count, lengthBits(version))
      if isAlphanumeric {
        for start in stride(from: 0, to: content.count, by: 2) {
          if start + 1 < content.count {
            bits.append(Int(content[start]) * 45 + Int(content[start + 1]), 11)
          } else {
            bits.append(Int(content[start]), 6)
          }
        }
      } else {
        for byte in content { bits.append(Int(byte), 8) }
      }
      let capacity = Version.dataCodewords(version) * 8
      bits.append(0, min(4, capacity - bits.count))
      bits.append(0, (8 - bits.count % 8) % 8)
      var words = bits.bytes
      for index in words.count..<max(words.count, capacity / 8) {
        words.append((index - bits.bytes.count) % 2 == 0 ? 0xec : 0x11)
      }
      return words
    }
  }

  /// Bits, the highest first.
  struct Bits {
    var bytes: [UInt8] = []
    var count = 0

    mutating func append(_ value: Int, _ width: Int) {
      for place in stride(from: width - 1, through: 0, by: -1) {
        if count % 8 == 0 { bytes.append(0) }
        if value >> place & 1 == 1 { bytes[count / 8] |= 0x80 >> UInt8(count % 8) }
        count += 1
      }
    }
  }
}

/// What differs between the forty versions, at level L.
enum Version {
  /// Error correction codewords of a block.
  private static let correction: [Int] = [
    7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30,
    30,
    30, 30, 30, 30, 30, 30, 30,
  ]
  /// Blocks.
  private static let blocks: [Int] = [
    1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21,
    22, 24,
    25,
  ]

  static func correctionCodewords(_ version: Int) -> Int { correction[version - 1] }
  static func blockCount(_ version: Int) -> Int { blocks[version - 1] }

  /// Modules that are not part of any pattern.
  static func rawModules(_ version: Int) -> Int {
    var count = (16 * version + 128) * version + 64
    if version >= 2 {
      let alignments = version / 7 + 2
      count -= (25 * alignments - 10) * alignments - 55
      if version >= 7 { count -= 36 }
    }
    return count
  }

  /// Codewords of text.
  static func dataCodewords(_ version: Int) -> Int {
    rawModules(version) / 8 - correctionCodewords(version) * blockCount(version)
  }

  /// The middles of the alignment patterns, both down and across.
  static func alignments(_ version: Int) -> [Int] {
    guard version > 1 else { return [] }
    let count = version / 7 + 2
    let step = version == 32 ? 26 : (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2
    return [6] + (0..<count - 1).map { 17 + 4 * version - 7 - step * (count - 2 - $0) }
  }
}

/// Reed and Solomon's code over the bytes (polynomial 0x11d), and the order in which blocks are interleaved.
enum ErrorCorrection {
  /// The product in the field of 256 elements.
  static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
    var result = 0
    for place in stride(from: 7, through: 0, by: -1) {
      result = result << 1 ^ (result >> 7) * 0x11d
      if right >> UInt8(place) & 1 == 1 { result ^= Int(left) }
    }
    return UInt8(truncatingIfNeeded: result)
  }

  /// The divisor whose remainders are the check words: (x − 1)(x − 2)(x − 4)…, the highest coefficient left out.
  static func divisor(_ degree: Int) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: degree)
    result[degree - 1] = 1
    var root: UInt8 = 1
    for _ in 0..<degree {
      for index in 0..<degree {
        result[index] = product(result[index], root)
        if index + 1 < degree { result[index] ^= result[index + 1] }
      }
      root = product(root, 2)
    }
    return result
  }

  static func remainder(_ data: ArraySlice<UInt8>, _ divisor: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: divisor.count)
    for word in data {
      let factor = word ^ result.removeFirst()
      result.append(0)
      for index in divisor.indices { result[index] ^= product(divisor[index], factor) }
    }
    return result
  }

  /// All codewords in the order in which they are placed: the blocks' first words, their second, … and their check words likewise.
  static func interleaved(_ data: [UInt8], _ version: Int) -> [UInt8] {
    let count = Version.blockCount(version)
    let total = Version.rawModules(version) / 8
    let short = total / count - Version.correctionCodewords(version)
    let long = total % count
    let divisor = divisor(Version.correctionCodewords(version))
    var blocks: [ArraySlice<UInt8>] = []
    var start = 0
    for index in 0..<count {
      let length = short + (index >= count - long ? 1 : 0)
      blocks.append(data[start..<start + length])
      start += length
    }
    var out: [UInt8] = []
    for place in 0...short {
      for block in blocks where place < block.count { out.append(block[block.startIndex + place]) }
    }
    let checks = blocks.map { remainder($0, divisor) }
    for place in divisor.indices { for check in checks { out.append(check[place]) } }
    return out
  }
}
