public import MurmurCompute

/// What a pass through the network is for.
public enum Moment: Hashable, Sendable {
  /// A step of the training.
  case step(Int)
  /// A question that a device asked.
  case query(origin: Int, number: Int)

  /// The step, if it is one.
  public var step: Int? { if case .step(let step) = self { step } else { nil } }
}

/// What is asked: the answers for some rows.
public struct Query: Hashable, Sendable {
  /// Who asks, and the how many-th question of his it is.
  public var origin: Int
  /// Counts a device's questions.
  public var number: Int
  /// The rows, by their numbers in every device's table.
  public var rows: [Int32]
  /// Faults drawn for every sample.
  public var drill: Drill

  /// A question about rows.
  public init(origin: Int, number: Int, rows: [Int32], drill: Drill = Drill()) {
    self.origin = origin
    self.number = number
    self.rows = rows
    self.drill = drill
  }

  /// Its moment.
  public var moment: Moment { .query(origin: origin, number: number) }
}

/// What devices say to their neighbours.
public enum SplitMessage: Hashable, Sendable {
  /// A unit's outputs.
  case outputs(Moment, stage: Int, Matrix)
  /// The gradient of the sender's loss by the receiver's outputs of a stage; none if they did not come.
  case gradients(Moment, stage: Int, Matrix?)
  /// Asks for outputs again.
  case poll(Moment, stage: Int)
  /// A question, passed on by everybody.
  case question(Query)
  /// A device's own answer, on its way over at most `hops` more links.
  case answer(Moment, origin: Int, hops: Int, Matrix)
  /// The running average of answers, of a round of gossip.
  case average(Moment, round: Int, Matrix)

  /// What it is of.
  public var moment: Moment {
    switch self {
    case .outputs(let moment, _, _), .gradients(let moment, _, _), .poll(let moment, _), .answer(let moment, _, _, _),
      .average(let moment, _, _):
      moment
    case .question(let query): query.moment
    }
  }

  /// About how many bytes it takes on a wire: four per number, and a header.
  public var byteCount: Int {
    switch self {
    case .outputs(_, _, let matrix), .answer(_, _, _, let matrix), .average(_, _, let matrix): 24 + 4 * matrix.count
    case .gradients(_, _, let matrix): 24 + 4 * (matrix?.count ?? 0)
    case .poll: 16
    case .question(let query): 24 + 4 * query.rows.count
    }
  }
}
