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

  let moment: Moment
  var phase = Phase.ahead
  var rows: [Int32] = []
  var masks: DrawnMasks?
  /// For each stage the outputs of each neighbour, by its place in the list.
  var heard: [[Matrix?]]
  /// For each stage the gradients from each neighbour; whether one came, and what it was.
  var returned: [[Returned]]
  var records: [Record] = []
  /// For each stage that read neighbours in which samples each of them was heard; empty where no faults are drawn.
  var masksRead: [[RowMask]]
  /// For each stage how many neighbours were heard, and how many sent gradients.
  var heardCount: [Int]
  var returnedCount: [Int]
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

  enum Returned {
    case no
    case nothing
    case gradient(Matrix)
    var came: Bool { if case .no = self { false } else { true } }
  }

  init(_ moment: Moment, stages: Int, neighbours: Int) {
    self.moment = moment
    begun = Array(repeating: nil, count: stages + 1)
    masksRead = Array(repeating: [], count: stages)
    heardCount = Array(repeating: 0, count: stages)
    returnedCount = Array(repeating: 0, count: stages)
    heard = Array(repeating: Array(repeating: nil, count: neighbours), count: stages)
    returned = Array(repeating: Array(repeating: .no, count: neighbours), count: moment.step == nil ? 0 : stages)
    own = Array(repeating: nil, count: moment.step == nil ? 0 : stages)
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
