import MurmurCompute
import MurmurMachines
import Testing

/// Gradients of every layer, activation and loss against central differences of the loss.
@Suite struct GradientTests {
  static let architectures = [
    "5-7-3", "6-5-4-3 tanh", "4-9-5 sigmoid", "7-8-8-2 leakyRelu", "3-2 none", "20-70-4", "regression 4-6-2 tanh",
    "regression 3-5-1 sigmoid", "autoencoder 6-3-6 tanh", "lenet5",
  ]

  @Test(arguments: architectures) func gradientsAreTheSlopesOfTheLoss(text: String) throws {
    let seed: UInt64 = 31
    let architecture = try Architecture(parsing: text)
    var sampling = Sampling(seed)
    let rows = text == "lenet5" ? 3 : 70
    let samples =
      switch architecture.task {
      case .classification: sampling.rows(rows, width: architecture.inputs, classes: architecture.outputs)
      case .regression:
        Samples(
          features: sampling.normals(rows * architecture.inputs), width: architecture.inputs,
          targets: sampling.normals(rows * architecture.outputs), targetWidth: architecture.outputs)
      }
    let trainer = Trainer(architecture, batch: rows)
    let parameters = architecture.initialParameters(seed: seed)
    let order = (0..<Int32(rows)).map { $0 }
    let (loss, gradient) = trainer.gradient(of: parameters, on: samples, order: order)
    #expect(abs(loss - trainer.evaluate(parameters, on: samples).loss) < 1e-5 * max(1, loss))
    var values = parameters.array
    let checked = architecture.ranges.flatMap { range in
      (0..<12).map { _ in range.range.lowerBound + sampling.chance.below(range.range.count) }
    }
    var wrong = 0
    for index in checked {
      func slope(_ step: Float) -> Double {
        let kept = values[index]
        defer { values[index] = kept }
        values[index] = kept + step
        let up = trainer.evaluate(ParameterVector(values), on: samples).loss
        values[index] = kept - step
        return (up - trainer.evaluate(ParameterVector(values), on: samples).loss) / Double(2 * step)
      }
      // Three steps, because a difference may straddle the kink of a relu or lose its digits: one must fit.
      let found = Double(gradient[index])
      let close = [Float(0.01), 0.003, 0.001].contains { abs(slope($0) - found) <= 5e-3 * max(0.1, abs(found)) }
      if !close { wrong += 1 }
    }
    // Where many kinks lie close together no step avoids them all: relu and pooling are allowed a tenth.
    let smooth = text.hasSuffix("tanh") || text.hasSuffix("sigmoid") || text.hasSuffix("none")
    #expect(wrong <= (smooth ? 0 : checked.count / 10), "seed \(seed), \(text): \(wrong) of \(checked.count) slopes differ")
  }

  @Test func theGradientOfABatchDoesNotDependOnItsChunks() throws {
    let architecture = try Architecture(parsing: "12-20-3")
    var sampling = Sampling(32)
    let samples = sampling.rows(300, width: 12, classes: 3)
    let parameters = architecture.initialParameters(seed: 1)
    let order = (0..<Int32(300)).map { $0 * 7 % 300 }
    let whole = Trainer(architecture, batch: 300).gradient(of: parameters, on: samples, order: order)
    // A trainer for batches of 5 walks the same rows in chunks of 5.
    let pieces = Trainer(architecture, batch: 5).gradient(of: parameters, on: samples, order: order)
    #expect(whole.gradient == pieces.gradient)
  }
}
