import MurmurCompute

/// What of a device's memory its next work will look at, asked for in rounds: each asks for what that of the round before points to.
///
/// For worlds that hold many devices and know which of them has work next. See ``Nearing``. All is mutating, though nothing changes: Swift
/// may copy a value to call what is not, and a copy of a list's element looks at all that the element points to.
extension SplitDevice {
  /// How many rounds there are.
  public static let nearingRounds = 4

  /// Asks for what one round is about; the device itself must be near, and the rounds before it done.
  public mutating func near(_ round: Int) {
    guard round > 0 else { return nearLists() }
    guard let (index, stages, learns) = next else { return }
    switch round {
    case 1:
      flights[index].nearLists(stages)
      nearPatience(flights[index].phase)
      for stage in stages { units[stage].nearHeads(learns: learns) }
    case 2:
      flights[index].nearHeads(stages)
      for stage in stages { units[stage].nearNumbers(learns: learns) }
    default: flights[index].nearNumbers(stages)
    }
  }

  private mutating func nearLists() {
    flights.near(2)
    units.near(plan.stages.count)
    neighbours.near(degree)
    links.near(degree)
    company.near(degree)
  }

  private mutating func nearPatience(_ phase: Flight.Phase) {
    switch phase {
    case .forward(let stage): trainingPatience.near(forward: stage)
    case .backward(let stage): trainingPatience.near(backward: stage)
    case .ahead, .summing, .done: return
    }
  }

  /// The pass that is waited for, and the stages it will compute, or learn at, before it waits again.
  private var next: (flight: Int, stages: ClosedRange<Int>, learns: Bool)? {
    mutating get {
      guard let index = flights.indices.first(where: { flights[$0].waiting != nil && !flights[$0].isExpired }) else { return nil }
      let last = plan.stages.count - 1
      switch flights[index].phase {
      case .forward(let stage) where stage <= last:
        var end = stage
        while end < last, plan.stages[end + 1].reads != .neighbours { end += 1 }
        return (index, stage...end, end == last)
      case .backward(let stage):
        var begin = stage
        while begin > 0, !plan.returnsGradients(begin - 1) { begin -= 1 }
        return (index, begin...stage, true)
      case .forward, .ahead, .summing, .done: return nil
      }
    }
  }
}

extension Flight {
  /// Asks for what is known of some stages.
  mutating func nearLists(_ range: ClosedRange<Int>) {
    let first = max(0, range.lowerBound - 1)
    exchanges.near((range.upperBound + 1 - first) * neighbours, from: first * neighbours)
    stages.near(range.upperBound + 2)
  }

  /// Asks for what says where that lies which was sent and is used, or used again, at some stages.
  mutating func nearHeads(_ range: ClosedRange<Int>) {
    for index in max(0, range.lowerBound - 1) * neighbours..<(range.upperBound + 1) * neighbours {
      exchanges[index].outputs?.nearHead()
      exchanges[index].gradient?.nearHead()
    }
    for stage in max(0, range.lowerBound - 1)...range.upperBound { stages[stage].output?.nearHead() }
  }

  /// Asks for what was sent and is used, or used again, at some stages.
  mutating func nearNumbers(_ range: ClosedRange<Int>) {
    for index in max(0, range.lowerBound - 1) * neighbours..<(range.upperBound + 1) * neighbours {
      exchanges[index].outputs?.nearNumbers()
      exchanges[index].gradient?.nearNumbers()
    }
    for stage in max(0, range.lowerBound - 1)...range.upperBound { stages[stage].output?.nearNumbers() }
  }
}
