public import MurmurCompute
public import MurmurMachines
public import MurmurSplit

/// What came of a question.
public struct SplitAnswers: Sendable {
  /// Each device's own answer; `nil` where it gave none.
  public var own: [Matrix?]
  /// What who asked concluded, and of how many devices.
  public var concluded: (answer: Matrix, devices: Int)?
  /// The faults that were drawn for the samples.
  public var masks: DrillMasks
  /// Virtual time from the question to the conclusion.
  public var time: Instant.Span
}

extension SplitWorld {
  /// Asks a device, and lets the world go on until nothing happens any more.
  public mutating func ask(_ device: Int = 0, rows: [Int32], drill: Drill = Drill()) -> SplitAnswers {
    announced = []
    isCollecting = true
    let begun = now
    step(device, .asked(rows, drill))
    var (own, concluded, time) = ([Matrix?](repeating: nil, count: plan.devices), (Matrix, Int)?.none, Instant.Span.zero)
    run()
    isCollecting = false
    var moment: Moment?
    for (number, event, at) in announced {
      switch event {
      case .answered(let of, let values):
        own[number] = values
        moment = of
      case .concluded(_, let values, let devices):
        concluded = (values, devices)
        time = at - begun
      default: break
      }
    }
    announced = []
    var query = Query(origin: device, number: 0, rows: rows, drill: drill)
    if case .query(let origin, let number)? = moment { (query.origin, query.number) = (origin, number) }
    return SplitAnswers(own: own, concluded: concluded, masks: SplitDevice.trialMasks(plan, query), time: time)
  }
}
