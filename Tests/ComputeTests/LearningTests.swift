import MurmurCompute
import MurmurMachines
import Testing

@Suite struct LearningTests {
  @Test func aSmallNetworkLearnsTwoClasses() throws {
    var chance = Chance(seed: 1)
    var features: [Float] = []
    var labels: [Int32] = []
    for _ in 0..<512 {
      let row = (0..<28).map { _ in Float(chance.normal()) }
      labels.append(row[0] * row[1] > 0 ? 1 : 0)
      features += row
    }
    let samples = Samples(features: features, width: 28, labels: labels, classes: 2)
    let architecture = try Architecture(parsing: "28-64-64-2")
    let trainer = Trainer(architecture, batch: 32)
    var parameters = architecture.initialParameters(seed: 1)
    var optimizer = OptimizerState(.adam(), count: architecture.parameterCount)
    let order = (0..<512).map(Int32.init)
    let before = trainer.evaluate(parameters, on: samples)
    for _ in 0..<30 { _ = trainer.train(&parameters, &optimizer, rate: 0.003, on: samples, order: order, batch: 32) }
    let after = trainer.evaluate(parameters, on: samples)
    #expect(before.accuracy < 0.7)
    #expect(after.accuracy > 0.95, "\(after)")
  }
}
