/// The only source of randomness a machine may use: a seeded generator that can be split by name.
///
/// Xoshiro256++ (Blackman and Vigna, 2019) seeded through SplitMix64. `fork` derives an independent stream from the *seed* and a
/// name, not from the generator's position, so that adding a draw to one machine never changes what another one draws.
public struct Chance: RandomNumberGenerator, Sendable, Hashable {
  /// The seed this stream was made from; forks derive from it.
  public let seed: UInt64
  @usableFromInline var a: UInt64
  @usableFromInline var b: UInt64
  @usableFromInline var c: UInt64
  @usableFromInline var d: UInt64

  /// The stream that belongs to `seed`.
  public init(seed: UInt64) {
    self.seed = seed
    var mix = seed
    a = Chance.splitMix(&mix)
    b = Chance.splitMix(&mix)
    c = Chance.splitMix(&mix)
    d = Chance.splitMix(&mix)
  }

  /// An independent stream that depends only on this one's seed, `name` and `index`.
  public func fork(_ name: StaticString, _ index: Int = 0) -> Chance { Chance(seed: derive(name.description, index)) }

  /// An independent stream that depends only on this one's seed, `name` and `index`.
  public func fork(named name: String, _ index: Int = 0) -> Chance { Chance(seed: derive(name, index)) }

  private func derive(_ name: String, _ index: Int) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    hash ^= UInt64(bitPattern: Int64(index)) &* 0x9e37_79b9_7f4a_7c15
    return Chance.splitMix(&hash)
  }

  private static func splitMix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  @inlinable static func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }

  /// The next 64 random bits.
  @inlinable public mutating func next() -> UInt64 {
    let result = Chance.rotate(a &+ d, 23) &+ a
    let t = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = Chance.rotate(d, 45)
    return result
  }

  /// A number in 0 ..< 1, uniform over multiples of 2⁻⁵³.
  @inlinable public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// True with the given probability; `0` and `1` are exact.
  @inlinable public mutating func happens(_ probability: Double) -> Bool { uniform() < probability }

  /// A whole number in 0 ..< `bound`, without bias (Lemire, 2019). `bound` must be positive.
  @inlinable public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a number below \(bound) does not exist")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// Shuffles `items` in place (Fisher–Yates from the end).
  @inlinable public mutating func shuffle<Element>(_ items: inout [Element]) {
    guard items.count > 1 else { return }
    for last in stride(from: items.count - 1, to: 0, by: -1) { items.swapAt(last, below(last + 1)) }
  }

  /// Up to `count` different elements of `items`, in random order.
  @inlinable public mutating func pick<Element>(_ count: Int, from items: [Element]) -> [Element] {
    var pool = items
    let wanted = min(max(count, 0), pool.count)
    for index in 0..<wanted { pool.swapAt(index, index + below(pool.count - index)) }
    pool.removeLast(pool.count - wanted)
    return pool
  }
}
