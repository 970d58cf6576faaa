public import MurmurCompute
public import MurmurSplit

/// No network at all: every device's code goes to its own decoder, and a dead device's patch is what 0 decodes to.
public struct LoneCodes: PatchStrategy {
  /// The images.
  public let images: PatchImages
  private let autoencoder: PatchAutoencoder
  private let codes: [Matrix]

  /// The codes of an autoencoder alone.
  public init(_ images: PatchImages, _ autoencoder: PatchAutoencoder) {
    self.images = images
    self.autoencoder = autoencoder
    codes = images.patches.map { autoencoder.codes(of: $0) }
  }

  /// Whole images, as the devices that live give them.
  public mutating func reconstruct(_ rows: [Int32], dead: [Int], links: Drill.Rate) -> Matrix {
    let zero = autoencoder.decode(Matrix(rows: 1, columns: 1, repeating: 0))
    let own = codes.indices.map { dead.contains($0) ? nil : autoencoder.decode(codes[$0].taking(rows)) }
    return PatchRisk.merge(own: own, views: [], absent: codes.map { _ in zero }, rows: rows.count)
  }
}

/// The paper's network of perceptrons between codes and decoders (table 1), on devices that send messages.
public struct Perceptrons: PatchStrategy {
  /// How it is trained.
  public struct Recipe: Sendable, Hashable {
    /// How it begins.
    public var start = SplitPlan.Start.paper
    /// How probable it is in training that a link is down.
    public var fault = 0.0
    /// Passes over all images.
    public var epochs = 10.0
    /// Images of a step.
    public var batch = 256
    /// Adam's rate at first; it falls to a hundredth along a line.
    public var rate: Float = 0.01

    /// A network that begins so, trained under such faults. One that begins as zero has little to learn, and takes small steps.
    public init(start: SplitPlan.Start, fault: Double) {
      self.start = start
      self.fault = fault
      if start == .identity { (epochs, rate) = (4, 0.001) }
    }
  }

  /// The images.
  public let images: PatchImages
  private let zero: Matrix
  private var world: SplitWorld

  /// A trained network; `nil` if it was stopped. The autoencoder is to be centred if the start is.
  public init?(
    _ images: PatchImages, _ autoencoder: PatchAutoencoder, graph: DeviceGraph, recipe: Recipe, seed: UInt64,
    isStopped: () -> Bool = { false }
  ) {
    var plan = SplitPlan.perceptrons(
      neighbours: graph.neighbours, hidden: autoencoder.hidden, width: autoencoder.width, start: recipe.start)
    plan.seed = seed
    plan.batch = min(recipe.batch, images.training)
    plan.steps = Int(recipe.epochs * Double(images.training / plan.batch))
    plan.rate = .linear(from: recipe.rate, to: recipe.rate / 100)
    plan.drill = Drill(links: recipe.fault > 0 ? .fixed(recipe.fault) : .never)
    self.images = images
    zero = autoencoder.decode(Matrix(rows: 1, columns: 1, repeating: 0))
    let rows = images.patches.map {
      SplitRows(features: autoencoder.codes(of: $0), targets: $0, training: images.training)
    }
    world = SplitWorld(plan: plan, graph: graph, reach: .direct, rows: rows)
    world.fix(0, ParameterVector([1, 0]))
    world.fix(4, autoencoder.decoder)
    world.train(isStopped: isStopped)
    if isStopped() { return nil }
  }

  /// Whole images, as the devices that live give them.
  public mutating func reconstruct(_ rows: [Int32], dead: [Int], links: Drill.Rate) -> Matrix {
    let own = world.ask(rows, dead: dead, links: links)
    return PatchRisk.merge(own: own, views: [], absent: own.map { _ in zero }, rows: rows.count)
  }
}
