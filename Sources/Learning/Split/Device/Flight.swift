import MurmurCompute
import MurmurMachines

/// One pass through the network, as far as a device is with it.
struct Flight {
  /// Where it is.
  enum Phase: Equatable {
    /// Neighbours are there already, the device is not.
    case ahead
    /// The stage that is computed next.
    case forward(Int)
    /// All outputs are computed; the neighbours' parts of a summed answer are waited for.
    case summing
    /// The stage whose gradient is collected.
    case backward(Int)
    /// Everything is done; what is still to come is late.
    case done
  }

  /// What a stage keeps for the way back: what was read, in one or in parts, and the outputs of its layers.
  struct Record {
    private let whole: Matrix?
    fileprivate(set) var parts: [InputPart]
    fileprivate(set) var outputs: [Matrix]

    init(reading: Reading, outputs: [Matrix]) {
      switch reading {
      case .whole(let input): (whole, parts) = (input, [])
      case .parts(let list): (whole, parts) = (nil, list)
      }
      self.outputs = outputs
    }

    var reading: Reading { whole.map { .whole($0) } ?? .parts(parts) }

    /// What was read, in one; rules that look into it have it so.
    var input: Matrix {
      guard let whole else { preconditionFailure("a reading in parts") }
      return whole
    }

    mutating func nearLists(_ count: Int) {
      parts.near(count)
      outputs.near(1)
    }
  }

  /// What a unit reads.
  enum Reading {
    case whole(Matrix)
    /// The neighbours' outputs as they came, nothing copied.
    case parts([InputPart])
  }

  var moment: Moment
  var phase = Phase.ahead
  var rows: [Int32] = []
  var masks: DrawnMasks?
  let neighbours: Int
  /// For each stage what each neighbour sent, by its place in the list: one line of all, as steps and neighbours are many.
  var exchanges: [Exchange]
  /// Each stage; what is behind the last is for answers that are summed.
  var stages: [Stage]
  /// Stages whose outputs are there.
  private(set) var computed = 0
  /// When the wait of the phase began, how often its timer fired, and when it is to fire next; `nil` before it began.
  var waiting: (since: Instant, fired: Int, due: Instant)?
  /// Whether the wait of the phase is over, whoever is missing.
  var isExpired = false
  /// Whether a wait of any phase ended without a message.
  var hasMissed = false
  var loss = 0.0
  var query: Query?

  /// What one neighbour sent of one stage: whether it did, and what, until it has been used. There may be no gradient.
  struct Exchange {
    var outputs: Matrix?
    var gradient: Matrix?
    var isHeard = false
    var isReturned = false
  }

  struct Stage {
    /// How many neighbours were heard, and how many sent gradients.
    var heard = 0
    var returned = 0
    /// When the stage's wait began, going forward.
    var begun: Instant?
    /// The gradient by this device's outputs, through its own next stage.
    var own: Matrix?
    /// What is handed on.
    var output: Matrix?
    var record: Record?
  }

  init(_ moment: Moment, stages: Int, neighbours: Int) {
    self.moment = moment
    self.neighbours = neighbours
    exchanges = Array(repeating: Exchange(), count: stages * neighbours)
    self.stages = Array(repeating: Stage(), count: stages + 1)
  }

  /// Forgets everything but its room.
  mutating func clear() {
    (phase, masks, query, waiting, computed) = (.ahead, nil, nil, nil, 0)
    (isExpired, hasMissed, loss) = (false, false, 0)
    for index in exchanges.indices { exchanges[index] = Exchange() }
    for index in stages.indices { stages[index] = Stage() }
  }

  /// What a neighbour sent of a stage.
  func heard(_ stage: Int, _ place: Int) -> Matrix? { exchanges[stage * neighbours + place].outputs }

  /// Takes out what a neighbour sent of a stage; that it was heard stays known.
  mutating func takeHeard(_ stage: Int, _ place: Int) -> Matrix? { exchanges[stage * neighbours + place].outputs.take() }

  /// Whether a neighbour's outputs of a stage came.
  func isHeard(_ stage: Int, _ place: Int) -> Bool { exchanges[stage * neighbours + place].isHeard }

  /// How many neighbours' outputs of a stage came.
  func heardCount(_ stage: Int) -> Int { stages[stage].heard }

  /// A neighbour's outputs came.
  mutating func hear(_ stage: Int, _ place: Int, _ values: Matrix) {
    exchanges[stage * neighbours + place].outputs = values
    exchanges[stage * neighbours + place].isHeard = true
    stages[stage].heard += 1
  }

  /// Whether a neighbour said what the gradient by a stage's outputs is, or that there is none.
  func isReturned(_ stage: Int, _ place: Int) -> Bool { exchanges[stage * neighbours + place].isReturned }

  /// How many neighbours said so.
  func returnedCount(_ stage: Int) -> Int { stages[stage].returned }

  /// A neighbour's gradient came.
  mutating func take(_ stage: Int, _ place: Int, _ values: Matrix?) {
    exchanges[stage * neighbours + place].gradient = values
    exchanges[stage * neighbours + place].isReturned = true
    stages[stage].returned += 1
  }

  /// The sum of the gradients by a stage's outputs, those of neighbours over their links and the device's own, which has the place `own`
  /// among them. They are let go of: their memory is at hand now, and is not when the step ends.
  mutating func summedGradients(_ stage: Int, own: Int, _ links: [DrawnMasks.Link]) -> Matrix? {
    var (parts, rows) = ([Matrix](), [RowMask]())
    parts.reserveCapacity(neighbours + 1)
    if masks != nil { rows.reserveCapacity(neighbours + 1) }
    for place in 0...neighbours {
      if place == own, let values = takeOwn(stage) {
        parts.append(values)
        if masks != nil { rows.append(.all) }
      }
      guard place < neighbours, let values = exchanges[stage * neighbours + place].gradient.take() else { continue }
      parts.append(values)
      // Of the other rows the neighbour says zero.
      if let masks { rows.append(masks.returns(links[place], stage: stage + 1)) }
    }
    return masks == nil ? Matrix.sum(parts) : Matrix.sum(parts, rows)
  }

  /// The gradient by this device's outputs of a stage through its own next stage, which is forgotten.
  mutating func takeOwn(_ stage: Int) -> Matrix? { stages[stage].own.take() }

  /// The gradient by this device's outputs of a stage through its own next stage.
  mutating func giveOwn(_ stage: Int, _ values: Matrix?) { stages[stage].own = values }

  /// When the wait for a stage's messages began, going forward.
  func begun(_ stage: Int) -> Instant? { stages[stage].begun }

  /// The wait for a stage's messages begins.
  mutating func begin(_ stage: Int, at now: Instant) { stages[stage].begun = now }

  /// A stage is computed.
  mutating func record(_ reading: Reading, _ outputs: [Matrix], of stage: Int) {
    stages[stage].output = outputs.last
    stages[stage].record = Record(reading: reading, outputs: outputs)
    computed = stage + 1
  }

  /// What the stage keeps for the way back, until it has learnt.
  func record(_ stage: Int) -> Record {
    guard let record = stages[stage].record else { preconditionFailure("stage \(stage) has learnt already") }
    return record
  }

  /// What the device hands on of a stage, once it is computed.
  func output(_ stage: Int) -> Matrix? { stage >= 0 && stage < computed ? stages[stage].output : nil }

  /// A stage has learnt: what it was computed from is let go of.
  mutating func forget(_ stage: Int) {
    stages[stage].record = nil
  }

  /// Forgets what came ahead and has other numbers of rows than there turn out to be: whoever sent it is of another mind.
  mutating func forget(but rows: Int) {
    for index in exchanges.indices {
      if let values = exchanges[index].outputs, values.rows != rows {
        (exchanges[index].outputs, exchanges[index].isHeard) = (nil, false)
        stages[index / neighbours].heard -= 1
      }
      if let values = exchanges[index].gradient, values.rows != rows {
        (exchanges[index].gradient, exchanges[index].isReturned) = (nil, false)
        stages[index / neighbours].returned -= 1
      }
    }
  }

  mutating func enter(_ phase: Phase) {
    self.phase = phase
    waiting = nil
    isExpired = false
  }

  func isAlive(_ device: Int) -> RowMask { masks?.isAlive(device) ?? .all }
}
