private import MurmurKernels

/// The passes of one step. Every layer has a forward, which turns a chunk's inputs into outputs after the activation, and a backward,
/// which takes the gradient of the loss by the layer's weighted sums, adds up the gradients of its parameters, and hands the
/// gradient by the weighted sums of the layer before to that one.
extension Trainer {
  /// The gradient of the mean loss over `count` rows, left in `gradients`; returns the sum of the losses.
  @unsafe
  func accumulate(
    _ parameters: UnsafePointer<Float>, _ samples: Samples, _ rows: UnsafePointer<Int32>, _ count: Int
  ) -> Double {
    for index in steps.indices.dropFirst() { unsafe prepare(steps[index], parameters) }
    var sum = 0.0
    for start in stride(from: 0, to: count, by: chunk) {
      let some = min(chunk, count - start)
      let x = unsafe gather(samples, rows + start, some)
      let z = unsafe forward(parameters, x, some)
      unsafe sum += loss(z, x, some, into: flows.0, scale: 1 / Float(count))
      let last = steps[steps.count - 1]
      if last.stage.activation != .none {
        unsafe table.pointee.activate_backward(some * last.stage.outputs, z, flows.0, flows.0, last.stage.activation.code)
      }
      unsafe backward(parameters, x, some, accumulate: start > 0)
    }
    return sum
  }

  /// The outputs of the last layer for `rows` rows.
  @unsafe
  func forward(_ parameters: UnsafePointer<Float>, _ inputs: UnsafePointer<Float>, _ rows: Int) -> UnsafePointer<Float> {
    var x = unsafe inputs
    for step in steps {
      switch step.stage.layer {
      case .dense(let inputs, let outputs, let activation):
        unsafe table.pointee.dense_forward(
          rows, inputs, outputs, x, parameters + step.weights, parameters + step.biases, step.outputs, activation.code)
      case .convolution:
        unsafe convolve(step, rows, x, parameters)
      case .pooling(let pooling):
        unsafe pool(pooling, step, rows, x)
      }
      unsafe x = UnsafePointer(step.outputs)
    }
    return unsafe x
  }

  /// Walks back from the gradient by the last layer's weighted sums, in `flows.0`.
  @unsafe
  func backward(_ parameters: UnsafePointer<Float>, _ inputs: UnsafePointer<Float>, _ rows: Int, accumulate: Bool) {
    var (dz, dx) = unsafe flows
    for index in steps.indices.reversed() {
      let step = steps[index]
      let before = index > 0 ? steps[index - 1] : nil
      let x = unsafe before.map { unsafe UnsafePointer($0.outputs) } ?? inputs
      switch step.stage.layer {
      case .dense(let inputs, let outputs, _):
        unsafe table.pointee.dense_weights(
          rows, inputs, outputs, x, dz, gradients + step.weights, gradients + step.biases, accumulate ? 1 : 0, scratch)
        if let before, let transposed = unsafe step.transposed {
          unsafe table.pointee.dense_input(rows, inputs, outputs, dz, transposed, dx, x, before.stage.activation.code)
        }
      case .convolution:
        unsafe convolveBack(step, before, rows, x, dz, dx, accumulate: accumulate)
      case .pooling(let pooling):
        if let before { unsafe poolBack(pooling, before, rows, x, dz, dx) }
      }
      unsafe swap(&dz, &dx)
    }
  }

  /// What of a layer's parameters is rearranged once per step.
  @unsafe
  func prepare(_ step: Step, _ parameters: UnsafePointer<Float>) {
    guard let transposed = unsafe step.transposed else { return }
    switch step.stage.layer {
    case .dense(let inputs, let outputs, _):
      unsafe table.pointee.transpose(inputs, outputs, parameters + step.weights, outputs, transposed, inputs)
    case .convolution:
      unsafe step.stage.withConvolution { unsafe table.pointee.convolution_turn($0, parameters + step.weights, transposed) }
    case .pooling: break
    }
  }

  /// Copies the given rows into the workspace, with their labels or targets.
  @unsafe
  func gather(_ samples: Samples, _ rows: UnsafePointer<Int32>, _ count: Int) -> UnsafePointer<Float> {
    unsafe table.pointee.gather(count, samples.width, samples.features.pointer, rows, inputs)
    if architecture.task == .classification {
      unsafe samples.labels.withUnsafeBufferPointer { labels in
        for index in 0..<count { unsafe chosen[index] = labels[Int(rows[index])] }
      }
    } else if !architecture.reconstructs, let source = samples.targets {
      unsafe table.pointee.gather(count, samples.targetWidth, source.pointer, rows, targets)
    }
    return unsafe UnsafePointer(inputs)
  }

  /// Copies the labels or targets of successive rows into the workspace.
  @unsafe
  func takeTargets(_ samples: Samples, first: Int, _ count: Int) {
    if architecture.task == .classification {
      unsafe samples.labels.withUnsafeBufferPointer { labels in
        unsafe chosen.update(from: labels.baseAddress! + first, count: count)
      }
    } else if !architecture.reconstructs, let source = samples.targets {
      unsafe targets.update(from: source.pointer + first * samples.targetWidth, count: count * samples.targetWidth)
    }
  }

  /// The sum of the losses of the rows gathered last, and the gradient by the outputs times `scale`.
  @unsafe
  func loss(
    _ z: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ rows: Int, into gradient: UnsafeMutablePointer<Float>?, scale: Float
  ) -> Double {
    switch architecture.task {
    case .classification:
      unsafe table.pointee.softmax_cross_entropy(rows, architecture.outputs, z, chosen, gradient, scale)
    case .regression:
      unsafe table.pointee.mean_squared(
        rows, architecture.outputs, z, architecture.reconstructs ? x : UnsafePointer(targets), gradient, scale)
    }
  }
}
