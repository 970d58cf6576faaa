import MurmurAggregation
import MurmurCompute
import MurmurMachines
import MurmurSessions
import Testing

@Suite("How the numbers of several models combine")
struct AveragingTests {
  typealias Averaging = Session.Averaging

  /// Every rule, in a table.
  private static let rules: [Averaging.Rule] = [.mean, .byRows, .byLoss, .lineSearch, .median, .trimmedMean(0.2)]

  @Test("Every rule gives what plain arithmetic gives", arguments: 1...12)
  func reference(seed: Int) {
    var flock = Flock(seed: UInt64(seed))
    let count = 1 + flock.chance.below(9)
    let own = flock.chance.happens(0.7) ? flock.candidate() : nil
    let others = (0..<count).map { _ in flock.candidate() }
    let all = (own.map { [$0] } ?? []) + others
    let target = flock.candidate().parameters
    for rule in AveragingTests.rules {
      let result = flock.combine(rule, own, others) { Double($0.squaredDistance(to: target)) }
      let weights = Reference.weights(rule, all)
      for index in stride(from: 0, to: result.count, by: 7) {
        let values = all.map { Double($0.parameters[index]) }
        let expected =
          switch rule {
          case .mean, .byRows, .byLoss: zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
          case .median: Reference.trimmed(values, (values.count - 1) / 2)
          case .trimmedMean: Reference.trimmed(values, Reference.trim(0.2, values.count))
          case .lineSearch:
            Reference.line(own, others, target).map {
              own!.parameters.value(index) * (1 - $0) + Reference.mean(others, index) * $0
            }
              ?? Reference.mean(others, index)
          }
        #expect(abs(Double(result[index]) - expected) < 1e-5, "seed \(seed), \(rule) over \(all.count), element \(index)")
      }
    }
  }

  @Test("The order in which others are heard of does not matter", arguments: 1...8)
  func permutation(seed: Int) {
    var flock = Flock(seed: UInt64(seed))
    let own = flock.candidate()
    let others = (0..<7).map { _ in flock.candidate() }
    var shuffled = others
    flock.chance.shuffle(&shuffled)
    for rule in AveragingTests.rules {
      let loss = { (point: ParameterVector) in Double(point.squaredNorm) }
      let one = flock.combine(rule, own, others, loss)
      let other = flock.combine(rule, own, shuffled, loss)
      switch rule {
      // Sorting is exact, so these do not even depend on it in the last bit.
      case .median, .trimmedMean: #expect(one == other, "seed \(seed), \(rule)")
      case .mean, .byRows, .byLoss, .lineSearch: #expect(one.maxAbsDifference(to: other) < 1e-5, "seed \(seed), \(rule)")
      }
    }
  }

  @Test("The same models give the same bits, with and without variance correction", arguments: AveragingTests.rules)
  func bits(rule: Averaging.Rule) {
    for isCorrected in [false, true] {
      let results = (0..<3).map { _ in
        var flock = Flock(seed: 77)
        let own = flock.candidate()
        let others = (0..<4).map { _ in flock.candidate() }
        return flock.combine(rule, own, others, corrected: isCorrected) { Double($0.squaredNorm) }
      }
      #expect(results[0] == results[1] && results[1] == results[2])
      #expect(results[0].isFinite)
    }
  }

  @Test("Models that agree are left as they are", arguments: AveragingTests.rules)
  func agreement(rule: Averaging.Rule) {
    var flock = Flock(seed: 5)
    let one = flock.candidate()
    let result = flock.combine(rule, one, [one, one, one]) { _ in 1 }
    #expect(result.maxAbsDifference(to: one.parameters) < 1e-6)
  }

  @Test("One liar among many: the mean follows it, median and trimmed mean stay among the honest", arguments: 1...6)
  func liar(seed: Int) {
    for (count, isCorrected) in [(3, false), (4, false), (5, true), (9, true), (20, true)] {
      var flock = Flock(seed: UInt64(seed))
      var others = (0..<count).map { _ in flock.candidate() }
      let honest = others
      var lie = flock.candidate()
      lie.parameters.scale(by: -1e6)
      (lie.rows, lie.loss) = (1_000_000, 0)
      others.insert(lie, at: flock.chance.below(count + 1))
      #expect(flock.combine(.mean, nil, others) { _ in 0 }.maxAbs > 1e4)
      #expect(flock.combine(.byRows, nil, others) { _ in 0 }.maxAbs > 1e5)
      for rule in [Averaging.Rule.median, .trimmedMean(0.2)] {
        let result = flock.combine(rule, nil, others, corrected: isCorrected) { _ in 0 }
        for index in 0..<result.count {
          let values = honest.map { $0.parameters.value(index) }
          // Variance correction stretches a layer a little about its mean, towards what one honest model has.
          let slack = isCorrected ? 3.0 : 0
          #expect(
            Double(result[index]) >= values.min()! - slack && Double(result[index]) <= values.max()! + slack,
            "seed \(seed), \(rule) over \(count) honest, corrected \(isCorrected), element \(index)")
        }
      }
    }
  }

  @Test(
    "Line search takes the best point between one's own model and the mean of the others",
    arguments: [0, 0.25, 0.5, 0.75, 1] as [Float])
  func lineSearch(best: Float) {
    var flock = Flock(seed: 8)
    let own = flock.candidate()
    let others = (0..<3).map { _ in flock.candidate() }
    var target = own.parameters
    target.interpolate(towards: .mean(of: others.map(\.parameters)), by: best)
    var asked = 0
    let result = flock.combine(.lineSearch, own, others) { point in
      asked += 1
      return Double(point.squaredDistance(to: target))
    }
    #expect(result.maxAbsDifference(to: target) < 1e-6)
    #expect(asked == 5)
  }

  @Test("Line search: the others win a tie, a loss that is no number never wins, and a newcomer takes the mean")
  func lineSearchAtItsEdges() {
    var flock = Flock(seed: 9)
    let own = flock.candidate()
    let others = (0..<3).map { _ in flock.candidate() }
    let mean = ParameterVector.mean(of: others.map(\.parameters))
    #expect(flock.combine(.lineSearch, own, others) { _ in 1 } == mean)
    #expect(flock.combine(.lineSearch, own, others) { _ in .nan } == mean)
    #expect(flock.combine(.lineSearch, own, others) { $0 == mean ? .nan : $0 == own.parameters ? 1 : 2 } == own.parameters)
    #expect(flock.combine(.lineSearch, nil, others) { _ in 1 } == mean)
  }

  @Test("Claims that make no sense: no rows, no loss, infinite losses")
  func claims() {
    var flock = Flock(seed: 10)
    var one = flock.candidate()
    var two = flock.candidate()
    (one.rows, two.rows) = (0, -3)
    let mean = ParameterVector.mean(of: [one.parameters, two.parameters])
    #expect(flock.combine(.byRows, one, [two]) { _ in 0 } == mean)
    (one.loss, two.loss) = (.infinity, .infinity)
    #expect(flock.combine(.byLoss, one, [two]) { _ in 0 } == mean)
    (one.loss, two.loss) = (0.5, .nan)
    #expect(flock.combine(.byLoss, one, [two]) { _ in 0 } == one.parameters)
    (one.loss, two.loss) = (-4, 0)
    #expect(flock.combine(.byLoss, one, [two]) { _ in 0 } == mean)
  }

  @Test("More models than the sorting rules take at once: the first ones count")
  func crowd() {
    var flock = Flock(seed: 11)
    let others = (0..<100).map { _ in flock.candidate() }
    let first = others.prefix(ParameterVector.robustLimit).map(\.parameters)
    #expect(flock.combine(.median, nil, others) { _ in 0 } == .median(of: first))
    #expect(flock.combine(.trimmedMean(0.25), nil, others) { _ in 0 } == .trimmedMean(of: first, trim: 16))
  }

  @Test("The trimmed mean protects small groups too and always leaves something", arguments: [0, 0.1, 0.2, 0.49])
  func trim(share: Double) {
    for count in 1...20 {
      var flock = Flock(seed: UInt64(count))
      let others = (0..<count).map { _ in flock.candidate() }
      let trim = Reference.trim(share, count)
      #expect(2 * trim < count)
      #expect(share == 0 || count < 3 || trim >= 1)
      let expected = ParameterVector.trimmedMean(of: others.map(\.parameters), trim: trim)
      #expect(flock.combine(.trimmedMean(share), nil, others) { _ in 0 } == expected, "\(share) of \(count)")
    }
  }
}
