import MurmurCompute
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
  private var list: [Patience]
  private let stages: Int
  private let neighbours: Int

  init(stages: Int, neighbours: Int) {
    (self.stages, self.neighbours) = (stages, neighbours)
    list = Array(repeating: Patience(), count: (2 * stages + 1) * neighbours)
  }

  subscript(forward stage: Int, place: Int) -> Patience {
    get { list[stage * neighbours + place] }
    _modify { yield &list[stage * neighbours + place] }
  }

  subscript(backward stage: Int, place: Int) -> Patience {
    get { list[(stages + 1 + stage) * neighbours + place] }
    _modify { yield &list[(stages + 1 + stage) * neighbours + place] }
  }

  /// Fetches what is known of a stage and the next, going forward.
  mutating func near(forward stage: Int) { list.near(2 * neighbours, from: stage * neighbours) }

  /// Fetches what is known of a stage and the one that follows it in the list, going back.
  mutating func near(backward stage: Int) { list.near(2 * neighbours, from: (stages + 1 + stage) * neighbours) }
}
