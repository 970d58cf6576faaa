/// Mean, spread and standard deviation of some figures.
public struct Statistics: Sendable, Hashable {
  /// How many figures there are.
  public var count = 0
  /// Their mean; 0 if there are none.
  public var mean = 0.0
  /// The least of them.
  public var least = 0.0
  /// The greatest of them.
  public var greatest = 0.0
  /// Their standard deviation (of the population).
  public var deviation = 0.0

  /// Greatest minus least, what LEARNAE calls spread.
  public var spread: Double { greatest - least }

  /// The statistics of `values`.
  public init(_ values: [Double]) {
    guard let first = values.first else { return }
    count = values.count
    mean = values.reduce(0, +) / Double(count)
    least = values.reduce(first, min)
    greatest = values.reduce(first, max)
    let center = mean
    deviation = (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(count)).squareRoot()
  }
}
