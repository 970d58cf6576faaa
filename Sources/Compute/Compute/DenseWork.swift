private import MurmurKernels

/// One dense layer of a computational unit: how many neurons, and what they do to their weighted sums.
public struct DenseShape: Hashable, Sendable {
  /// The number of neurons.
  public var width: Int
  /// What is done to the weighted sums.
  public var activation: Activation

  /// `width` neurons.
  public init(_ width: Int, _ activation: Activation) {
    self.width = width
    self.activation = activation
  }
}

/// Forward and backward passes of small stacks of dense layers over matrices that the caller keeps, and the working memory they take.
///
/// Unlike ``Trainer``, which owns everything between the rows and the loss, a stack here may be one of many that together are a
/// network: gradients come from elsewhere and go elsewhere. Parameters of a stack lie one layer after another, weights `[inputs][neurons]`
/// before biases. Not sendable: one per thread.
@safe
public final class DenseWork {
  let kernels: Kernels
  var scratch = FloatStorage(uninitialized: 16)
  /// Vectors for gradients, one of each length that was asked for: many units share them, so that they stay in the cache.
  private var gradients: [Int: ParameterVector] = [:]
  private var transposed = FloatStorage(uninitialized: 16)
  /// Products of any matrices, for rules that need them.
  public private(set) lazy var product = MatrixProduct(kernels: kernels)

  /// Working memory that grows with use.
  public init(kernels: Kernels = .selected) { self.kernels = kernels }

  /// Lends a vector for a gradient of `count` numbers, with whatever the last user left in it.
  public func withGradient<Result>(_ count: Int, _ body: (inout ParameterVector) -> Result) -> Result {
    var lent = gradients.removeValue(forKey: count) ?? ParameterVector(repeating: 0, count: count)
    defer { gradients[count] = lent }
    return body(&lent)
  }

  /// The number of parameters of a stack.
  public static func parameterCount(inputs: Int, _ layers: [DenseShape]) -> Int {
    var (count, inputs) = (0, inputs)
    for layer in layers {
      count += (inputs + 1) * layer.width
      inputs = layer.width
    }
    return count
  }

  /// The outputs of every layer of the stack, first to last; `residual` is added to the last weighted sums before their activation.
  public func forward(_ layers: [DenseShape], _ x: Matrix, _ parameters: ParameterVector, residual: Matrix? = nil) -> [Matrix] {
    precondition(parameters.count == DenseWork.parameterCount(inputs: x.columns, layers), "other parameters for this stack")
    return unsafe parameters.withUnsafeFloats { unsafe forward(layers[...], x, $0.baseAddress!, residual: residual) }
  }

  /// The outputs of some layers whose parameters begin at `parameters`.
  func forward(
    _ layers: ArraySlice<DenseShape>, _ x: Matrix, _ parameters: UnsafePointer<Float>, residual: Matrix?
  ) -> [Matrix] {
    var (outputs, input, weights) = unsafe ([Matrix](), x, parameters)
    outputs.reserveCapacity(layers.count + 1)
    for (index, layer) in layers.enumerated() {
      let y = FloatStorage(uninitialized: x.rows * layer.width)
      let adds = index == layers.count - 1 ? residual : nil
      unsafe kernels.table.pointee.dense_forward(
        x.rows, input.columns, layer.width, input.storage.pointer, weights, weights + input.columns * layer.width, y.pointer,
        adds == nil ? layer.activation.code : Activation.none.code)
      if let adds { finish(y, layer, adds, rows: x.rows) }
      unsafe weights += (input.columns + 1) * layer.width
      input = Matrix(storage: y, rows: x.rows, columns: layer.width)
      outputs.append(input)
    }
    return outputs
  }

  /// Adds to weighted sums and applies the activation.
  func finish(_ y: FloatStorage, _ layer: DenseShape, _ residual: Matrix?, rows: Int) {
    if let residual {
      precondition(residual.rows == rows && residual.columns == layer.width, "a residual of another shape")
      unsafe kernels.table.pointee.add(y.count, residual.storage.pointer, y.pointer)
    }
    unsafe kernels.table.pointee.activate(y.count, y.pointer, layer.activation.code)
  }

  /// The way back. `dy` is the gradient of the loss by the last layer's outputs. Writes the gradient of the parameters to `gradient` and
  /// returns that by the inputs, if wanted, and that by the residual (the last weighted sums).
  public func backward(
    _ layers: [DenseShape], _ x: Matrix, _ outputs: [Matrix], _ parameters: ParameterVector, dy: Matrix,
    gradient: inout ParameterVector, wantsInput: Bool
  ) -> (input: Matrix?, sums: Matrix) {
    let (inputs, width) = (x.columns, layers[0].width)
    precondition(parameters.count == DenseWork.parameterCount(inputs: inputs, layers), "other parameters for this stack")
    let (sums, dz) = backward(layers, inputs: inputs, outputs, parameters, dy: dy, gradient: &gradient)
    let input = unsafe parameters.withUnsafeFloats { floats in
      unsafe gradient.withUnsafeMutableFloats { gradients in
        unsafe back(
          x, dz, floats.baseAddress!, gradients.baseAddress!, inputs: inputs, width: width, wantsInput: wantsInput, before: .none)
      }
    }
    return (input, sums)
  }

  /// The way back down to the weighted sums of the first layer, whose gradient is `dz`.
  func backward(
    _ layers: [DenseShape], inputs: Int, _ outputs: [Matrix], _ parameters: ParameterVector, dy: Matrix,
    gradient: inout ParameterVector
  ) -> (sums: Matrix, dz: Matrix) {
    precondition(gradient.count == parameters.count, "a gradient of other parameters")
    let last = outputs[layers.count - 1]
    precondition(dy.rows == last.rows && dy.columns == last.columns, "a gradient of another shape")
    var dz = dy
    if layers[layers.count - 1].activation != .none {
      let storage = FloatStorage(uninitialized: dy.count)
      unsafe kernels.table.pointee.activate_backward(
        dy.count, last.storage.pointer, dy.storage.pointer, storage.pointer, layers[layers.count - 1].activation.code)
      dz = Matrix(storage: storage, rows: dy.rows, columns: dy.columns)
    }
    let sums = dz
    var end = parameters.count
    unsafe parameters.withUnsafeFloats { floats in
      unsafe gradient.withUnsafeMutableFloats { gradients in
        for index in layers.indices.reversed().dropLast() {
          let (x, width) = (outputs[index - 1], layers[index].width)
          end -= (x.columns + 1) * width
          let back = unsafe back(
            x, dz, floats.baseAddress! + end, gradients.baseAddress! + end, inputs: x.columns, width: width, wantsInput: true,
            before: layers[index - 1].activation)
          if let back { dz = back }
        }
      }
    }
    return (sums, dz)
  }

  /// One layer back: the gradients of its weights and biases, and that of the layer's inputs, times the derivative of what made them.
  private func back(
    _ x: Matrix, _ dz: Matrix, _ weights: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, inputs: Int,
    width: Int, wantsInput: Bool, before: Activation
  ) -> Matrix? {
    grow(&scratch, murmur_dense_scratch(inputs, width))
    unsafe kernels.table.pointee.dense_weights(
      x.rows, inputs, width, x.storage.pointer, dz.storage.pointer, gradients, gradients + inputs * width, 0, scratch.pointer)
    guard wantsInput else { return nil }
    grow(&transposed, inputs * width)
    unsafe kernels.table.pointee.transpose(inputs, width, weights, width, transposed.pointer, inputs)
    let dx = FloatStorage(uninitialized: x.rows * inputs)
    unsafe kernels.table.pointee.dense_input(
      x.rows, inputs, width, dz.storage.pointer, transposed.pointer, dx.pointer, x.storage.pointer, before.code)
    return Matrix(storage: dx, rows: x.rows, columns: inputs)
  }

  func grow(_ storage: inout FloatStorage, _ count: Int) {
    if storage.count < count { storage = FloatStorage(uninitialized: count) }
  }

  /// One optimiser step.
  public func step(
    _ optimizer: inout OptimizerState, _ parameters: inout ParameterVector, gradient: ParameterVector, rate: Float
  ) {
    precondition(parameters.count == gradient.count && optimizer.first.count == gradient.count, "a gradient of another model")
    unsafe gradient.withUnsafeFloats { gradients in
      unsafe parameters.withUnsafeMutableFloats { floats in
        unsafe optimizer.step(
          floats.baseAddress!, gradient: gradients.baseAddress!, count: floats.count, rate: rate, kernels: kernels)
      }
    }
  }

  /// The mean cross-entropy over the rows that count, and its gradient by the logits, scaled by `scale` in every row that counts.
  public func crossEntropy(_ logits: Matrix, _ labels: [Int32], mask: RowMask, scale: Float) -> (loss: Double, gradient: Matrix) {
    precondition(labels.count == logits.rows, "\(labels.count) labels for \(logits.rows) rows")
    let dz = FloatStorage(uninitialized: logits.count)
    let sum = unsafe kernels.table.pointee.softmax_cross_entropy(
      logits.rows, logits.columns, logits.storage.pointer, labels, dz.pointer, scale)
    return (sum / Double(max(1, logits.rows)), masked(Matrix(storage: dz, rows: logits.rows, columns: logits.columns), mask))
  }

  /// The mean squared difference, and its gradient by `values`, scaled by `scale` in every row that counts.
  public func meanSquared(_ values: Matrix, _ targets: Matrix, mask: RowMask, scale: Float) -> (loss: Double, gradient: Matrix) {
    precondition(values.rows == targets.rows && values.columns == targets.columns, "targets of another shape")
    let dz = FloatStorage(uninitialized: values.count)
    let sum = unsafe kernels.table.pointee.mean_squared(
      values.rows, values.columns, values.storage.pointer, targets.storage.pointer, dz.pointer, scale)
    return (sum / Double(max(1, values.rows)), masked(Matrix(storage: dz, rows: values.rows, columns: values.columns), mask))
  }

  private func masked(_ matrix: Matrix, _ mask: RowMask) -> Matrix {
    guard !mask.isAll else { return matrix }
    for row in 0..<matrix.rows where !mask[row] {
      unsafe (matrix.storage.pointer + row * matrix.columns).update(repeating: 0, count: matrix.columns)
    }
    return matrix
  }

  /// The logarithms of the softmax of every row.
  public func logSoftmax(_ logits: Matrix) -> Matrix {
    let table = unsafe kernels.table
    let result = FloatStorage(copying: logits.storage)
    let exponentials = FloatStorage(uninitialized: logits.count)
    let (rows, columns) = (logits.rows, logits.columns)
    for row in 0..<rows {
      let z = unsafe result.pointer + row * columns
      var largest = unsafe z[0]
      for column in 1..<max(columns, 1) { unsafe largest = max(largest, z[column]) }
      for column in 0..<columns { unsafe z[column] -= largest }
    }
    unsafe table.pointee.exp(logits.count, result.pointer, exponentials.pointer)
    let sums = FloatStorage(uninitialized: rows)
    for row in 0..<rows { unsafe sums.pointer[row] = table.pointee.sum(columns, exponentials.pointer + row * columns) }
    unsafe table.pointee.log(rows, sums.pointer, sums.pointer)
    for row in 0..<rows {
      let z = unsafe result.pointer + row * columns
      for column in 0..<columns { unsafe z[column] -= sums.pointer[row] }
    }
    return Matrix(storage: result, rows: rows, columns: columns)
  }
}
