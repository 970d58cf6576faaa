import MurmurCompute

/// The UCI optical digits, built in: 1,797 images of 8 × 8 pixels from 0 to 16, ten classes.
///
/// "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository,
/// doi 10.24432/C50P49, CC BY 4.0. There is no official test part in this selection (the one scikit-learn ships).
public enum Digits {
  /// The number of images.
  static let rows = 1797

  /// Unpacks the data set; about a millisecond or two.
  public static func load() -> Dataset {
    let packed = unsafe UnsafeBufferPointer(start: packedDigits.utf8Start, count: packedDigits.utf8CodeUnitCount)
    let columns: [UInt8]
    do {
      columns = try unsafe Gzip.inflate(Base64.decode(packed), limit: rows * 65, file: "digits")
    } catch {
      preconditionFailure("the built-in digits are damaged: \(error)")
    }
    precondition(columns.count == rows * 65, "the built-in digits are not whole")
    var features = [Float](repeating: 0, count: rows * 64)
    for pixel in 0..<64 {
      for row in 0..<rows { features[row * 64 + pixel] = Float(columns[pixel * rows + row]) }
    }
    let labels = columns[(64 * rows)...].map { Int32($0) }
    return Dataset(
      name: "digits", samples: Samples(features: features, width: 64, labels: labels, classes: 10),
      featureNames: (0..<64).map { "pixel_\($0 / 8)_\($0 % 8)" },
      imageShape: Dataset.ImageShape(height: 8, width: 8),
      licence: "CC BY 4.0, E. Alpaydin and C. Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998")
  }
}

/// Base 64 (RFC 4648, section 4), for data that is part of the program.
private enum Base64 {
  static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var held = 0
    for index in 0..<text.count {
      let character = unsafe text[index]
      let value: UInt8
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - 65
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - 71
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character + 4
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: continue
      }
      bits = bits << 6 | UInt32(value)
      held += 6
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
      }
    }
    return bytes
  }
}
