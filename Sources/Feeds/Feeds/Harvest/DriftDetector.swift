import MurmurStreams

/// A change in the level of a sensor's column.
public struct Drift: Hashable, Sendable, CustomStringConvertible {
  /// Which column.
  public var column: String
  /// The mean it was compared with.
  public var before: Double
  /// The mean of the latest rows.
  public var after: Double
  /// Their difference in standard deviations.
  public var deviations: Double

  /// One sentence.
  public var description: String {
    func short(_ value: Double) -> String {
      let scaled = (value * 1_000).rounded() / 1_000
      return "\(scaled)"
    }
    return "column \(column) has drifted from \(short(before)) to \(short(after)), \(short(deviations)) standard deviations"
  }
}

/// Notices when the readings of a sensor are no longer what they were: compares the mean of each column in consecutive windows of rows with
/// that of the first, and reports a difference of more than ``Configuration/deviations`` pooled standard deviations (Cohen's d); then the
/// new level is what later windows are compared with.
///
/// A seasonal series drifts all the time, and is reported so; the report says what changed and by how much, not why.
public struct DriftDetector: Sendable {
  /// How much is a change.
  public struct Configuration: Hashable, Sendable {
    /// Rows of a window.
    public var window = 200
    /// Standard deviations that are reported.
    public var deviations = 1.5
    /// Columns that are watched; of more the first.
    public var columns = 64

    /// The defaults.
    public init() {}
  }

  /// Mean and sum of squared differences of a window (Welford 1962).
  private struct Level: Sendable {
    var count = 0.0
    var mean = 0.0
    var squares = 0.0

    mutating func take(_ value: Double) {
      count += 1
      let difference = value - mean
      mean += difference / count
      squares += difference * (value - mean)
    }

    var variance: Double { count > 1 ? squares / (count - 1) : 0 }
  }

  private let configuration: Configuration
  private var reference: [Level] = []
  private var current: [Level] = []
  private var rows = 0

  /// A detector that has seen nothing.
  public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

  /// Takes a row, and says what has drifted at the end of a window.
  public mutating func take(_ values: [Double?], columns: [String]) -> [Drift] {
    let count = min(values.count, configuration.columns)
    while current.count < count { current.append(Level()) }
    for index in 0..<count { if let value = values[index], value.isFinite { current[index].take(value) } }
    rows += 1
    guard rows == configuration.window else { return [] }
    rows = 0
    defer { current = [] }
    var found: [Drift] = []
    for (index, level) in current.enumerated() where level.count >= Double(configuration.window) / 2 {
      while reference.count <= index { reference.append(Level()) }
      let before = reference[index]
      guard before.count > 0 else {
        reference[index] = level
        continue
      }
      let spread = ((before.variance + level.variance) / 2).squareRoot()
      let difference = level.mean - before.mean
      let deviations = spread > 0 ? difference / spread : difference == 0 ? 0 : .infinity
      guard abs(deviations) > configuration.deviations else { continue }
      let name = index < columns.count ? columns[index].printable : "\(index + 1)"
      found.append(Drift(column: name, before: before.mean, after: level.mean, deviations: deviations))
      reference[index] = level
    }
    return found
  }
}
