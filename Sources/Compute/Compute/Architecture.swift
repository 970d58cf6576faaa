private import MurmurMachines

/// A named range of a ``ParameterVector``.
public struct NamedRange: Hashable, Sendable {
  /// The tensor's name in a safetensors file, e.g. `layers.0.weight`.
  public let name: String
  /// Where it lies in the flat vector.
  public let range: Range<Int>
  /// Its shape in a safetensors file, as PyTorch has it, e.g. `[outputs, inputs]`.
  public let shape: [Int]
  /// Whether the flat vector holds it transposed, `[inputs][outputs]`, which is what the dense kernels want.
  public let transposed: Bool
}

/// What a model is trained to do.
public enum Task: String, Hashable, Sendable, Codable {
  /// Name the class of a row; the loss is softmax cross-entropy.
  case classification
  /// Come near the target row; the loss is the mean squared error.
  case regression
}

/// A model as data: its layers, its task, and where each layer's parameters lie in the flat vector.
///
/// The short form is a line of text: `64-64-10` (dense layers, relu between them, a softmax head), `784-64-10 tanh`,
/// `autoencoder 784-64-16-64-784`, `regression 13-64-1`, `lenet5`.
public struct Architecture: Hashable, Sendable, Codable, CustomStringConvertible {
  package final class Plan: Sendable {
    let text: String
    let layers: [Layer]
    let task: Task
    let reconstructs: Bool
    let ranges: [NamedRange]
    let parameterCount: Int
    let header: SafeTensors.Header

    package init(text: String, layers: [Layer], task: Task, reconstructs: Bool) {
      self.text = text
      self.layers = layers
      self.task = task
      self.reconstructs = reconstructs
      var ranges: [NamedRange] = []
      var position = 0
      var index = 0
      for layer in layers where layer.biases > 0 {
        let shape = layer.weightShape
        let size = shape.reduce(1, *)
        var transposed = false
        if case .dense = layer { transposed = true }
        ranges.append(
          NamedRange(name: "layers.\(index).weight", range: position..<position + size, shape: shape, transposed: transposed))
        position += size
        ranges.append(
          NamedRange(
            name: "layers.\(index).bias", range: position..<position + layer.biases, shape: [layer.biases], transposed: false))
        position += layer.biases
        index += 1
      }
      self.ranges = ranges
      parameterCount = position
      header = SafeTensors.Header(ranges: ranges, text: text)
    }
  }

  package let plan: Plan

  package init(plan: Plan) { self.plan = plan }

  /// The layers, first to last.
  public var layers: [Layer] { plan.layers }
  /// What the model is trained to do.
  public var task: Task { plan.task }
  /// Whether the target of a row is the row itself.
  public var reconstructs: Bool { plan.reconstructs }
  /// The width of a row that goes in.
  public var inputs: Int { plan.layers[0].inputs }
  /// The width of a row that comes out: classes, or the width of a target row.
  public var outputs: Int { plan.layers[plan.layers.count - 1].outputs }
  /// The length of the flat vector.
  public var parameterCount: Int { plan.parameterCount }
  /// Where each tensor lies in the flat vector, in order and without gaps.
  public var ranges: [NamedRange] { plan.ranges }
  /// The short form, which ``init(parsing:)`` reads back.
  public var description: String { plan.text }

  /// Floating-point operations of one row going forward.
  public var inferenceOperationsPerRow: Int { 2 * layers.reduce(0) { $0 + $1.multiplyAdds } }
  /// Floating-point operations of one row in training: forward, gradient of weights, gradient of inputs (not in the first layer).
  public var trainingOperationsPerRow: Int { 3 * inferenceOperationsPerRow - 2 * layers[0].multiplyAdds }

  /// Fresh parameters, uniform in ±1/√inputs of each layer (Kaiming, with PyTorch's default gain), the same bits everywhere.
  public func initialParameters(seed: UInt64) -> ParameterVector {
    var chance = Chance(seed: seed).fork("initial parameters")
    return unsafe ParameterVector(count: parameterCount) { floats in
      var position = 0
      for layer in layers where layer.biases > 0 {
        let size = layer.weightShape.reduce(1, *)
        let bound = 1 / Double(size / layer.biases).squareRoot()
        for _ in 0..<size + layer.biases {
          unsafe floats[position] = Float((2 * chance.uniform() - 1) * bound)
          position += 1
        }
      }
    }
  }

  /// Whether both have the same short form.
  public static func == (left: Architecture, right: Architecture) -> Bool {
    left.plan === right.plan || left.plan.text == right.plan.text
  }
  /// Hashes the short form.
  public func hash(into hasher: inout Hasher) { hasher.combine(plan.text) }

  /// Reads the short form.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do { try self.init(parsing: container.decode(String.self)) } catch let error as ArchitectureError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  /// Writes the short form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(plan.text)
  }
}
