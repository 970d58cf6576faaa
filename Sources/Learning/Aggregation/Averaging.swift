public import MurmurCompute
public import MurmurSessions

/// A model that may enter an average, and what is claimed of it.
public struct Candidate: Sendable {
  /// Its numbers, in the session's architecture.
  public var parameters: ParameterVector
  /// The training rows behind it.
  public var rows: Int
  /// Its loss on somebody's validation rows.
  public var loss: Double

  /// A model that may enter an average.
  public init(parameters: ParameterVector, rows: Int, loss: Double) {
    self.parameters = parameters
    self.rows = rows
    self.loss = loss
  }
}

extension Session.Averaging {
  /// Combines one's own model (where it counts) with those of others.
  ///
  /// - Parameters:
  ///   - own: one's own model; `nil` for a newcomer whose model is untrained.
  ///   - others: at least one other model of the same architecture.
  ///   - architecture: names the ranges that variance correction works on.
  ///   - validationLoss: the loss on own validation rows, asked for by ``Rule/lineSearch`` only.
  public func combine(
    own: Candidate?, others: [Candidate], architecture: Architecture, validationLoss: (ParameterVector) -> Double
  ) -> ParameterVector {
    precondition(!others.isEmpty, "an average needs another model")
    let all = (own.map { [$0] } ?? []) + others
    var result: ParameterVector
    switch rule {
    case .mean:
      result = .mean(of: all.map(\.parameters))
    case .byRows:
      result = Self.weighted(all, by: all.map { Double(max($0.rows, 1)) })
    case .byLoss:
      result = Self.weighted(all, by: all.map { 1 / max($0.loss, 1e-3) })
    case .median:
      result = .median(of: all.map(\.parameters))
    case .trimmedMean(let share):
      result = .trimmedMean(of: all.map(\.parameters), trim: Int(Double(all.count) * min(max(share, 0), 0.49)))
    case .lineSearch:
      result = Self.searchLine(own, others, validationLoss)
    }
    if varianceCorrected { Self.correctVariance(of: &result, like: all, in: architecture) }
    return result
  }

  private static func weighted(_ all: [Candidate], by weights: [Double]) -> ParameterVector {
    let total = weights.reduce(0, +)
    return .mean(of: all.map(\.parameters), weights: weights.map { Float($0 / total) })
  }

  /// Own + w · (mean of the others − own), with the w of 0, ¼, ½, ¾, 1 whose validation loss is least; the largest among equals.
  private static func searchLine(
    _ own: Candidate?, _ others: [Candidate], _ validationLoss: (ParameterVector) -> Double
  ) -> ParameterVector {
    let mean = ParameterVector.mean(of: others.map(\.parameters))
    guard let own else { return mean }
    var best = mean
    var least = validationLoss(mean)
    for weight: Float in [0.75, 0.5, 0.25, 0] {
      var point = own.parameters
      point.interpolate(towards: mean, by: weight)
      let loss = validationLoss(point)
      if loss < least { (best, least) = (point, loss) }
    }
    return best
  }

  /// Scales every weight range about its mean so that its standard deviation is the mean of the inputs' standard deviations.
  ///
  /// Averaging models that are not correlated shrinks the variance of the weights and so slows learning; this puts it back
  /// (Corti et al., "On the vanishing variance in gossip learning", 2022). Biases are left alone.
  static func correctVariance(of result: inout ParameterVector, like inputs: [Candidate], in architecture: Architecture) {
    for range in architecture.ranges where range.shape.count > 1 {
      let wanted = inputs.reduce(0.0) { $0 + Double($1.parameters.moments(of: range.range).variance).squareRoot() }
      let (mean, variance) = result.moments(of: range.range)
      let present = Double(variance).squareRoot() * Double(inputs.count)
      guard present > 1e-12, wanted > present else { continue }
      let factor = Float(wanted / present)
      result.transform(range.range, factor: factor, offset: mean * (1 - factor))
    }
  }
}
