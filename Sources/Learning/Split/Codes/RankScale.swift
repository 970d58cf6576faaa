public import MurmurCompute

/// Numbers as ranks among known ones, from −1 for the least to 1 for the greatest, and back: straight lines between quantiles.
///
/// Codes of an autoencoder crowd in places and stretch in others. As ranks they are spread evenly, and an estimate of a rank is never far off.
public struct RankScale: Sendable, Hashable {
  /// Quantiles, ascending, each once.
  public let quantiles: [Float]
  /// Their ranks.
  public let ranks: [Float]

  /// The scale of the given numbers, with about that many quantiles.
  public init(of numbers: [Float], knots: Int = 65) {
    let sorted = numbers.filter(\.isFinite).sorted()
    precondition(!sorted.isEmpty && knots > 1, "ranks among \(sorted.count) numbers")
    var (quantiles, ranks): ([Float], [Float]) = ([], [])
    for knot in 0..<knots {
      let value = sorted[knot * (sorted.count - 1) / (knots - 1)]
      guard quantiles.last.map({ value > $0 }) ?? true else { continue }
      quantiles.append(value)
      ranks.append(Float(2 * knot) / Float(knots - 1) - 1)
    }
    if quantiles.count == 1 {
      quantiles.append(quantiles[0] + 1)
      ranks.append(1)
    }
    self.quantiles = quantiles
    self.ranks = ranks
  }

  /// The rank of a number; beyond the ends lines go on.
  public func rank(_ value: Float) -> Float { RankScale.along(quantiles, ranks, value) }

  /// The number of a rank.
  public func value(_ rank: Float) -> Float { RankScale.along(ranks, quantiles, rank) }

  /// The ranks of a whole matrix.
  public func ranks(of matrix: Matrix) -> Matrix {
    Matrix(rows: matrix.rows, columns: matrix.columns, matrix.array.map { rank($0) })
  }

  private static func along(_ from: [Float], _ to: [Float], _ x: Float) -> Float {
    var (low, high) = (0, from.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if from[middle] <= x { low = middle } else { high = middle }
    }
    return to[low] + (to[high] - to[low]) * ((x - from[low]) / (from[high] - from[low]))
  }

  /// The way from estimates to patches, side by side for `devices` codes, as one frozen layer without an activation.
  ///
  /// An estimate of a code is a number in 0 … 1 for each of `steps` steps from its least to its greatest rank: how probable it is that the
  /// code lies above. Its patch is the mean of what the ranks between decode to, each as probable as the estimate says. That is linear in
  /// the estimate, and no gradient gets stuck on the winding curve that a decoder of one number draws through the space of patches.
  public func mixture(_ autoencoder: PatchAutoencoder, devices: Int, steps: Int) -> ParameterVector {
    let width = autoencoder.width
    let points = (0...steps).map { value((2 * Float($0) + 1) / Float(steps + 1) - 1) }
    let decoded = autoencoder.decode(Matrix(rows: steps + 1, columns: 1, points)).array
    let columns = devices * width
    var floats = [Float](repeating: 0, count: (devices * steps + 1) * columns)
    for device in 0..<devices {
      for pixel in 0..<width {
        let column = device * width + pixel
        for step in 0..<steps {
          floats[(device * steps + step) * columns + column] = decoded[(step + 1) * width + pixel] - decoded[step * width + pixel]
        }
        floats[devices * steps * columns + column] = decoded[pixel]
      }
    }
    return ParameterVector(floats)
  }
}
