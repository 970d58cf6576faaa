public import MurmurCompute
public import MurmurDatasets

/// Images of which each device sees one patch, in 0 … 1.
public struct PatchImages: Sendable {
  /// The pixels of each device, by their numbers in a row of the data set.
  public let columns: [[Int]]
  /// Each device's patch of every image.
  public let patches: [Matrix]
  /// All patches of every image side by side, device by device.
  public let images: Matrix
  /// How many of the first rows are learnt from.
  public let training: Int
  /// The rows that are reported on.
  public let tested: [Int32]
  /// Rows and columns of a whole image.
  public let shape: (height: Int, width: Int)

  /// The images of a data set cut into `side` × `side` patches.
  ///
  /// Reports are on the official test rows; with `isTuning` on the last of the training rows instead, which then are not learnt from. `limit`
  /// bounds both.
  ///
  /// - Throws: ``DataError`` if the rows are no images, or have no such patches.
  public init(_ data: Dataset, side: Int = 2, limit: Int = .max, isTuning: Bool = false) throws(DataError) {
    columns = try FeatureDeal.patches(rows: side, columns: side).columns(of: data, devices: side * side)
    let all = data.testFrom ?? data.count * 6 / 7
    let held = isTuning ? all / 12 : 0
    training = min(all - held, limit)
    let (first, last) = isTuning ? (all - held, all) : (all, data.count)
    guard training > 0, first < last else { throw DataError(data.name, "it has no rows for training, or none to test with") }
    tested = (first..<min(last, limit < .max ? first + max(1, limit / 6) : last)).map { Int32($0) }
    let constants = Standardisation.fit(on: data.samples, rows: (0..<Int32(all)).map { $0 }, method: .scale01)
    let samples = constants.apply(to: data.samples)
    patches = columns.map { samples.matrix(columns: $0) }
    images = samples.matrix(columns: columns.flatMap { $0 })
    shape = data.imageShape.map { ($0.height, $0.width) } ?? (1, data.samples.width)
  }

  /// All patches of all images, one a row: those of the first image first.
  public var stacked: Matrix { images.reshaped(columns: width) }

  /// The number of devices.
  public var devices: Int { patches.count }
  /// Pixels of a patch.
  public var width: Int { images.columns / devices }

  /// Where a device's patch is, in shares of the image's width and height.
  public func place(of device: Int) -> (x: Double, y: Double, width: Double, height: Double) {
    let (first, last) = (columns[device].min() ?? 0, columns[device].max() ?? 0)
    let (left, top) = (first % shape.width, first / shape.width)
    let (right, bottom) = (last % shape.width + 1, last / shape.width + 1)
    let (width, height) = (Double(shape.width), Double(shape.height))
    return (Double(left) / width, Double(top) / height, Double(right - left) / width, Double(bottom - top) / height)
  }

  /// A row of reconstructions as an image, a byte per pixel.
  public func bytes(of reconstructions: Matrix, row: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: shape.width * shape.height)
    for (place, column) in columns.joined().enumerated() {
      bytes[column] = UInt8(min(max(reconstructions[row, place] * 255, 0), 255))
    }
    return bytes
  }
}
