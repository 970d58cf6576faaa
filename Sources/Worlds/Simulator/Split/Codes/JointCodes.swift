public import MurmurCompute
public import MurmurSplit

/// Codes that are trained together: still one number per device, but every device's decoder reads all that come and makes the whole image
/// of them. A device's patch is its own idea of it; a dead device's is the mean of the living ones'.
public struct JointCodes: PatchStrategy {
  /// How the network is trained.
  public struct Recipe: Sendable, Hashable {
    /// Neurons of the encoders' hidden layers.
    public var encoder = [256, 128]
    /// Neurons of the decoders' hidden layers.
    public var decoder = [256, 256]
    /// How probable it is in training that a device is dead.
    public var drop = 0.2
    /// How probable it is in training that a link is down; 1 is a network that never talks.
    public var links = 0.4
    /// Passes over all images.
    public var epochs = 6.0
    /// Images of a step.
    public var batch = 128
    /// Adam's rate at first; it falls to a fiftieth along a line.
    public var rate: Float = 0.002

    /// The defaults: trained under faults.
    public init() {}

    /// The same network without faults in training.
    public static var faultless: Recipe {
      var recipe = Recipe()
      (recipe.drop, recipe.links) = (0, 0)
      return recipe
    }

    /// The same network whose devices never hear each other, neither in training nor in use.
    public static var silent: Recipe {
      var recipe = Recipe()
      (recipe.drop, recipe.links) = (0, 1)
      return recipe
    }
  }

  /// The images.
  public let images: PatchImages
  private let isSilent: Bool
  private var world: SplitWorld

  /// A trained network over a complete graph; `nil` if it was stopped.
  public init?(_ images: PatchImages, recipe: Recipe = Recipe(), seed: UInt64, isStopped: () -> Bool = { false }) {
    let graph = DeviceGraph.complete(images.devices)
    var plan = SplitPlan.joint(
      neighbours: graph.neighbours, patch: images.width, encoder: recipe.encoder, decoder: recipe.decoder)
    plan.seed = seed
    plan.batch = min(recipe.batch, images.training)
    plan.steps = Int(recipe.epochs * Double(images.training / plan.batch))
    plan.rate = .linear(from: recipe.rate, to: recipe.rate / 50)
    plan.drill = Drill(
      devices: recipe.drop > 0 ? .fixed(recipe.drop) : .never, links: recipe.links > 0 ? .fixed(recipe.links) : .never)
    self.images = images
    isSilent = recipe.links >= 1
    let rows = images.patches.map { SplitRows(features: $0, targets: images.images, training: images.training) }
    world = SplitWorld(plan: plan, graph: graph, reach: .direct, rows: rows)
    world.train(isStopped: isStopped)
    if isStopped() { return nil }
  }

  /// Whole images, as the devices that live give them.
  public mutating func reconstruct(_ rows: [Int32], dead: [Int], links: Drill.Rate) -> Matrix {
    let views = world.ask(rows, dead: dead, links: isSilent ? .fixed(1) : links)
    let width = images.width
    let own = views.enumerated().map { device, view in view?.columns(device * width..<(device + 1) * width) }
    let nothing = Matrix(rows: 1, columns: width, repeating: 0)
    return PatchRisk.merge(own: own, views: views, absent: own.map { _ in nothing }, rows: rows.count)
  }

  /// What has been sent so far, by all devices.
  public var statistics: SplitStatistics { world.statistics }
}
