import MurmurCompute
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// The same network in one process in the devices' own arithmetic, 32-bit floats: whole layers and plain loops, no device, no message, no
/// mask, no kernel of matrix products. Every sum is a chain of fused multiply-adds in the order of inputs, rows or devices.
private struct OneProcess {
  let plan: SplitPlan
  let work = DenseWork()
  /// By stage and device.
  var weights: [[ParameterVector]]
  var optimizers: [[OptimizerState]]

  init(_ plan: SplitPlan, _ world: SplitWorld) {
    self.plan = plan
    weights = plan.stages.indices.map { stage in (0..<plan.devices).map { world.device($0).units[stage].parameters } }
    optimizers = weights.map { $0.map { OptimizerState(plan.optimizer, count: $0.count) } }
  }

  /// What a unit reads of one sample.
  private func inputs(_ stage: Int, _ device: Int, _ below: [[Float]]) -> [Float] {
    plan.stages[stage].reads == .neighbours
      ? below.flatMap { $0 } + [Float](repeating: 1, count: plan.devices - 1) : below[device]
  }

  /// All activations of one sample, `[0]` the features: `[stage + 1][device]`.
  func forward(_ features: [[Float]]) -> [[[Float]]] {
    var all = [features]
    for stage in plan.stages.indices {
      let (width, rectifies) = (plan.stages[stage].width, plan.stages[stage].layers[0].activation == .relu)
      all.append(
        (0..<plan.devices).map { device in
          let (x, w) = (inputs(stage, device, all[stage]), weights[stage][device].array)
          return (0..<width).map { neuron in
            let sum = x.indices.reduce(w[x.count * width + neuron]) { $0.addingProduct(x[$1], w[$1 * width + neuron]) }
            return rectifies ? max(0, sum) : sum
          }
        })
    }
    return all
  }

  mutating func step(_ samples: [[[Float]]], _ labels: [Int32], rate: Float) {
    let all = samples.map(forward)
    let last = plan.stages.count
    var dy = (0..<plan.devices).map { device in
      let logits = Matrix(rows: samples.count, columns: all[0][last][device].count, all.flatMap { $0[last][device] })
      let flat = work.crossEntropy(logits, labels, mask: .all, scale: 1 / Float(samples.count)).gradient
      return samples.indices.map { row in (0..<logits.columns).map { flat[row, $0] } }
    }
    for stage in plan.stages.indices.reversed() {
      var below = samples.indices.map { all[$0][stage].map { [Float](repeating: 0, count: $0.count) } }
      for device in 0..<plan.devices {
        let width = plan.stages[stage].width
        let x = all.map { inputs(stage, device, $0[stage]) }
        var d = dy[device]
        if plan.stages[stage].layers[0].activation == .relu {
          for row in d.indices { for neuron in 0..<width where all[row][stage + 1][device][neuron] <= 0 { d[row][neuron] = 0 } }
        }
        let w = weights[stage][device].array
        var gradient = [Float](repeating: 0, count: w.count)
        for row in x.indices {
          for (index, value) in (x[row] + [1]).enumerated() {
            for neuron in 0..<width {
              gradient[index * width + neuron] = gradient[index * width + neuron].addingProduct(value, d[row][neuron])
            }
          }
          guard stage > 0 else { continue }
          let isJoined = plan.stages[stage].reads == .neighbours
          for (from, values) in all[row][stage].enumerated() where isJoined || from == device {
            for index in values.indices {
              let place = (isJoined ? from * values.count : 0) + index
              let chain = (0..<width).reduce(Float(0)) { $0.addingProduct(d[row][$1], w[place * width + $1]) }
              below[row][from][index] += chain
            }
          }
        }
        work.step(&optimizers[stage][device], &weights[stage][device], gradient: ParameterVector(gradient), rate: rate)
      }
      dy = (0..<plan.devices).map { device in below.map { $0[device] } }
    }
  }
}

@Suite struct SameBitsTests {
  @Test func `where nothing fails, devices that send messages have the bits of one process`() throws {
    let (seed, devices, width) = (UInt64(14), 6, 3)
    let rows = Scene.rows(devices: devices, width: width, training: 128, tested: 32, seed: seed)
    let plan = Scene.plan(.complete(devices), width: width, steps: 24, seed: seed)
    var world = SplitWorld(plan: plan, graph: .complete(devices), reach: .complete, rows: rows)
    var one = OneProcess(plan, world)
    func sample(_ row: Int32) -> [[Float]] { rows.map { own in (0..<width).map { own.features[Int(row), $0] } } }
    let schedule = Schedule(rows: 128, batch: plan.batch, seed: plan.seed)
    for step in 0..<plan.steps {
      let chosen = schedule.rows(of: step)
      one.step(chosen.map(sample), chosen.map { rows[0].labels[Int($0)] }, rate: plan.rate.rate(step, of: plan.steps))
    }
    world.train()
    for stage in plan.stages.indices {
      for device in 0..<devices {
        let own = world.device(device).units[stage].parameters
        #expect(own == one.weights[stage][device], "seed \(seed), stage \(stage), device \(device)")
      }
    }
    let asked = (128..<160).map { Int32($0) }
    let answers = world.ask(rows: asked)
    let expected = asked.map { one.forward(sample($0)).last! }
    for device in 0..<devices {
      let logits = Matrix(rows: asked.count, columns: 2, expected.flatMap { $0[device] })
      #expect(try #require(answers.own[device]) == one.work.logSoftmax(logits), "seed \(seed), device \(device)")
    }
  }
}
