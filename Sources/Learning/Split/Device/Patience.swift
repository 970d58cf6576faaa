public import MurmurMachines

/// How long to wait for a message, learnt from how long earlier ones took: mean and mean deviation, as TCP learns its timeout
/// (Jacobson, 1988; RFC 6298).
public struct Patience: Sendable, Hashable {
  private var mean = 0.0
  private var deviation = 0.0
  private var isFresh = true

  /// Nothing was learnt yet.
  public init() {}

  /// A message came `lag` after it could first be used; late ones count, or the wait would never grow.
  public mutating func learn(_ lag: Instant.Span) {
    let value = max(0, lag.seconds)
    guard !isFresh else {
      (mean, deviation, isFresh) = (value, value / 2, false)
      return
    }
    deviation += (abs(value - mean) - deviation) / 8
    mean += (value - mean) / 16
  }

  /// How long to wait; or after how long to ask again, in the middle of the time that is left to what is later than usual.
  public func span(_ timing: SplitTiming, isPoll: Bool = false) -> Instant.Span {
    let share = isPoll ? 0.5 : 1
    return isFresh ? timing.longest * share : min(.seconds(mean + margin(timing) * share), timing.longest)
  }

  private func margin(_ timing: SplitTiming) -> Double { max(timing.deviations * deviation, timing.shortest.seconds) }
}

/// The patience with every neighbour at every stage, forward (by the stage that reads; the last waits for a summed answer) and back.
struct PatienceTable {
  var forward: [[Patience]]
  var backward: [[Patience]]

  init(stages: Int, neighbours: Int) {
    forward = Array(repeating: Array(repeating: Patience(), count: neighbours), count: stages + 1)
    backward = Array(repeating: Array(repeating: Patience(), count: neighbours), count: stages)
  }
}
