import MurmurCompute
import MurmurKernels
import MurmurMachines
import Testing

/// The matrix products against the definition: every element one chain of fused multiply-adds over ascending k.
@Suite struct ProductTests {
  static let shapes: [(Int, Int, Int)] = [
    (1, 1, 1), (1, 2, 3), (5, 7, 9), (6, 64, 28), (7, 65, 33), (13, 10, 64), (32, 2, 64), (12, 16, 1), (64, 17, 5), (3, 130, 300),
    (97, 129, 257), (101, 33, 600), (200, 100, 64), (2, 300, 70),
  ]

  @Test(arguments: Kernels.available) func everyTranspositionIsTheChainOverAscendingK(kernels: Kernels) {
    let seed: UInt64 = 11
    var sampling = Sampling(seed)
    let product = MatrixProduct(kernels: kernels)
    for (m, n, k) in ProductTests.shapes {
      let (a, b, start) = (sampling.normals(m * k), sampling.normals(k * n), sampling.normals(m * n))
      for mode in 0..<8 {
        let (ta, tb, accumulating) = (mode & 1 != 0, mode & 2 != 0, mode & 4 != 0)
        var c = start
        product.multiply(
          a, b, into: &c, rows: m, columns: n, depth: k, transposingA: ta, transposingB: tb, accumulating: accumulating)
        var expected = start
        for i in 0..<m {
          for j in 0..<n {
            var sum: Float = accumulating ? start[i * n + j] : 0
            for p in 0..<k { sum = sum.addingProduct(ta ? a[p * m + i] : a[i * k + p], tb ? b[j * k + p] : b[p * n + j]) }
            expected[i * n + j] = sum
          }
        }
        #expect(sameBits(c, expected), "seed \(seed), \(kernels), \(m)×\(n)×\(k), transposed \(ta) \(tb), onto \(accumulating)")
      }
    }
  }

  @Test(arguments: Kernels.available) func transposingMovesEveryElement(kernels: Kernels) {
    var sampling = Sampling(12)
    for (rows, columns) in [(1, 1), (3, 5), (16, 16), (17, 15), (64, 2), (2, 64), (33, 49), (10, 64), (28, 31)] {
      let source = sampling.normals(rows * columns)
      var target = [Float](repeating: .nan, count: rows * columns)
      unsafe kernels.table.pointee.transpose(rows, columns, source, columns, &target, rows)
      for i in 0..<rows {
        for j in 0..<columns { #expect(target[j * rows + i] == source[i * columns + j], "\(rows)×\(columns)") }
      }
    }
  }

  @Test(arguments: Kernels.available) func aDenseLayerStartsItsChainsAtTheBias(kernels: Kernels) {
    let table = unsafe kernels.table.pointee
    for (rows, inputs, outputs) in [(1, 3, 2), (32, 28, 64), (17, 64, 2), (9, 64, 10), (64, 300, 7), (5, 600, 33), (16, 16, 8)] {
      var sampling = Sampling(13)
      let (x, w, b) = (sampling.normals(rows * inputs), sampling.normals(inputs * outputs), sampling.normals(outputs))
      let dz = sampling.normals(rows * outputs)
      for activation in [Activation.none, .relu, .leakyRelu] {
        var y = [Float](repeating: 0, count: rows * outputs)
        unsafe table.dense_forward(rows, inputs, outputs, x, w, b, &y, activation.code)
        var expected = y
        for r in 0..<rows {
          for o in 0..<outputs {
            var sum = b[o]
            for i in 0..<inputs { sum = sum.addingProduct(x[r * inputs + i], w[i * outputs + o]) }
            expected[r * outputs + o] = sum < 0 ? (activation == .relu ? 0 : activation == .none ? sum : 0.01 * sum) : sum
          }
        }
        #expect(sameBits(y, expected), "\(kernels) \(rows)×\(inputs)→\(outputs) \(activation)")
      }
      unsafe checkGradients(table, rows, inputs, outputs, x, w, dz, "\(kernels) \(rows)×\(inputs)→\(outputs)")
    }
  }

  @unsafe private func checkGradients(
    _ table: murmur_kernels, _ rows: Int, _ inputs: Int, _ outputs: Int, _ x: [Float], _ w: [Float], _ dz: [Float], _ what: String
  ) {
    var dw = [Float](repeating: 0.5, count: inputs * outputs)
    var db = [Float](repeating: 0.25, count: outputs)
    var scratch = [Float](repeating: 0, count: max(1, murmur_dense_scratch(inputs, outputs)))
    for accumulate in [false, true] {
      var (weights, biases) = (dw, db)
      for o in 0..<outputs {
        if !accumulate { biases[o] = 0 }
        for r in 0..<rows { biases[o] += dz[r * outputs + o] }
        for i in 0..<inputs {
          var sum = accumulate ? weights[i * outputs + o] : 0
          for r in 0..<rows { sum = sum.addingProduct(x[r * inputs + i], dz[r * outputs + o]) }
          weights[i * outputs + o] = sum
        }
      }
      unsafe table.dense_weights(rows, inputs, outputs, x, dz, &dw, &db, accumulate ? 1 : 0, &scratch)
      #expect(sameBits(dw, weights) && sameBits(db, biases), "\(what), accumulating \(accumulate)")
    }
    var turned = w
    unsafe table.transpose(inputs, outputs, w, outputs, &turned, inputs)
    var dx = [Float](repeating: 0, count: rows * inputs)
    var expected = dx
    unsafe table.dense_input(rows, inputs, outputs, dz, turned, &dx, x, Activation.relu.code)
    for r in 0..<rows {
      for i in 0..<inputs {
        var sum: Float = 0
        for o in 0..<outputs { sum = sum.addingProduct(dz[r * outputs + o], w[i * outputs + o]) }
        expected[r * inputs + i] = x[r * inputs + i] > 0 ? sum : 0
      }
    }
    #expect(sameBits(dx, expected), "\(what), gradient of the inputs")
  }
}
