/// One axis of a chart: what it measures, how its numbers are written, and which part of it is shown.
public struct Axis: Hashable, Sendable {
  /// What is measured, with its unit where the numbers do not show it, e.g. `test accuracy`.
  public var label: String
  /// How the numbers are written.
  public var unit: Unit
  /// How values become distances.
  public var scale: Scale
  /// Values that must be in sight even if no point is there, e.g. zero.
  public var includes: [Double]
  /// Values beyond which the axis never goes, e.g. 0…100 for percentages.
  public var limits: ClosedRange<Double>?

  /// An axis that shows all points and everything in `includes`.
  public init(
    _ label: String, unit: Unit = .number, scale: Scale = .linear, includes: [Double] = [], limits: ClosedRange<Double>? = nil
  ) {
    self.label = label
    self.unit = unit
    self.scale = scale
    self.includes = includes
    self.limits = limits
  }

  /// How the numbers of an axis are written.
  public enum Unit: Hashable, Sendable {
    /// Plain numbers.
    case number
    /// Things that are counted, so that there is no mark at a half.
    case whole
    /// Percent, 0…100.
    case percent
    /// Seconds, shown as seconds, minutes, hours or days, whatever suits the length.
    case time
    /// Bytes, in decimal units.
    case bytes
  }

  /// How values become distances.
  public enum Scale: Hashable, Sendable {
    /// Equal differences, equal distances.
    case linear
    /// Equal ratios, equal distances; values at or below zero are left out.
    case logarithmic
  }

  /// Virtual time in seconds.
  public static let time = Axis("virtual time", unit: .time, includes: [0])
}

/// The part of an axis that is shown, with its marks.
package struct Ticks: Hashable, Sendable {
  /// The first and the last value in sight.
  package var range: ClosedRange<Double>
  /// Where the marks stand, in the axis's own numbers.
  package var values: [Double]
  /// What is written at each mark.
  package var labels: [String]
  /// The unit the labels are in, e.g. `hours`; `nil` if they carry it themselves or have none.
  package var unit: String?

  /// Where logarithmic scales end; beyond it doubles lose their digits.
  static let smallest = 1e-290

  /// Marks for `values` on `axis`, at round numbers, about `wanted` of them.
  package init(_ axis: Axis, values: [Double], wanted: Int = 5, exact: Bool = false) {
    let logarithmic = axis.scale == .logarithmic
    let shown = (values + axis.includes).filter { $0.isFinite && (!logarithmic || $0 >= Ticks.smallest) }
    var low = shown.min() ?? (logarithmic ? 1 : 0)
    var high = shown.max() ?? (logarithmic ? 10 : 1)
    if let limits = axis.limits {
      low = min(max(low, limits.lowerBound), limits.upperBound)
      high = min(max(high, limits.lowerBound), limits.upperBound)
    }
    if logarithmic {
      self.init(decadesFrom: low, to: high, unit: axis.unit)
    } else {
      self.init(axis, from: low, to: high, wanted: wanted, exact: exact)
    }
  }

  /// Marks at multiples of a round step.
  private init(_ axis: Axis, from smallest: Double, to largest: Double, wanted: Int, exact: Bool) {
    var (low, high) = (smallest, largest)
    if high - low < abs(high) * 1e-9 || high == low {
      let room = max(abs(high) * 0.05, axis.unit == .percent ? 1 : 0.5)
      (low, high) = axis.includes.contains(low) ? (low, high + 2 * room) : (low - room, high + room)
    }
    let (divisor, unit, steps) = Ticks.units(axis.unit, span: high - low, top: max(abs(low), abs(high)))
    let round = Ticks.step(for: (high - low) / divisor, wanted: wanted, steps: steps)
    let step = (axis.unit == .whole ? max(1, round) : round) * divisor
    let first = exact ? (low / step - 1e-9).rounded(.up) : (low / step + 1e-9).rounded(.down)
    let last = exact ? (high / step + 1e-9).rounded(.down) : (high / step - 1e-9).rounded(.up)
    range = exact ? low...high : min(first * step, low)...max(last * step, high)
    if let limits = axis.limits, !exact {
      range = max(range.lowerBound, min(limits.lowerBound, low))...min(range.upperBound, max(limits.upperBound, high))
    }
    let count = max(0, min(40, Int(last - first)))
    let inside = range
    self.values = (0...count).map { (first + Double($0)) * step }
      .filter { $0 >= inside.lowerBound - step * 1e-6 && $0 <= inside.upperBound + step * 1e-6 }
    let places = Ticks.places(step / divisor)
    labels = self.values.map { value in
      (value == 0 ? "0" : Numerals.decimal(value / divisor, places: places)) + (axis.unit == .percent ? " %" : "")
    }
    self.unit = unit
  }

  /// Marks at powers of ten, and at 2 and 5 times them where there are few powers.
  private init(decadesFrom low: Double, to high: Double, unit: Axis.Unit) {
    var power = 1.0
    while power > low * (1 + 1e-9), power > 1e-300 { power /= 10 }
    while power * 10 <= low * (1 + 1e-9) { power *= 10 }
    let bottom = power
    var decades = 0
    while power < high * (1 - 1e-9), decades < 700 {
      power *= 10
      decades += 1
    }
    if decades == 0 { (power, decades) = (bottom * 10, 1) }
    range = bottom...power
    let factors: [Double] = decades <= 2 ? [1, 2, 5] : [1]
    let stride = max(1, (decades + 5) / 6)
    var marks: [Double] = []
    var mark = bottom
    for decade in 0...decades {
      if decade % stride == 0 { marks += factors.map { $0 * mark }.filter { $0 <= power * (1 + 1e-9) } }
      mark *= 10
    }
    values = marks
    labels = marks.map { value in
      switch unit {
      case .bytes: Numerals.bytes(value)
      case .time: Numerals.duration(value)
      case .percent: Numerals.trimmed(value, places: 6) + " %"
      case .number, .whole: Numerals.trimmed(value, places: 6)
      }
    }
    self.unit = nil
  }

  /// How many of the axis's own units make one of those shown, what they are called, and which steps look round in them.
  private static func units(_ unit: Axis.Unit, span: Double, top: Double) -> (Double, String?, [Double]) {
    let decimal: [Double] = [1, 2, 5, 10]
    switch unit {
    case .number, .percent, .whole: return (1, nil, decimal)
    case .time:
      let sixties: [Double] = [1, 2, 5, 10, 15, 20, 30, 60, 120]
      if top <= 180 { return (1, "seconds", span >= 4 ? sixties : decimal) }
      if top <= 300 * 60 { return (60, "minutes", span >= 240 ? sixties : decimal) }
      if top <= 72 * 3600 { return (3600, "hours", span >= 4 * 3600 ? [1, 2, 3, 4, 6, 12, 24] : decimal) }
      return (86400, "days", decimal)
    case .bytes:
      var divisor = 1.0
      for name in ["bytes", "kB", "MB", "GB", "TB"] {
        if top < divisor * 1000 || name == "TB" { return (divisor, name, decimal) }
        divisor *= 1000
      }
      return (divisor, nil, decimal)
    }
  }

  /// The round step that divides `span` into at most `wanted` parts: one of four mantissas times a power of ten, or, where there are
  /// more than four, one of those lengths as it is.
  package static func step(for span: Double, wanted: Int, steps: [Double] = [1, 2, 5, 10]) -> Double {
    guard span.isFinite, span > 0, wanted > 0 else { return 1 }
    let rough = span / Double(wanted)
    if steps.count != 4 { return steps.first { $0 >= rough * (1 - 1e-9) } ?? rough.rounded(.up) }
    var power = 1.0
    while power > rough, power > 1e-300 { power /= 10 }
    while power * 10 <= rough, power < 1e300 { power *= 10 }
    return (steps.first { $0 * power >= rough * (1 - 1e-9) } ?? 10) * power
  }

  /// How many digits after the point a multiple of `step` needs.
  private static func places(_ step: Double) -> Int {
    var places = 0
    var scaled = step
    while places < 9, abs(scaled - scaled.rounded()) > 1e-6 * max(scaled, 1e-6) {
      scaled *= 10
      places += 1
    }
    return places
  }

  /// Where `value` lies between the first value in sight (0) and the last (1); `nil` if the scale has no place for it.
  package func position(_ value: Double, _ scale: Axis.Scale) -> Double? {
    guard value.isFinite else { return nil }
    switch scale {
    case .linear: return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic:
      guard value >= Ticks.smallest else { return nil }
      let bottom = Logarithm.of(range.lowerBound)
      return (Logarithm.of(value) - bottom) / (Logarithm.of(range.upperBound) - bottom)
    }
  }
}

/// The logarithm, which the standard library does not have.
package enum Logarithm {
  /// The binary logarithm of a positive number, to better than 1e-12.
  package static func of(_ value: Double) -> Double {
    var fraction = value.significand
    let exponent = Double(value.exponent)
    // log2(m) for m in 1..<2 by the area tangent series: ln m = 2 artanh((m − 1) / (m + 1)).
    if fraction > 1.414_213_562_373_095_1 { fraction /= 2 }
    let shifted = fraction == value.significand ? 0.0 : 1.0
    let z = (fraction - 1) / (fraction + 1)
    let square = z * z
    var term = z
    var sum = 0.0
    for odd in stride(from: 1.0, through: 25, by: 2) {
      sum += term / odd
      term *= square
    }
    return exponent + shifted + 2 * sum * 1.442_695_040_888_963_4
  }
}
