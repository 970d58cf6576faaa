import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit

/// The scene of these tests: a made-up task whose features are spread over devices.
enum Scene {
  /// Samples of two classes of which no device sees enough: the class is the sign of a sum over all features.
  static func rows(devices: Int, width: Int, training: Int, tested: Int, seed: UInt64) -> [SplitRows] {
    var chance = Chance(seed: seed).fork("scene")
    let count = training + tested
    var features = [[Float]](repeating: [], count: devices)
    var labels: [Int32] = []
    for _ in 0..<count {
      var sum: Float = 0
      for device in 0..<devices {
        for _ in 0..<width {
          let value = Float(chance.normal())
          features[device].append(value)
          sum += value
        }
      }
      labels.append(sum > 0 ? 1 : 0)
    }
    return (0..<devices).map {
      SplitRows(features: Matrix(rows: count, columns: width, features[$0]), labels: labels, training: training)
    }
  }

  /// A small classifier over a graph.
  static func plan(_ graph: DeviceGraph, width: Int, steps: Int, reach: VirtualGraph.Reach = .complete, seed: UInt64) -> SplitPlan
  {
    var plan = SplitPlan(
      features: Array(repeating: width, count: graph.devices), neighbours: VirtualGraph(graph, reach).neighbours,
      stages: SplitPlan.classifier(hidden: 8, depth: 3, classes: 2), objective: .classes(2))
    plan.steps = steps
    plan.batch = 32
    plan.seed = seed
    plan.rate = .linear(from: 0.01, to: 0.001)
    return plan
  }

  /// The share of rows that the mean of all devices' answers names rightly.
  static func accuracy(_ world: inout SplitWorld, _ rows: [SplitRows], drill: Drill = Drill()) -> Double {
    let asked = (rows[0].training..<rows[0].labels.count).map { Int32($0) }
    let answers = world.ask(rows: asked, drill: drill)
    let own = answers.own.enumerated().compactMap { number, values in values.map { ($0, answers.masks.isAlive(number)) } }
    guard let mean = Answers.mean(own) else { return 0 }
    return Double(Answers.correct(mean, asked.map { rows[0].labels[Int($0)] })) / Double(asked.count)
  }
}
