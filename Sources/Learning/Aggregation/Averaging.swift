public import MurmurCompute
public import MurmurSessions

extension Session.Averaging {
  /// Combines one's own model (where it counts) with those of others.
  ///
  /// The median and the trimmed mean take at most `ParameterVector.robustLimit` models, one's own and then the others in the order
  /// given; what is beyond is left out.
  ///
  /// - Parameters:
  ///   - own: one's own model; `nil` for a newcomer whose model is untrained.
  ///   - others: at least one other model of the same architecture; what they claim of rows and loss is not trusted to be sensible.
  ///   - architecture: names the ranges that variance correction works on.
  ///   - validationLoss: the loss on own validation rows, asked for by ``Rule/lineSearch`` only.
  /// - Returns: the combined model; what it is worth is for the caller to find out.
  public func combine(
    own: Candidate?, others: [Candidate], architecture: Architecture, validationLoss: (ParameterVector) -> Double
  ) -> ParameterVector {
    precondition(!others.isEmpty, "an average needs another model")
    let all = (own.map { [$0] } ?? []) + others
    switch rule {
    case .mean, .byRows, .byLoss:
      var plain = self
      plain.varianceCorrected = false
      let weights = plain.weights(own: own.map { ($0.rows, $0.loss) }, others: others.map { ($0.rows, $0.loss) })
      return weighted(all, by: weights ?? Self.equal(all.count), architecture)
    case .median:
      return trimmed(all, architecture) { ($0 - 1) / 2 }
    case .trimmedMean(let share):
      return trimmed(all, architecture) { Self.trim(share, of: $0) }
    case .lineSearch:
      return searchLine(own, others, architecture, validationLoss)
    }
  }

  /// How many of `count` values a trimmed mean leaves out at either end: the share rounded up, so that a small group is
  /// protected from one liar too, but never so many that nothing is left.
  static func trim(_ share: Double, of count: Int) -> Int {
    guard share > 0 else { return 0 }
    return min(Int((Double(count) * min(share, 0.5) - 1e-9).rounded(.up)), (count - 1) / 2)
  }

  // MARK: Weights

  private func weighted(_ all: [Candidate], by weights: [Float], _ architecture: Architecture) -> ParameterVector {
    restored(.mean(of: all.map(\.parameters), weights: weights), architecture) { range in
      zip(all, weights).reduce(0.0) { $0 + Double($1.1) * $1.0.deviation(of: range) }
    }
  }

  // MARK: Order

  /// The coordinate-wise mean without so many values at either end, for as many models as the kernels sort.
  private func trimmed(_ all: [Candidate], _ architecture: Architecture, by trim: (Int) -> Int) -> ParameterVector {
    let some = all.prefix(ParameterVector.robustLimit)
    let trim = trim(some.count)
    let vectors = some.map(\.parameters)
    return restored(rule == .median ? .median(of: vectors) : .trimmedMean(of: vectors, trim: trim), architecture) { range in
      // A liar must not come in again by the variance of its weights.
      let kept = some.map { $0.deviation(of: range) }.sorted()[trim..<(some.count - trim)]
      return kept.reduce(0, +) / Double(kept.count)
    }
  }

  // MARK: Search

  /// Own + w · (mean of the others − own), with the w of 0, ¼, ½, ¾, 1 whose validation loss is least; the largest among equals.
  private func searchLine(
    _ own: Candidate?, _ others: [Candidate], _ architecture: Architecture, _ validationLoss: (ParameterVector) -> Double
  ) -> ParameterVector {
    guard let own else { return weighted(others, by: Self.equal(others.count), architecture) }
    let mean = ParameterVector.mean(of: others.map(\.parameters))
    var best = (point: mean, loss: Double.infinity)
    for weight: Float in [1, 0.75, 0.5, 0.25, 0] {
      var point = weight == 1 ? mean : own.parameters
      if weight < 1 { point.interpolate(towards: mean, by: weight) }
      point = restored(point, architecture) { range in
        let theirs = others.reduce(0.0) { $0 + $1.deviation(of: range) } / Double(others.count)
        return own.deviation(of: range) * Double(1 - weight) + theirs * Double(weight)
      }
      let loss = validationLoss(point)
      // A loss that is no number is the worst. Where there is none at all, the mean of the others it is.
      if weight == 1 || loss < best.loss { best = (point, loss.isNaN ? .infinity : loss) }
    }
    return best.point
  }

  // MARK: Variance

  /// Where variance is corrected, every weight range scaled about its mean so that its standard deviation is `wanted`, which is
  /// that of the inputs, combined as the inputs are.
  ///
  /// Averaging models that are not correlated shrinks the variance of the weights and so slows learning; this puts it back
  /// (Corti et al., "On the vanishing variance in gossip learning", 2022). It never shrinks a range. Biases are left alone.
  private func restored(
    _ result: ParameterVector, _ architecture: Architecture, wanted: (Range<Int>) -> Double
  ) -> ParameterVector {
    guard varianceCorrected else { return result }
    var result = result
    for range in architecture.ranges where range.shape.count > 1 {
      let wanted = wanted(range.range)
      let (mean, variance) = result.moments(of: range.range)
      let present = Double(variance).squareRoot()
      guard present > 1e-12, wanted > present else { continue }
      let factor = Float(wanted / present)
      result.transform(range.range, factor: factor, offset: mean * (1 - factor))
    }
    return result
  }
}
