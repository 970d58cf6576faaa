public import MurmurMachines

extension PubSub {
  /// How much of everything a pub/sub peer keeps, does and puts up with; what happens beyond is said at each.
  public struct Limits: Hashable, Sendable {
    // What one frame may hold; a frame beyond is refused whole by the decoder.

    /// Bytes of one encoded frame, and of each frame we make ourselves.
    public var frameBytes = 1 << 20
    /// Messages in one frame.
    public var messagesPerFrame = 1_024
    /// IHAVEs, IWANTs, GRAFTs and PRUNEs in one frame, of each.
    public var controlsPerFrame = 256
    /// Message identifiers in one frame.
    public var idsPerFrame = 10_000
    /// Peers offered in one PRUNE.
    public var peersPerPrune = 32
    /// Bytes of a peer's signed record; a longer one is not passed on, so that a PRUNE with all it offers fits a frame.
    public var recordBytes = 4_096
    /// Bytes of a topic's name.
    public var topicBytes = 512

    // What one peer may do.

    /// Topics one peer may be subscribed to; further ones are not noted.
    public var subscriptionsPerPeer = 128
    /// Bytes of a message's data; larger messages are neither published nor passed on.
    public var messageBytes = 1 << 19
    /// IHAVEs of one peer between two heartbeats; further ones are not read.
    public var ihavesPerHeartbeat = 10
    /// Messages asked of one peer between two heartbeats, and announced in one IHAVE; further ones are not asked, not announced.
    public var ihaveLength = 5_000
    /// How often one message is handed to one peer that asks for it; further wants are not answered.
    public var retransmissions = 3
    /// GRAFTs of one peer between two heartbeats; further ones are not answered.
    public var graftsPerHeartbeat = 32
    /// The longest back-off that a peer may impose.
    public var longestBackoff = Instant.Span.minutes(60)

    // What a machine keeps.

    /// Connected peers; further connections are not used.
    public var peers = 16_384
    /// Topics that are ours or our peers'; further ones of peers are not noted.
    public var topics = 4_096
    /// Peers of a topic that we may not graft yet; beyond it, the back-off that ends first is forgotten.
    public var backoffsPerTopic = 1_024
    /// Identifiers in each of the seen-cache's two generations; a full one begins the next early, and the oldest is forgotten.
    public var seen = 32_768
    /// Messages kept to be handed over; beyond it, the oldest go.
    public var cachedMessages = 8_192
    /// Bytes of data of those messages.
    public var cachedBytes = 32 << 20
    /// Messages asked for between two heartbeats, of all peers together; further ones are not asked for.
    public var wantsPerHeartbeat = 10_000
    /// Messages that wait for a verdict, an eighth of them of one peer; beyond, messages of validated topics are not taken.
    public var awaiting = 1_024
    /// Wrongly signed messages that are remembered, so that their signatures are checked once; beyond, the oldest are forgotten.
    public var forgeries = 1_024
    /// Peers that left with a bad score and are remembered; beyond, the one that left first is forgotten.
    public var departed = 1_024
    /// Promised messages that are watched; further promises are believed.
    public var promises = 1_024

    /// The default limits.
    public init() {}
  }
}
