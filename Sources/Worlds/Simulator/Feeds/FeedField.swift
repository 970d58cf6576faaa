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

  /// The rows of a message, scaled, and where each stands in its stream; rows without a known class, or of another width, are left out and counted.
  func read(_ message: FeedRows) -> (samples: Samples?, places: [UInt64], refused: Int) {
    let columns = message.sensor.columns
    // By name where the sensor names all columns, by position otherwise: the label last.
    let places = names.compactMap { columns.firstIndex(of: $0) }
    let isNamed = places.count == names.count
    let target = (label ?? "label")
    let labelPlace = isNamed ? columns.firstIndex(of: target) ?? columns.count - 1 : names.count
    let order = isNamed ? places : Array(0..<names.count)
    var (features, labels, numbers, refused): ([Float], [Int32], [UInt64], Int) = ([], [], [], 0)
    for (index, row) in message.rows.enumerated() {
      guard row.fields.count > labelPlace, row.fields.count > order.max() ?? 0,
        let label = classes[row.fields[labelPlace].trimmed]
      else {
        refused += 1
        continue
      }
      features += order.map { Float(row.fields[$0].trimmed) ?? .nan }
      labels.append(label)
      numbers.append(message.first + UInt64(index))
    }
    guard !labels.isEmpty else { return (nil, [], refused) }
    let samples = scale.apply(to: Samples(features: features, width: width, labels: labels, classes: classCount))
    return (samples, numbers, refused)
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
