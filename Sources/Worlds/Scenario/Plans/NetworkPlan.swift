public import MurmurMachines

/// The links between the peers, and whom a peer knows when it begins.
public struct NetworkPlan: Hashable, Sendable {
  /// How any link behaves while no fault touches it.
  public var link = LinkModel()
  /// How many bytes may wait at a sender's uplink; a message that finds more is dropped there.
  public var queue = 64 << 20
  /// How many other peers a peer knows when it begins.
  public var degree = 8

  /// Links of 20 Mbit/s and 40 ms, eight neighbours.
  public init() {}
}

/// How a link treats messages: a fixed distance per pair of peers, and chance per message.
public struct LinkModel: Hashable, Sendable {
  /// The one-way delay.
  public var delay = Delay()
  /// What a sender's uplink carries.
  public var bandwidth = DataRate(bitsPerSecond: 20e6)
  /// The probability that a message is lost.
  public var loss = 0.0
  /// The probability that a message arrives twice.
  public var duplication = 0.0
  /// The probability that a message is held back by one to four further delays, so that later ones overtake it.
  public var reordering = 0.0
  /// The probability that a message arrives with flipped bits.
  public var corruption = 0.0

  /// A link of 20 Mbit/s and about 40 ms that loses nothing.
  public init() {}

  /// The distribution of one-way delays.
  public struct Delay: Hashable, Sendable {
    /// Half of the links are faster.
    public var median = Instant.Span.milliseconds(40)
    /// About two thirds of the links lie between median ÷ spread and median × spread (log-normal); 1 makes all alike.
    public var spread = 1.5
    /// Every message is late by up to this share of its link's delay.
    public var jitter = 0.1

    /// Around 40 ms.
    public init() {}
  }

  /// The delay of the link between two peers: the same in both directions, a function of the seed of `chance` and the pair alone.
  public func distance(_ one: Int, _ other: Int, chance: Chance) -> Instant.Span {
    guard delay.spread != 1, delay.median > .zero else { return delay.median }
    var own = chance.fork("link distance", max(one, other)).fork("to", min(one, other))
    return .seconds(own.logNormal(median: delay.median.seconds, sigma: Portable.log(delay.spread)))
  }

  /// What becomes of one message over a link of that distance: lost, or one or two arrivals. Bandwidth is the sender's affair
  /// (``Uplink``). However the draws fall, the same number of them is taken from `chance`.
  public func fate(distance: Instant.Span, chance: inout Chance) -> Fate {
    let draws = (
      chance.uniform(), chance.uniform(), chance.uniform(), chance.uniform(), chance.uniform(), chance.uniform(), chance.uniform()
    )
    guard draws.0 >= loss else { return Fate() }
    let held = draws.1 < reordering ? 1 + 3 * draws.2 : 0
    let late = { (jitter: Double) in distance * (1 + self.delay.jitter * jitter + held) }
    let first = Arrival(after: late(draws.3), isCorrupt: draws.4 < corruption)
    guard draws.5 < duplication else { return Fate(first: first) }
    return Fate(first: first, second: Arrival(after: late(1 + draws.6), isCorrupt: false))
  }

  /// What becomes of a message: nothing arrives, or it does once, or twice.
  public struct Fate: Hashable, Sendable {
    /// The message's arrival, unless it is lost.
    public var first: Arrival?
    /// The duplicate's arrival, if there is one.
    public var second: Arrival?

    /// The fate of a message that arrives as given.
    public init(first: Arrival? = nil, second: Arrival? = nil) {
      self.first = first
      self.second = second
    }
  }

  /// One arrival of a message.
  public struct Arrival: Hashable, Sendable {
    /// How long after it left the uplink.
    public var after: Instant.Span
    /// Whether bits were flipped on the way.
    public var isCorrupt: Bool

    /// An arrival that long after departure.
    public init(after: Instant.Span, isCorrupt: Bool) {
      self.after = after
      self.isCorrupt = isCorrupt
    }
  }
}

/// A sender's uplink: messages leave one after another at the rate it carries.
public struct Uplink: Hashable, Sendable {
  /// When the last message accepted so far will have left.
  public private(set) var free = Instant.origin

  /// An idle uplink.
  public init() {}

  /// Accepts a message and says when its last byte leaves; `nil` if more than `queue` bytes already wait, and it is dropped.
  public mutating func send(bytes: Int, at now: Instant, rate: DataRate, queue: Int) -> Instant? {
    let start = max(now, free)
    guard rate.bitsPerSecond.isFinite else { return start }
    guard (start - now).seconds * rate.bitsPerSecond / 8 <= Double(queue) else { return nil }
    free = start + rate.time(bytes: bytes)
    return free
  }

  /// Forgets what was waiting, as a crash does.
  public mutating func clear(at now: Instant) { free = now }
}
