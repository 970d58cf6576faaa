import MurmurCollective
import MurmurCompute
public import MurmurDatasets
import MurmurFeeds
import MurmurMachines
import MurmurStreams

/// How the rows of streams become rows to learn from: which column is which feature, which the label, and the scale that all peers share.
public struct FeedField: Sendable {
  private let names: [String]
  private let classes: [String: Int32]
  private let label: String?
  private let scale: Standardisation
  /// The greatest scaled number that is learnt from: one of these among thousands of rows and a model is gone.
  static let most: Float = 1e6
  /// Features of a row.
  public let width: Int
  /// Classes that are told apart.
  public let classCount: Int

  /// The field of a data set: its names, its classes, and a scale fitted on it.
  public init(_ dataset: Dataset, label: String?, scale: Standardisation) {
    names = dataset.featureNames
    self.label = label
    classes = Dictionary(dataset.classNames.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    self.scale = scale
    width = dataset.samples.width
    classCount = dataset.samples.classes
  }

  /// The columns a sensor of this field names.
  public var columns: [String] { names + [label ?? "label"] }

  /// A row of the data set as a sensor's CSV line.
  public static func line(_ dataset: Dataset, _ row: Int) -> String {
    let features = dataset.samples.row(row).map { $0.isNaN ? "" : $0 == $0.rounded() && abs($0) < 1e6 ? "\(Int($0))" : "\($0)" }
    return features.joined(separator: ",") + "," + dataset.classNames[Int(dataset.samples.labels[row])]
  }

  /// The rows of a message, scaled, and where each stands in its stream; rows without a known class, of another width, or with a number that
  /// no model can bear are left out and counted.
  func read(_ message: FeedRows) -> (samples: Samples?, places: [UInt64], refused: Int) {
    let columns = message.sensor.columns
    // By name where the sensor names all columns, by position otherwise: the label last.
    let places = names.compactMap { columns.firstIndex(of: $0) }
    let isNamed = places.count == names.count
    let target = (label ?? "label")
    let labelPlace = isNamed ? columns.firstIndex(of: target) ?? columns.count - 1 : names.count
    let order = isNamed ? places : Array(0..<names.count)
    let least = max(labelPlace, order.max() ?? 0)
    var (features, labels, numbers, refused): ([Float], [Int32], [UInt64], Int) = ([], [], [], 0)
    for (index, row) in message.rows.enumerated() {
      guard row.fields.count > least, let label = classes[row.fields[labelPlace].trimmed] else {
        refused += 1
        continue
      }
      // What is no number is missing.
      let raw = order.map { Float(row.fields[$0].trimmed) ?? .nan }
      let scaled = scale.apply(to: Samples(features: raw, width: width, labels: [label], classes: classCount)).row(0)
      guard !raw.contains(where: \.isInfinite), !scaled.contains(where: { abs($0) > FeedField.most }) else {
        refused += 1
        continue
      }
      features += scaled
      labels.append(label)
      numbers.append(message.first + UInt64(index))
    }
    guard !labels.isEmpty else { return (nil, [], refused) }
    return (Samples(features: features, width: width, labels: labels, classes: classCount), numbers, refused)
  }
}

extension String {
  fileprivate var trimmed: String {
    var rest = self[...]
    while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
    while let last = rest.last, last == " " || last == "\t" || last == "\r" { rest = rest.dropLast() }
    return String(rest)
  }
}
