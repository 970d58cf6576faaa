package import MurmurCompute

/// What of a device's memory its next work will look at, asked for in rounds: each asks for what that of the round before points to.
///
/// For worlds that hold many devices and know which of them has work next. See ``Nearing``. All is mutating, though nothing changes: Swift
/// may copy a value to call what is not, and a copy of a list's element looks at all that the element points to.
extension SplitDevice {
  /// How many rounds there are.
  package static let nearingRounds = 4

  /// What the device knows of which rows of messages it will use; for after the second round.
  package mutating func rowsInUse() -> RowsInUse {
    RowsInUse(
      masks: next.flatMap { flights[$0.flight].masks }, neighbours: neighbours, links: links, stages: plan.stages.count)
  }

  /// Which rows of messages a device will use.
  package struct RowsInUse {
    fileprivate let masks: DrawnMasks?
    fileprivate let neighbours: [Int]
    fileprivate let links: [DrawnMasks.Link]
    fileprivate let stages: Int

    /// The rows of a neighbour's outputs of a stage, or of the gradients by those of the device.
    package func of(_ stage: Int, isGradient: Bool, from neighbour: Int) -> RowMask {
      guard let masks, (0..<stages).contains(stage), let place = neighbours.firstIndex(of: neighbour) else { return .all }
      return masks.known(links[place], stage: stage + 1, returns: isGradient)
    }
  }

  /// Asks for what one round is about; the device itself must be near, and the rounds before it done. With `isOwn`, for what is the device's
  /// own alone, which lies in no cache even where devices are visited along a walk and messages do.
  package mutating func near(_ round: Int, isOwn: Bool = false) {
    guard round > 0 else { return nearLists() }
    guard let (index, stages, learns) = next else { return }
    switch round {
    case 1:
      flights[index].nearLists(stages)
      nearPatience(flights[index].phase)
      if !isOwn { flights[index].masks?.near(&links, stages) }
      for stage in stages { units[stage].nearHeads(learns: learns) }
    case 2:
      if !isOwn { flights[index].nearHeads(stages) }
      for stage in stages { units[stage].nearNumbers(learns: learns) }
    default: if !isOwn { flights[index].nearNumbers(stages, links) }
    }
    if stages.lowerBound == 0, !isOwn { nearEnd(round) }
  }

  /// With the first stage a step ends: the oldest outputs are let go of, and the next step reads features.
  private mutating func nearEnd(_ round: Int) {
    switch round {
    case 1:
      kept.near(1)
      rows.features.nearHead()
    case 2:
      if kept.count >= plan.timing.kept { kept[0].outputs.near(plan.stages.count) }
      if rows.features.count <= SplitDevice.fewNumbers { rows.features.near(.all) }
    default:
      guard kept.count >= plan.timing.kept else { return }
      for index in kept[0].outputs.indices { kept[0].outputs[index].nearHead() }
    }
  }

  /// Features of which all are asked for, as the rows that are wanted lie all over them.
  private static let fewNumbers = 1_024

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
    case .backward(let stage): trainingPatience.near(backward: max(0, stage - 1))
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
    for stage in max(0, range.lowerBound - 1)...range.upperBound {
      stages[stage].output?.nearHead()
      stages[stage].record?.nearLists(neighbours + 2)
    }
  }

  /// Asks for what was sent and is used, or used again, at some stages.
  mutating func nearNumbers(_ range: ClosedRange<Int>, _ links: [DrawnMasks.Link]) {
    for stage in max(0, range.lowerBound - 1)...range.upperBound {
      for place in 0..<neighbours {
        let index = stage * neighbours + place
        exchanges[index].outputs?.near(masks?.known(links[place], stage: stage + 1, returns: false) ?? .all)
        exchanges[index].gradient?.near(masks?.known(links[place], stage: stage + 1, returns: true) ?? .all)
      }
      stages[stage].output?.near(.all)
    }
  }
}
