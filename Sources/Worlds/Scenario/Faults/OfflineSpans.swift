public import MurmurMachines

/// When one peer is offline because of one fault: spans in order, none touching the next.
public struct OfflineSpans: IteratorProtocol, Sequence, Sendable {
  private enum Pattern: Sendable {
    case redrawn(probability: Double, cycle: Instant.Span, duration: Instant.Span, draw: Int)
    case onOff(on: Instant.Span, off: Instant.Span, clock: Instant)
  }

  private var pattern: Pattern
  private var chance: Chance
  private let end: Instant

  /// Redrawn every `cycle` with `probability`, offline for `duration` each time.
  init(
    redrawn probability: Double, every cycle: Instant.Span, for duration: Instant.Span, until length: Instant.Span, chance: Chance
  ) {
    // A session squeezed into seconds has cycles of milliseconds, and its faults keep step; what bounds the work is the number of draws.
    let least = Swift.min(Fault.shortestCycle, Swift.max(.milliseconds(1), length * 1e-6))
    pattern = .redrawn(probability: probability, cycle: Swift.max(cycle, least), duration: duration, draw: 0)
    self.chance = chance
    end = .origin + length
  }

  /// On and off, exponentially distributed with these means.
  init(on: Instant.Span, off: Instant.Span, until length: Instant.Span, chance: Chance) {
    self.chance = chance
    let isOn = self.chance.happens(on.seconds / (on.seconds + off.seconds))
    let (on, off) = (Swift.max(on, Fault.shortestCycle), Swift.max(off, Fault.shortestCycle))
    pattern = .onOff(on: on, off: off, clock: isOn ? .origin + .seconds(self.chance.exponential(mean: on.seconds)) : .origin)
    end = .origin + length
  }

  /// The next span; the last may reach past the session's end.
  public mutating func next() -> Range<Instant>? {
    switch pattern {
    case .redrawn(let probability, let cycle, let duration, var draw):
      defer { pattern = .redrawn(probability: probability, cycle: cycle, duration: duration, draw: draw) }
      return redrawn(probability, cycle, duration, &draw)
    case .onOff(let on, let off, let clock):
      guard clock < end else { return nil }
      let back = clock + Swift.max(.seconds(chance.exponential(mean: off.seconds)), Instant.Span(nanoseconds: 1))
      let away = back + Swift.max(.seconds(chance.exponential(mean: on.seconds)), Instant.Span(nanoseconds: 1))
      pattern = .onOff(on: on, off: off, clock: away)
      return clock..<back
    }
  }

  /// The first draw from `draw` on that says offline, joined with those that follow before it is over.
  private func redrawn(
    _ probability: Double, _ cycle: Instant.Span, _ duration: Instant.Span, _ draw: inout Int
  ) -> Range<Instant>? {
    guard probability > 0, duration > .zero else { return nil }
    var span: Range<Instant>?
    while true {
      let start = Instant(nanoseconds: cycle.nanoseconds * Int64(draw))
      guard start < end, span.map({ start <= $0.upperBound }) ?? true else { return span }
      var own = chance.fork("draw", draw)
      draw += 1
      if own.happens(probability) { span = (span?.lowerBound ?? start)..<(start + duration) }
    }
  }
}

extension Fault {
  /// The shortest time a file may give; nothing is redrawn more often in a long session, so that a forecast stays finite work.
  static let shortestCycle = Instant.Span.seconds(1)
}
