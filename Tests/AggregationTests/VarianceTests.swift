import MurmurAggregation
import MurmurCompute
import MurmurSessions
import Testing

@Suite("The variance that averaging takes out is put back")
struct VarianceTests {
  @Test("A layer has the standard deviation of its inputs again, keeps its mean, and biases stay as averaged", arguments: 1...6)
  func restored(seed: Int) {
    var flock = Flock(seed: UInt64(seed))
    let others = (0..<5).map { _ in flock.candidate() }
    let plain = flock.combine(.mean, nil, others) { _ in 0 }
    let corrected = flock.combine(.mean, nil, others, corrected: true) { _ in 0 }
    for layer in flock.architecture.ranges {
      if layer.shape.count > 1 {
        let wanted = others.reduce(0.0) { $0 + Reference.deviation($1.parameters, layer.range) } / 5
        // Models drawn at random agree in nothing: their mean has lost more than half of the deviation.
        #expect(Reference.deviation(plain, layer.range) < 0.6 * wanted, "seed \(seed), \(layer.name)")
        #expect(abs(Reference.deviation(corrected, layer.range) / wanted - 1) < 1e-4, "seed \(seed), \(layer.name)")
        #expect(abs(Reference.mean(corrected, layer.range) - Reference.mean(plain, layer.range)) < 1e-5)
      } else {
        for index in layer.range { #expect(corrected[index] == plain[index], "seed \(seed), \(layer.name)") }
      }
    }
  }

  @Test("Models that agree lose nothing, so nothing is put back")
  func agreement() {
    var flock = Flock(seed: 21)
    let one = flock.candidate()
    let result = flock.combine(.mean, one, [one, one], corrected: true) { _ in 0 }
    #expect(result.maxAbsDifference(to: one.parameters) < 1e-5)
  }

  @Test("A layer of equal weights has no direction to be stretched in")
  func constant() {
    let flock = Flock(seed: 22)
    let flat = Candidate(parameters: ParameterVector(repeating: 0.5, count: flock.architecture.parameterCount), rows: 1, loss: 1)
    let result = flock.combine(.mean, flat, [flat], corrected: true) { _ in 0 }
    #expect(result == flat.parameters)
  }

  @Test("A weighted mean is given the deviation of those that count")
  func weighted() {
    var flock = Flock(seed: 23)
    var (wide, narrow) = (flock.candidate(), flock.candidate())
    wide.parameters.scale(by: 100)
    (wide.rows, narrow.rows) = (1, 999_999)
    let layer = flock.architecture.ranges[0].range
    let result = flock.combine(.byRows, wide, [narrow], corrected: true) { _ in 0 }
    #expect(abs(Reference.deviation(result, layer) / Reference.deviation(narrow.parameters, layer) - 1) < 0.01)
  }

  @Test("A model that line search turns down has no part in the deviation either")
  func lineSearch() {
    var flock = Flock(seed: 24)
    let own = flock.candidate()
    var other = flock.candidate()
    other.parameters.scale(by: 50)
    let result = flock.combine(.lineSearch, own, [other], corrected: true) { Double($0.squaredDistance(to: own.parameters)) }
    #expect(result.maxAbsDifference(to: own.parameters) < 1e-5)
  }
}
