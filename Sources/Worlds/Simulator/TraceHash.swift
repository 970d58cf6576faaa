import MurmurMachines

/// A hash over everything that happened in a world, in order; two runs with the same trace did the same things.
///
/// Two 64-bit lanes with the finaliser of MurmurHash3 on each word: not a defence against an adversary, but any difference between
/// two runs shows with near certainty, at a few nanoseconds an event.
public struct TraceHash: Hashable, Sendable, CustomStringConvertible {
  private var a: UInt64 = 0x6d75_726d_7572_6174
  private var b: UInt64 = 0x696f_6e73_7461_7274

  /// Takes in one event.
  @inline(__always)
  mutating func mix(_ time: Instant, _ kind: UInt64, _ who: UInt64, _ what: UInt64) {
    absorb(UInt64(bitPattern: time.nanoseconds))
    absorb(kind << 56 ^ who << 32 ^ what)
  }

  /// Takes in one word.
  @inline(__always)
  mutating func absorb(_ word: UInt64) {
    a = Self.scramble(a ^ word)
    b = Self.scramble(b &+ (word &* 0x9e37_79b9_7f4a_7c15) ^ (a << 17 | a >> 47))
  }

  private static func scramble(_ value: UInt64) -> UInt64 {
    var x = value
    x ^= x >> 33
    x = x &* 0xff51_afd7_ed55_8ccd
    x ^= x >> 33
    x = x &* 0xc4ce_b9fe_1a85_ec53
    return x ^ (x >> 33)
  }

  /// Nothing happened yet.
  init() {}

  /// The hash of one event alone.
  @inline(__always)
  fileprivate init(of time: Instant, _ kind: UInt64, _ who: UInt64, _ what: UInt64) { mix(time, kind, who, what) }

  fileprivate var lanes: (a: UInt64, b: UInt64) { (a, b) }

  /// 32 hexadecimal digits.
  public var description: String { TraceHash.digits(a, b) }

  fileprivate static func digits(_ a: UInt64, _ b: UInt64) -> String {
    [a, b].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// A hash over everything that happened in a world, each event with its time, whatever the order in which it was worked out: the sum of the
/// events' own ``TraceHash``es.
///
/// For worlds that let devices run ahead of each other: two runs with the same sum did the same things at the same times.
public struct TraceSum: Hashable, Sendable, CustomStringConvertible {
  private var (a, b): (UInt64, UInt64) = (0, 0)

  /// Takes in one event.
  @inline(__always)
  mutating func mix(_ time: Instant, _ kind: UInt64, _ who: UInt64, _ what: UInt64) {
    let one = TraceHash(of: time, kind, who, what).lanes
    (a, b) = (a &+ one.a, b &+ one.b)
  }

  /// Takes one event out that was taken in.
  mutating func remove(_ time: Instant, _ kind: UInt64, _ who: UInt64, _ what: UInt64) {
    let one = TraceHash(of: time, kind, who, what).lanes
    (a, b) = (a &- one.a, b &- one.b)
  }

  /// Takes in all that another took in.
  mutating func mix(_ other: TraceSum) { (a, b) = (a &+ other.a, b &+ other.b) }

  /// 32 hexadecimal digits.
  public var description: String { TraceHash.digits(a, b) }
}
