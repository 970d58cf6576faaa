public import MurmurCompute
public import MurmurMachines

/// The frozen autoencoder of Internet Learning (Ganguli et al., 2023, section 5): one for all patches, with a code of one number.
///
/// Trained in one place before any network is. Sign, offset and scale of such a code are whatever training left, and yet matter: a dead
/// device's code is 0. ``centred(on:)`` moves them so that 0 is the code that decodes to the best constant patch. Outputs are sigmoid: with
/// linear ones, at the paper's learning rate, the code collapses to a constant every time.
public struct PatchAutoencoder: Sendable, Hashable {
  /// How it is trained.
  public struct Recipe: Sendable, Hashable {
    /// Neurons of each of its two hidden layers.
    public var hidden = 16
    /// Passes over all patches.
    public var epochs = 10
    /// Patches of a step.
    public var batch = 256
    /// Adam's rate at first, a tenth of it after every ``every`` epochs.
    public var rate: Float = 0.1
    /// Epochs at one rate.
    public var every = 3
    /// A mean squared error above this is a collapse to a constant, and training begins again.
    public var collapse = 0.09
    /// How often it may begin.
    public var attempts = 8

    /// The paper's, with what it leaves open filled in.
    public init() {}
  }

  /// Pixels of a patch.
  public let width: Int
  /// Neurons of the hidden layers.
  public let hidden: Int
  /// Parameters from pixels to the code.
  public internal(set) var encoder: ParameterVector
  /// Parameters from the code to pixels.
  public internal(set) var decoder: ParameterVector
  /// How often training began, the last time without a collapse.
  public internal(set) var attempts: Int

  /// The layers from pixels to the code.
  public static func encoderLayers(hidden: Int) -> [DenseShape] { [DenseShape(hidden, .leakyRelu), DenseShape(1, .none)] }

  /// The layers from the code to pixels.
  public static func decoderLayers(hidden: Int, width: Int) -> [DenseShape] {
    [DenseShape(hidden, .leakyRelu), DenseShape(width, .sigmoid)]
  }

  /// An autoencoder trained on the first `training` of the patches, a row each, in 0 … 1; `nil` if it was stopped.
  public static func trained(
    on patches: Matrix, training: Int, recipe: Recipe = Recipe(), chance: Chance, isStopped: () -> Bool = { false }
  ) -> PatchAutoencoder? {
    let work = DenseWork()
    var best: (loss: Double, autoencoder: PatchAutoencoder)?
    for attempt in 0..<max(1, recipe.attempts) {
      guard
        var autoencoder = once(
          patches, training: training, recipe, chance: chance.fork("attempt", attempt), work: work, isStopped: isStopped)
      else { return nil }
      autoencoder.attempts = attempt + 1
      let some = patches.taking((0..<Int32(min(training, 20_000))).map { $0 })
      let loss = PatchRisk.meanSquared(autoencoder.decode(autoencoder.codes(of: some, work: work), work: work), some)
      if loss < best?.loss ?? .infinity { best = (loss, autoencoder) }
      if loss <= recipe.collapse { break }
    }
    return best?.autoencoder
  }

  private static func once(
    _ patches: Matrix, training: Int, _ recipe: Recipe, chance: Chance, work: DenseWork, isStopped: () -> Bool
  ) -> PatchAutoencoder? {
    let (first, second) = (
      encoderLayers(hidden: recipe.hidden), decoderLayers(hidden: recipe.hidden, width: patches.columns)
    )
    var unit = ComputationalUnit(
      inputs: patches.columns, stage: SplitStage(.features, first + second), optimizer: .adam(), chance: chance.fork("weights"))
    let schedule = Schedule(rows: training, batch: recipe.batch, seed: chance.seed("rows"))
    let epoch = schedule.stepsPerEpoch
    let rates = RateSchedule.stepped(recipe.rate, factor: 0.1, every: max(1, epoch * recipe.every))
    for step in 0..<epoch * recipe.epochs {
      if step & 63 == 0, isStopped() { return nil }
      let x = patches.taking(schedule.rows(of: step))
      let outputs = unit.forward(x, residual: nil, work: work)
      let dy = work.meanSquared(outputs[outputs.count - 1], x, mask: .all, scale: 1 / Float(x.rows)).gradient
      let rate = rates.rate(step, of: epoch * recipe.epochs)
      _ = unit.learn(x, outputs, dy: dy, rate: rate, wantsInput: false, work: work)
    }
    let all = unit.parameters.array
    let cut = DenseWork.parameterCount(inputs: patches.columns, first)
    return PatchAutoencoder(
      width: patches.columns, hidden: recipe.hidden, encoder: ParameterVector(Array(all[..<cut])),
      decoder: ParameterVector(Array(all[cut...])), attempts: 1)
  }

  /// The codes of patches, one number per row.
  public func codes(of patches: Matrix, work: DenseWork = DenseWork()) -> Matrix {
    let outputs = work.forward(PatchAutoencoder.encoderLayers(hidden: hidden), patches, encoder)
    return outputs[outputs.count - 1]
  }

  /// The patches that codes stand for.
  public func decode(_ codes: Matrix, work: DenseWork = DenseWork()) -> Matrix {
    let outputs = work.forward(PatchAutoencoder.decoderLayers(hidden: hidden, width: width), codes, decoder)
    return outputs[outputs.count - 1]
  }

  /// The same autoencoder with its code moved and stretched: 0 decodes to what comes nearest to every patch at once, and the mean square of
  /// the codes is 1.
  public func centred(on patches: Matrix) -> PatchAutoencoder {
    let work = DenseWork()
    let codes = codes(of: patches, work: work).array.sorted()
    guard let least = codes.first, let most = codes.last, most > least else { return self }
    let mean = PatchRisk.meanRow(patches)
    func distances(_ candidates: [Float]) -> [Double] {
      let decoded = decode(Matrix(rows: candidates.count, columns: 1, candidates), work: work)
      return (0..<candidates.count).map { PatchRisk.meanSquared(decoded.taking([Int32($0)]), mean) }
    }
    // Codes as they come, by rank, and then finer around the best of them.
    var candidates = (0..<512).map { codes[$0 * (codes.count - 1) / 511] }
    var centre = candidates[0]
    for _ in 0..<3 {
      let errors = distances(candidates)
      let best = errors.indices.min { (errors[$0], $0) < (errors[$1], $1) } ?? 0
      centre = candidates[best]
      let (low, high) = (candidates[max(0, best - 1)], candidates[min(candidates.count - 1, best + 1)])
      candidates = (0..<64).map { low + (high - low) * Float($0) / 63 }
    }
    let square = codes.reduce(0.0) { $0 + Double($1 - centre) * Double($1 - centre) } / Double(codes.count)
    return moved(by: centre, scale: Float(max(square, 1e-12).squareRoot()))
  }

  /// Folds `(code − centre) / scale` into the parameters on both sides of the code.
  func moved(by centre: Float, scale: Float) -> PatchAutoencoder {
    var moved = self
    var floats = encoder.array
    let start = floats.count - (hidden + 1)
    for index in start..<floats.count - 1 { floats[index] /= scale }
    floats[floats.count - 1] = (floats[floats.count - 1] - centre) / scale
    moved.encoder = ParameterVector(floats)
    floats = decoder.array
    for neuron in 0..<hidden {
      floats[hidden + neuron] += centre * floats[neuron]
      floats[neuron] *= scale
    }
    moved.decoder = ParameterVector(floats)
    return moved
  }
}

extension Chance {
  /// A number that is a stream's own.
  func seed(_ name: StaticString) -> UInt64 {
    var stream = fork(name)
    return stream.next()
  }
}
