private import MurmurKernels

/// Convolution and pooling in the trainer: plain loops in Swift, one fused multiply-add chain per element.
extension Trainer {
  /// Rows of a chunk in a network with convolutions.
  static let convolutionRows = 16

  /// Floats of scratch a convolution needs for `rows` rows.
  static func scratch(_ convolution: Convolution, rows: Int) -> Int { 0 }
  /// Floats a convolution keeps from forward to backward for `rows` rows.
  static func kept(_ convolution: Convolution, rows: Int) -> Int { 0 }
  /// Floats a pooling layer keeps from forward to backward for `rows` rows.
  static func kept(_ pooling: Pooling, rows: Int) -> Int { 0 }

  /// outputs = activation(x * weights + bias) for `rows` rows.
  @unsafe
  func forward(
    _ convolution: Convolution, _ step: Step, _ rows: Int, _ x: UnsafePointer<Float>, _ parameters: UnsafePointer<Float>
  ) {
    let (source, target, side) = (convolution.input, convolution.output, convolution.kernel)
    let weights = unsafe parameters + step.weights
    for row in 0..<rows {
      for channel in 0..<target.channels {
        for i in 0..<target.height {
          for j in 0..<target.width {
            var sum = unsafe parameters[step.biases + channel]
            visit(convolution, i, j) { plane, u, v, at in
              unsafe sum = (sum).addingProduct(
                weights[((channel * source.channels + plane) * side + u) * side + v], x[row * source.count + at])
            }
            unsafe step.outputs[row * target.count + (channel * target.height + i) * target.width + j] = sum
          }
        }
      }
    }
    unsafe table.pointee.activate(rows * target.count, step.outputs, convolution.activation.code)
  }

  /// Adds up the gradients of weights and biases from `dz`; `dx`, if wanted, receives the gradient by the sums of the layer before.
  @unsafe
  func backward(
    _ convolution: Convolution, _ step: Step, _ before: Step?, _ rows: Int, _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?, _ parameters: UnsafePointer<Float>, accumulate: Bool
  ) {
    let (source, target, side) = (convolution.input, convolution.output, convolution.kernel)
    let weights = unsafe parameters + step.weights
    let (dw, db) = unsafe (gradients + step.weights, gradients + step.biases)
    if !accumulate { unsafe dw.update(repeating: 0, count: step.biases - step.weights + target.channels) }
    if let dx = unsafe dx { unsafe dx.update(repeating: 0, count: rows * source.count) }
    for row in 0..<rows {
      for channel in 0..<target.channels {
        for i in 0..<target.height {
          for j in 0..<target.width {
            let d = unsafe dz[row * target.count + (channel * target.height + i) * target.width + j]
            unsafe db[channel] += d
            visit(convolution, i, j) { plane, u, v, at in
              let w = ((channel * source.channels + plane) * side + u) * side + v
              unsafe dw[w] = dw[w].addingProduct(d, x[row * source.count + at])
              if let dx = unsafe dx {
                unsafe dx[row * source.count + at] = dx[row * source.count + at].addingProduct(d, weights[w])
              }
            }
          }
        }
      }
    }
    if let dx = unsafe dx, let before {
      unsafe table.pointee.activate_backward(rows * source.count, x, dx, dx, before.layer.activation.code)
    }
  }

  /// outputs = the largest of each square.
  @unsafe
  func forward(_ pooling: Pooling, _ step: Step, _ rows: Int, _ x: UnsafePointer<Float>) {
    for row in 0..<rows {
      for index in 0..<pooling.output.count {
        unsafe step.outputs[row * pooling.output.count + index] = x[row * pooling.input.count + largest(pooling, index, x, row)]
      }
    }
  }

  /// Hands each gradient to the (first) largest of its square.
  @unsafe
  func backward(
    _ pooling: Pooling, _ step: Step, _ before: Step?, _ rows: Int, _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>?
  ) {
    guard let dx = unsafe dx, let before else { return }
    unsafe dx.update(repeating: 0, count: rows * pooling.input.count)
    for row in 0..<rows {
      for index in 0..<pooling.output.count {
        let at = unsafe row * pooling.input.count + largest(pooling, index, x, row)
        unsafe dx[at] = dz[row * pooling.output.count + index]
      }
    }
    unsafe table.pointee.activate_backward(rows * pooling.input.count, x, dx, dx, before.layer.activation.code)
  }

  private func largest(_ pooling: Pooling, _ index: Int, _ x: UnsafePointer<Float>, _ row: Int) -> Int {
    let (source, target) = (pooling.input, pooling.output)
    let (plane, i, j) = (index / (target.height * target.width), index / target.width % target.height, index % target.width)
    let first = (plane * source.height + i * pooling.size) * source.width + j * pooling.size
    var best = first
    for u in 0..<pooling.size {
      for v in 0..<pooling.size where unsafe x[row * source.count + first + u * source.width + v] > x[row * source.count + best] {
        best = first + u * source.width + v
      }
    }
    return best
  }

  /// Calls `body` with (plane, u, v, input index) for every weight that meets an input at output (i, j).
  @inline(__always)
  private func visit(_ convolution: Convolution, _ i: Int, _ j: Int, _ body: (Int, Int, Int, Int) -> Void) {
    let source = convolution.input
    for plane in 0..<source.channels {
      for u in 0..<convolution.kernel {
        let row = i + u - convolution.padding
        guard row >= 0, row < source.height else { continue }
        for v in 0..<convolution.kernel {
          let column = j + v - convolution.padding
          if column >= 0, column < source.width { body(plane, u, v, (plane * source.height + row) * source.width + column) }
        }
      }
    }
  }
}
