import MurmurCompute

/// The idx format of MNIST: a magic number, the lengths of the axes, then the numbers, most significant byte first. A gzipped file is
/// unpacked on the way.
public enum IDX {
  /// The most bytes a gzipped idx file may unpack to.
  public static let unpackedLimit = 1 << 32

  /// Reads an idx file of any element type.
  ///
  /// - Throws: ``DataError`` with the byte offset if the file is malformed, cut short or followed by something else.
  public static func parse(bytes: [UInt8], file: String) throws(DataError) -> NumberArray {
    let plain = Gzip.isGzip(bytes) ? try Gzip.inflate(bytes, limit: unpackedLimit, file: file) : bytes
    var reader = Reader(plain, file: file)
    let (format, shape) = try header(&reader)
    return NumberArray(
      shape: shape, values: format.decode(try reader.take(reader.left, "numbers"), bigEndian: true))
  }

  /// Reads an idx file of one whole number per row, such as the labels.
  public static func labels(bytes: [UInt8], file: String) throws(DataError) -> [Int32] {
    let array = try parse(bytes: bytes, file: file)
    guard array.shape.count == 1 else {
      throw DataError(file, .byte(3), "labels have one axis, this file has \(array.shape.count)", advice: "is it the image file?")
    }
    var labels: [Int32] = []
    labels.reserveCapacity(array.values.count)
    for (row, value) in array.values.enumerated() {
      guard value >= 0, value < 1000, value == value.rounded() else {
        throw DataError(file, "row \(row) has the label \(value); labels are whole numbers from 0 to 999")
      }
      labels.append(Int32(value))
    }
    return labels
  }

  /// Images and labels of a training part and, if there is one, of a test part, as one data set.
  ///
  /// Each file is given by its bytes and its name.
  public static func dataset(
    name: String, images: (bytes: [UInt8], file: String), labels: (bytes: [UInt8], file: String),
    testImages: (bytes: [UInt8], file: String)? = nil, testLabels: (bytes: [UInt8], file: String)? = nil
  ) throws(DataError) -> Dataset {
    let (training, trainingLabels) = try part(images, labels)
    var values = training.values
    var allLabels = trainingLabels
    var testFrom: Int?
    if let testImages, let testLabels {
      let (test, labels) = try part(testImages, testLabels)
      guard test.shape.dropFirst() == training.shape.dropFirst() else {
        throw DataError(testImages.file, .byte(4), "its images are \(test.shape.dropFirst()), the training images \(training.shape.dropFirst())")
      }
      testFrom = trainingLabels.count
      values.append(contentsOf: test.values)
      allLabels += labels
    }
    let lengths = training.shape.dropFirst()
    let width = lengths.reduce(1, *)
    let classes = Int(allLabels.max() ?? 0) + 1
    let shape = Array(lengths)
    return Dataset(
      name: name, samples: Samples(features: values, width: width, labels: allLabels, classes: classes), testFrom: testFrom,
      imageShape: shape.count == 2 ? Dataset.ImageShape(height: shape[0], width: shape[1]) : nil)
  }

  private static func part(
    _ images: (bytes: [UInt8], file: String), _ labels: (bytes: [UInt8], file: String)
  ) throws(DataError) -> (NumberArray, [Int32]) {
    let array = try parse(bytes: images.bytes, file: images.file)
    let labelled = try IDX.labels(bytes: labels.bytes, file: labels.file)
    guard array.shape.count >= 2, array.values.count > 0 else {
      throw DataError(images.file, .byte(3), "an array of shape \(array.shape) holds no images", advice: "is it the label file?")
    }
    guard array.shape[0] == labelled.count else {
      throw DataError(
        labels.file, .byte(4), "\(grouped(labelled.count)) labels for \(grouped(array.shape[0])) images", advice: "take files that belong together")
    }
    return (array, labelled)
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
