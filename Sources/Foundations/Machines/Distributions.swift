/// Distributions drawn with additions, products, quotients and square roots alone, so that every machine draws the same bits:
/// the C library's `log` and `exp` differ in the last place between processors.
extension Chance {
  /// A draw from the standard normal distribution (Marsaglia's polar method).
  public mutating func normal() -> Double {
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      guard square > 0, square < 1 else { continue }
      return x * (-2 * Portable.log(square) / square).squareRoot()
    }
  }

  /// A draw from the exponential distribution with the given mean.
  public mutating func exponential(mean: Double) -> Double { -mean * Portable.log(1 - uniform()) }

  /// A draw from the log-normal distribution: `median` · exp(`sigma` · z).
  public mutating func logNormal(median: Double, sigma: Double) -> Double {
    sigma == 0 ? median : median * Portable.exp(sigma * normal())
  }

  /// A draw from the gamma distribution with the given shape and scale 1 (Marsaglia and Tsang, 2000).
  public mutating func gamma(shape: Double) -> Double {
    precondition(shape > 0, "the shape of a gamma distribution is positive, not \(shape)")
    guard shape >= 1 else {
      let boost = Portable.exp(Portable.log(max(uniform(), 0x1p-53)) / shape)
      return gamma(shape: shape + 1) * boost
    }
    let d = shape - 1.0 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let cube = 1 + c * x
      guard cube > 0 else { continue }
      let v = cube * cube * cube
      let u = max(uniform(), 0x1p-53)
      if Portable.log(u) < 0.5 * x * x + d - d * v + d * Portable.log(v) { return d * v }
    }
  }

  /// Shares that add up to one, drawn from the symmetric Dirichlet distribution with the given concentration.
  public mutating func dirichlet(_ count: Int, concentration: Double) -> [Double] {
    var shares = (0..<count).map { _ in gamma(shape: concentration) }
    let total = shares.reduce(0, +)
    for index in shares.indices { shares[index] = total > 0 ? shares[index] / total : 1 / Double(count) }
    return shares
  }
}

/// Elementary functions that give the same bits everywhere; about 1e-15 relative error.
public enum Portable {
  private static let ln2 = 0.693147180559945309417232121458

  /// The natural logarithm of a positive number; −∞ for zero.
  public static func log(_ x: Double) -> Double {
    guard x > 0, x.isFinite else { return x == 0 ? -.infinity : x < 0 ? .nan : x }
    var exponent = Double(x.exponent)
    var mantissa = x.significand
    if mantissa > 1.4142135623730951 {
      mantissa /= 2
      exponent += 1
    }
    let t = (mantissa - 1) / (mantissa + 1)
    let square = t * t
    var sum = 0.0
    for k in stride(from: 21, through: 1, by: -2) { sum = sum * square + 1 / Double(k) }
    return exponent * ln2 + 2 * t * sum
  }

  /// e to the power of `x`.
  public static func exp(_ x: Double) -> Double {
    guard x < 709.7 else { return x.isNaN ? x : .infinity }
    guard x > -745 else { return 0 }
    let k = (x / ln2).rounded()
    let r = x - k * ln2
    var sum = 1.0
    for n in stride(from: 17, through: 1, by: -1) { sum = 1 + sum * r / Double(n) }
    let half = Int(k) / 2
    return sum * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: Int(k) - half, significand: 1)
  }
}
