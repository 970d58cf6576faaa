public import MurmurSessions

extension Session.Averaging {
  /// Whether the rule is a weighted mean and nothing else, so that ``weights(own:others:)`` says all.
  public var isWeighted: Bool {
    switch rule {
    case .mean, .byRows, .byLoss: !varianceCorrected
    case .median, .trimmedMean, .lineSearch: false
    }
  }

  /// The weights of a weighted mean, one's own first where it counts; `nil` unless ``isWeighted``.
  ///
  /// With weights alone a world need not take the files of others apart before it averages them. `own` is what stands behind one's own
  /// model, `nil` for a newcomer whose model is untrained; `others` is what the others claim of theirs.
  public func weights(own: (rows: Int, loss: Double)?, others: [(rows: Int, loss: Double)]) -> [Float]? {
    guard isWeighted else { return nil }
    let all = (own.map { [$0] } ?? []) + others
    switch rule {
    case .mean: return Self.equal(all.count)
    case .byRows: return Self.normalised(all.map { Double(max($0.rows, 1)) })
    // A loss that is no number counts for nothing, as an infinite one does.
    case .byLoss: return Self.normalised(all.map { $0.loss.isNaN ? 0 : 1 / max($0.loss, 1e-3) })
    case .median, .trimmedMean, .lineSearch: return nil
    }
  }

  static func equal(_ count: Int) -> [Float] { Array(repeating: 1 / Float(count), count: count) }

  /// Weights that add up to 1; equal ones where nobody has any.
  static func normalised(_ weights: [Double]) -> [Float] {
    let total = weights.reduce(0, +)
    guard total > 0, total.isFinite else { return equal(weights.count) }
    return weights.map { Float($0 / total) }
  }
}
