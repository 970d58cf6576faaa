public import MurmurWire

/// How well a collective would keep its chunks if peers vanished: LEARNAE's resilience index (Nikolaidis & Refanidis 2021).
///
/// For each chunk the number of *other* peers that hold it besides one; over all chunks the mean and how far they lie apart.
public struct Resilience: Hashable, Sendable {
  /// How many chunks were counted.
  public let chunks: Int
  /// The mean over chunks of how many other peers hold one; 0 without chunks.
  public let mean: Double
  /// The standard deviation over chunks.
  public let deviation: Double
  /// How many others hold the least held chunk.
  public let least: Int
  /// How many others hold the most held chunk.
  public let most: Int

  /// The distance between the most and the least held chunk.
  public var spread: Int { most - least }

  /// The index of chunks of which each is held by so many peers; a chunk that nobody holds counts −1 others, so that losses show.
  public init(holders: [Int]) {
    chunks = holders.count
    guard let fewest = holders.min(), let greatest = holders.max() else {
      (mean, deviation, least, most) = (0, 0, 0, 0)
      return
    }
    let total = holders.reduce(0, +)
    let mean = Double(total) / Double(holders.count) - 1
    let squares = holders.reduce(0.0) { $0 + (Double($1 - 1) - mean) * (Double($1 - 1) - mean) }
    self.mean = mean
    deviation = (squares / Double(holders.count)).squareRoot()
    least = fewest - 1
    most = greatest - 1
  }

  /// The index of `chunks` over the peers' stores.
  public init(of chunks: [CID], in stores: [BlockStore]) {
    self.init(holders: chunks.map { chunk in stores.reduce(0) { $0 + ($1.has(chunk) ? 1 : 0) } })
  }
}
