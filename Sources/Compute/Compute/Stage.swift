internal import MurmurKernels

/// What the trainer runs in one go: a layer, or a convolution with the 2 × 2 pooling after it, whose outputs then never leave the
/// registers unpooled.
struct Stage {
  let layer: Layer
  /// What the kernels are told of a convolution.
  let convolution: murmur_convolution?
  /// The width of a row that comes out.
  let outputs: Int
  /// Whose derivative the stage after this one multiplies the gradient by that it hands back.
  let activation: Activation

  private init(_ layer: Layer, pooling: Pooling?) {
    self.layer = layer
    outputs = pooling?.output.count ?? layer.outputs
    activation = pooling == nil ? layer.activation : .none
    if case .convolution(let shape) = layer {
      convolution = murmur_convolution(
        channels: shape.input.channels, height: shape.input.height, width: shape.input.width, outputs: shape.channels,
        kernel: shape.kernel, padding: shape.padding, pooled: pooling == nil ? 0 : 1, activation: shape.activation.code)
    } else {
      convolution = nil
    }
  }

  /// The stages of a network.
  static func plan(_ layers: [Layer]) -> [Stage] {
    var stages: [Stage] = []
    var index = 0
    while index < layers.count {
      if case .convolution = layers[index], index + 1 < layers.count, case .pooling(let pooling) = layers[index + 1],
        pooling.size == 2
      {
        stages.append(Stage(layers[index], pooling: pooling))
        index += 2
      } else {
        stages.append(Stage(layers[index], pooling: nil))
        index += 1
      }
    }
    return stages
  }

  /// Floats of scratch, free for use within one call.
  var scratch: Int {
    switch layer {
    case .dense(let inputs, let outputs, _): murmur_dense_scratch(inputs, outputs)
    case .convolution: unsafe withConvolution { unsafe murmur_convolution_scratch($0) }
    case .pooling: 0
    }
  }

  /// Floats kept from the forward to the backward pass.
  func kept(rows: Int) -> Int {
    if case .convolution = layer { unsafe withConvolution { unsafe murmur_convolution_kept($0, rows) } } else { 0 }
  }

  /// Floats of the rearranged weights.
  var transposed: Int {
    switch layer {
    case .dense(let inputs, let outputs, _): inputs * outputs
    case .convolution: unsafe withConvolution { unsafe murmur_convolution_turned($0) }
    case .pooling: 0
    }
  }

  /// Calls `body` with what the kernels are told of the convolution.
  @inline(__always)
  @unsafe
  func withConvolution<Result>(_ body: (UnsafePointer<murmur_convolution>) -> Result) -> Result {
    guard let convolution else { preconditionFailure("\(layer) is no convolution") }
    return unsafe withUnsafePointer(to: convolution) { unsafe body($0) }
  }
}
