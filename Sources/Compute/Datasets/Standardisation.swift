public import MurmurCompute

/// Shift and scale of each feature, worked out from training rows alone and then applied to all rows.
///
/// `(x − shift) · scale`. A missing value (NaN) becomes the mean of the feature over the training rows.
public struct Standardisation: Hashable, Sendable {
  /// What is subtracted from each feature.
  public let shift: [Float]
  /// What each feature is multiplied by after that.
  public let scale: [Float]
  /// What stands in for a missing value, before shift and scale: the mean over the training rows.
  public let fill: [Float]

  /// How constants are chosen.
  public enum Method: Hashable, Sendable {
    /// Mean 0 and standard deviation 1, feature by feature; a constant feature becomes 0.
    case normal
    /// The least value of *all* features becomes 0 and the greatest 1: for images, whose pixels are in one unit.
    case scale01
    /// Values stay as they are; only missing ones are filled.
    case none
  }

  /// The method that suits `dataset`: ``Method/scale01`` for images, ``Method/normal`` for tables.
  public static func method(for dataset: Dataset) -> Method { dataset.imageShape == nil ? .normal : .scale01 }

  /// Works out the constants from the given rows of `samples`; all rows if `rows` is `nil`.
  ///
  /// Sums run in Double in ascending order of `rows`, so that the same rows give the same bits everywhere.
  public static func fit(on samples: Samples, rows: [Int32]? = nil, method: Method = .normal) -> Standardisation {
    let moments = Moments(samples, rows: rows)
    let width = samples.width
    switch method {
    case .none:
      return Standardisation(
        shift: Array(repeating: 0, count: width), scale: Array(repeating: 1, count: width), fill: moments.means)
    case .normal:
      let scale = moments.deviations.map { deviation -> Float in
        let inverse = Float(1 / deviation)
        return deviation > 0 && inverse.isFinite ? inverse : 0
      }
      return Standardisation(shift: moments.means, scale: scale, fill: moments.means)
    case .scale01:
      let range = moments.greatest - moments.least
      let factor: Float = range > 0 && (1 / range).isFinite ? 1 / range : 0
      return Standardisation(
        shift: Array(repeating: range >= 0 ? moments.least : 0, count: width), scale: Array(repeating: factor, count: width),
        fill: moments.means)
    }
  }

  /// `samples` with these constants applied: labels stay, and so do target rows.
  public func apply(to samples: Samples) -> Samples {
    precondition(samples.width == shift.count, "constants for \(shift.count) features, rows of \(samples.width)")
    let width = samples.width
    let total = samples.count * width
    let features = unsafe samples.withUnsafeFeatures { source in
      unsafe [Float](unsafeUninitializedCapacity: total) { target, filled in
        for row in stride(from: 0, to: total, by: width) {
          for column in 0..<width {
            let value = unsafe source[row + column]
            unsafe target[row + column] = ((value.isNaN ? fill[column] : value) - shift[column]) * scale[column]
          }
        }
        filled = total
      }
    }
    if samples.classes > 0 { return Samples(features: features, width: width, labels: samples.labels, classes: samples.classes) }
    return Samples(features: features, width: width)
  }
}

/// Sums over rows, feature by feature, that leave missing values out.
private struct Moments {
  var means: [Float]
  var deviations: [Double]
  var least = Float.infinity
  var greatest = -Float.infinity

  init(_ samples: Samples, rows: [Int32]?) {
    let width = samples.width
    let count = rows?.count ?? samples.count
    precondition(rows?.allSatisfy { $0 >= 0 && $0 < samples.count } ?? true, "a row is not in 0 ..< \(samples.count)")
    var sums = [Double](repeating: 0, count: width)
    var squares = sums
    var present = [Int](repeating: 0, count: width)
    var low = Float.infinity
    var high = -Float.infinity
    unsafe samples.withUnsafeFeatures { source in
      for index in 0..<count {
        let start = Int(rows?[index] ?? Int32(index)) * width
        for column in 0..<width {
          let value = unsafe source[start + column]
          guard !value.isNaN else { continue }
          sums[column] += Double(value)
          present[column] += 1
          low = min(low, value)
          high = max(high, value)
        }
      }
      for column in 0..<width { sums[column] /= Double(max(present[column], 1)) }
      for index in 0..<count {
        let start = Int(rows?[index] ?? Int32(index)) * width
        for column in 0..<width {
          let value = unsafe source[start + column]
          guard !value.isNaN else { continue }
          let distance = Double(value) - sums[column]
          squares[column] += distance * distance
        }
      }
    }
    means = sums.map { Float($0) }
    deviations = zip(squares, present).map { ($0 / Double(max($1, 1))).squareRoot() }
    least = low
    greatest = high
  }
}
