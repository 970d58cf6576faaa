/// NumPy's array files, versions 1 to 3: floats of 2, 4 and 8 bytes, whole numbers of 1 to 8 bytes, booleans, either byte order, C and
/// Fortran order.
public enum NPY {
  /// Whether `bytes` begin like an npy file.
  public static func isNPY(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  private static let magic: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

  /// Reads an array; a gzipped file is unpacked on the way.
  ///
  /// - Throws: ``DataError`` with the byte offset if the file is malformed, cut short or holds anything but numbers.
  public static func parse(bytes: [UInt8], file: String) throws(DataError) -> NumberArray {
    let plain = Gzip.isGzip(bytes) ? try Gzip.inflate(bytes, limit: IDX.unpackedLimit, file: file) : bytes
    var reader = Reader(plain, file: file)
    guard isNPY(plain) else { throw reader.error("this is not an npy file") }
    reader.offset = magic.count
    let version = try reader.byte("version")
    _ = try reader.byte("version")
    guard (1...3).contains(version) else { throw reader.error("npy version \(version) is not known; 1 to 3 are", at: 6) }
    let length = Int(try reader.number(version == 1 ? 2 : 4, bigEndian: false, "header length"))
    guard length <= 1 << 20 else { throw reader.error("a header of \(grouped(length)) bytes is too long", at: 8) }
    let start = reader.offset
    let header = Header(text: String(decoding: try reader.take(length, "header"), as: UTF8.self), file: file, offset: start)
    let (format, bigEndian) = try header.format()
    let shape = try header.shape()
    guard let count = NumberArray.count(shape), count <= Int.max / 8 else {
      throw reader.error("the shape \(shape) is more than can be counted", at: start)
    }
    guard reader.left == count * format.size else {
      throw reader.error(
        "\(grouped(reader.left)) bytes of numbers, but the shape \(shape) needs \(grouped(count * format.size))",
        at: min(plain.count, reader.offset + count * format.size), advice: "the file was probably cut short or badly joined")
    }
    let stored = try reader.take(reader.left, "numbers")
    let values = unsafe [Float](unsafeUninitializedCapacity: count) { target, filled in
      unsafe format.decode(stored, bigEndian: bigEndian, into: UnsafeMutableBufferPointer(rebasing: target[..<count]))
      filled = count
    }
    return NumberArray(shape: shape, values: try header.isFortran() ? rowMajor(values, shape) : values)
  }

  /// First axis fastest to last axis fastest.
  private static func rowMajor(_ values: [Float], _ shape: [Int]) -> [Float] {
    guard shape.count > 1, !values.isEmpty else { return values }
    var strides: [Int] = []
    var stride = 1
    for length in shape {
      strides.append(stride)
      stride *= length
    }
    var position = Array(repeating: 0, count: shape.count)
    var source = 0
    var result: [Float] = []
    result.reserveCapacity(values.count)
    for _ in values.indices {
      result.append(values[source])
      var axis = shape.count - 1
      while axis >= 0 {
        position[axis] += 1
        source += strides[axis]
        if position[axis] < shape[axis] { break }
        source -= position[axis] * strides[axis]
        position[axis] = 0
        axis -= 1
      }
    }
    return result
  }
}

/// The header of an npy file: a Python dictionary of `descr`, `fortran_order` and `shape`.
private struct Header {
  let text: String
  let file: String
  let offset: Int

  private func error(_ problem: String, advice: String = "") -> DataError {
    DataError(file, .byte(offset), problem, advice: advice)
  }

  /// What follows the key, without leading spaces.
  private func value(_ key: String) throws(DataError) -> Substring {
    for quote in ["'", "\""] {
      let parts = text.split(separator: quote + key + quote, maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      let rest = parts[1].drop { $0 == " " }
      guard rest.first == ":" else { break }
      return rest.dropFirst().drop { $0 == " " }
    }
    throw error("the header does not say its '\(key)'")
  }

  func format() throws(DataError) -> (NumberFormat, bigEndian: Bool) {
    let value = try value("descr")
    guard let quote = value.first, quote == "'" || quote == "\"" else {
      throw error("the array holds records, not numbers", advice: "save one column or a plain array")
    }
    let name = value.dropFirst().prefix { $0 != quote }
    let kind = name.drop { "<>|=".contains($0) }
    let format: NumberFormat
    switch kind {
    case "f2": format = .float(2)
    case "f4": format = .float(4)
    case "f8": format = .float(8)
    case "u1": format = .unsigned(1)
    case "u2": format = .unsigned(2)
    case "u4": format = .unsigned(4)
    case "u8": format = .unsigned(8)
    case "i1": format = .signed(1)
    case "i2": format = .signed(2)
    case "i4": format = .signed(4)
    case "i8": format = .signed(8)
    case "b1", "?": format = .boolean
    default: throw error("elements of type '\(name.prefix(16))' are not numbers that can be read", advice: "save as float32")
    }
    return (format, name.first == ">")
  }

  func isFortran() throws(DataError) -> Bool {
    let value = try value("fortran_order")
    if value.hasPrefix("True") { return true }
    if value.hasPrefix("False") { return false }
    throw error("'fortran_order' is neither True nor False")
  }

  func shape() throws(DataError) -> [Int] {
    let value = try value("shape")
    guard value.first == "(", let end = value.firstIndex(of: ")") else { throw error("the shape is not a tuple") }
    var shape: [Int] = []
    for part in value[value.index(after: value.startIndex)..<end].split(separator: ",") {
      let digits = part.filter { $0 != " " && $0 != "L" }
      if digits.isEmpty { continue }
      guard let length = Int(digits), length >= 0 else { throw error("'\(part.prefix(16))' is not a length") }
      shape.append(length)
    }
    guard shape.count <= 8 else { throw error("an array with \(shape.count) axes; 8 can be read") }
    return shape
  }
}
