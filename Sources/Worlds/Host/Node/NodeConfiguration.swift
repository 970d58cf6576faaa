public import Logging
public import MurmurIdentify
public import MurmurMachines
public import MurmurRouting
public import MurmurStorage
public import MurmurWire
public import NIOCore

/// How a node behaves, and how much it allows.
public struct NodeConfiguration: Sendable {
  /// Where it listens.
  public var listen: [Multiaddr] = []
  /// Peers to begin with; each address names its peer (`…/p2p/12D3…`).
  public var bootstraps: [Multiaddr] = []
  /// The hash tables it takes part in.
  public var tables: [Kademlia.Configuration] = [.lan()]
  /// Whether it answers others there; one that others cannot dial only asks.
  public var servesTables = true
  /// What it says of itself.
  public var agentVersion = "murmur/0.1"
  /// How identify behaves.
  public var identify = Identify.Configuration()
  /// Sockets and connections.
  public var transport = TransportConfiguration()
  /// Beyond so many connections the least useful are closed, down to ``lowWater``.
  public var highWater = 160
  /// See ``highWater``.
  public var lowWater = 96
  /// How long a new connection is left alone.
  public var grace = Instant.Span.seconds(20)
  /// How often the node looks after its connections.
  public var upkeep = TimeAmount.milliseconds(500)
  /// With how many peers of its session it wants to be connected.
  public var degree = 8
  /// Bytes of messages that may wait for one peer and protocol; further ones are dropped. Of the session's own, a sixteenth.
  public var waitingBytes = 8 << 20
  /// How long a message waits for a peer that is being dialled.
  public var patience = Instant.Span.seconds(10)
  /// How long a peer that could not be dialled is left alone, at first; it doubles with every failure, up to five minutes.
  public var backoff = Instant.Span.seconds(1)
  /// How often one of the partners whose connection broke is dialled again, however many others there are: the halves of a network that fell
  /// apart find each other so. Each is tried for a day.
  public var reunion = Instant.Span.seconds(10)
  /// Partners that are looked for so; of more the ones lost longest ago are given up.
  public var lostPartners = 256
  /// Addresses of peers that are remembered.
  public var addressBook = 4_096
  /// Offences within a short time (``ConductLimits/halfLife``) until a peer is shut out; graver ones count for several.
  public var strikes = 3
  /// How misconduct is remembered and what follows.
  public var conduct = ConductLimits()
  /// Messages a second that are read from one peer, on the average; what it sends beyond waits at its side.
  public var messagesPerSecond = 5_000.0
  /// Messages that one peer may send at once before it is held back.
  public var messageBurst = 20_000.0
  /// Streams of a protocol of messages (the session's, pub/sub, identify, ping) that one connection may bring; further ones are reset.
  public var messageStreams = 8
  /// The same for each version of Bitswap.
  public var blockStreams = 64
  /// The same for each hash table, where every request may have a stream of its own.
  public var requestStreams = 256
  /// How long a message that was begun may take, and a stream for requests or pings be silent; then the stream is reset.
  public var silence = Instant.Span.seconds(60)
  /// How long a peer that is sent messages may read none of them; then its connection is closed.
  public var stuck = Instant.Span.seconds(60)
  /// Bytes of unfinished messages of one peer, on all its streams; a stream that needs more is reset.
  public var unfinishedBytesPerPeer = 16 << 20
  /// The same, of all peers.
  public var unfinishedBytes = 256 << 20
  /// Where it is logged what happens.
  public var logger = Logger(label: "murmur.node")
  /// What the session's clock shows when the node's own shows ``Instant/origin``.
  public var sessionOffset = Instant.Span.zero
  /// What the clock on the wall shows, in milliseconds since 1970; it may be set at any time.
  public var wall: @Sendable () -> Int64 = { Wall.milliseconds }

  /// Which start of this peer in its session it is, and the seed it draws from; kept with the session's state.
  public var life: (number: UInt32, seed: UInt64) = (0, 0)
  /// What the world does to messages and jobs; `nil` outside of experiments.
  public var adversity: (any Adversity)?
  /// Where everything that the peer is told is written down for a replay, and what that begins with.
  public var recording: (path: String, header: Recording.Header)?

  /// The defaults: listens nowhere, knows nobody.
  public init() {}
}
