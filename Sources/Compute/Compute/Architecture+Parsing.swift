/// Why a text is not an architecture.
public struct ArchitectureError: Error, Hashable, CustomStringConvertible {
  /// What was read.
  public let text: String
  /// What is wrong with it and what would be right.
  public let reason: String

  /// The text and the reason, in a sentence.
  public var description: String { "model '\(text)': \(reason)" }
}

extension Architecture {
  /// The most layers an architecture has.
  public static let layerLimit = 64
  /// The widest layer.
  public static let widthLimit = 1 << 20
  /// The most parameters.
  public static let parameterLimit = 1 << 28

  /// Reads the short form, e.g. `64-64-10`, `784-64-10 tanh`, `autoencoder 784-64-16-64-784`, `regression 13-64-1`, `lenet5`.
  ///
  /// Words are separated by spaces; an activation at the end is that of all layers but the last. Throws ``ArchitectureError``,
  /// which says what is wrong and what would be right.
  public init(parsing text: String) throws(ArchitectureError) {
    func wrong(_ reason: String) -> ArchitectureError { ArchitectureError(text: String(text.prefix(80)), reason: reason) }
    guard text.utf8.count <= 1_024 else { throw wrong("longer than 1,024 characters") }
    var words = text.split(separator: " ").map(String.init)
    guard let first = words.first else { throw wrong("empty; a model is given as layer widths, for example 64-64-10") }
    if let named = try Architecture.named(first, words: words, wrong) {
      self = named
      return
    }
    var task = Task.classification
    var reconstructs = false
    var prefix = ""
    if first == "autoencoder" || first == "regression" {
      task = .regression
      reconstructs = first == "autoencoder"
      prefix = first + " "
      words.removeFirst()
    }
    var activation = Activation.relu
    if words.count > 1, let last = words.last {
      guard let known = Activation(rawValue: last) else {
        throw wrong("'\(last)' is not an activation; known: \(Activation.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      activation = known
      words.removeLast()
    }
    guard words.count == 1 else {
      throw wrong(
        "expected layer widths like 64-64-10, optionally an activation after them, optionally autoencoder or regression before")
    }
    let widths = try Architecture.widths(words[0], wrong)
    if reconstructs, widths.first != widths.last {
      throw wrong("an autoencoder ends as wide as it begins, not \(widths[0]) and \(widths[widths.count - 1])")
    }
    if task == .classification, widths[widths.count - 1] < 2 {
      throw wrong("a classifier has at least 2 outputs; for one number write 'regression \(words[0])'")
    }
    var layers: [Layer] = []
    for index in 1..<widths.count {
      layers.append(
        .dense(inputs: widths[index - 1], outputs: widths[index], activation: index == widths.count - 1 ? .none : activation))
    }
    let size = layers.reduce(0) { $0 + ($1.inputs + 1) * $1.outputs }
    guard size <= Architecture.parameterLimit else { throw wrong("\(size) parameters, at most \(Architecture.parameterLimit)") }
    let canonical =
      prefix + widths.map(String.init).joined(separator: "-") + (activation == .relu ? "" : " " + activation.rawValue)
    self.init(plan: Plan(text: canonical, layers: layers, task: task, reconstructs: reconstructs))
  }

  private static func widths(
    _ word: String, _ wrong: (String) -> ArchitectureError
  ) throws(ArchitectureError) -> [Int] {
    let parts = word.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 2 else { throw wrong("expected at least two layer widths joined by '-', like 64-10, or one of: lenet5") }
    guard parts.count <= layerLimit + 1 else { throw wrong("\(parts.count - 1) layers, at most \(layerLimit)") }
    var widths: [Int] = []
    for part in parts {
      guard let width = Int(part), width >= 1, width <= widthLimit else {
        throw wrong("'\(part)' is not a layer width; a width is a whole number from 1 to \(widthLimit)")
      }
      widths.append(width)
    }
    return widths
  }

  private static func named(
    _ name: String, words: [String], _ wrong: (String) -> ArchitectureError
  ) throws(ArchitectureError) -> Architecture? {
    guard name == "lenet5" else { return nil }
    guard words.count == 1 else { throw wrong("'lenet5' takes nothing after it") }
    let first = Convolution(
      input: Volume(channels: 1, height: 28, width: 28), channels: 6, kernel: 5, padding: 2, activation: .relu)
    let firstPool = Pooling(input: first.output, size: 2)
    let second = Convolution(input: firstPool.output, channels: 16, kernel: 5, padding: 0, activation: .relu)
    let secondPool = Pooling(input: second.output, size: 2)
    let layers: [Layer] = [
      .convolution(first), .pooling(firstPool), .convolution(second), .pooling(secondPool),
      .dense(inputs: secondPool.output.count, outputs: 120, activation: .relu),
      .dense(inputs: 120, outputs: 84, activation: .relu), .dense(inputs: 84, outputs: 10, activation: .none),
    ]
    return Architecture(plan: Plan(text: name, layers: layers, task: .classification, reconstructs: false))
  }
}
