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

  private func file(_ device: Int, _ stage: Int, _ what: String = "stage") -> String {
    "\(path)/device-\(device)-\(what)-\(stage).safetensors"
  }

  private func usual(_ device: Int) -> String { "\(path)/device-\(device)-usual.json" }

  /// Writes the units of a run, and what devices remember for what is missing.
  func write(_ outcome: SplitOutcome) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for (device, units) in outcome.units.enumerated() {
        for (stage, unit) in units.enumerated() { try write(unit, to: file(device, stage), device, stage) }
        let memories = outcome.memories[device]
        for (stage, unit) in memories.estimators.enumerated() {
          if let unit { try write(unit, to: file(device, stage, "estimator"), device, stage) }
        }
        guard memories.usual.joined().contains(where: { $0 != nil }) else { continue }
        try JSONEncoder().encode(memories.usual).write(to: URL(fileURLWithPath: usual(device)), options: .atomic)
      }
    } catch { throw Failure("the network cannot be written to \(path): \(error); the other results are kept") }
  }

  private func write(_ unit: ComputationalUnit, to file: String, _ device: Int, _ stage: Int) throws {
    let bytes = SafeTensors.encode(
      unit.parameters, try NetworkFolder.container(unit), metadata: ["device": "\(device)", "stage": "\(stage)"])
    try Data(bytes).write(to: URL(fileURLWithPath: file), options: .atomic)
  }

  /// Gives devices the units and memories that were written.
  func read(into world: inout SplitWorld) throws {
    for device in 0..<world.plan.devices {
      var (units, memories) = (world.device(device).units, world.device(device).memories)
      for stage in units.indices { try read(&units[stage], from: file(device, stage)) }
      for stage in memories.estimators.indices {
        guard var estimator = memories.estimators[stage] else { continue }
        try read(&estimator, from: file(device, stage, "estimator"))
        memories.estimators[stage] = estimator
      }
      if [.mean, .last].contains(world.plan.missing) { try read(&memories.usual, of: device, world.plan) }
      world.place(units, memories, on: device)
    }
  }

  private func read(_ unit: inout ComputationalUnit, from name: String) throws {
    guard let bytes = FileManager.default.contents(atPath: name) else {
      throw Failure(
        "\(name): there is no such file; a folder that murmur split simulate wrote has one for every device and stage")
    }
    let expected = try NetworkFolder.container(unit)
    do {
      let (architecture, parameters, _) = try SafeTensors.decode(Array(bytes), expected: expected)
      guard architecture.parameterCount == unit.parameters.count, architecture.description == expected.description else {
        throw Failure("\(name): it holds \(architecture), and the scenario beside it wants \(expected)")
      }
      unit.parameters = parameters
    } catch let error as SafeTensorsError { throw Failure("\(name): \(error)") }
  }

  /// What stands for neighbours that say nothing: a list for every stage, in it a list of numbers, or null, for every neighbour.
  private func read(_ usual: inout [[[Float]?]], of device: Int, _ plan: SplitPlan) throws {
    let name = self.usual(device)
    guard let bytes = FileManager.default.contents(atPath: name) else {
      throw Failure(
        "\(name): there is no such file; it holds what stands for what is missing, and murmur split simulate writes it")
    }
    guard let read = try? JSONDecoder().decode([[[Float]?]].self, from: bytes), read.count == usual.count,
      read.enumerated().allSatisfy({ stage, list in
        list.count == usual[stage].count
          && list.allSatisfy {
            $0.map { stage > 0 && $0.count == plan.stages[stage - 1].width && $0.allSatisfy(\.isFinite) } ?? true
          }
      })
    else { throw Failure("\(name): it holds no numbers for the neighbours that the scenario beside it gives device \(device)") }
    usual = read
  }

  private static func container(_ unit: ComputationalUnit) throws -> Architecture {
    let widths = [unit.inputs] + unit.layers.map(\.width)
    return try Architecture(parsing: "regression " + widths.map(String.init).joined(separator: "-"))
  }
}
