/// How a quantity is spread over peers (or blocks, or seeds): its mean, standard deviation and extremes.
public struct Distribution: Hashable, Sendable {
  /// The arithmetic mean.
  public var mean: Double
  /// The population standard deviation (divided by the count, not by the count less one).
  public var deviation: Double
  /// The smallest value.
  public var minimum: Double
  /// The largest value.
  public var maximum: Double

  /// A distribution that was computed elsewhere.
  public init(mean: Double, deviation: Double, minimum: Double, maximum: Double) {
    self.mean = mean
    self.deviation = deviation
    self.minimum = minimum
    self.maximum = maximum
  }

  /// The distribution of `values`, summed in their order; `nil` if there are none. Values that are not finite are left out.
  public init?(of values: some Sequence<Double>) {
    let finite = values.filter(\.isFinite)
    guard let first = finite.first else { return nil }
    let count = Double(finite.count)
    let mean = finite.reduce(0, +) / count
    let squares = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(
      mean: mean, deviation: (squares / count).squareRoot(), minimum: finite.reduce(first, min),
      maximum: finite.reduce(first, max))
  }

  /// Largest less smallest value: what LEARNAE calls the spread.
  public var spread: Double { maximum - minimum }
}
