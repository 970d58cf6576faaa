package import MurmurReports

/// A figure over seeds.
package struct Sampled: Hashable, Sendable {
  /// The figure of each seed.
  package let values: [Double]
  /// Their mean.
  package let mean: Double
  /// Their standard deviation (of the sample); 0 for a single seed.
  package let deviation: Double

  /// The figures of some seeds; `nil` if there are none.
  package init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let count = Double(values.count)
    let center = values.reduce(0, +) / count
    self.values = values
    mean = center
    deviation = values.count < 2 ? 0 : (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / (count - 1)).squareRoot()
  }

  /// How far from zero the mean must be to be told from chance: two standard errors, or a point where one seed shows none.
  package var margin: Double {
    values.count < 2 ? 1 : max(2 * deviation / Double(values.count).squareRoot(), 0.1)
  }

  /// `94.1 ± 0.3`, or `94.1` for a single seed.
  package func text(places: Int = 1, signed: Bool = false) -> String {
    let sign = signed && mean > 0 ? "+" : ""
    let center = sign + Numerals.decimal(mean, places: places)
    return values.count < 2 ? center : "\(center) ± \(Numerals.decimal(deviation, places: places))"
  }
}

/// By which rules our figures are held against the paper's. No outcome is written anywhere else.
package enum ReproduceRules {
  /// What is held against a value.
  package typealias Outcome = ReproductionReport.Outcome

  /// “Better than alone at all of these”: `advantages` are points of accuracy gained, or points of spread lost.
  package static func better(_ advantages: [Sampled?]) -> Outcome {
    let known = advantages.compactMap { $0 }
    guard !known.isEmpty, known.count == advantages.count else { return .open }
    let clear = known.count { $0.mean > $0.margin }
    return clear == known.count ? .holds : clear > 0 ? .partly : .fails
  }

  /// “Not better than alone here.”
  package static func notBetter(_ advantage: Sampled?) -> Outcome {
    guard let advantage else { return .open }
    return advantage.mean > advantage.margin ? .fails : .holds
  }

  /// How much may be lost before one says that something was: half a point.
  package static let tolerance = 0.5

  /// “80 % offline does not hurt”: at most ``tolerance`` points are lost; in part if more, but still clearly better than alone.
  package static func harmless(loss: Sampled?, advantage: Sampled?) -> Outcome {
    guard let loss, let advantage else { return .open }
    if loss.mean <= tolerance { return .holds }
    return advantage.mean > advantage.margin ? .partly : .fails
  }

  /// “Spread falls to these shares of alone's”: everywhere at least as far; in part if it falls everywhere, or as far somewhere.
  package static func narrower(_ ratios: [Double?], paper: [Double]) -> Outcome {
    let known = ratios.compactMap { $0 }
    guard !known.isEmpty, known.count == paper.count, ratios.count == paper.count else { return .open }
    let reached = zip(known, paper).count { $0 <= $1 }
    if reached == paper.count { return .holds }
    return reached > 0 || known.allSatisfy { $0 < 1 } ? .partly : .fails
  }

  /// “This many points gained over alone”: as many, in part if fewer but clearly some.
  package static func gains(_ gain: Sampled?, paper: Double) -> Outcome {
    guard let gain, gain.mean.isFinite else { return .open }
    guard gain.mean > gain.margin else { return .fails }
    return gain.mean >= paper ? .holds : .partly
  }

  /// “At least this much”: in part from half of it on.
  package static func atLeast(_ value: Double?, paper: Double) -> Outcome {
    guard let value, value.isFinite else { return .open }
    return value >= paper ? .holds : value >= paper / 2 ? .partly : .fails
  }

  /// “About this much”: within a factor of two; in part within a factor of four. More is not better here, it is only different.
  package static func near(_ value: Double?, paper: Double) -> Outcome {
    guard let value, value.isFinite else { return .open }
    guard value > 0, paper > 0 else { return .fails }
    let factor = max(value / paper, paper / value)
    return factor <= 2 ? .holds : factor <= 4 ? .partly : .fails
  }

  /// “Early more than at the end”: by half as much again; in part if by less.
  package static func falls(early: Double?, late: Double?) -> Outcome {
    guard let early, let late, early.isFinite, late.isFinite else { return .open }
    return early > late * 1.5 ? .holds : early > late ? .partly : .fails
  }

  /// “As it was set”: each value within three standard errors of what a coin of that probability gives in `draws` throws.
  package static func asSet(_ online: [(share: Double?, probability: Double)], draws: Int) -> Outcome {
    guard !online.isEmpty, draws > 0, online.allSatisfy({ $0.share != nil }) else { return .open }
    let inside = online.count { share, probability in
      let error = (probability * (1 - probability) / Double(draws)).squareRoot()
      return abs((share ?? 0) - (1 - probability)) <= 3 * error + 1e-9
    }
    return inside == online.count ? .holds : inside > 0 ? .partly : .fails
  }
}
