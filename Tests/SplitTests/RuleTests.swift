import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// What rules without gradients over links promise.
@Suite struct RuleTests {
  @Test func `Barlow Twins' units of a device depend on no other device's parameters`() {
    // The same rows, once among strangers: device 0's first stage reads its own features alone, and learns by itself.
    let rows = Scene.rows(devices: 4, width: 3, training: 256, tested: 32, seed: 3)
    func trained(_ others: Float) -> ParameterVector {
      var plan = Scene.plan(.complete(4), width: 3, steps: 60, seed: 3)
      plan.rule = .barlowTwins(redundancy: 0.01)
      plan.stages = [SplitStage(.features, [DenseShape(6, .relu)]), SplitStage(.neighbours, [DenseShape(2, .none)])]
      var strange = rows
      for device in 1..<4 {
        let own = rows[device].features
        strange[device].features = Matrix(rows: own.rows, columns: own.columns, own.array.map { $0 * others })
      }
      var world = SplitWorld(plan: plan, graph: .complete(4), reach: .direct, rows: strange)
      world.train()
      return world.device(0).units[0].parameters
    }
    #expect(trained(1) == trained(-3))
  }

  @Test func `SoftHebb's neurons turn towards what they see, at length one`() {
    let rows = Scene.rows(devices: 2, width: 4, training: 512, tested: 32, seed: 9)
    var plan = Scene.plan(.complete(2), width: 4, steps: 1_500, seed: 9)
    plan.rule = .softHebb(temperature: 0.2)
    plan.stages = [SplitStage(.features, [DenseShape(5, .none)]), SplitStage(.neighbours, [DenseShape(2, .none)])]
    var world = SplitWorld(plan: plan, graph: .complete(2), reach: .direct, rows: rows)
    world.train()
    let weights = world.device(0).units[0].parameters.array
    for neuron in 0..<5 {
      let length = (0..<4).reduce(Float(0)) { $0 + weights[$1 * 5 + neuron] * weights[$1 * 5 + neuron] }.squareRoot()
      #expect(length > 0.5 && length < 1.3, "neuron \(neuron): \(length)")
    }
  }

  @Test func `Forward-Forward gives the true label of most samples the most activity`() throws {
    let rows = Scene.rows(devices: 3, width: 2, training: 1_024, tested: 256, seed: 21)
    var plan = Scene.plan(.complete(3), width: 2, steps: 400, seed: 21)
    plan.rule = .forwardForward(sharpness: 0.3)
    plan.stages.removeLast()
    var world = SplitWorld(plan: plan, graph: .complete(3), reach: .direct, rows: rows)
    world.train()
    let asked = (1_024..<1_280).map { Int32($0) }
    let answers = world.ask(rows: asked)
    for own in answers.own {
      let own = try #require(own)
      #expect(own.rows == 256 && own.columns == 2)
      #expect(Answers.correct(own, asked.map { rows[0].labels[Int($0)] }) > 205)
      // Logarithms of probabilities.
      let sum = Portable.exp(Double(own[0, 0])) + Portable.exp(Double(own[0, 1]))
      #expect(abs(sum - 1) < 1e-4)
    }
  }

  @Test func `a world in the middle of training can be asked, and goes on as if nothing had happened`() {
    let rows = Scene.rows(devices: 3, width: 2, training: 256, tested: 64, seed: 31)
    let plan = Scene.plan(.complete(3), width: 2, steps: 80, seed: 31)
    var undisturbed = SplitWorld(plan: plan, graph: .complete(3), reach: .direct, rows: rows)
    undisturbed.train()
    var world = SplitWorld(plan: plan, graph: .complete(3), reach: .direct, rows: rows)
    world.train(untilStep: 40)
    var still = world.still()
    #expect(Scene.accuracy(&still, rows) > 0.6)
    world.train()
    #expect(world.trace == undisturbed.trace)
  }
}
