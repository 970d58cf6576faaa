public import MurmurCompute

/// Rows to learn from, with the names of what they hold.
///
/// Features are as the file gives them (``Standardisation`` makes them fit for training); a missing value is a NaN.
public struct Dataset: Sendable {
  /// The name under which it was asked for.
  public var name: String
  /// The rows; without classes where the data set has no label column.
  public var samples: Samples
  /// One name per feature.
  public var featureNames: [String]
  /// One name per class, in the order of the labels.
  public var classNames: [String]
  /// The group of each row, e.g. who wrote the digit; `nil` without groups.
  public var groups: [Int32]?
  /// One name per group.
  public var groupNames: [String]
  /// The rows from here on are the official test set; `nil` where there is none.
  public var testFrom: Int?
  /// What shape a row of features has as an image; `nil` for tables.
  public var imageShape: ImageShape?
  /// How many features are missing (NaN).
  public var missing: Int
  /// The licence as stated by the source, and whom to name; empty where unknown.
  public var licence: String

  /// Height, width and channels of an image whose numbers are one row of features.
  public struct ImageShape: Hashable, Sendable {
    /// Rows of pixels.
    public var height: Int
    /// Pixels in a row.
    public var width: Int
    /// Numbers per pixel.
    public var channels: Int

    /// The shape `height` × `width` × `channels`.
    public init(height: Int, width: Int, channels: Int = 1) {
      self.height = height
      self.width = width
      self.channels = channels
    }
  }

  /// A data set; names that are left out are made up from positions.
  public init(
    name: String, samples: Samples, featureNames: [String]? = nil, classNames: [String]? = nil, groups: [Int32]? = nil,
    groupNames: [String] = [], testFrom: Int? = nil, imageShape: ImageShape? = nil, missing: Int = 0, licence: String = ""
  ) {
    precondition(groups.map { $0.count == samples.count } ?? true, "\(groups?.count ?? 0) groups for \(samples.count) rows")
    precondition(testFrom.map { $0 >= 0 && $0 <= samples.count } ?? true, "a test set from row \(testFrom ?? 0) on")
    self.name = name
    self.samples = samples
    self.featureNames = featureNames ?? (0..<samples.width).map { "f\($0)" }
    self.classNames = classNames ?? (0..<samples.classes).map(String.init)
    self.groups = groups
    self.groupNames = groupNames
    self.testFrom = testFrom
    self.imageShape = imageShape
    self.missing = missing
    self.licence = licence
  }

  /// How many rows there are.
  public var count: Int { samples.count }
}
