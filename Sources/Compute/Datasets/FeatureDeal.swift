public import MurmurCompute

/// Which device sees which features: the index sets S of Internet Learning (Ganguli et al., 2023, section 2).
public enum FeatureDeal: Hashable, Sendable {
  /// Columns one after the other, as evenly as they go.
  case even
  /// An image cut into that many rows and columns of patches, patch after patch.
  case patches(rows: Int, columns: Int)
  /// The given columns, a list for each device.
  case columns([[Int]])
  /// A device for each prefix of the column names, which ends at the first of these characters.
  case prefixes(separator: Character)

  /// The column numbers of each device.
  ///
  /// - Throws: ``DataError`` where the data cannot be dealt so, saying what to change.
  public func columns(of data: Dataset, devices: Int) throws(DataError) -> [[Int]] {
    let width = data.samples.width
    switch self {
    case .even:
      guard devices > 0, devices <= width else {
        throw DataError("\(data.name)", "\(devices) devices cannot share \(width) features; take at most \(width)")
      }
      return (0..<devices).map { Array($0 * width / devices..<($0 + 1) * width / devices) }
    case .patches(let rows, let columns): return try patches(data, rows, columns)
    case .columns(let lists):
      if let odd = lists.joined().first(where: { $0 < 0 || $0 >= width }) {
        throw DataError("\(data.name)", "there is no feature \(odd); they are numbered 0 to \(width - 1)")
      }
      if let device = lists.firstIndex(where: \.isEmpty) { throw DataError("\(data.name)", "device \(device) sees no feature") }
      return lists
    case .prefixes(let separator):
      var lists: [(name: Substring, columns: [Int])] = []
      for (column, name) in data.featureNames.enumerated() {
        let prefix = name.prefix { $0 != separator }
        if let known = lists.firstIndex(where: { $0.name == prefix }) {
          lists[known].columns.append(column)
        } else {
          lists.append((prefix, [column]))
        }
      }
      guard !lists.isEmpty else { throw DataError("\(data.name)", "its columns have no names to take prefixes of") }
      return lists.map(\.columns)
    }
  }

  private func patches(_ data: Dataset, _ rows: Int, _ columns: Int) throws(DataError) -> [[Int]] {
    guard let shape = data.imageShape else {
      throw DataError("\(data.name)", "its rows are no images, so they have no patches; deal the features evenly")
    }
    guard rows > 0, columns > 0, shape.height % rows == 0, shape.width % columns == 0 else {
      throw DataError(
        "\(data.name)", "images of \(shape.height) × \(shape.width) are not cut into \(rows) × \(columns) equal patches")
    }
    let (height, width) = (shape.height / rows, shape.width / columns)
    return (0..<rows * columns).map { patch in
      let (top, left) = (patch / columns * height, patch % columns * width)
      return (0..<shape.channels).flatMap { channel in
        (top..<top + height).flatMap { row in
          (left..<left + width).map { (channel * shape.height + row) * shape.width + $0 }
        }
      }
    }
  }
}

extension Samples {
  /// Some of the features of every row, in the order given.
  public func matrix(columns: [Int]) -> Matrix {
    precondition(columns.allSatisfy { $0 >= 0 && $0 < width }, "a feature is not in 0 ..< \(width)")
    return unsafe withUnsafeFeatures { features in
      unsafe Matrix(rows: count, columns: columns.count) { floats in
        var place = 0
        for row in 0..<count {
          for column in columns {
            unsafe floats[place] = features[row * width + column]
            place += 1
          }
        }
      }
    }
  }
}
