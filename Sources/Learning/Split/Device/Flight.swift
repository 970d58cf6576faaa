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

  /// What a stage keeps for the way back.
  struct Record {
    var reading: Reading
    var outputs: [Matrix]

    /// What was read, in one; rules that look into it have it so.
    var input: Matrix {
      guard case .whole(let input) = reading else { preconditionFailure("a reading in parts") }
      return input
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
  private let neighbours: Int
  /// For each stage the outputs of each neighbour, by its place in the list: one line of both, as steps and neighbours are many.
  private var heard: [Matrix?]
  /// For each stage the gradients from each neighbour; whether one came, and what it was.
  private var returned: [Returned]
  var records: [Record] = []
  /// For each stage that read neighbours in which samples each of them was heard; empty where no faults are drawn.
  var masksRead: [[RowMask]]
  /// For each stage how many neighbours were heard, and how many sent gradients.
  private(set) var heardCount: [Int]
  private(set) var returnedCount: [Int]
  /// The gradient by this device's outputs of a stage, through its own next stage.
  var own: [Matrix?]
  /// When the wait of the phase began, how often its timer fired, and when it is to fire next; `nil` before it began.
  var waiting: (since: Instant, fired: Int, due: Instant)?
  /// When the stages' waits began, going forward.
  var begun: [Instant?]
  /// Whether the wait of the phase is over, whoever is missing.
  var isExpired = false
  /// Whether a wait of any phase ended without a message.
  var hasMissed = false
  var loss = 0.0
  var query: Query?

  private enum Returned {
    case no
    case nothing
    case gradient(Matrix)
  }

  init(_ moment: Moment, stages: Int, neighbours: Int) {
    self.moment = moment
    begun = Array(repeating: nil, count: stages + 1)
    masksRead = Array(repeating: [], count: stages)
    heardCount = Array(repeating: 0, count: stages)
    returnedCount = Array(repeating: 0, count: stages)
    self.neighbours = neighbours
    heard = Array(repeating: nil, count: stages * neighbours)
    returned = Array(repeating: .no, count: moment.step == nil ? 0 : stages * neighbours)
    own = Array(repeating: nil, count: moment.step == nil ? 0 : stages)
  }

  /// Forgets everything but its room.
  mutating func clear() {
    (phase, masks, query, waiting) = (.ahead, nil, nil, nil)
    (isExpired, hasMissed, loss) = (false, false, 0)
    records.removeAll(keepingCapacity: true)
    for place in heard.indices { heard[place] = nil }
    for place in returned.indices { returned[place] = .no }
    for stage in masksRead.indices {
      masksRead[stage].removeAll(keepingCapacity: true)
      (heardCount[stage], returnedCount[stage]) = (0, 0)
    }
    for stage in own.indices { own[stage] = nil }
    for stage in begun.indices { begun[stage] = nil }
  }

  /// What a neighbour sent of a stage.
  func heard(_ stage: Int, _ place: Int) -> Matrix? { heard[stage * neighbours + place] }

  /// Whether a neighbour's outputs of a stage came.
  func isHeard(_ stage: Int, _ place: Int) -> Bool { heard[stage * neighbours + place] != nil }

  /// A neighbour's outputs came.
  mutating func hear(_ stage: Int, _ place: Int, _ values: Matrix) {
    heard[stage * neighbours + place] = values
    heardCount[stage] += 1
  }

  /// Whether a neighbour said what the gradient by a stage's outputs is, or that there is none.
  func isReturned(_ stage: Int, _ place: Int) -> Bool {
    if case .no = returned[stage * neighbours + place] { false } else { true }
  }

  /// The gradient that a neighbour sent, if it had any.
  func gradient(_ stage: Int, _ place: Int) -> Matrix? {
    if case .gradient(let values) = returned[stage * neighbours + place] { values } else { nil }
  }

  /// A neighbour's gradient came.
  mutating func take(_ stage: Int, _ place: Int, _ values: Matrix?) {
    returned[stage * neighbours + place] = values.map { .gradient($0) } ?? .nothing
    returnedCount[stage] += 1
  }

  /// Forgets what came ahead and has other numbers of rows than there turn out to be: whoever sent it is of another mind.
  mutating func forget(but rows: Int) {
    for index in heard.indices where heard[index].map({ $0.rows != rows }) ?? false {
      heard[index] = nil
      heardCount[index / neighbours] -= 1
    }
    for index in returned.indices {
      if case .gradient(let gradient) = returned[index], gradient.rows != rows {
        returned[index] = .no
        returnedCount[index / neighbours] -= 1
      }
    }
  }

  mutating func enter(_ phase: Phase) {
    self.phase = phase
    waiting = nil
    isExpired = false
  }

  func isAlive(_ device: Int) -> RowMask { masks?.isAlive(device) ?? .all }

  func carries(_ a: Int, _ b: Int, stage: Int, back: Bool) -> RowMask {
    masks?.carries(a, b, stage: stage, back: back) ?? .all
  }
}
