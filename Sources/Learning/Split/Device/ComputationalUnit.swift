public import MurmurCompute
public import MurmurMachines

/// The neurons of one stage on one device, with their optimiser: the *computational unit* of Ganguli et al., 2023.
public struct ComputationalUnit: Sendable, Hashable {
  /// Numbers that come in per sample.
  public let inputs: Int
  /// Its layers.
  public let layers: [DenseShape]
  /// Weights `[inputs][neurons]` and biases, layer after layer.
  public var parameters: ParameterVector
  /// The optimiser's memory.
  public private(set) var optimizer: OptimizerState
  /// Multiply-adds of one sample going forward.
  public let multiplyAdds: Int
  private let isFrozen: Bool
  private let hasBiases: Bool

  /// A unit with fresh weights: even draws of the variance that suits the activation (He et al., 2015; Glorot and Bengio, 2010), biases zero.
  public init(inputs: Int, stage: SplitStage, optimizer: Optimizer, chance: Chance) {
    self.inputs = inputs
    layers = stage.layers
    isFrozen = stage.isFrozen
    hasBiases = stage.hasBiases
    var chance = chance
    var values: [Float] = []
    values.reserveCapacity(DenseWork.parameterCount(inputs: inputs, layers))
    var (width, products) = (inputs, 0)
    for layer in layers {
      let rectifies = layer.activation == .relu || layer.activation == .leakyRelu
      let bound = (rectifies ? 6 / Double(width) : 6 / Double(width + layer.width)).squareRoot()
      for _ in 0..<width * layer.width { values.append(stage.beginsAtZero ? 0 : Float((chance.uniform() * 2 - 1) * bound)) }
      values += [Float](repeating: 0, count: layer.width)
      products += width * layer.width
      width = layer.width
    }
    multiplyAdds = products
    parameters = ParameterVector(values)
    self.optimizer = OptimizerState(optimizer, count: isFrozen ? 0 : values.count)
  }

  /// The outputs of its layers.
  public func forward(_ x: Matrix, residual: Matrix?, work: DenseWork) -> [Matrix] {
    work.forward(layers, x, parameters, residual: residual)
  }

  /// Learns from the gradient by its outputs, and returns that by its inputs, if wanted: that of the weights the outputs were made with,
  /// when none of the steps in flight came between.
  public mutating func learn(
    _ x: Matrix, _ outputs: [Matrix], dy: Matrix, rate: Float, wantsInput: Bool, work: DenseWork
  ) -> Matrix? {
    learn(rate, work) { layers, parameters, gradient in
      work.backward(layers, x, outputs, parameters, dy: dy, gradient: &gradient, wantsInput: wantsInput).input
    }
  }

  /// The outputs of its layers for what it reads in parts.
  public func forward(rows: Int, _ parts: [InputPart], residual: Matrix?, work: DenseWork) -> [Matrix] {
    work.forward(layers, rows: rows, parts, parameters, residual: residual)
  }

  /// As ``learn(_:_:dy:rate:wantsInput:work:)``, for what was read in parts; returns the gradients by the parts that are wanted.
  public mutating func learn(
    _ parts: [InputPart], _ outputs: [Matrix], dy: Matrix, rate: Float, wanted: [RowMask?], work: DenseWork
  ) -> [Matrix?] {
    learn(rate, work) { layers, parameters, gradient in
      work.backward(layers, parts, outputs, parameters, dy: dy, gradient: &gradient, wanted: wanted)
    }
  }

  /// Works a gradient out and, unless the unit is frozen, goes a step along it.
  private mutating func learn<Back>(
    _ rate: Float, _ work: DenseWork, by backward: ([DenseShape], ParameterVector, inout ParameterVector) -> Back
  ) -> Back {
    work.withGradient(parameters.count) { gradient in
      let back = backward(layers, parameters, &gradient)
      if !isFrozen {
        if !hasBiases { clearBiases(&gradient) }
        work.step(&optimizer, &parameters, gradient: gradient, rate: rate)
      }
      return back
    }
  }

  /// One step along −y x + (y u) w, which SoftHebb's rule stands for; biases stay zero. `dz` is −y, `decay` the sums of y u per neuron.
  mutating func learnHebbian(_ x: Matrix, _ dz: Matrix, decay: [Float], rate: Float, work: DenseWork) {
    work.withGradient(parameters.count) { gradient in
      _ = work.backward(layers, x, [dz], parameters, dy: dz, gradient: &gradient, wantsInput: false)
      let width = layers[0].width
      unsafe gradient.withUnsafeMutableFloats { gradients in
        unsafe parameters.withUnsafeFloats { weights in
          for index in 0..<inputs * width { unsafe gradients[index] += decay[index % width] * weights[index] }
        }
      }
      clearBiases(&gradient)
      work.step(&optimizer, &parameters, gradient: gradient, rate: rate)
    }
  }

  /// Goes on with parameters and an optimiser of the same shapes.
  mutating func adopt(_ parameters: ParameterVector, _ optimizer: OptimizerState) {
    precondition(parameters.count == self.parameters.count && optimizer.first.count == self.optimizer.first.count, "other shapes")
    self.parameters = parameters
    self.optimizer = optimizer
  }

  /// Asks for what says where the weights are and, if it `learns`, the optimiser's memory.
  mutating func nearHeads(learns: Bool) {
    parameters.nearHead()
    if learns { optimizer.nearHeads() }
  }

  /// Asks for the weights and, if it `learns`, the optimiser's memory.
  mutating func nearNumbers(learns: Bool) {
    parameters.nearNumbers()
    if learns { optimizer.nearNumbers() }
  }

  private func clearBiases(_ gradient: inout ParameterVector) {
    unsafe gradient.withUnsafeMutableFloats { floats in
      var (end, width) = (0, inputs)
      for layer in layers {
        end += width * layer.width
        for index in end..<end + layer.width { unsafe floats[index] = 0 }
        end += layer.width
        width = layer.width
      }
    }
  }

  /// Whether both have the same shape, parameters and optimiser.
  public static func == (left: ComputationalUnit, right: ComputationalUnit) -> Bool {
    left.inputs == right.inputs && left.layers == right.layers && left.parameters == right.parameters
      && left.optimizer == right.optimizer
  }

  /// Hashes the parameters.
  public func hash(into hasher: inout Hasher) { hasher.combine(parameters) }
}
