public import MurmurLedger
public import MurmurMachines
public import MurmurPubSub

/// What the peers of a ledger and the links between them are like.
public struct LedgerConditions: Sendable {
  /// How many peers.
  public var peers: Int
  /// How many others each peer connects to by itself; about as many connect to it.
  public var degree = 5
  /// The median time of a message on a link.
  public var latency = Instant.Span.milliseconds(40)
  /// The spread of links: the standard deviation of the logarithm of their latency.
  public var latencySpread = 0.5
  /// The spread of the messages of one link, likewise.
  public var jitter = 0.1
  /// How probable it is that a message is lost.
  public var loss = 0.0
  /// By how much clocks are wrong at most, in either direction.
  public var clockError = Instant.Span.seconds(1)
  /// How long a peer takes for one try at a transaction's work.
  public var tryTime = Instant.Span(nanoseconds: 1_000)
  /// What is drawn.
  public var seed: UInt64 = 1
  /// What happens to peers and links.
  public var faults: [LedgerFault] = []
  /// How the ledgers behave; the epoch is set by the world.
  public var ledger = Ledger.Configuration(session: "simulated")
  /// How their gossip behaves; the topic is set by the world.
  public var pubsub = PubSub.Configuration()

  /// That many peers on good links.
  public init(peers: Int) { self.peers = peers }
}

/// What goes wrong, or right again, and when.
public struct LedgerFault: Sendable, Hashable {
  /// What happens.
  public enum What: Sendable, Hashable {
    /// The peers below the number and the others are cut off from each other.
    case partition(below: Int)
    /// All links carry again.
    case heal
    /// A peer stops; what it was told to keep is on its disk.
    case crash(Int)
    /// A peer that is not there comes, with what is on its disk.
    case start(Int)
    /// A peer is not there until it starts; without a disk.
    case absent(Int)
  }

  /// When.
  public var at: Instant
  /// What.
  public var what: What

  /// A fault.
  public init(_ at: Instant, _ what: What) {
    self.at = at
    self.what = what
  }
}
