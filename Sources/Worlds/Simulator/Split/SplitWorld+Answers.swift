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

  /// Nobody is there to be asked.
  static func none(devices: Int, rows: Int) -> SplitAnswers {
    SplitAnswers(
      own: Array(repeating: nil, count: devices), concluded: nil,
      masks: DrillMasks(Drill(), devices: devices, rows: rows, chance: Chance(seed: 0)), time: .zero)
  }
}

extension SplitWorld {
  /// Asks a device, and lets the world go on until nothing happens any more; where devices and links come and go meanwhile, until there is an
  /// answer, or the time for one is over.
  public mutating func ask(_ device: Int = 0, rows: [Int32], drill: Drill = Drill()) -> SplitAnswers {
    announced = []
    isCollecting = true
    let begun = now
    step(device, .asked(rows, drill))
    var (own, concluded, time) = ([Matrix?](repeating: nil, count: plan.devices), (Matrix, Int)?.none, Instant.Span.zero)
    let question = Moment.query(origin: device, number: nodes[device].device.questionsAsked)
    if isLive { pass(until: begun + plan.inference.deadline, orAnswerTo: question) } else { run() }
    isCollecting = false
    for (number, event, at) in announced {
      switch event {
      case .answered(question, let values): own[number] = values
      case .concluded(question, let values, let devices):
        concluded = (values, devices)
        time = at - begun
      default: break
      }
    }
    if concluded == nil { time = now - begun }
    announced = []
    let query = Query(origin: device, number: nodes[device].device.questionsAsked, rows: rows, drill: drill)
    return SplitAnswers(own: own, concluded: concluded, masks: SplitDevice.trialMasks(plan, query), time: time)
  }
}
