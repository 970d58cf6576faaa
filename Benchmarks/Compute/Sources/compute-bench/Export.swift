import Foundation
import MurmurCompute

extension Bench {
  /// Trains a little, then writes parameters and the gradient over `count` rows as safetensors into `folder`, and those rows, their
  /// labels, the outputs and the loss as JSON: what another program needs to check the arithmetic.
  static func export(_ text: String, _ count: Int, to folder: String) throws {
    let architecture = try Architecture(parsing: text)
    let samples = rows(architecture, count)
    let trainer = Trainer(architecture, batch: count)
    var parameters = architecture.initialParameters(seed: 1)
    var optimizer = OptimizerState(.adam(), count: architecture.parameterCount)
    let order = (0..<Int32(count)).map { $0 }
    for _ in 0..<5 { _ = trainer.train(&parameters, &optimizer, rate: 0.001, on: samples, order: order, batch: count) }
    let (loss, gradient) = trainer.gradient(of: parameters, on: samples, order: order)
    let outputs = trainer.outputs(of: parameters, on: samples, rows: 0..<count)
    let place = URL(fileURLWithPath: folder)
    try Data(SafeTensors.encode(parameters, architecture)).write(to: place.appendingPathComponent("parameters.safetensors"))
    try Data(SafeTensors.encode(gradient, architecture)).write(to: place.appendingPathComponent("gradient.safetensors"))
    let features = (0..<count).flatMap { samples.row($0) }
    let numbers: [String: [Double]] = [
      "features": features.map(Double.init), "labels": samples.labels.map(Double.init), "outputs": outputs.map(Double.init),
      "loss": [loss],
    ]
    try JSONEncoder().encode(numbers).write(to: place.appendingPathComponent("rows.json"))
    print("{}")
  }
}
