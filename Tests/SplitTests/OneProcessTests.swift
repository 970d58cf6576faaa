import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// The same network in one process, written the other way round: whole layers instead of devices, loops in doubles instead of kernels.
private struct OneProcess {
  let plan: SplitPlan
  var weights: [[[Double]]]  // stage, device, parameters
  var moments: [[([Double], [Double])]]
  var steps = 0

  init(_ plan: SplitPlan, _ world: SplitWorld) {
    self.plan = plan
    weights = plan.stages.indices.map { stage in
      (0..<plan.devices).map { world.device($0).units[stage].parameters.array.map(Double.init) }
    }
    moments = weights.map { $0.map { (Array(repeating: 0, count: $0.count), Array(repeating: 0, count: $0.count)) } }
  }

  private func inputs(_ stage: Int, _ device: Int, _ before: [[Double]], _ features: [[Double]]) -> [Double] {
    switch plan.stages[stage].reads {
    case .features: features[device]
    case .own: before[device]
    case .neighbours: before.joined() + [Double](repeating: 1, count: plan.devices - 1)
    }
  }

  /// All activations of one sample: `[stage][device]`.
  func forward(_ features: [[Double]]) -> [[[Double]]] {
    var all: [[[Double]]] = []
    for stage in plan.stages.indices {
      all.append(
        (0..<plan.devices).map { device in
          let x = inputs(stage, device, all.last ?? [], features)
          let width = plan.stages[stage].width
          let w = weights[stage][device]
          return (0..<width).map { neuron in
            var sum = w[x.count * width + neuron]
            for index in x.indices { sum += x[index] * w[index * width + neuron] }
            return plan.stages[stage].layers[0].activation == .relu ? max(0, sum) : sum
          }
        })
    }
    return all
  }

  /// One Adam step on the sum of all devices' mean cross-entropies.
  mutating func step(_ samples: [[[Double]]], _ labels: [Int32], rate: Double) {
    var gradients = weights.map { $0.map { [Double](repeating: 0, count: $0.count) } }
    for (features, label) in zip(samples, labels) {
      let all = forward(features)
      var dy = (0..<plan.devices).map { device in
        let z = all[all.count - 1][device]
        let exponentials = z.map { Portable.exp($0 - z.max()!) }
        let sum = exponentials.reduce(0, +)
        return z.indices.map { (exponentials[$0] / sum - (Int32($0) == label ? 1 : 0)) / Double(samples.count) }
      }
      for stage in plan.stages.indices.reversed() {
        var below = stage > 0 ? all[stage - 1].map { $0.map { _ in 0.0 } } : []
        for device in 0..<plan.devices {
          let x = inputs(stage, device, stage > 0 ? all[stage - 1] : [], features)
          let width = plan.stages[stage].width
          for neuron in 0..<width {
            if plan.stages[stage].layers[0].activation == .relu, all[stage][device][neuron] <= 0 { continue }
            let d = dy[device][neuron]
            gradients[stage][device][x.count * width + neuron] += d
            for index in x.indices {
              gradients[stage][device][index * width + neuron] += x[index] * d
              guard stage > 0 else { continue }
              let w = weights[stage][device][index * width + neuron]
              let size = plan.stages[stage - 1].width
              switch plan.stages[stage].reads {
              case .own: below[device][index] += w * d
              case .neighbours where index < size * plan.devices: below[index / size][index % size] += w * d
              default: break
              }
            }
          }
        }
        dy = below
      }
    }
    update(gradients, rate)
  }

  private mutating func update(_ gradients: [[[Double]]], _ rate: Double) {
    steps += 1
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<steps { (power1, power2) = (power1 * 0.9, power2 * 0.999) }
    for stage in weights.indices {
      for device in weights[stage].indices {
        for index in weights[stage][device].indices {
          let g = gradients[stage][device][index]
          let m = 0.9 * moments[stage][device].0[index] + 0.1 * g
          let v = 0.999 * moments[stage][device].1[index] + 0.001 * g * g
          (moments[stage][device].0[index], moments[stage][device].1[index]) = (m, v)
          weights[stage][device][index] -= rate * (m / (1 - power1)) / ((v / (1 - power2)).squareRoot() + 1e-8)
        }
      }
    }
  }
}

@Suite struct OneProcessTests {
  @Test func `where nothing fails, devices that send messages are the network of one process`() throws {
    let (seed, devices, width) = (UInt64(11), 4, 3)
    let rows = Scene.rows(devices: devices, width: width, training: 256, tested: 64, seed: seed)
    let plan = Scene.plan(.complete(devices), width: width, steps: 12, seed: seed)
    var world = SplitWorld(plan: plan, graph: .complete(devices), reach: .complete, rows: rows)
    var one = OneProcess(plan, world)
    let schedule = Schedule(rows: 256, batch: plan.batch, seed: plan.seed)
    for step in 0..<plan.steps {
      let chosen = schedule.rows(of: step)
      let samples = chosen.map { row in
        rows.map { own in (0..<width).map { Double(own.features[Int(row), $0]) } }
      }
      one.step(samples, chosen.map { rows[0].labels[Int($0)] }, rate: Double(plan.rate.rate(step, of: plan.steps)))
    }
    world.train()
    let asked = (256..<320).map { Int32($0) }
    let answers = world.ask(rows: asked)
    for (place, row) in asked.enumerated() {
      let expected = one.forward(rows.map { own in (0..<width).map { Double(own.features[Int(row), $0]) } }).last!
      for device in 0..<devices {
        let own = try #require(answers.own[device])
        // Answers are log-probabilities: differences of logits.
        let difference = Double(own[place, 1] - own[place, 0])
        #expect(
          abs(difference - (expected[device][1] - expected[device][0])) < 2e-5, "seed \(seed), row \(row), device \(device)")
      }
    }
  }

  @Test func `a seed gives the same trace and the same bits, whatever the links' latencies change about the order`() {
    let seed: UInt64 = 12
    let rows = Scene.rows(devices: 5, width: 2, training: 128, tested: 16, seed: seed)
    func run(_ graph: DeviceGraph) -> (SplitWorld, String) {
      var world = SplitWorld(plan: Scene.plan(graph, width: 2, steps: 20, seed: seed), graph: graph, reach: .complete, rows: rows)
      world.train()
      return (world, world.trace.description)
    }
    let (first, trace) = run(.complete(5))
    let (second, again) = run(.complete(5))
    #expect(trace == again)
    var chance = Chance(seed: seed)
    let uneven = DeviceGraph(
      devices: 5,
      links: DeviceGraph.complete(5).links.map { .init($0.a, $0.b, latency: .milliseconds(chance.uniform() * 3), bandwidth: 1e6) }
    )
    let (third, other) = run(uneven)
    #expect(other != trace && third.statistics.missed == 0)
    for device in 0..<5 {
      #expect(first.device(device).units == second.device(device).units)
      #expect(first.device(device).units == third.device(device).units, "seed \(seed), device \(device)")
    }
  }
}
