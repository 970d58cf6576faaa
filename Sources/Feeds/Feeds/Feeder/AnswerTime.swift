import MurmurMachines

/// How long an answer may take before its message or itself is taken for lost: learnt from those that came, as TCP does (RFC 6298).
///
/// Only what was sent once and answered unasked counts (Karn's rule). Where nothing counts the wait doubles, until something does again.
struct AnswerTime: Sendable {
  private var mean: Double?
  private var deviation = 0.0
  private var doublings = 0

  /// An answer came after so long.
  mutating func took(_ span: Instant.Span) {
    let seconds = span.seconds
    if let before = mean {
      deviation += (abs(seconds - before) - deviation) / 4
      mean = before + (seconds - before) / 8
    } else {
      (mean, deviation) = (seconds, seconds / 2)
    }
    doublings = 0
  }

  /// Some answer did not come in time.
  mutating func ranOut() { doublings = min(doublings + 1, 10) }

  /// How long to wait, within bounds; the longest while nothing is known.
  func patience(_ bounds: ClosedRange<Instant.Span>) -> Instant.Span {
    guard let mean else { return bounds.upperBound }
    let seconds = max(mean + 4 * deviation, bounds.lowerBound.seconds) * Double(1 << doublings)
    return min(.seconds(seconds), bounds.upperBound)
  }
}
