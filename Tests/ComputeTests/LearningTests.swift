import MurmurCompute
import MurmurMachines
import Testing

/// Whole training runs.
@Suite struct LearningTests {
  /// Parameters and loss after some epochs.
  private func run(
    _ text: String, _ rule: Optimizer, batch: Int, epochs: Int, rows: Int = 200, kernels: Kernels = .selected
  ) throws -> (ParameterVector, Double) {
    let architecture = try Architecture(parsing: text)
    var sampling = Sampling(41)
    let samples: Samples =
      architecture.task == .classification
      ? sampling.rows(rows, width: architecture.inputs, classes: architecture.outputs)
      : Samples(features: sampling.normals(rows * architecture.inputs), width: architecture.inputs)
    let trainer = Trainer(architecture, batch: batch, kernels: kernels)
    var parameters = architecture.initialParameters(seed: 7)
    var optimizer = OptimizerState(rule, count: architecture.parameterCount)
    var order = (0..<Int32(rows)).map { $0 }
    var loss = 0.0
    for _ in 0..<epochs {
      sampling.chance.shuffle(&order)
      loss = trainer.train(&parameters, &optimizer, rate: 0.003, on: samples, order: order, batch: batch)
    }
    return (parameters, loss)
  }

  /// Runs whose outcome every variant, processor and thread count must reproduce; NEON too (`Benchmarks/Compute/neon-check.sh`).
  static let golden: [(String, Optimizer, Int, String)] = [
    ("28-64-64-2", .adam(), 32, "2bf974dad7c50d0f"),
    ("64-64-10", .adamW(), 24, "835900fcc93b1bfd"),
    ("30-20-20-5 tanh", .sgd(momentum: 0.9), 7, "614ee6e85e46720"),
    ("9-33-17-4 leakyRelu", .sgd(), 100, "27e61a1821f8a3af"),
    ("autoencoder 20-8-20 sigmoid", .adam(), 64, "aae838dbd4e07968"),
  ]

  @Test(arguments: Kernels.available) func aRunHasOneOutcomeOnEveryVariant(kernels: Kernels) throws {
    for (text, rule, batch, expected) in LearningTests.golden {
      let (parameters, _) = try run(text, rule, batch: batch, epochs: 5, kernels: kernels)
      #expect(parameters.isFinite)
      #expect(fingerprint(parameters.array) == expected, "\(text) with \(rule) on \(kernels)")
    }
  }

  @Test func lenetHasOneOutcomeOnEveryVariant() throws {
    let first = try run("lenet5", .adam(), batch: 16, epochs: 1, rows: 20, kernels: Kernels.available[0]).0
    for kernels in Kernels.available.dropFirst() {
      #expect(try run("lenet5", .adam(), batch: 16, epochs: 1, rows: 20, kernels: kernels).0 == first, "\(kernels)")
    }
  }

  @Test func everyOptimiserLearnsTwoClasses() throws {
    for rule in [Optimizer.adam(), .adamW(), .sgd(momentum: 0.9)] {
      let architecture = try Architecture(parsing: "28-64-64-2")
      var sampling = Sampling(1)
      let samples = sampling.rows(512, width: 28, classes: 2)
      let trainer = Trainer(architecture, batch: 32)
      var parameters = architecture.initialParameters(seed: 1)
      var optimizer = OptimizerState(rule, count: architecture.parameterCount)
      let order = (0..<512).map(Int32.init)
      let before = trainer.evaluate(parameters, on: samples)
      let rate: Float = if case .sgd = rule { 0.05 } else { 0.003 }
      for _ in 0..<30 { _ = trainer.train(&parameters, &optimizer, rate: rate, on: samples, order: order, batch: 32) }
      let after = trainer.evaluate(parameters, on: samples)
      #expect(before.accuracy < 0.7 && after.accuracy > 0.95, "\(rule): \(before), \(after)")
      #expect(optimizer.steps == 480)
    }
  }

  @Test func anAutoencoderLearnsToRepeat() throws {
    let first = try run("autoencoder 20-12-20", .adam(), batch: 32, epochs: 1).1
    let last = try run("autoencoder 20-12-20", .adam(), batch: 32, epochs: 200).1
    #expect(last < 0.6 * first, "\(first) → \(last)")
  }

  @Test func evaluationOfSomeRowsIsThatOfTheirSubset() throws {
    let architecture = try Architecture(parsing: "8-16-3")
    var sampling = Sampling(5)
    let samples = sampling.rows(150, width: 8, classes: 3)
    let trainer = Trainer(architecture, batch: 32)
    let parameters = architecture.initialParameters(seed: 3)
    let rows = (0..<70).map { Int32($0 * 2) }
    let part = trainer.evaluate(parameters, on: samples, rows: rows)
    #expect(part == trainer.evaluate(parameters, on: samples.subset(rows: rows)))
    let outputs = trainer.outputs(of: parameters, on: samples, rows: 0..<150)
    var correct = 0
    for row in 0..<150 {
      let scores = outputs[row * 3..<row * 3 + 3]
      if Int32(scores.indices.max { scores[$0] < scores[$1] }! - row * 3) == samples.labels[row] { correct += 1 }
    }
    #expect(correct == trainer.evaluate(parameters, on: samples).correct)
  }
}
