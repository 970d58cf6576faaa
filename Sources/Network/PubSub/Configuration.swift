public import MurmurMachines

extension PubSub {
  /// How a pub/sub peer behaves: gossipsub's parameters under their own names, with its recommended values.
  public struct Configuration: Sendable {
    /// D: how many peers a topic's mesh should have.
    public var degree = 6
    /// D_lo: with fewer, the mesh grows.
    public var degreeLow = 5
    /// D_hi: with more, the mesh shrinks.
    public var degreeHigh = 12
    /// D_out: how many of the mesh should be connections that we opened, so that nobody can surround us; below D_lo, at most D / 2.
    public var degreeOut = 2
    /// D_lazy: how many peers outside the mesh hear gossip at least.
    public var degreeLazy = 6
    /// The share of the peers outside the mesh that hear gossip.
    public var gossipFactor = 0.25
    /// The time between heartbeats.
    public var heartbeat = Instant.Span.seconds(1)
    /// How many heartbeats a message stays in the cache.
    public var historyLength = 5
    /// For how many heartbeats a message is gossiped about.
    public var historyGossip = 3
    /// How long a message's name is remembered, at least.
    public var seenTime = Instant.Span.seconds(120)
    /// How long after the last publication the peers of a topic that is not ours are kept.
    public var fanoutTime = Instant.Span.seconds(60)
    /// How long neither side grafts again after a PRUNE.
    public var pruneBackoff = Instant.Span.seconds(60)
    /// The same, after leaving a topic.
    public var unsubscribeBackoff = Instant.Span.seconds(10)
    /// How long a promised message may take until the promise counts as broken.
    public var promiseTime = Instant.Span.seconds(3)
    /// How long a peer with too small a mesh and nobody to graft waits before it announces its topics again; doubles up to 64 times.
    ///
    /// Ours: libp2p's streams lose nothing, but a simulated or torn connection may swallow the one announcement there is.
    public var reannounceTime = Instant.Span.seconds(10)
    /// Whether own messages go to all peers of the topic rather than to the mesh only (v1.1, "Flood Publishing").
    public var floodsPublications = false
    /// How many other peers a PRUNE for oversubscription offers; 0 offers none.
    public var peersExchanged = 0
    /// What names a message.
    public var identification = Message.Identification.origin
    /// How messages are signed and checked, or what signatures would weigh.
    public var signing = Signing.standIn(signatureBytes: 64, keyBytes: 0)
    /// Topics whose messages wait for a verdict before they are passed on; see ``PubSub/Input/validated(_:_:)``.
    public var validatedTopics: Set<Topic> = []
    /// Topics with their own most bytes of data.
    public var messageBytes: [Topic: Int] = [:]
    /// How peers are judged; `nil` to judge nobody.
    public var scoring: Scoring?
    /// How much of everything.
    public var limits = Limits()

    /// gossipsub's recommended values.
    public init() {}

    /// For networks where not everybody means well: peers are scored, own messages go to all subscribers, pruned peers are offered others,
    /// and messages are signed by `signer`.
    public static func guarded(_ signer: Signing.Signer, scoring: Scoring = Scoring()) -> Configuration {
      var configuration = Configuration()
      configuration.scoring = scoring
      configuration.floodsPublications = true
      configuration.peersExchanged = 16
      configuration.signing = .strict(signer)
      return configuration
    }
  }
}
