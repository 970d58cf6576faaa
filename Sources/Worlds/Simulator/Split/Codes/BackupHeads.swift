public import MurmurCompute
public import MurmurSplit

/// Frozen codes, and on every device a head that estimates those of the others: a dead device's patch is what the living decode from their
/// estimates, their mean. With a copy, the next device along a ring also holds each code as it is.
public struct BackupHeads: PatchStrategy {
  /// How heads are trained.
  public struct Recipe: Sendable, Hashable {
    /// Whether each code is copied to one neighbour.
    public var hasCopies = false
    /// Neurons of the heads' hidden layers.
    public var heads = [96, 96]
    /// Steps of ranks that an estimate has a number for.
    public var steps = 24
    /// How probable it is in training that a device is dead.
    public var drop = 0.3
    /// Passes over all images.
    public var epochs = 4.0
    /// Images of a step.
    public var batch = 128
    /// Adam's rate at first; it falls to a hundredth along a line.
    public var rate: Float = 0.003

    /// The defaults, with or without copies.
    public init(hasCopies: Bool = false) { self.hasCopies = hasCopies }
  }

  /// The images.
  public let images: PatchImages
  private let hasCopies: Bool
  private let autoencoder: PatchAutoencoder
  private let codes: [Matrix]
  private let zero: Matrix
  private var world: SplitWorld

  /// Trained heads over a complete graph; `nil` if it was stopped. The autoencoder is to be centred.
  public init?(
    _ images: PatchImages, _ autoencoder: PatchAutoencoder, recipe: Recipe = Recipe(), seed: UInt64,
    isStopped: () -> Bool = { false }
  ) {
    let devices = images.devices
    let graph = DeviceGraph.complete(devices)
    let codes = images.patches.map { autoencoder.codes(of: $0) }
    let known = (0..<Int32(images.training)).map { $0 }
    let scale = RankScale(of: codes.flatMap { $0.taking(known).array })
    let ranks = codes.map { scale.ranks(of: $0) }
    var plan = SplitPlan.backup(
      neighbours: graph.neighbours, known: recipe.hasCopies ? 2 : 1, heads: recipe.heads, steps: recipe.steps,
      width: images.width)
    plan.seed = seed
    plan.batch = min(recipe.batch, images.training)
    plan.steps = Int(recipe.epochs * Double(images.training / plan.batch))
    plan.rate = .linear(from: recipe.rate, to: recipe.rate / 100)
    plan.drill = Drill(devices: recipe.drop > 0 ? .fixed(recipe.drop) : .never)
    let work = DenseWork()
    let rows = (0..<devices).map { device in
      let own = InputPart(columns: 1, ranks[device])
      let copy = InputPart(columns: 1, ranks[(device + devices - 1) % devices])
      let features = work.join(rows: images.images.rows, recipe.hasCopies ? [own, copy] : [own])
      return SplitRows(features: features, targets: images.images, training: images.training)
    }
    self.images = images
    self.autoencoder = autoencoder
    self.codes = codes
    hasCopies = recipe.hasCopies
    zero = autoencoder.decode(Matrix(rows: 1, columns: 1, repeating: 0))
    world = SplitWorld(plan: plan, graph: graph, reach: .direct, rows: rows)
    world.fix(0, ParameterVector(recipe.hasCopies ? [1, 0, 0, 1, 0, 0] : [1, 0]))
    world.fix(2, scale.mixture(autoencoder, devices: devices, steps: recipe.steps))
    world.train(isStopped: isStopped)
    if isStopped() { return nil }
  }

  /// Whole images, as the devices that live give them.
  public mutating func reconstruct(_ rows: [Int32], dead: [Int], links: Drill.Rate) -> Matrix {
    let views = dead.isEmpty ? [] : world.ask(rows, dead: dead, links: links)
    // Who lives decodes its own code as it is; so does who holds a copy.
    let own = codes.indices.map { device -> Matrix? in
      let holder = (device + 1) % codes.count
      guard !dead.contains(device) || (hasCopies && !dead.contains(holder)) else { return nil }
      return autoencoder.decode(codes[device].taking(rows))
    }
    return PatchRisk.merge(own: own, views: views, absent: codes.map { _ in zero }, rows: rows.count)
  }
}
