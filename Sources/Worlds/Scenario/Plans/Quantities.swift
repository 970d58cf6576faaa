public import MurmurMachines

/// A time within a session: so long after its beginning, or at a share of its length.
public enum SessionTime: Hashable, Sendable {
  /// That long after the session's beginning.
  case after(Instant.Span)
  /// At that share of the session's length, 0 … 1.
  case share(Double)

  /// The span itself, in a session of that length.
  public func span(in length: Instant.Span) -> Instant.Span {
    switch self {
    case .after(let span): span
    case .share(let share): length * share
    }
  }
}

/// How many bits a link carries per second.
public struct DataRate: Hashable, Sendable {
  /// Bits per second; infinite where there is no limit.
  public var bitsPerSecond: Double

  /// A rate of that many bits per second.
  public init(bitsPerSecond: Double) { self.bitsPerSecond = bitsPerSecond }

  /// No limit.
  public static let unlimited = DataRate(bitsPerSecond: .infinity)

  /// How long that many bytes take.
  public func time(bytes: Int) -> Instant.Span { .seconds(Double(bytes) * 8 / bitsPerSecond) }
}

/// How many floating-point operations a device does per second.
public struct ComputeRate: Hashable, Sendable {
  /// Operations per second.
  public var perSecond: Double

  /// A rate of that many operations per second.
  public init(perSecond: Double) { self.perSecond = perSecond }
}

/// A choice among the peers of a session.
public enum PeerChoice: Hashable, Sendable {
  /// Everybody.
  case all
  /// Peers by number, as ranges in the order given.
  case numbers([ClosedRange<Int>])
  /// That many peers, drawn from the seed.
  case some(Int)
  /// The nearest whole number of peers to that share (at least one, unless the share is 0), drawn from the seed.
  case share(Double)

  /// The numbers of the chosen peers, ascending. Numbers beyond `peers` are left out; the draw depends on the seed of `chance` alone.
  public func members(of peers: Int, chance: Chance) -> [Int] {
    switch self {
    case .all: return Array(0..<peers)
    case .numbers(let ranges):
      var chosen = [Bool](repeating: false, count: peers)
      for range in ranges {
        guard range.lowerBound < peers else { continue }
        for index in range.clamped(to: 0...max(peers - 1, 0)) where index < peers { chosen[index] = true }
      }
      return chosen.indices.filter { chosen[$0] }
    case .some(let count): return drawn(count, of: peers, chance)
    case .share(let share): return drawn(share <= 0 ? 0 : max(1, Int((share * Double(peers)).rounded())), of: peers, chance)
    }
  }

  private func drawn(_ count: Int, of peers: Int, _ chance: Chance) -> [Int] {
    var own = chance.fork("peer choice")
    return own.pick(count, from: Array(0..<peers)).sorted()
  }
}
