import MurmurCompute
import MurmurKernels
import MurmurMachines
import Testing

/// Layers whose inputs lie in parts: what is left out costs nothing, and changes no bit.
@Suite struct PartsTests {
  @Test(arguments: Kernels.available) func `a layer over parts has the bits of one over all side by side`(kernels: Kernels) {
    let seed: UInt64 = 21
    var sampling = Sampling(seed)
    let work = DenseWork(kernels: kernels)
    for (rows, widths, layers) in [
      (64, [32, 32, 32, 15], [DenseShape(32, .relu)]), (1, [3], [DenseShape(1, .none)]),
      (33, [16, 7, 16, 1], [DenseShape(16, .leakyRelu), DenseShape(5, .tanh)]), (70, [5, 40, 5], [DenseShape(10, .sigmoid)]),
      (100, [300, 2], [DenseShape(2, .relu), DenseShape(33, .relu), DenseShape(3, .none)]),
    ] {
      let parts = widths.enumerated().map { place, width in
        let mask = place == 1 ? RowMask.all : RowMask((0..<rows).map { _ in sampling.chance.happens(place == 2 ? 0 : 0.4) })
        return InputPart(
          columns: width, place == 3 ? nil : Matrix(rows: rows, columns: width, sampling.normals(rows * width)), mask: mask)
      }
      let count = DenseWork.parameterCount(inputs: widths.reduce(0, +), layers)
      let parameters = ParameterVector(sampling.normals(count))
      let joined = work.join(rows: rows, parts)
      let residual = Matrix(rows: rows, columns: layers.last!.width, sampling.normals(rows * layers.last!.width))
      for residual in [nil, residual] {
        #expect(
          work.forward(layers, rows: rows, parts, parameters, residual: residual)
            == work.forward(layers, joined, parameters, residual: residual), "seed \(seed), \(kernels), \(widths), \(layers)")
      }
      let outputs = work.forward(layers, joined, parameters)
      let dy = Matrix(rows: rows, columns: residual.columns, sampling.normals(residual.count))
      var (own, expected) = (ParameterVector(repeating: .nan, count: count), ParameterVector(repeating: .nan, count: count))
      let wanted: [RowMask?] = parts.indices.map { $0 == 0 ? nil : $0 == 1 ? .all : parts[$0].mask }
      let backs = work.backward(layers, parts, outputs, parameters, dy: dy, gradient: &own, wanted: wanted)
      let back = work.backward(layers, joined, outputs, parameters, dy: dy, gradient: &expected, wantsInput: true)
      #expect(own == expected, "seed \(seed), \(kernels), \(widths), \(layers)")
      var start = 0
      for place in parts.indices {
        let end = start + widths[place]
        #expect(backs[place] == wanted[place].flatMap { back.input?.columns(start..<end, keeping: $0) })
        start = end
      }
      #expect(work.backward(layers, parts, outputs, parameters, dy: dy, gradient: &own, wanted: []).allSatisfy { $0 == nil })
    }
  }
}
