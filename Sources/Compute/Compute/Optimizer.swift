private import MurmurKernels

/// How a gradient changes the parameters.
public enum Optimizer: Hashable, Sendable {
  /// v = momentum · v + g; p −= rate · v (Polyak's heavy ball in PyTorch's form).
  case sgd(momentum: Float = 0)
  /// Adam (Kingma and Ba, 2015).
  case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
  /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
  case adamW(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, decay: Float = 0.01)
}

/// An optimiser with its memory: the number of steps done and the moment vectors, allocated once.
public struct OptimizerState: Sendable, Hashable {
  /// The rule.
  public let rule: Optimizer
  /// Steps done.
  public private(set) var steps = 0
  /// The running mean of gradients (the velocity, for SGD).
  public internal(set) var first: ParameterVector
  /// The running mean of squared gradients; empty for SGD.
  public internal(set) var second: ParameterVector
  private var power1 = 1.0
  private var power2 = 1.0

  /// A fresh state for `count` parameters.
  public init(_ rule: Optimizer, count: Int) {
    self.rule = rule
    first = ParameterVector(repeating: 0, count: count)
    if case .sgd = rule {
      second = ParameterVector(repeating: 0, count: 0)
    } else {
      second = ParameterVector(repeating: 0, count: count)
    }
  }

  /// The powers of the decay rates that Adam's corrections are at.
  package var powers: (first: Double, second: Double) { (power1, power2) }

  /// A state as it was; `second` is empty for SGD.
  package init(
    _ rule: Optimizer, steps: Int, powers: (first: Double, second: Double), first: ParameterVector, second: ParameterVector
  ) {
    self.rule = rule
    self.steps = steps
    self.first = first
    self.second = second
    (power1, power2) = powers
  }

  /// Takes the state out and leaves an empty one of the same rule behind, so that whoever has it now is its only owner and need
  /// not copy it to change it.
  public mutating func taken() -> OptimizerState {
    var other = OptimizerState(rule, empty: OptimizerState.nothing)
    swap(&self, &other)
    return other
  }

  private static let nothing = ParameterVector(repeating: 0, count: 0)

  private init(_ rule: Optimizer, empty: ParameterVector) {
    self.rule = rule
    (first, second) = (empty, empty)
  }

  /// Forgets everything but the rule.
  public mutating func reset() { self = OptimizerState(rule, count: first.count) }

  /// One step: changes `parameters` by the gradient.
  @unsafe
  package mutating func step(
    _ parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, count: Int, rate: Float, kernels: Kernels
  ) {
    steps += 1
    let table = unsafe kernels.table
    switch rule {
    case .sgd(let momentum):
      unsafe first.withUnsafeMutableFloats { v in
        unsafe table.pointee.sgd(count, rate, momentum, 0, parameters, gradient, v.baseAddress!)
      }
    case .adam(let beta1, let beta2, let epsilon):
      var constants = corrected(beta1, beta2, epsilon, rate)
      unsafe adam(&constants, parameters, gradient, count, table)
    case .adamW(let beta1, let beta2, let epsilon, let decay):
      var constants = corrected(beta1, beta2, epsilon, rate)
      constants.shrink = 1 - rate * decay
      unsafe adam(&constants, parameters, gradient, count, table)
    }
  }

  private mutating func corrected(_ beta1: Float, _ beta2: Float, _ epsilon: Float, _ rate: Float) -> murmur_adam {
    power1 *= Double(beta1)
    power2 *= Double(beta2)
    return murmur_adam(
      rate: Float(Double(rate) / (1 - power1)), beta1: beta1, beta2: beta2, correction: Float(1 / (1 - power2).squareRoot()),
      epsilon: epsilon, decay: 0, shrink: 1)
  }

  private mutating func adam(
    _ constants: inout murmur_adam, _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, _ count: Int,
    _ table: UnsafePointer<murmur_kernels>
  ) {
    unsafe first.withUnsafeMutableFloats { m in
      unsafe second.withUnsafeMutableFloats { v in
        unsafe table.pointee.adam(count, &constants, parameters, gradient, m.baseAddress!, v.baseAddress!)
      }
    }
  }
}
