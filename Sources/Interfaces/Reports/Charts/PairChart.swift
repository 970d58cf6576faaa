/// Before and after for each of many: pairs side by side in the order of their first value, joined by a stem.
public struct PairChart: Hashable, Sendable {
  /// What is measured.
  public var axis: Axis
  /// What the pairs are, e.g. `peers, the weakest alone first`.
  public var label: String
  /// What the first value of each pair is, and its colour.
  public var first: BarChart.Series
  /// What the second value of each pair is, and its colour.
  public var second: BarChart.Series
  /// The pairs, in any order.
  public var pairs: [Pair]
  /// Values to compare with.
  public var references: [LineChart.Reference]

  /// A chart of the given pairs.
  public init(
    axis: Axis, label: String, first: BarChart.Series, second: BarChart.Series, pairs: [Pair],
    references: [LineChart.Reference] = []
  ) {
    self.axis = axis
    self.label = label
    self.first = first
    self.second = second
    self.pairs = pairs
    self.references = references
  }

  /// One pair.
  public struct Pair: Hashable, Sendable {
    /// Whose it is.
    public var name: String
    /// The first value.
    public var first: Double
    /// The second value.
    public var second: Double

    /// A named pair.
    public init(_ name: String, _ first: Double, _ second: Double) {
      self.name = name
      self.first = first
      self.second = second
    }
  }
}
