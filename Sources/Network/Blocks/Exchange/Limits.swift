public import MurmurMachines

/// The bounds within which an exchange works.
public struct Limits: Hashable, Sendable {
  /// Objects that are fetched at a time; more are refused. More than the hashlists that a session waits for, so that models find room.
  public var fetches = 128
  /// Blocks of one object; 65,536 chunks of 256 KiB are 16 GiB.
  public var blocksPerFetch = 65_536
  /// Blocks one peer is asked for at a time, at first.
  public var firstWindow = 4
  /// Blocks one peer is asked for at a time, at most.
  public var largestWindow = 32
  /// Connected peers that are asked at once whether they have a block nobody is known to have.
  public var probes = 16
  /// How often a silent peer is asked, in a fetch without a deadline.
  public var attempts = 8
  /// How long to wait for a peer that never answered anything yet.
  public var firstPatience = Instant.Span.seconds(3)
  /// The shortest wait, however fast a peer has been.
  public var leastPatience = Instant.Span.milliseconds(200)
  /// The longest wait, however slow or silent a peer has been.
  public var mostPatience = Instant.Span.seconds(60)
  /// Peers whose ledgers are remembered; the longest unused ones are forgotten first, connected ones last.
  public var ledgers = 128
  /// Blocks that wait to be sent to one peer; beyond that its wants are refused with DONT_HAVE.
  public var ordersPerPeer = 1_024
  /// Wants of one peer, without the wish for a DONT_HAVE, that wait for a block to turn up; the oldest go first.
  public var waitingPerPeer = 256
  /// The service window: the time over which what is sent is counted.
  public var window = Instant.Span.seconds(1)
  /// Bytes of blocks for one peer in good standing in a window.
  public var windowBytesPerPeer = 32 << 20
  /// Bytes of blocks for all peers together in a window.
  public var windowBytes = 128 << 20
  /// What a peer may take before its debt counts.
  public var grace = 32 << 20
  /// A block of at most so many bytes is sent at once to who asks whether it is here.
  public var smallBlock = 1_024
  /// Bytes of blocks in one message; one larger block still goes alone.
  public var messageBytes = 1 << 20
  /// Bytes of blocks that the world may have been given for one peer without having got rid of them: ``Exchange/Input/written(to:bytes:)``
  /// counts them back. Without a bound, as here, the world need not say so.
  public var unwrittenBytesPerPeer = Int.max
  /// Bytes of blocks that the world is asked to bring from its disk at a time; one block is always brought.
  public var loadingBytes = 16 << 20
  /// Bytes of blocks that may be under way or wait to become safe on the disk; at more, nobody is asked for further blocks until some are.
  public var unsettledBytes = 64 << 20
  /// Whether a peer that has nothing left to give is asked for blocks that a much slower one owes. It costs a block twice now and then.
  public var relievesSlowPeers = false
  /// Unwanted blocks from one peer, beyond those it was asked for, until it is reported, and again after as many more.
  public var unwantedPerPeer = 64

  /// The default limits.
  public init() {}

  /// Limits for a host: bandwidth is what the connections give, so a peer's debt decides who is served first rather than how much;
  /// what was not written yet bounds what is read from the disk for a peer.
  public static var host: Limits {
    var limits = Limits()
    limits.ledgers = 4_096
    limits.firstWindow = 8
    limits.largestWindow = 64
    limits.relievesSlowPeers = true
    limits.windowBytesPerPeer = 2 << 30
    limits.windowBytes = 8 << 30
    limits.grace = 1 << 30
    limits.unwrittenBytesPerPeer = 4 << 20
    // What was asked for and came too late is not wanted any more, and no offence: a whole window of it at a time.
    limits.unwantedPerPeer = 256
    limits.unsettledBytes = 48 << 20
    return limits
  }
}
