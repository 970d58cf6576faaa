/// What a dense or convolutional layer does to its weighted sums.
public enum Activation: String, Codable, Hashable, Sendable, CaseIterable {
  /// Nothing.
  case none
  /// max(0, x).
  case relu
  /// x, or 0.01 x where x is negative.
  case leakyRelu
  /// The hyperbolic tangent.
  case tanh
  /// The logistic function 1 / (1 + e⁻ˣ).
  case sigmoid

  /// The number the kernels know it by.
  package var code: Int32 {
    switch self {
    case .none: 0
    case .relu: 1
    case .leakyRelu: 2
    case .tanh: 3
    case .sigmoid: 4
    }
  }
}

/// One layer of an architecture, as data.
public enum Layer: Hashable, Sendable {
  /// y = activation(x W + b).
  case dense(inputs: Int, outputs: Int, activation: Activation)
  /// A square convolution over planes.
  case convolution(Convolution)
  /// The largest of each square of every plane.
  case pooling(Pooling)

  /// The width of a row that goes in.
  public var inputs: Int {
    switch self {
    case .dense(let inputs, _, _): inputs
    case .convolution(let convolution): convolution.input.count
    case .pooling(let pooling): pooling.input.count
    }
  }

  /// The width of a row that comes out.
  public var outputs: Int {
    switch self {
    case .dense(_, let outputs, _): outputs
    case .convolution(let convolution): convolution.output.count
    case .pooling(let pooling): pooling.output.count
    }
  }

  /// What is done to the weighted sums; `none` for pooling.
  public var activation: Activation {
    switch self {
    case .dense(_, _, let activation): activation
    case .convolution(let convolution): convolution.activation
    case .pooling: .none
    }
  }

  /// The shape of the weights as PyTorch has it (outputs first); empty if the layer has none.
  public var weightShape: [Int] {
    switch self {
    case .dense(let inputs, let outputs, _): [outputs, inputs]
    case .convolution(let convolution):
      [convolution.channels, convolution.input.channels, convolution.kernel, convolution.kernel]
    case .pooling: []
    }
  }

  /// The number of biases.
  public var biases: Int {
    switch self {
    case .dense(_, let outputs, _): outputs
    case .convolution(let convolution): convolution.channels
    case .pooling: 0
    }
  }

  /// Multiply-adds of one row going forward.
  public var multiplyAdds: Int {
    switch self {
    case .dense(let inputs, let outputs, _): inputs * outputs
    case .convolution(let convolution):
      convolution.output.count * convolution.input.channels * convolution.kernel * convolution.kernel
    case .pooling(let pooling): pooling.output.count * pooling.size * pooling.size / 2
    }
  }
}

/// The shape of one row seen as planes, stored plane after plane, row after row.
public struct Volume: Hashable, Sendable {
  /// The number of planes.
  public var channels: Int
  /// Rows of a plane.
  public var height: Int
  /// Columns of a plane.
  public var width: Int

  /// That many planes of that size.
  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// The number of elements.
  public var count: Int { channels * height * width }
}

/// A square convolution with stride 1.
public struct Convolution: Hashable, Sendable {
  /// What goes in.
  public var input: Volume
  /// Planes that come out.
  public var channels: Int
  /// The side of the square of weights.
  public var kernel: Int
  /// Zeros around every plane.
  public var padding: Int
  /// What is done to the weighted sums.
  public var activation: Activation

  /// A convolution of `input` to `channels` planes.
  public init(input: Volume, channels: Int, kernel: Int, padding: Int, activation: Activation) {
    self.input = input
    self.channels = channels
    self.kernel = kernel
    self.padding = padding
    self.activation = activation
  }

  /// What comes out.
  public var output: Volume {
    Volume(channels: channels, height: input.height + 2 * padding - kernel + 1, width: input.width + 2 * padding - kernel + 1)
  }
}

/// The largest of each square, squares side by side.
public struct Pooling: Hashable, Sendable {
  /// What goes in.
  public var input: Volume
  /// The side of the square.
  public var size: Int

  /// Pooling over squares of `size`.
  public init(input: Volume, size: Int) {
    self.input = input
    self.size = size
  }

  /// What comes out; incomplete squares at the far edges are left out.
  public var output: Volume { Volume(channels: input.channels, height: input.height / size, width: input.width / size) }
}
