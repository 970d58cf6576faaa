/// Horizontal bars, one or several for each category, with the value written at the end of each.
public struct BarChart: Hashable, Sendable {
  /// What the bars measure.
  public var axis: Axis
  /// What the bars of each category stand for; one entry for plain bars.
  public var series: [Series]
  /// The categories from top to bottom.
  public var categories: [Category]
  /// Values to compare with, drawn across all bars.
  public var references: [LineChart.Reference]

  /// A chart of the given bars.
  public init(axis: Axis, series: [Series], categories: [Category], references: [LineChart.Reference] = []) {
    self.axis = axis
    self.series = series
    self.categories = categories
    self.references = references
  }

  /// What one bar of each category stands for.
  public struct Series: Hashable, Sendable {
    /// Its name in the legend.
    public var name: String
    /// Its colour.
    public var tint: Tint

    /// A named series.
    public init(_ name: String, tint: Tint) {
      self.name = name
      self.tint = tint
    }
  }

  /// One group of bars.
  public struct Category: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// The bars' lengths, one for each series; `nil` where there is nothing to show.
    public var values: [Double?]

    /// A named group of bars.
    public init(_ name: String, _ values: [Double?]) {
      self.name = name
      self.values = values
    }
  }
}
