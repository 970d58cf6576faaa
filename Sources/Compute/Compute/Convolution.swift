private import MurmurKernels

/// Convolution and pooling in the trainer.
extension Trainer {
  /// outputs = pool(activation(x * weights + bias)) for `rows` rows.
  @unsafe
  func convolve(_ step: Step, _ rows: Int, _ x: UnsafePointer<Float>, _ parameters: UnsafePointer<Float>) {
    unsafe step.stage.withConvolution {
      unsafe table.pointee.convolution_forward(
        $0, rows, x, parameters + step.weights, parameters + step.biases, step.outputs, step.kept, scratch)
    }
  }

  /// Adds up the gradients of weights and biases from `dz`, the gradient by the weighted sums or by the pooled outputs; unless this is the
  /// first stage, `dx` receives the gradient by the sums of the stage before.
  @unsafe
  func convolveBack(
    _ step: Step, _ before: Step?, _ rows: Int, _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    unsafe step.stage.withConvolution {
      unsafe table.pointee.convolution_backward(
        $0, rows, step.outputs, dz, step.kept, step.transposed, gradients + step.weights, gradients + step.biases,
        accumulate ? 1 : 0, before == nil ? nil : dx, scratch)
    }
    if let before, before.stage.activation != .none {
      unsafe table.pointee.activate_backward(rows * before.stage.outputs, x, dx, dx, before.stage.activation.code)
    }
  }

  /// outputs = the largest of each square; for pooling that is no part of a convolution's stage.
  @unsafe
  func pool(_ pooling: Pooling, _ step: Step, _ rows: Int, _ x: UnsafePointer<Float>) {
    for row in 0..<rows {
      let (from, to) = unsafe (x + row * pooling.input.count, step.outputs + row * pooling.output.count)
      for index in 0..<pooling.output.count { unsafe to[index] = from[largest(pooling, index, from)] }
    }
  }

  /// Hands each gradient to the (first) largest of its square, and on to the weighted sums of the stage before.
  @unsafe
  func poolBack(
    _ pooling: Pooling, _ before: Step, _ rows: Int, _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>
  ) {
    unsafe dx.update(repeating: 0, count: rows * pooling.input.count)
    for row in 0..<rows {
      let start = row * pooling.input.count
      for index in 0..<pooling.output.count {
        let at = unsafe start + largest(pooling, index, x + start)
        unsafe dx[at] = dz[row * pooling.output.count + index]
      }
    }
    unsafe table.pointee.activate_backward(rows * pooling.input.count, x, dx, dx, before.stage.activation.code)
  }

  /// Where the first of the largest inputs of an output lies in its row.
  @inline(__always)
  private func largest(_ pooling: Pooling, _ index: Int, _ row: UnsafePointer<Float>) -> Int {
    let (source, target) = (pooling.input, pooling.output)
    let (plane, i, j) = (index / (target.height * target.width), index / target.width % target.height, index % target.width)
    let first = (plane * source.height + i * pooling.size) * source.width + j * pooling.size
    var best = first
    for u in 0..<pooling.size {
      for at in first + u * source.width..<first + u * source.width + pooling.size where unsafe row[at] > row[best] { best = at }
    }
    return best
  }
}
