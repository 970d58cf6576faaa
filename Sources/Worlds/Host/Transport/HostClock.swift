public import MurmurMachines
public import NIOCore

/// The time of one process as machines see it: nanoseconds of the monotonic clock since the clock was made.
public struct HostClock: Sendable {
  private let start: NIODeadline

  /// A clock that reads ``Instant/origin`` now.
  public init() { start = .now() }

  /// The instant it is.
  public var now: Instant { Instant(nanoseconds: (NIODeadline.now() - start).nanoseconds) }

  /// When `instant` will be, for timers of an event loop.
  public func deadline(_ instant: Instant) -> NIODeadline { start + .nanoseconds(instant.nanoseconds) }
}
