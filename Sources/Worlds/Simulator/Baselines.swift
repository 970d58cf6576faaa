public import MurmurCollective
public import MurmurCompute
import MurmurMachines
public import MurmurSessions

/// Training without a network, for comparison: one model, some rows, until validation stops improving.
///
/// *Alone* is this for every peer on its own rows, *central* is this once on all peers' rows together. Both keep the parameters that
/// validated best and both have as long as they want, so that neither is handicapped; architecture, initial model, optimiser, batch
/// and first learning rate are the session's.
public struct Baseline: Sendable {
  /// How many passes without a better validation loss end the training.
  public var patience = 30
  /// The most passes.
  public var epochLimit = 400
  /// The session's training.
  public var training: Session.Training

  /// A baseline with the session's training.
  public init(_ training: Session.Training) { self.training = training }

  /// What came of it.
  public struct Outcome: Sendable, Hashable {
    /// The parameters that validated best.
    public var parameters: ParameterVector
    /// Passes over the rows until then.
    public var epochs: Int
  }

  /// Trains from `start` on `rows`, until `isStopped`, which is asked before each pass, says so.
  ///
  /// The learning rate is halved when half of the patience has passed without a better validation loss, and the best parameters are
  /// taken up again: a schedule that needs no length to be known beforehand.
  public func train(
    _ architecture: Architecture, from start: ParameterVector, on rows: Work.Rows, seed: UInt64, bench: Workbench,
    isStopped: () -> Bool = { false }
  ) -> Outcome {
    let trainer = bench.trainer(for: architecture, batch: training.batch)
    var parameters = start
    var optimizer = OptimizerState(training.optimizer.rule, count: architecture.parameterCount)
    var best = Outcome(parameters: start, epochs: 0)
    var least = Double.infinity
    var order = rows.training
    var chance = Chance(seed: seed)
    var rate = training.rate
    var since = 0
    guard !order.isEmpty else { return best }
    for epoch in 1...epochLimit where !isStopped() {
      chance.shuffle(&order)
      _ = trainer.train(&parameters, &optimizer, rate: Float(rate), on: rows.samples, order: order, batch: training.batch)
      let loss =
        rows.validation.isEmpty
        ? Double(epochLimit - epoch)
        : trainer.evaluate(parameters, on: rows.validationSamples ?? rows.samples, rows: rows.validation).loss
      if loss < least {
        least = loss
        best = Outcome(parameters: parameters, epochs: epoch)
        since = 0
      } else {
        since += 1
        if since >= patience { break }
        if since % max(patience / 2, 1) == 0 {
          rate /= 2
          parameters = best.parameters
        }
      }
    }
    return best
  }
}
