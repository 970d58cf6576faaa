import MurmurCompute

/// Split networks that reconstruct images from one number per device.
extension SplitPlan {
  /// How the perceptrons of ``perceptrons(neighbours:hidden:width:start:)`` begin and end.
  public enum Start: String, Sendable, Hashable, CaseIterable {
    /// As in the paper: the code as training left it, random weights, a leaky rectifier at the end.
    case paper
    /// A centred code, random weights, no rectifier at the end.
    case random
    /// A centred code and zero weights in the last layer: at first the network hands every code on as it is.
    case identity

    /// Whether the code is centred.
    public var isCentred: Bool { self != .paper }
  }

  /// The paper's network: three layers of one perceptron per device, without biases, over the codes of all neighbours; the device's own code
  /// is added to the last, and the frozen decoder follows. With four devices and a complete graph it has 48 weights.
  ///
  /// Stage 0 is frozen and hands the code on to the neighbours, the last stage is the decoder; both wait for their parameters.
  public static func perceptrons(neighbours: [[Int]], hidden: Int, width: Int, start: Start) -> SplitPlan {
    var code = SplitStage(.features, [DenseShape(1, .none)])
    code.isFrozen = true
    var layer = SplitStage(.neighbours, [DenseShape(1, .leakyRelu)])
    layer.hasBiases = false
    var last = layer
    last.layers = [DenseShape(1, start == .paper ? .leakyRelu : .none)]
    last.isResidual = true
    last.beginsAtZero = start == .identity
    var decoder = SplitStage(.own, PatchAutoencoder.decoderLayers(hidden: hidden, width: width))
    decoder.isFrozen = true
    var plan = SplitPlan(
      features: neighbours.map { _ in 1 }, neighbours: neighbours, stages: [code, layer, layer, last, decoder],
      objective: .targets(width))
    plan.missing = .zero
    plan.inference.spreading = .alone
    return plan
  }

  /// Backup heads: every device estimates all codes, in steps of their ranks, from the ranks that came, and learns by what the frozen
  /// mixture of ``RankScale/mixture(_:devices:steps:)``, the last stage, makes of the estimate.
  ///
  /// `known` ranks are handed on by each device, of its own code and of copies of others'; `heads` are the neurons of the hidden layers,
  /// `steps` the numbers of an estimate, `width` the pixels of a patch.
  public static func backup(neighbours: [[Int]], known: Int, heads: [Int], steps: Int, width: Int) -> SplitPlan {
    let devices = neighbours.count
    var ranks = SplitStage(.features, [DenseShape(known, .none)])
    ranks.isFrozen = true
    let head = SplitStage(.neighbours, heads.map { DenseShape($0, .relu) } + [DenseShape(devices * steps, .sigmoid)])
    var patches = SplitStage(.own, [DenseShape(devices * width, .none)])
    patches.isFrozen = true
    var plan = SplitPlan(
      features: neighbours.map { _ in known }, neighbours: neighbours, stages: [ranks, head, patches],
      objective: .targets(devices * width))
    plan.missing = .flagged
    plan.inference.spreading = .alone
    return plan
  }

  /// Joint codes: every device makes one number of its patch and the whole image of the numbers that came, encoders and decoders trained
  /// together over the links.
  public static func joint(neighbours: [[Int]], patch: Int, encoder: [Int], decoder: [Int]) -> SplitPlan {
    let code = SplitStage(.features, encoder.map { DenseShape($0, .relu) } + [DenseShape(1, .none)])
    let width = neighbours.count * patch
    let image = SplitStage(.neighbours, decoder.map { DenseShape($0, .relu) } + [DenseShape(width, .sigmoid)])
    var plan = SplitPlan(
      features: neighbours.map { _ in patch }, neighbours: neighbours, stages: [code, image], objective: .targets(width))
    plan.missing = .flagged
    plan.inference.spreading = .alone
    return plan
  }
}
