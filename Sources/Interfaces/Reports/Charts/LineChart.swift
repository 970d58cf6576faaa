/// Lines over a common axis, each with an optional band around it, and horizontal reference lines.
public struct LineChart: Hashable, Sendable {
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// The lines, the most important first.
  public var lines: [Line]
  /// Values to compare with, drawn across the whole width and named in place.
  public var references: [Reference]

  /// A chart of the given lines.
  public init(x: Axis = .time, y: Axis, lines: [Line], references: [Reference] = []) {
    self.x = x
    self.y = y
    self.lines = lines
    self.references = references
  }

  /// One line.
  public struct Line: Hashable, Sendable {
    /// Its name in the legend.
    public var name: String
    /// Its points from left to right. Points that are not finite break the line.
    public var points: [Point]
    /// The band around it.
    public var band: Band?
    /// Its colour.
    public var tint: Tint
    /// How points are joined.
    public var style: Style

    /// A line through the given points.
    public init(_ name: String, points: [Point], band: Band? = nil, tint: Tint, style: Style = .straight) {
      self.name = name
      self.points = points
      self.band = band
      self.tint = tint
      self.style = style
    }
  }

  /// How points are joined.
  public enum Style: Hashable, Sendable {
    /// By straight lines.
    case straight
    /// A value holds until the next point.
    case steps
    /// By a dashed line.
    case dashed
    /// Not at all: a dot for each.
    case dots
  }

  /// The area between a lower and an upper border.
  public struct Band: Hashable, Sendable {
    /// What it shows, for the legend, e.g. `lowest to highest peer`.
    public var name: String
    /// The lower border, from left to right.
    public var lower: [Point]
    /// The upper border, from left to right.
    public var upper: [Point]

    /// The area between two borders.
    public init(_ name: String, lower: [Point], upper: [Point]) {
      self.name = name
      self.lower = lower
      self.upper = upper
    }
  }

  /// A value to compare with.
  public struct Reference: Hashable, Sendable {
    /// What it is, e.g. `central`; its value is written behind it.
    public var name: String
    /// The value.
    public var value: Double
    /// Its colour.
    public var tint: Tint

    /// A named value.
    public init(_ name: String, value: Double, tint: Tint) {
      self.name = name
      self.value = value
      self.tint = tint
    }
  }
}
