extension Axis {
  /// Test accuracy in percent, from where it matters: the climb from guessing is cut off where it would squeeze the rest flat.
  static func accuracy(_ runs: [Series], alone: Double?, central: Double?) -> Axis {
    var axis = Axis("test accuracy", unit: .percent, limits: 0...100)
    var late = [alone, central].compactMap { $0 }
    var lowest = Double.infinity
    for run in runs {
      let end = run.samples.last?.time ?? 0
      for sample in run.samples {
        guard let accuracy = sample.accuracy, accuracy.minimum.isFinite, accuracy.maximum.isFinite else { continue }
        lowest = min(lowest, accuracy.minimum)
        if sample.time >= end * 0.2 { late += [accuracy.minimum, accuracy.maximum] }
      }
    }
    guard let low = late.min(), let high = late.max(), high > low else { return axis }
    let step = high - low > 8 ? 5.0 : 1.0
    let floor = max(0, ((low - 0.2 * (high - low)) / step).rounded(.down) * step)
    if lowest < floor - 0.5 * (high - low), floor < 100 { axis.limits = floor...100 }
    return axis
  }

  /// What to say where the axis of an accuracy does not begin at the lowest one; begins with a space.
  var cutOff: String {
    guard let floor = limits?.lowerBound, floor > 0 else { return "" }
    return " The scale begins at \(Numerals.percent(floor, places: 0)); the steep climb below that is cut off."
  }
}
