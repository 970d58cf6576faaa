public import MurmurCompute

/// What one device knows of every sample: its own features, and what is to be learnt, where it is told.
///
/// The same row number is the same sample on every device. The first ``training`` rows are learnt from; all may be asked about.
public struct SplitRows: Sendable {
  /// The device's features, a row per sample.
  public var features: Matrix
  /// Each sample's class; empty without.
  public var labels: [Int32]
  /// Each sample's target row, if there are such; a target that is not a number is not known and not learnt from.
  public var targets: Matrix?
  /// How many rows are learnt from.
  public var training: Int

  /// A device's rows.
  public init(features: Matrix, labels: [Int32] = [], targets: Matrix? = nil, training: Int) {
    precondition(labels.isEmpty || labels.count == features.rows, "\(labels.count) labels for \(features.rows) rows")
    precondition(targets.map { $0.rows == features.rows } ?? true, "target rows for other rows")
    precondition(training <= features.rows, "\(training) of \(features.rows) rows")
    self.features = features
    self.labels = labels
    self.targets = targets
    self.training = training
  }
}
