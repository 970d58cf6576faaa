import MurmurAggregation
import MurmurCompute
import MurmurMachines
import MurmurSessions

/// Models drawn from a seed.
struct Flock {
  let architecture: Architecture
  var chance: Chance

  init(seed: UInt64) {
    chance = Chance(seed: seed)
    do throws(ArchitectureError) { architecture = try Architecture(parsing: "9-6-3") } catch { preconditionFailure("\(error)") }
  }

  mutating func candidate() -> Candidate {
    let numbers = (0..<architecture.parameterCount).map { _ in Float(chance.uniform() * 4 - 2) }
    return Candidate(parameters: ParameterVector(numbers), rows: 1 + chance.below(500), loss: 0.01 + chance.uniform() * 3)
  }

  func combine(
    _ rule: Session.Averaging.Rule, _ own: Candidate?, _ others: [Candidate], corrected: Bool = false,
    _ loss: (ParameterVector) -> Double
  ) -> ParameterVector {
    var averaging = Session.Averaging()
    averaging.rule = rule
    averaging.varianceCorrected = corrected
    return averaging.combine(own: own, others: others, architecture: architecture, validationLoss: loss)
  }
}

/// The rules once more, one number at a time and in double precision.
enum Reference {
  static func weights(_ rule: Session.Averaging.Rule, _ all: [Candidate]) -> [Double] {
    let raw: [Double] =
      switch rule {
      case .byRows: all.map { Double($0.rows) }
      case .byLoss: all.map { 1 / $0.loss }
      default: all.map { _ in 1 }
      }
    return raw.map { $0 / raw.reduce(0, +) }
  }

  static func trim(_ share: Double, _ count: Int) -> Int {
    var trim = 0
    while Double(trim) < share * Double(count) - 1e-6, 2 * (trim + 1) < count { trim += 1 }
    return trim
  }

  static func trimmed(_ values: [Double], _ trim: Int) -> Double {
    let kept = values.sorted().dropFirst(trim).dropLast(trim)
    return kept.reduce(0, +) / Double(kept.count)
  }

  static func mean(_ all: [Candidate], _ index: Int) -> Double {
    all.reduce(0) { $0 + $1.parameters.value(index) } / Double(all.count)
  }

  /// The weight of the others for which the point on the line is nearest to the target; `nil` for a newcomer.
  static func line(_ own: Candidate?, _ others: [Candidate], _ target: ParameterVector) -> Double? {
    guard let own else { return nil }
    func distance(_ weight: Double) -> Double {
      (0..<target.count).reduce(0) { sum, index in
        let point = own.parameters.value(index) * (1 - weight) + mean(others, index) * weight
        return sum + (point - target.value(index)) * (point - target.value(index))
      }
    }
    return [1, 0.75, 0.5, 0.25, 0].min { distance($0) < distance($1) }
  }

  static func mean(_ vector: ParameterVector, _ range: Range<Int>) -> Double {
    range.reduce(0) { $0 + vector.value($1) } / Double(range.count)
  }

  static func deviation(_ vector: ParameterVector, _ range: Range<Int>) -> Double {
    let mean = mean(vector, range)
    return (range.reduce(0) { $0 + (vector.value($1) - mean) * (vector.value($1) - mean) } / Double(range.count)).squareRoot()
  }
}

extension ParameterVector {
  /// The element as a double.
  func value(_ index: Int) -> Double { Double(self[index]) }
}
