import MurmurCompute
import MurmurKernels
import MurmurMachines
import Testing

/// Every kernel of every variant this processor has, bit for bit against the portable baseline.
@Suite struct VariantTests {
  static let counts = [1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 127, 200, 1_000, 6_147]

  /// What all vector kernels of a table make of the same inputs.
  @unsafe private func outcomes(_ table: murmur_kernels, _ count: Int, _ seed: UInt64) -> [(String, [Float])] {
    var sampling = Sampling(seed)
    let (x, y, z, positive) = (
      sampling.wild(count), sampling.wild(count), sampling.wild(count), sampling.wild(count).map { abs($0) + 1e-30 }
    )
    var results: [(String, [Float])] = []
    func change(_ name: String, _ body: (UnsafeMutablePointer<Float>) -> Void) {
      var target = y
      unsafe target.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
      results.append((name, target))
    }
    unsafe change("axpy") { unsafe table.axpy(count, 0.37, x, $0) }
    unsafe change("scale") { unsafe table.scale(count, -1.7, $0) }
    unsafe change("add") { unsafe table.add(count, x, $0) }
    unsafe change("subtract") { unsafe table.subtract(count, x, $0) }
    unsafe change("multiply") { unsafe table.multiply(count, x, $0) }
    unsafe change("lerp") { unsafe table.lerp(count, 0.3, x, $0) }
    unsafe change("affine") { unsafe table.affine(count, 1.1, -0.2, $0) }
    unsafe change("exp") { unsafe table.exp(count, x, $0) }
    unsafe change("log") { unsafe table.log(count, positive, $0) }
    for activation in Activation.allCases {
      unsafe change("activate \(activation)") { unsafe table.activate(count, $0, activation.code) }
      unsafe change("backward \(activation)") { unsafe table.activate_backward(count, x, z, $0, activation.code) }
    }
    unsafe x.withUnsafeBufferPointer { a in
      unsafe z.withUnsafeBufferPointer { b in
        unsafe positive.withUnsafeBufferPointer { c in
          let sources = unsafe [a.baseAddress!, b.baseAddress!, c.baseAddress!, a.baseAddress!]
          unsafe change("mean") { unsafe table.mean(count, 4, sources, [0.1, 0.2, 0.3, 0.4], $0) }
          unsafe change("median") { unsafe table.median(count, 3, sources, $0) }
          unsafe change("even median") { unsafe table.median(count, 4, sources, $0) }
          unsafe change("trimmed") { unsafe table.trimmed_mean(count, 4, 1, sources, $0) }
        }
      }
    }
    unsafe results.append(
      (
        "reductions",
        [
          table.sum(count, x), table.dot(count, x, y), table.squared_norm(count, x), table.squared_distance(count, x, y),
          table.squared_deviation(count, 0.3, x), table.max_abs(count, x), table.max_abs_difference(count, x, y),
          Float(table.is_finite(count, x)), Float(table.is_finite(count, x.dropLast() + [.infinity])),
        ]
      ))
    return unsafe results + optimisers(table, count, x, y, z)
  }

  @unsafe private func optimisers(_ table: murmur_kernels, _ count: Int, _ x: [Float], _ y: [Float], _ z: [Float]) -> [(
    String, [Float]
  )] {
    var (parameters, first, second) = (y, z, z.map { $0 * $0 })
    var constants = murmur_adam(
      rate: 0.01, beta1: 0.9, beta2: 0.999, correction: 1.3, epsilon: 1e-8, decay: 0.001, shrink: 0.999)
    for _ in 0..<3 { unsafe table.adam(count, &constants, &parameters, x, &first, &second) }
    var results = [("adam", parameters), ("adam's first", first), ("adam's second", second)]
    var velocity = z
    for _ in 0..<3 { unsafe table.sgd(count, 0.01, 0.9, 0.001, &parameters, x, &velocity) }
    results += [("sgd", parameters), ("sgd's velocity", velocity)]
    return results
  }

  @Test(arguments: Kernels.available) func vectorKernelsGiveTheBaselinesBits(kernels: Kernels) throws {
    let baseline = try Kernels(named: "baseline")
    for count in VariantTests.counts {
      let seed = UInt64(100 + count)
      let expected = unsafe outcomes(baseline.table.pointee, count, seed)
      let found = unsafe outcomes(kernels.table.pointee, count, seed)
      for (a, b) in zip(expected, found) { #expect(sameBits(a.1, b.1), "seed \(seed), \(kernels): \(a.0) of \(count)") }
    }
  }

  @Test(arguments: Kernels.available) func lossesGiveTheBaselinesBits(kernels: Kernels) throws {
    let baseline = try Kernels(named: "baseline")
    for (rows, classes) in [(1, 2), (5, 3), (16, 10), (33, 2), (64, 10), (40, 63), (17, 64), (18, 65), (20, 200)] {
      var sampling = Sampling(21)
      let z = sampling.normals(rows * classes, scale: 8)
      let targets = sampling.normals(rows * classes)
      let labels = (0..<rows).map { _ in Int32(sampling.chance.below(classes)) }
      func run(_ table: murmur_kernels) -> ([Float], [Double]) {
        var (dz, squares) = (z, z)
        let losses = unsafe [
          table.softmax_cross_entropy(rows, classes, z, labels, &dz, 0.125),
          table.mean_squared(rows, classes, z, targets, &squares, 0.5),
          table.softmax_cross_entropy(rows, classes, z, labels, nil, 0), Double(table.correct(rows, classes, z, labels)),
        ]
        return (dz + squares, losses)
      }
      let (expected, found) = unsafe (run(baseline.table.pointee), run(kernels.table.pointee))
      #expect(sameBits(expected.0, found.0) && expected.1 == found.1, "seed 21, \(kernels): \(rows) rows of \(classes)")
      #expect(found.1[0] == found.1[2], "the loss does not depend on whether the gradient is wanted")
    }
  }

  @Test func elementaryFunctionsAreAccurate() {
    let table = unsafe Kernels.selected.table.pointee
    let x = (0..<20_000).map { Float($0 - 10_000) / 115 }
    var y = x
    unsafe table.exp(x.count, x, &y)
    for (argument, value) in zip(x, y) where argument > -86.9 && argument < 87.9 {
      let exact = Portable.exp(Double(argument))
      #expect(abs(Double(value) - exact) <= 2.4e-7 * exact, "exp(\(argument))")
    }
    y = x
    unsafe table.activate(x.count, &y, Activation.tanh.code)
    for (argument, value) in zip(x, y) where argument != 0 {
      let square = Portable.exp(2 * Double(abs(argument)))
      let exact =
        square.isInfinite
        ? 1 : abs(argument) < 0.01 ? Double(abs(argument)) * (1 - Double(argument * argument) / 3) : (square - 1) / (square + 1)
      #expect(abs(Double(abs(value)) - exact) <= 4e-7 * exact && (value < 0) == (argument < 0), "tanh(\(argument)) = \(value)")
    }
    y = x
    unsafe table.activate(x.count, &y, Activation.sigmoid.code)
    for (argument, value) in zip(x, y) {
      #expect(abs(Double(value) - 1 / (1 + Portable.exp(-Double(argument)))) <= 2e-7, "sigmoid(\(argument))")
    }
    let positive = (1..<20_000).map { Float($0) * Float($0) / 1e4 }
    y = positive
    unsafe table.log(positive.count, positive, &y)
    for (argument, value) in zip(positive, y) {
      let exact = Portable.log(Double(argument))
      #expect(abs(Double(value) - exact) <= 1.5e-7 * max(abs(exact), 0.5), "log(\(argument))")
    }
  }

  @Test func namesOfVariantsAreChecked() {
    #expect(throws: KernelsError.unknown(name: "mmx", known: Kernels.known)) { try Kernels(named: "mmx") }
    #expect(Kernels.available.contains(Kernels.selected))
    #expect(KernelsError.unknown(name: "mmx", known: ["a"]).description.contains("no 'mmx' kernels"))
    for name in Kernels.known where !Kernels.available.map(\.name).contains(name) {
      #expect(throws: KernelsError.self) { try Kernels(named: name) }
    }
  }

  @Test func decayedMomentsBecomeZeroRatherThanDenormal() {
    let count = 64
    var state = OptimizerState(.adam(), count: count)
    for step in 0..<3_000 {
      var parameters = [Float](repeating: 1, count: count)
      let gradient = [Float](repeating: step == 0 ? 1e-3 : 0, count: count)
      unsafe state.step(&parameters, gradient: gradient, count: count, rate: 0.001, kernels: .selected)
    }
    #expect(state.first.array.allSatisfy { $0 == 0 })
    #expect(state.second.array.allSatisfy { $0 == 0 || $0.isNormal })
  }
}
