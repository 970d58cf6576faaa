public import MurmurMachines

/// What devices and the links between them are like.
public struct SplitConditions: Sendable, Hashable {
  /// Multiply-adds a second of each device; one number for all, or one for each. With 0, computing takes no time.
  public var speeds: [Double] = [2e9]
  /// How probable it is that a message is lost, on every link it crosses.
  public var loss = 0.0
  /// The spread of a message's time on a link: the standard deviation of the logarithm of its latency.
  public var jitter = 0.0
  /// What happens to devices and links.
  public var faults: [SplitFault] = []
  /// Devices that come and go by themselves: those with the highest numbers.
  public var flapping: Flapping?
  /// Links that do, drawn from all.
  public var flappingLinks: Flapping?

  /// What is there and away in turn, for times drawn from exponential distributions.
  public struct Flapping: Sendable, Hashable {
    /// The share of devices or links that do.
    public var share: Double
    /// The mean time there.
    public var on: Instant.Span
    /// The mean time away.
    public var off: Instant.Span

    /// Devices or links that come and go.
    public init(share: Double, on: Instant.Span, off: Instant.Span) {
      self.share = share
      self.on = on
      self.off = off
    }
  }

  /// Fast devices, ideal links, no faults.
  public init() {}

  /// The same devices and links where nothing happens to them.
  public var quiet: SplitConditions {
    var quiet = self
    (quiet.faults, quiet.flapping, quiet.flappingLinks) = ([], nil, nil)
    return quiet
  }
}

/// What goes wrong, or right again, and when.
public struct SplitFault: Sendable, Hashable {
  /// When it happens.
  public enum When: Sendable, Hashable {
    /// At a virtual time.
    case at(Instant)
    /// When a device has ended that step, the first that does.
    case step(Int)
  }

  /// What happens.
  public enum What: Sendable, Hashable {
    /// The device stops, and all it had in hand is gone.
    case dies(Int)
    /// The device goes on with the units it had.
    case returns(Int)
    /// The device begins afresh.
    case joins(Int)
    /// The link carries nothing.
    case breaks(Int, Int)
    /// The link carries again.
    case heals(Int, Int)
  }

  /// When.
  public var when: When
  /// What.
  public var what: What

  /// A fault.
  public init(_ when: When, _ what: What) {
    self.when = when
    self.what = what
  }
}
