public import MurmurMachines

/// What goes wrong in a run, as data: the simulator applies it to simulated links, a host at its own sockets.
///
/// Several faults may hold at once. A peer is offline while any fault says so; probabilities on a link combine as independent
/// events, delays add up, factors multiply, the smallest bandwidth counts.
public struct FaultPlan: Hashable, Sendable {
  /// The faults, in the order of the file; each draws from its own stream, named by its place in this list.
  public var faults: [Fault] = []

  /// Nothing goes wrong.
  public init(_ faults: [Fault] = []) { self.faults = faults }
}

/// One kind of trouble.
public enum Fault: Hashable, Sendable {
  case offline(Offline)
  case sessions(OnOff)
  case crash(Crash)
  case partition(Partition)
  case slow(Slow)
  case link(LinkTrouble)
  case skew(Skew)
  case liars(Liars)

  /// LEARNAE's disruption: every `cycle` each peer is redrawn offline with `probability`, for `duration`. Offline means that nothing
  /// is sent, received or served; local training goes on.
  public struct Offline: Hashable, Sendable {
    /// How often connectivity is redrawn; `nil` for the session's work cycle.
    public var cycle: Instant.Span?
    /// How long an offline peer stays so; `nil` for the whole cycle.
    public var duration: Instant.Span?
    /// The probability with which each peer is drawn offline, independently of the others and of before.
    public var probability = 0.0
    /// Who may be drawn.
    public var peers = PeerChoice.all

    /// Nobody is ever offline.
    public init() {}

    /// Each peer is redrawn offline with that probability, every work cycle unless said otherwise.
    public init(probability: Double, cycle: Instant.Span? = nil, duration: Instant.Span? = nil) {
      self.probability = probability
      self.cycle = cycle
      self.duration = duration
    }
  }

  /// Peers come and go: online for a while, offline for a while, both exponentially distributed, in the stationary state from the
  /// beginning.
  public struct OnOff: Hashable, Sendable {
    /// The mean time online.
    public var on = Instant.Span.minutes(60)
    /// The mean time offline.
    public var off = Instant.Span.minutes(15)
    /// Who comes and goes.
    public var peers = PeerChoice.all

    /// An hour on, a quarter of an hour off.
    public init() {}
  }

  /// Peers stop.
  public struct Crash: Hashable, Sendable {
    /// Who stops.
    public var peers = PeerChoice.all
    /// When.
    public var at = SessionTime.share(0.5)
    /// Each peer stops at its own instant, drawn evenly from this long after `at`.
    public var over = SessionTime.after(.zero)
    /// How long after its crash a peer starts again; `nil` for never.
    public var restart: SessionTime?
    /// Whether what was in memory survives (a device that sleeps) or not (one that crashes).
    public var memory = Memory.lost
    /// What is left of the disk.
    public var disk = Disk.kept

    /// Everybody stops at half-time, for ever.
    public init() {}

    /// What happens to a stopped peer's memory.
    public enum Memory: String, Hashable, Sendable, CaseIterable { case lost, kept }

    /// What happens to a stopped peer's disk: all writes survive, the last write is cut short, or nothing survives.
    public enum Disk: String, Hashable, Sendable, CaseIterable { case kept, torn, lost }
  }

  /// The network falls apart into groups for a while.
  public struct Partition: Hashable, Sendable {
    /// The groups; peers named by none form one more. A peer named twice belongs to the first group that names it.
    public var groups: [PeerChoice] = []
    /// When, and for how long.
    public var window = Window()
    /// Which messages between groups are lost.
    public var direction = Direction.both

    /// No groups.
    public init() {}

    /// Which messages between groups are lost: all, or only those from a group to the ones listed after it.
    public enum Direction: String, Hashable, Sendable, CaseIterable { case both, oneWay = "one-way" }
  }

  /// Devices slow down for a while.
  public struct Slow: Hashable, Sendable {
    /// Whose.
    public var peers = PeerChoice.all
    /// How many times longer everything takes.
    public var factor = 10.0
    /// When, and for how long.
    public var window = Window()

    /// Everybody ten times slower, all the time.
    public init() {}
  }

  /// Links get worse for a while.
  public struct LinkTrouble: Hashable, Sendable {
    /// The probability of loss, beside the link's own.
    public var loss = 0.0
    /// Added to the link's delay.
    public var delay = Instant.Span.zero
    /// What a sender's uplink still carries on this link.
    public var bandwidth = DataRate.unlimited
    /// The probability of duplication, beside the link's own.
    public var duplication = 0.0
    /// The probability of reordering, beside the link's own.
    public var reordering = 0.0
    /// The probability of corruption, beside the link's own.
    public var corruption = 0.0
    /// When, and for how long.
    public var window = Window()
    /// The links between any of the first and any of the second, in both directions; `nil` for every link.
    public var between: Pair?

    /// No trouble.
    public init() {}

    /// Two choices of peers and the links between them.
    public struct Pair: Hashable, Sendable {
      /// One end.
      public var one: PeerChoice
      /// The other end.
      public var other: PeerChoice

      /// The links between these.
      public init(_ one: PeerChoice, _ other: PeerChoice) {
        self.one = one
        self.other = other
      }
    }
  }

  /// Clocks go wrong.
  public struct Skew: Hashable, Sendable {
    /// Whose.
    public var peers = PeerChoice.all
    /// By how much they are ahead; negative for behind.
    public var by = Instant.Span.zero

    /// No skew.
    public init() {}
  }

  /// Peers lie about their models.
  public struct Liars: Hashable, Sendable {
    /// Who lies.
    public var peers = PeerChoice.share(0.1)
    /// How.
    public var how = Lie.noise

    /// A tenth of the peers send noise.
    public init() {}

    /// A way to lie.
    public enum Lie: String, Hashable, Sendable, CaseIterable {
      /// Sends random parameters in place of its model.
      case noise
      /// Sends a model of zeros.
      case zero
      /// Sends its true model but reports an accuracy of 100 %.
      case inflate
      /// Sends its model with every sign flipped.
      case flip
    }
  }

  /// When a fault holds.
  public struct Window: Hashable, Sendable {
    /// From when on.
    public var at = SessionTime.after(.zero)
    /// For how long; `nil` for ever.
    public var length: SessionTime?

    /// All the time.
    public init() {}

    /// From then on for so long.
    public init(at: SessionTime, for length: SessionTime? = nil) {
      self.at = at
      self.length = length
    }
  }
}
