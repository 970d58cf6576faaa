public import MurmurCollective
import MurmurCompute
public import MurmurFeeds
import MurmurMachines
import MurmurWire

/// Rows of streams as they come in, until there are enough of them to go on learning with.
///
/// A fixed share of every stream's rows is kept for validation, the same rows at every peer, so that nobody validates with what another trained
/// on. Where more rows have come than ``window``, the oldest go.
public struct RowBasket: Sendable {
  private let field: FeedField
  private let validation: Double
  private let slice: Int
  private let isShared: Bool
  /// Rows that are kept; of more the oldest go.
  public let window: Int
  private var features: [Float] = []
  private var labels: [Int32] = []
  private var isValidation: [Bool] = []
  private var fresh = 0
  /// Rows that could not be used.
  public private(set) var refused = 0
  /// Rows taken in so far.
  public private(set) var count = 0

  /// A basket for rows of a field. `slice` rows at least are handed over at a time; where rows are shared only the new ones are.
  public init(_ field: FeedField, validation: Double, slice: Int, isShared: Bool, window: Int = 200_000) {
    (self.field, self.validation, self.slice, self.isShared, self.window) = (field, validation, slice, isShared, window)
  }

  /// Takes in a message's rows.
  public mutating func add(_ message: FeedRows) {
    let (samples, places, refused) = field.read(message)
    self.refused += refused
    guard let samples else { return }
    for row in 0..<samples.count {
      features += samples.row(row)
      labels.append(samples.labels[row])
      var draw = Chance(seed: message.channel.a ^ places[row] &* 0x9e37_79b9_7f4a_7c15)
      isValidation.append(draw.uniform() < validation)
    }
    fresh += samples.count
    count += samples.count
    let excess = labels.count - window
    // A sixteenth at once, so that moving the others costs little a row.
    guard excess > window / 16, !isShared else { return }
    features.removeFirst(excess * field.width)
    labels.removeFirst(excess)
    isValidation.removeFirst(excess)
  }

  /// The rows to learn from, once enough new ones are there: a slice, and a sixteenth of what there was. With `all`, whatever there is.
  public mutating func take(all: Bool = false) -> Work.Rows? {
    let enough = all ? 1 : max(slice, isShared ? 0 : (labels.count - fresh) / 16)
    guard fresh >= enough else { return nil }
    fresh = 0
    let samples = Samples(features: features, width: field.width, labels: labels, classes: field.classCount)
    let rows = Work.Rows(
      samples: samples, training: isValidation.indices.filter { !isValidation[$0] }.map { Int32($0) },
      validation: isValidation.indices.filter { isValidation[$0] }.map { Int32($0) })
    if isShared { (features, labels, isValidation) = ([], [], []) }
    return rows
  }
}
