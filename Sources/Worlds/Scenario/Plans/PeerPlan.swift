public import MurmurMachines
public import MurmurSessions

/// How many peers, of which roles and speeds, and who comes late.
///
/// Peers are numbered from 0: the Full ones first, then the Trainers, then the Feeders.
public struct PeerPlan: Hashable, Sendable {
  /// How many peers there are, late ones included.
  public var count = 20
  /// How many of each role.
  public var roles = Roles()
  /// How fast their devices compute.
  public var speed = Speed()
  /// Who joins after the beginning. Late peers are the highest-numbered Full ones, in the order of this list.
  public var late: [Late] = []

  /// Twenty Full peers, all there from the beginning.
  public init() {}

  /// How many peers do everything.
  public var full: Int { count - roles.trainers - roles.feeders }

  /// The role of peer number `index`.
  public func role(_ index: Int) -> Session.Role { index < full ? .full : index < full + roles.trainers ? .trainer : .feeder }

  /// When each peer joins, in a session of that length.
  public func joins(length: Instant.Span) -> [Instant] {
    var result = [Instant](repeating: .origin, count: count)
    var next = full - 1
    for group in late {
      for _ in 0..<group.count where next >= 0 {
        result[next] = .origin + group.at.span(in: length)
        next -= 1
      }
    }
    return result
  }

  /// Each peer's device, in floating-point operations a second; depends on the seed of `chance` and the peer's number alone.
  public func speeds(chance: Chance) -> [Double] {
    (0..<count).map { index in
      var own = chance.fork("device speed", index)
      return own.logNormal(median: speed.median.perSecond, sigma: Portable.log(speed.spread))
    }
  }

  /// How many peers of each role.
  public struct Roles: Hashable, Sendable {
    /// How many do everything; `nil` for all the others. Any other number must make the roles add up to ``PeerPlan/count``.
    public var full: Int?
    /// How many train on the slices of others.
    public var trainers = 0
    /// How many only share their slices.
    public var feeders = 0

    /// Everybody is a Full peer.
    public init() {}
  }

  /// The distribution of the devices' speeds.
  public struct Speed: Hashable, Sendable {
    /// Half of the devices are faster.
    public var median = ComputeRate(perSecond: 1e9)
    /// About two thirds of the devices lie between median ÷ spread and median × spread (log-normal); 1 makes all alike.
    public var spread = 1.5

    /// Around 1 GFLOP/s.
    public init() {}
  }

  /// Peers that join after the beginning.
  public struct Late: Hashable, Sendable {
    /// How many.
    public var count = 1
    /// When.
    public var at = SessionTime.share(0.5)

    /// One peer at half-time.
    public init() {}

    /// That many peers at that time.
    public init(count: Int, at: SessionTime) {
      self.count = count
      self.at = at
    }
  }
}
