private import MurmurKernels

/// Rows of numbers with what is to be learnt about them: labels, or target rows, or nothing (an autoencoder's target is the row).
///
/// Features are row-major Float32 in shared storage; copies and slices of the value are cheap, ``subset(rows:)`` copies rows.
public struct Samples: Sendable {
  package let features: FloatStorage
  package let targets: FloatStorage?
  /// The class of each row, 0 ..< ``classes``; empty without classes.
  public let labels: [Int32]
  /// The number of rows.
  public let count: Int
  /// Features per row.
  public let width: Int
  /// The number of classes; 0 without labels.
  public let classes: Int
  /// Numbers per target row; 0 without target rows.
  public let targetWidth: Int

  /// Labelled rows; `labels` holds one class in 0 ..< `classes` for each `width` features.
  public init(features: [Float], width: Int, labels: [Int32], classes: Int) {
    precondition(
      width > 0 && features.count == width * labels.count, "\(features.count) features, \(labels.count) rows of \(width)")
    precondition(labels.allSatisfy { $0 >= 0 && $0 < classes }, "a label is not in 0 ..< \(classes)")
    self.init(features: FloatStorage(features), targets: nil, labels: labels, count: labels.count, width: width, classes: classes)
  }

  /// Rows with target rows of `targetWidth` numbers each.
  public init(features: [Float], width: Int, targets: [Float], targetWidth: Int) {
    precondition(width > 0 && targetWidth > 0 && features.count % width == 0, "\(features.count) features in rows of \(width)")
    precondition(features.count / width * targetWidth == targets.count, "\(targets.count) numbers in target rows")
    self.init(
      features: FloatStorage(features), targets: FloatStorage(targets), labels: [], count: features.count / width, width: width,
      classes: 0, targetWidth: targetWidth)
  }

  /// Rows without labels or targets.
  public init(features: [Float], width: Int) {
    precondition(width > 0 && features.count % width == 0, "\(features.count) features in rows of \(width)")
    self.init(
      features: FloatStorage(features), targets: nil, labels: [], count: features.count / width, width: width, classes: 0)
  }

  private init(
    features: FloatStorage, targets: FloatStorage?, labels: [Int32], count: Int, width: Int, classes: Int, targetWidth: Int = 0
  ) {
    self.features = features
    self.targets = targets
    self.labels = labels
    self.count = count
    self.width = width
    self.classes = classes
    self.targetWidth = targetWidth
  }

  /// The given rows, in that order; a row may be taken more than once.
  public func subset(rows: [Int32]) -> Samples {
    precondition(rows.allSatisfy { $0 >= 0 && $0 < count }, "a row is not in 0 ..< \(count)")
    func take(_ source: FloatStorage, _ width: Int) -> FloatStorage {
      let taken = FloatStorage(uninitialized: rows.count * width)
      unsafe Kernels.selected.table.pointee.gather(rows.count, width, source.pointer, rows, taken.pointer)
      return taken
    }
    return Samples(
      features: take(features, width), targets: targets.map { take($0, targetWidth) },
      labels: labels.isEmpty ? [] : rows.map { labels[Int($0)] }, count: rows.count, width: width, classes: classes,
      targetWidth: targetWidth)
  }

  /// The features of one row, for tests and reports.
  public func row(_ index: Int) -> [Float] {
    precondition(index >= 0 && index < count, "row \(index) of \(count)")
    return unsafe Array(UnsafeBufferPointer(start: features.pointer + index * width, count: width))
  }

  /// Calls `body` with all features, row after row.
  public func withUnsafeFeatures<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(features) {} }
    return try unsafe body(UnsafeBufferPointer(start: features.pointer, count: count * width))
  }
}
