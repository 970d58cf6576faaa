import MurmurCompute

/// The idx format of MNIST: a magic number, the lengths of the axes, then the numbers, most significant byte first. A gzipped file is
/// unpacked on the way.
public enum IDX {
  /// The most bytes a gzipped idx file may unpack to.
  public static let unpackedLimit = 1 << 32

  /// An idx file whose header is read and whose numbers are still as they were stored.
  public struct File: Sendable {
    /// The lengths of the axes.
    public let shape: [Int]
    let name: String
    let format: NumberFormat
    let bytes: ArraySlice<UInt8>

    /// How many numbers there are.
    var count: Int { bytes.count / format.size }
    /// The numbers.
    public var array: NumberArray {
      NumberArray(
        shape: shape,
        values: unsafe [Float](unsafeUninitializedCapacity: count) { target, filled in
          unsafe format.decode(bytes, bigEndian: true, into: UnsafeMutableBufferPointer(rebasing: target[..<count]))
          filled = count
        })
    }
  }

  /// Reads the header of an idx file of any element type, and checks that the numbers are all there.
  ///
  /// - Throws: ``DataError`` with the byte offset if the file is malformed, cut short or followed by something else.
  public static func open(bytes: [UInt8], file: String) throws(DataError) -> File {
    let plain = Gzip.isGzip(bytes) ? try Gzip.inflate(bytes, limit: unpackedLimit, file: file) : bytes
    var reader = Reader(plain, file: file)
    let (format, shape) = try header(&reader)
    return File(shape: shape, name: file, format: format, bytes: try reader.take(reader.left, "numbers"))
  }

  /// Reads an idx file of any element type.
  ///
  /// - Throws: ``DataError`` with the byte offset if the file is malformed, cut short or followed by something else.
  public static func parse(bytes: [UInt8], file: String) throws(DataError) -> NumberArray {
    try open(bytes: bytes, file: file).array
  }

  /// Images and labels of a training part and, if there is one, of a test part, as one data set.
  ///
  /// - Throws: ``DataError`` if they do not belong together.
  public static func dataset(
    name: String, images: File, labels: File, testImages: File? = nil, testLabels: File? = nil
  ) throws(DataError) -> Dataset {
    var allLabels = try checked(images, labels)
    var testFrom: Int?
    if let testImages, let testLabels {
      let labels = try checked(testImages, testLabels)
      guard testImages.shape.dropFirst() == images.shape.dropFirst() else {
        throw DataError(
          testImages.name, .byte(4),
          "its images are \(testImages.shape.dropFirst()), the training images \(images.shape.dropFirst())")
      }
      testFrom = allLabels.count
      allLabels += labels
    }
    let test = testFrom == nil ? nil : testImages
    let total = images.count + (test?.count ?? 0)
    let values = unsafe [Float](unsafeUninitializedCapacity: total) { target, filled in
      unsafe images.format.decode(
        images.bytes, bigEndian: true, into: UnsafeMutableBufferPointer(rebasing: target[..<images.count]))
      if let test {
        unsafe test.format.decode(
          test.bytes, bigEndian: true, into: UnsafeMutableBufferPointer(rebasing: target[images.count..<total]))
      }
      filled = total
    }
    let lengths = Array(images.shape.dropFirst())
    let classes = Int(allLabels.max() ?? 0) + 1
    return Dataset(
      name: name, samples: Samples(features: values, width: lengths.reduce(1, *), labels: allLabels, classes: classes),
      testFrom: testFrom, imageShape: lengths.count == 2 ? Dataset.ImageShape(height: lengths[0], width: lengths[1]) : nil)
  }

  /// The labels, if they are labels and as many as the images.
  private static func checked(_ images: File, _ labels: File) throws(DataError) -> [Int32] {
    guard images.shape.count >= 2, images.count > 0 else {
      throw DataError(images.name, .byte(3), "an array of shape \(images.shape) holds no images", advice: "is it the label file?")
    }
    guard labels.shape.count == 1 else {
      throw DataError(labels.name, .byte(3), "labels have one axis, not \(labels.shape.count)", advice: "is it the image file?")
    }
    guard images.shape[0] == labels.count else {
      throw DataError(
        labels.name, .byte(4), "\(grouped(labels.count)) labels for \(grouped(images.shape[0])) images",
        advice: "take files that belong together")
    }
    var result: [Int32] = []
    result.reserveCapacity(labels.count)
    for (row, value) in labels.array.values.enumerated() {
      guard value >= 0, value < 1000, value == value.rounded() else {
        throw DataError(labels.name, "row \(row) has the label \(value); labels are whole numbers from 0 to 999")
      }
      result.append(Int32(value))
    }
    return result
  }

  /// The element type and the lengths of the axes; the numbers that follow are exactly as many as they say.
  private static func header(_ reader: inout Reader) throws(DataError) -> (NumberFormat, [Int]) {
    guard try reader.number(2, bigEndian: true, "magic number") == 0 else {
      throw reader.error("this is not an idx file: it begins with something other than two zero bytes", at: 0)
    }
    let format: NumberFormat
    switch try reader.byte("element type") {
    case 0x08: format = .unsigned(1)
    case 0x09: format = .signed(1)
    case 0x0b: format = .signed(2)
    case 0x0c: format = .signed(4)
    case 0x0d: format = .float(4)
    case 0x0e: format = .float(8)
    case let other: throw reader.error("idx knows no element type \(other)", at: 2, advice: "8, 9, 11, 12, 13 and 14 are known")
    }
    let axes = Int(try reader.byte("number of axes"))
    guard axes >= 1, axes <= 8 else { throw reader.error("an idx file with \(axes) axes; 1 to 8 can be read", at: 3) }
    var shape: [Int] = []
    for axis in 0..<axes { shape.append(Int(try reader.number(4, bigEndian: true, "length of axis \(axis)"))) }
    guard let count = NumberArray.count(shape), count <= Int.max / 8 else {
      throw reader.error("the lengths \(shape) are more than can be counted", at: 4)
    }
    let wanted = count * format.size
    guard reader.left == wanted else {
      let less = reader.left < wanted
      throw reader.error(
        "\(grouped(reader.left)) bytes of numbers, but its header promises \(grouped(wanted))",
        at: less ? reader.bytes.count : reader.offset + wanted,
        advice: less ? "the file was probably cut short; fetch it again" : "something follows the numbers")
    }
    return (format, shape)
  }
}
