/// A picture with what must be said beside it.
public struct Figure: Hashable, Sendable {
  /// What is shown, as a short heading.
  public var title: String
  /// What to see in it, in a sentence or two; empty if the heading says it all.
  public var caption: String
  /// The picture.
  public var chart: Chart

  /// A picture under a heading.
  public init(_ title: String, caption: String = "", chart: Chart) {
    self.title = title
    self.caption = caption
    self.chart = chart
  }
}

/// One of the pictures this module draws.
public enum Chart: Hashable, Sendable {
  case line(LineChart)
  case bar(BarChart)
  case pairs(PairChart)
  case pictures(PictureChart)

  /// The picture as an SVG element that stands alone: title and description inside, colours from CSS variables with fallbacks.
  ///
  /// - Parameters:
  ///   - identifier: distinguishes the picture's internal names from those of other pictures on one page: letters, digits, hyphens.
  ///   - title: what a screen reader says first.
  ///   - description: what a screen reader says next.
  ///   - width: the width in units; text is 12 units high, so give about the number of CSS pixels it will be shown at.
  ///   - height: the height in units; `nil` for what suits the chart.
  /// - Returns: one `svg` element.
  public func svg(identifier: String, title: String, description: String = "", width: Double = 380, height: Double? = nil)
    -> String
  {
    switch self {
    case .line(let chart): chart.drawn(identifier, title, description, width, height ?? width * 0.66).text
    case .bar(let chart): chart.drawn(identifier, title, description, width).text
    case .pairs(let chart): chart.drawn(identifier, title, description, width, height ?? width * 0.66).text
    case .pictures(let chart): chart.drawn(identifier, title, description, width).text
    }
  }
}

/// A place in a chart's own numbers.
public struct Point: Hashable, Sendable {
  /// To the right.
  public var x: Double
  /// Upwards.
  public var y: Double

  /// The point at `x`, `y`.
  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// One of eight colours that people with any colour vision tell apart, in light and in dark; beyond eight they repeat.
public struct Tint: Hashable, Sendable {
  /// The colour's place in the palette, from 0.
  public var index: Int

  /// The colour at that place; any whole number will do.
  public init(_ index: Int) { self.index = ((index % 8) + 8) % 8 }

  /// The colour that stands for peers that learn together.
  public static let together = Tint(0)
  /// The colour that stands for peers that learn alone.
  public static let alone = Tint(1)
  /// The colour that stands for one model trained on all rows.
  public static let central = Tint(2)
}
