import Foundation
import MurmurCompute
import MurmurSimulator
import MurmurSplit

/// The units of a split network as files: a safetensors file for each device and stage, which Python opens.
///
/// A unit is written as the dense network `regression INPUTS-…-OUTPUTS` whose parameters it has; what its neurons do to their sums is said
/// by the scenario beside it.
struct NetworkFolder {
  let path: String

  private func file(_ device: Int, _ stage: Int) -> String { "\(path)/device-\(device)-stage-\(stage).safetensors" }

  /// Writes the units of a run.
  func write(_ outcome: SplitOutcome) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for (device, units) in outcome.units.enumerated() {
        for (stage, unit) in units.enumerated() {
          let bytes = SafeTensors.encode(
            unit.parameters, try NetworkFolder.container(unit), metadata: ["device": "\(device)", "stage": "\(stage)"])
          try Data(bytes).write(to: URL(fileURLWithPath: file(device, stage)), options: .atomic)
        }
      }
    } catch { throw Failure("the network cannot be written to \(path): \(error); the other results are kept") }
  }

  /// Gives devices the units that were written.
  func read(into world: inout SplitWorld) throws {
    for device in 0..<world.plan.devices {
      var units = world.device(device).units
      for stage in units.indices {
        let name = file(device, stage)
        guard let bytes = FileManager.default.contents(atPath: name) else {
          throw Failure(
            "\(name): there is no such file; a folder that murmur split simulate wrote has one for every device and stage")
        }
        let expected = try NetworkFolder.container(units[stage])
        do {
          let (architecture, parameters, _) = try SafeTensors.decode(Array(bytes), expected: expected)
          guard architecture.parameterCount == units[stage].parameters.count, architecture.description == expected.description
          else {
            throw Failure("\(name): it holds \(architecture), and the scenario beside it wants \(expected)")
          }
          units[stage].parameters = parameters
        } catch let error as SafeTensorsError { throw Failure("\(name): \(error)") }
      }
      world.place(units, on: device)
    }
  }

  private static func container(_ unit: ComputationalUnit) throws -> Architecture {
    let widths = [unit.inputs] + unit.layers.map(\.width)
    return try Architecture(parsing: "regression " + widths.map(String.init).joined(separator: "-"))
  }
}
