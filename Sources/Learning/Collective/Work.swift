import MurmurAggregation
public import MurmurBlocks
public import MurmurCompute
public import MurmurIdentity
import MurmurMachines
public import MurmurSessions
public import MurmurWire

/// A job of one work cycle, as data: average with these models, then train on these rows, then evaluate, then write the model down.
///
/// A world runs it on any worker thread, at any time: the result depends on nothing but the job.
public struct Work: Sendable {
  /// The architecture that all parties agreed on.
  public var architecture: Architecture
  /// The peer's own model.
  public var parameters: ParameterVector
  /// The peer's own optimiser state.
  public var optimizer: OptimizerState
  /// Which rows to train on and to validate with.
  public var rows: Rows
  /// The models to average with, as fetched and not yet believed.
  public var models: [Fetched] = []
  /// How to combine them.
  public var averaging: Session.Averaging
  /// What the own model is to the average.
  public var own = Own.counts
  /// Passes over the training rows; 0 does not train.
  public var epochs = 0
  /// Rows per optimiser step.
  public var batch = 32
  /// The learning rate.
  public var rate: Float = 0
  /// The seed of the shuffles.
  public var shuffle: UInt64 = 0
  /// How many training rows stand behind the own model.
  public var weight: Int = 1
  /// Name, maturity and session that are written into the model's file.
  public var stamp: [String: String] = [:]

  /// A job that evaluates, and does what else is asked of it.
  package init(
    architecture: Architecture, parameters: ParameterVector, optimizer: OptimizerState, rows: Rows, models: [Fetched] = [],
    averaging: Session.Averaging, own: Own = .counts, epochs: Int = 0, batch: Int = 32, rate: Float = 0, shuffle: UInt64 = 0,
    weight: Int = 1, stamp: [String: String] = [:]
  ) {
    self.architecture = architecture
    self.parameters = parameters
    self.optimizer = optimizer
    self.rows = rows
    self.models = models
    self.averaging = averaging
    self.own = own
    self.epochs = epochs
    self.batch = batch
    self.rate = rate
    self.shuffle = shuffle
    self.weight = weight
    self.stamp = stamp
  }

  /// What the own model is to an average.
  public enum Own: Hashable, Sendable {
    /// One of those that are averaged.
    case counts
    /// Nothing: it is a newcomer's, and what others have replaces it.
    case untrained
    /// What the others' average has to beat (LEARNAE's last step, with the best-reported model alone).
    case rival
  }

  /// A model as it came from the network.
  public struct Fetched: Sendable {
    /// Whose it is.
    public var peer: PeerID
    /// Its content address.
    public var root: CID
    /// The bytes of its file.
    public var file: [UInt8]
    /// The training rows its owner claims.
    public var rows: Int
    /// The validation loss its owner claims.
    public var loss: Double

    /// A model as it came.
    package init(peer: PeerID, root: CID, file: [UInt8], rows: Int, loss: Double) {
      self.peer = peer
      self.root = root
      self.file = file
      self.rows = rows
      self.loss = loss
    }
  }

  /// Rows shared by reference: training and validation are index lists into them.
  public struct Rows: Sendable {
    /// The rows themselves.
    public var samples: Samples
    /// Which to train on.
    public var training: [Int32]
    /// Which to validate with; never trained on.
    public var validation: [Int32]
    /// The rows that are validated with; usually ``samples``.
    public var validationSamples: Samples?

    /// Rows to train on and to validate with.
    public init(samples: Samples, training: [Int32], validation: [Int32], validationSamples: Samples? = nil) {
      self.samples = samples
      self.training = training
      self.validation = validation
      self.validationSamples = validationSamples
    }
  }

  /// What the job costs, in floating-point operations: what a device's speed divides into a duration.
  public var operations: Double {
    let train = Double(architecture.trainingOperationsPerRow) * Double(epochs * rows.training.count)
    let check = Double(architecture.inferenceOperationsPerRow) * Double(2 * rows.validation.count)
    return train + check + Double(architecture.parameterCount * (2 + models.count * 2))
  }
}

/// What came out of a ``Work``.
public struct WorkResult: Sendable {
  /// The peer's model from now on.
  public var parameters: ParameterVector
  /// Its optimiser state from now on.
  public var optimizer: OptimizerState
  /// How the model does on own validation rows; all zero where there are none.
  public var evaluation: Evaluation
  /// The average that was adopted, before training, and how it does on own validation rows; `nil` if there was none.
  public var ground: (parameters: ParameterVector, evaluation: Evaluation)?
  /// The mean training loss; `nil` if nothing was trained.
  public var trainingLoss: Double?
  /// How many models entered the average; 0 if none did.
  public var averaged: Int
  /// Whether the average replaced the own model.
  public var adopted: Bool
  /// What was not a model of this session, and why.
  public var rejected: [(peer: PeerID, root: CID, reason: String)]
  /// The model's file as blocks; empty if the model is what it was before.
  public var object: Object.Built?
}

/// What one worker thread needs to run jobs: the memory for one architecture at a time.
public final class Workbench {
  private var trainer: Trainer?
  private var architecture: Architecture?
  private var batch = 0
  /// Memory that averaging uses again and again.
  var scratch: [ParameterVector] = []

  /// An empty workbench.
  public init() {}

  /// The memory for that architecture and at least that batch, made where it is not there yet.
  public func trainer(for wanted: Architecture, batch size: Int) -> Trainer {
    if let trainer, architecture == wanted, batch >= size { return trainer }
    let made = Trainer(wanted, batch: size)
    (trainer, architecture, batch) = (made, wanted, size)
    return made
  }
}

extension Work {
  /// Runs the job.
  public consuming func run(on bench: Workbench) -> WorkResult {
    let trainer = bench.trainer(for: architecture, batch: max(batch, 1))
    var result = WorkResult(
      parameters: parameters, optimizer: optimizer.taken(), evaluation: Evaluation.none, ground: nil, trainingLoss: nil,
      averaged: 0,
      adopted: false,
      rejected: [], object: nil)
    let averaging = self.averaging
    var known: Evaluation?
    if !models.isEmpty { known = average(into: &result, averaging, trainer, bench) }
    if result.adopted, let known, known.count > 0 { result.ground = (result.parameters, known) }
    if epochs > 0, !rows.training.isEmpty { train(&result, trainer) }
    if result.trainingLoss == nil, let known {
      result.evaluation = known
    } else {
      result.evaluation = validate(result.parameters, trainer)
    }
    if result.adopted || result.trainingLoss != nil {
      result.object = Object.build(SafeTensors.encode(result.parameters, architecture, metadata: stamp))
    }
    return result
  }

  private func validate(_ parameters: ParameterVector, _ trainer: Trainer) -> Evaluation {
    guard !rows.validation.isEmpty else { return Evaluation.none }
    return trainer.evaluate(parameters, on: rows.validationSamples ?? rows.samples, rows: rows.validation)
  }

  private func train(_ result: inout WorkResult, _ trainer: Trainer) {
    var order = rows.training
    var chance = Chance(seed: shuffle)
    var loss = 0.0
    for _ in 0..<epochs {
      chance.shuffle(&order)
      loss = trainer.train(
        &result.parameters, &result.optimizer, rate: rate, on: rows.samples, order: order, batch: batch)
    }
    result.trainingLoss = loss
  }

  /// Averages and decides on adoption. Returns the evaluation of what is kept, where one was needed.
  private func average(
    into result: inout WorkResult, _ averaging: Session.Averaging, _ trainer: Trainer, _ bench: Workbench
  ) -> Evaluation? {
    var (others, files) = opened(&result)
    guard !others.isEmpty else { return nil }
    let mine = own == .counts
    let before = averaging.adoption == .always && averaging.rule != .byLoss ? nil : validate(result.parameters, trainer)
    let ownLoss = before.flatMap { $0.count > 0 ? $0.loss : nil } ?? .nan
    if !averaging.isWeighted { refuse(&others, &files, &result) }
    guard !others.isEmpty else { return before }
    func combine() -> ParameterVector {
      let claims = others.map { (rows: $0.rows, loss: $0.loss) }
      if let weights = averaging.weights(own: mine ? (weight, ownLoss) : nil, others: claims) {
        return ModelFile.mean(
          of: files, weights: Array(weights.suffix(files.count)), own: mine ? (result.parameters, weights[0]) : nil, architecture,
          scratch: &bench.scratch)
      }
      let candidates = zip(others, files).map { other, file in
        Candidate(parameters: file.parameters(architecture), rows: other.rows, loss: other.loss)
      }
      return averaging.combine(
        own: mine ? Candidate(parameters: result.parameters, rows: weight, loss: ownLoss) : nil, others: candidates,
        architecture: architecture
      ) { validate($0, trainer).loss }
    }
    var combined = combine()
    if averaging.isWeighted, !combined.isFinite {
      refuse(&others, &files, &result)
      guard !others.isEmpty else { return before }
      combined = combine()
    }
    result.averaged = others.count
    let after: Evaluation? = before == nil ? nil : validate(combined, trainer)
    result.adopted = own == .untrained || adopts(averaging.adoption, before: before, after: after)
    if result.adopted { result.parameters = combined }
    return result.adopted ? after : before
  }

  /// Leaves out the models that hold numbers which are none. With a weighted mean this is asked only if such a number came out.
  private func refuse(_ others: inout [Fetched], _ files: inout [ModelFile], _ result: inout WorkResult) {
    for place in files.indices.reversed() where !files[place].isFinite(architecture) {
      result.rejected.append((others[place].peer, others[place].root, "it holds numbers that are not finite"))
      others.remove(at: place)
      files.remove(at: place)
    }
  }

  /// The models whose files are what they should be; the others are noted.
  private func opened(_ result: inout WorkResult) -> (others: [Fetched], files: [ModelFile]) {
    var others: [Fetched] = []
    var files: [ModelFile] = []
    for model in models {
      do throws(SafeTensorsError) {
        files.append(try ModelFile(model.file, architecture))
        others.append(model)
      } catch {
        result.rejected.append((model.peer, model.root, "\(error)"))
      }
    }
    return (others, files)
  }

  private func adopts(_ rule: Session.Averaging.Adoption, before: Evaluation?, after: Evaluation?) -> Bool {
    guard let before, let after, before.count > 0 else { return true }
    switch rule {
    case .always: return true
    case .ifBetter: return after.accuracy > before.accuracy
    case .unlessWorse(let share): return after.loss.isFinite && after.loss <= before.loss * (1 + share) + 0.5
    }
  }
}

extension Evaluation {
  /// Nothing was evaluated.
  static let none = Evaluation(correct: 0, count: 0, lossSum: 0)
}
