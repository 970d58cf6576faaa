public import MurmurMachines

/// When a device last ended a step, and the longest time it took from one to the next.
public struct SplitPause: Sendable, Hashable {
  /// When it last ended one.
  public var last = Instant.origin
  /// The longest time.
  public var longest = Instant.Span.zero

  /// A step ended.
  mutating func note(_ time: Instant) {
    if last > .origin { longest = max(longest, time - last) }
    last = time
  }
}
