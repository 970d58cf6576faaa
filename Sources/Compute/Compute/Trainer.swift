package import MurmurKernels

/// How well a model did on some rows.
public struct Evaluation: Hashable, Sendable {
  /// Rows whose class was named; 0 for regression.
  public var correct: Int
  /// Rows looked at.
  public var count: Int
  /// The sum of the rows' losses.
  public var lossSum: Double

  /// The results of looking at `count` rows.
  public init(correct: Int, count: Int, lossSum: Double) {
    self.correct = correct
    self.count = count
    self.lossSum = lossSum
  }

  /// The share of rows whose class was named, 0 for no rows.
  public var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }
  /// The mean loss, 0 for no rows.
  public var loss: Double { count == 0 ? 0 : lossSum / Double(count) }
}

/// Trains and evaluates models of one architecture; holds all the memory that takes, so that no step allocates.
///
/// A batch is walked in chunks of rows small enough for the first caches, and the gradient carries on from chunk to chunk: each of its
/// elements is one chain of fused multiply-adds over the batch's rows in their order, whatever the chunk. Not sendable: one per
/// worker thread. What it computes depends on its arguments alone.
@safe
public final class Trainer {
  /// What it trains.
  public let architecture: Architecture
  /// The largest batch ``train(_:_:rate:on:order:batch:)`` takes.
  public let batch: Int
  /// The kernels it runs on.
  public let kernels: Kernels

  package let table: UnsafePointer<murmur_kernels>
  let steps: [Step]
  let chunk: Int
  let memory: FloatStorage
  let chosen: UnsafeMutablePointer<Int32>
  let inputs: UnsafeMutablePointer<Float>
  let targets: UnsafeMutablePointer<Float>
  let gradients: UnsafeMutablePointer<Float>
  let flows: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
  let scratch: UnsafeMutablePointer<Float>

  /// A stage's place in the parameters and in the workspace.
  @safe
  struct Step {
    let stage: Stage
    /// Offsets of weights and biases in the flat vector.
    let weights: Int
    let biases: Int
    /// Outputs of a chunk of rows, after the activation and the pooling.
    let outputs: UnsafeMutablePointer<Float>
    /// Weights as the gradient of the inputs wants them, renewed once a step; in all stages but the first.
    let transposed: UnsafeMutablePointer<Float>?
    /// What the stage keeps from its forward to its backward pass.
    let kept: UnsafeMutablePointer<Float>
  }

  /// Memory for batches of at most `batch` rows.
  public init(_ architecture: Architecture, batch: Int, kernels: Kernels = .selected) {
    precondition(batch > 0, "a batch of \(batch) rows")
    self.architecture = architecture
    self.batch = batch
    self.kernels = kernels
    unsafe table = kernels.table
    let stages = Stage.plan(architecture.layers)
    let chunk = min(batch, Trainer.rows)
    self.chunk = chunk
    func padded(_ count: Int) -> Int { (count + 15) & ~15 }
    let widest = stages.reduce(architecture.inputs) { max($0, $1.outputs) }
    var sizes = [padded(chunk * architecture.inputs), padded(chunk * architecture.outputs), padded(architecture.parameterCount)]
    sizes += [padded(chunk * widest), padded(chunk * widest), padded(stages.reduce(0) { max($0, $1.scratch) })]
    for (index, stage) in stages.enumerated() {
      sizes += [padded(chunk * stage.outputs), index > 0 ? padded(stage.transposed) : 0, padded(stage.kept(rows: chunk))]
    }
    memory = FloatStorage(repeating: 0, count: sizes.reduce(0, +))
    unsafe chosen = UnsafeMutablePointer<Int32>.allocate(capacity: chunk)
    unsafe chosen.update(repeating: 0, count: chunk)
    var places: [Int] = []
    var position = 0
    for size in sizes {
      places.append(position)
      position += size
    }
    let base = unsafe memory.pointer
    unsafe inputs = base + places[0]
    unsafe targets = base + places[1]
    unsafe gradients = base + places[2]
    unsafe flows = (base + places[3], base + places[4])
    unsafe scratch = base + places[5]
    var steps: [Step] = []
    var parameter = 0
    for (index, stage) in stages.enumerated() {
      let layer = stage.layer
      let size = layer.weightShape.isEmpty ? 0 : layer.weightShape.reduce(1, *)
      unsafe steps.append(
        Step(
          stage: stage, weights: parameter, biases: parameter + size, outputs: base + places[6 + 3 * index],
          transposed: sizes[7 + 3 * index] > 0 ? base + places[7 + 3 * index] : nil, kept: base + places[8 + 3 * index]))
      parameter += size + layer.biases
    }
    self.steps = steps
  }

  deinit { unsafe chosen.deallocate() }

  /// Rows per chunk of a dense network: activations of 64 columns and their gradients stay in the first cache.
  static let rows = 64

  /// One pass over the rows in `order`, one optimiser step per `batch` of them (the last may be smaller); returns the mean loss.
  ///
  /// The loss of a row is taken before the step it takes part in. `batch` is at most the trainer's; `order` holds row numbers of
  /// `samples`.
  public func train(
    _ parameters: inout ParameterVector, _ optimizer: inout OptimizerState, rate: Float, on samples: Samples, order: [Int32],
    batch: Int
  ) -> Double {
    precondition(batch > 0 && batch <= self.batch, "a batch of \(batch) rows, prepared for \(self.batch)")
    precondition(optimizer.first.count == architecture.parameterCount, "the optimiser's state is of another model")
    check(parameters, samples)
    check(order, samples)
    guard !order.isEmpty else { return 0 }
    let total = unsafe parameters.withUnsafeMutableFloats { floats in
      unsafe order.withUnsafeBufferPointer { rows in
        var sum = 0.0
        let values = floats.baseAddress!
        for start in stride(from: 0, to: rows.count, by: batch) {
          let count = min(batch, rows.count - start)
          unsafe sum += accumulate(values, samples, rows.baseAddress! + start, count)
          unsafe optimizer.step(values, gradient: gradients, count: floats.count, rate: rate, kernels: kernels)
        }
        return sum
      }
    }
    return total / Double(order.count)
  }

  /// The mean loss over the rows in `order` and its gradient.
  public func gradient(of parameters: ParameterVector, on samples: Samples, order: [Int32]) -> (
    loss: Double, gradient: ParameterVector
  ) {
    check(parameters, samples)
    check(order, samples)
    precondition(!order.isEmpty, "a gradient over no rows")
    let sum = unsafe parameters.withUnsafeFloats { floats in
      unsafe order.withUnsafeBufferPointer { rows in
        unsafe accumulate(floats.baseAddress!, samples, rows.baseAddress!, rows.count)
      }
    }
    let count = architecture.parameterCount
    return unsafe (
      sum / Double(order.count),
      ParameterVector(count: count) { unsafe $0.baseAddress!.update(from: gradients, count: count) }
    )
  }

  /// Accuracy and loss over the given rows, or over all.
  public func evaluate(_ parameters: ParameterVector, on samples: Samples, rows: [Int32]? = nil) -> Evaluation {
    check(parameters, samples)
    if let rows { check(rows, samples) }
    var result = Evaluation(correct: 0, count: rows?.count ?? samples.count, lossSum: 0)
    unsafe parameters.withUnsafeFloats { floats in
      for start in stride(from: 0, to: result.count, by: chunk) {
        let count = min(chunk, result.count - start)
        let x: UnsafePointer<Float>
        if let rows {
          unsafe x = rows.withUnsafeBufferPointer { unsafe gather(samples, $0.baseAddress! + start, count) }
        } else {
          unsafe x = UnsafePointer(samples.features.pointer + start * samples.width)
          unsafe takeTargets(samples, first: start, count)
        }
        let z = unsafe forward(floats.baseAddress!, x, count)
        unsafe result.lossSum += loss(z, x, count, into: nil, scale: 0)
        if architecture.task == .classification {
          unsafe result.correct += table.pointee.correct(count, architecture.outputs, z, chosen)
        }
      }
    }
    return result
  }

  /// What the model says about each row of a range: `outputs` numbers a row (before the softmax, for a classifier).
  public func outputs(of parameters: ParameterVector, on samples: Samples, rows: Range<Int>) -> [Float] {
    precondition(
      parameters.count == architecture.parameterCount && samples.width == architecture.inputs, "other model, other rows")
    precondition(rows.lowerBound >= 0 && rows.upperBound <= samples.count, "rows \(rows) of \(samples.count)")
    let width = architecture.outputs
    return unsafe Array(unsafeUninitializedCapacity: rows.count * width) { buffer, initialized in
      unsafe parameters.withUnsafeFloats { floats in
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: chunk) {
          let count = min(chunk, rows.upperBound - start)
          let z = unsafe forward(floats.baseAddress!, samples.features.pointer + start * samples.width, count)
          unsafe (buffer.baseAddress! + (start - rows.lowerBound) * width).initialize(from: z, count: count * width)
        }
      }
      initialized = rows.count * width
    }
  }

  private func check(_ parameters: ParameterVector, _ samples: Samples) {
    precondition(
      parameters.count == architecture.parameterCount,
      "\(parameters.count) parameters for \(architecture), which has \(architecture.parameterCount)")
    precondition(samples.width == architecture.inputs, "rows of \(samples.width) features for \(architecture)")
    switch architecture.task {
    case .classification:
      precondition(samples.labels.count == samples.count, "rows without labels for \(architecture)")
      precondition(samples.classes <= architecture.outputs, "\(samples.classes) classes for \(architecture)")
    case .regression:
      precondition(
        architecture.reconstructs || samples.targetWidth == architecture.outputs, "other target rows for \(architecture)")
    }
  }

  private func check(_ rows: [Int32], _ samples: Samples) {
    let count = Int32(samples.count)
    var inside = true
    for row in rows { inside = inside && row >= 0 && row < count }
    precondition(inside, "a row number is not in 0 ..< \(count)")
  }
}
