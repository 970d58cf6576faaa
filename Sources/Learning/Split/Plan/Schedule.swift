import MurmurMachines

/// Which rows a step trains on, worked out from the seed alone: every epoch walks all rows once, in an order of its own.
///
/// The order is a permutation computed row by row (a Feistel network walked until it stays in range; Black and Rogaway, 2002), so that no
/// device holds a list of all rows.
public struct Schedule: Sendable, Hashable {
  private let rows: Int
  private let batch: Int
  private let seed: UInt64
  private let half: UInt64
  private let mask: UInt64

  /// Steps of `batch` of `rows` rows.
  public init(rows: Int, batch: Int, seed: UInt64) {
    precondition(rows > 0 && batch > 0, "\(batch) of \(rows) rows")
    self.rows = rows
    self.batch = min(batch, rows)
    self.seed = seed
    var bits: UInt64 = 1
    while (1 << (2 * bits)) < UInt64(rows) { bits += 1 }
    half = bits
    mask = (1 << bits) - 1
  }

  /// Whole batches in an epoch; what is left over is in other batches of other epochs.
  public var stepsPerEpoch: Int { rows / batch }

  /// The rows of a step.
  public func rows(of step: Int) -> [Int32] {
    let (epoch, place) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    var keys = Chance(seed: seed).fork("epoch", epoch)
    let round = (keys.next(), keys.next(), keys.next(), keys.next())
    return (0..<batch).map { Int32(row(place * batch + $0, round)) }
  }

  private func row(_ index: Int, _ keys: (UInt64, UInt64, UInt64, UInt64)) -> Int {
    var value = UInt64(index)
    repeat {
      var (left, right) = (value >> half, value & mask)
      (left, right) = (right, left ^ mix(right, keys.0))
      (left, right) = (right, left ^ mix(right, keys.1))
      (left, right) = (right, left ^ mix(right, keys.2))
      (left, right) = (right, left ^ mix(right, keys.3))
      value = left << half | right
    } while value >= UInt64(rows)
    return Int(value)
  }

  private func mix(_ value: UInt64, _ key: UInt64) -> UInt64 {
    var z = (value &+ key) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 29)) &* 0x94d0_49bb_1331_11eb
    return (z ^ (z >> 32)) & mask
  }
}
