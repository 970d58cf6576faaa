/// A point on the time line of one world: nanoseconds since that world began.
///
/// A machine never asks what time it is, it is told: every ``Machine/step(_:at:chance:effects:)`` carries the instant at which the
/// input happened. In the simulator instants are virtual, on a host they come from the monotonic clock; a machine cannot tell.
/// One `Int64` rather than Swift's 128-bit instant, because the simulator compares millions of them a second; it spans 292 years.
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the world's beginning.
  public var nanoseconds: Int64

  /// The instant `nanoseconds` after the world's beginning.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The beginning of the world.
  public static let origin = Instant(nanoseconds: 0)
  /// Later than everything that happens; `never` plus any duration is `never`.
  public static let never = Instant(nanoseconds: .max)

  /// Seconds since the world's beginning, for reports.
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// Whether `left` comes before `right`.
  @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The instant `span` later, saturating at ``never``.
  @inlinable public static func + (left: Instant, span: Span) -> Instant {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(span.nanoseconds)
    return overflow ? .never : Instant(nanoseconds: sum)
  }

  /// The time that passed from `right` to `left`; negative if `left` is earlier.
  @inlinable public static func - (left: Instant, right: Instant) -> Span {
    Span(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }

  /// A length of time, in whole nanoseconds.
  public struct Span: Hashable, Comparable, Sendable {
    /// The length in nanoseconds; may be negative.
    public var nanoseconds: Int64

    /// A span of that many nanoseconds.
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    /// A span of that many seconds, rounded to nanoseconds; saturates at ±292 years, and is zero for NaN.
    @inlinable public init(seconds: Double) {
      let value = (seconds * 1e9).rounded()
      self.nanoseconds = value.isNaN ? 0 : value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)
    }

    /// No time at all.
    public static let zero = Span(nanoseconds: 0)
    /// That many seconds.
    @inlinable public static func seconds(_ count: Double) -> Span { Span(seconds: count) }
    /// That many milliseconds.
    @inlinable public static func milliseconds(_ count: Double) -> Span { Span(seconds: count / 1_000) }
    /// That many minutes.
    @inlinable public static func minutes(_ count: Double) -> Span { Span(seconds: count * 60) }

    /// The length in seconds.
    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Whether `left` is shorter than `right`.
    @inlinable public static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }
    /// Both spans, one after the other.
    @inlinable public static func + (left: Span, right: Span) -> Span { Span(nanoseconds: left.nanoseconds &+ right.nanoseconds) }
    /// By how much `left` is longer.
    @inlinable public static func - (left: Span, right: Span) -> Span { Span(nanoseconds: left.nanoseconds &- right.nanoseconds) }
    /// The span stretched by `factor`.
    @inlinable public static func * (left: Span, factor: Double) -> Span { Span(seconds: left.seconds * factor) }
  }
}
