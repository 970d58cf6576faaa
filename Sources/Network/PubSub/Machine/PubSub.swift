public import MurmurIdentity
public import MurmurMachines

/// Publish and subscribe among peers, as a machine: libp2p's gossipsub v1.1.
///
/// Each topic has a *mesh*: every subscriber picks about D others to which it passes messages on at once. To a few beyond the mesh it
/// tells once a heartbeat which messages it saw (IHAVE), and hands over what they ask for (IWANT), so that a lost message is late
/// rather than lost. Vyzovitis et al., "GossipSub", 2020; libp2p/specs pubsub, gossipsub v1.0 and v1.1.
///
/// Where this deviates from the specification:
/// - The heartbeat beats only while it has something to do (messages in the cache, a mesh to mend, promises to watch). What it would
///   have done in the beats left out is nothing, and ten thousand idle machines cost nothing.
/// - A GRAFT also says that its sender is subscribed, and a peer with too small a mesh announces its topics again, more and more rarely:
///   frames may be lost in our worlds, while libp2p's streams lose none.
/// - A message is asked of one peer per heartbeat, not of all that announce it.
/// - Peers are scored only if ``Configuration/scoring`` says how; otherwise all are equal, and offers of peer exchange, which the
///   specification takes only from peers of high score, are not acted upon.
/// - Who is in which mesh is noted for the scores once a heartbeat, not at once.
/// - Explicit peering agreements and IDONTWANT (v1.2) are not here.
public struct PubSub: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The machine starts, or starts again: connections and caches of an earlier life are forgotten, own subscriptions are not.
    case started
    /// A connection to a peer is there; if it was there before, it is a new one.
    case connected(PeerID, Connection = Connection())
    /// A connection is gone.
    case disconnected(PeerID)
    /// A frame came.
    case received(from: PeerID, RPC)
    /// The application wants a topic's messages.
    case subscribe(Topic)
    /// The application does not want a topic's messages any more.
    case unsubscribe(Topic)
    /// The application says something; it is not delivered to itself. More than the topic's limit of bytes is counted in
    /// ``Statistics/refused`` and not sent.
    case publish(Topic, data: [UInt8])
    /// The application judged a message of a validated topic that was delivered to it.
    case validated(MessageID, Verdict)
    /// The application thinks so well of a peer, or so badly (P₅); stays until it says otherwise or the peer leaves.
    case rated(PeerID, Double)
    /// A connected peer's signed peer record is known, to be passed on in peer exchange.
    case recorded(PeerID, [UInt8])
    /// A timer fired.
    case timerFired(Timer)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Send a frame to a connected peer.
    case send(PeerID, RPC)
    /// Give a message to the application; on a validated topic, for its judgement.
    case deliver(Topic, Message)
    /// Let ``Input/timerFired(_:)`` happen at that time; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
    /// Close the connection to a peer whose score is below the last threshold; only if peers are scored.
    case disconnect(PeerID)
    /// Dial a peer that another one offered, at the addresses of its signed record if there is one; only if peers are scored.
    case connect(PeerID, record: [UInt8])
  }

  /// The timers.
  public enum Timer: Hashable, Sendable {
    /// Mesh upkeep and gossip.
    case heartbeat
  }

  /// What the application thinks of a message (v1.1, "Extended Validators").
  public enum Verdict: Hashable, Sendable {
    /// It is good: pass it on.
    case accept
    /// It is bad, and so is who brought it.
    case reject
    /// Neither: keep it to yourself.
    case ignore
  }

  /// What a machine did so far, in messages and frames.
  public struct Statistics: Hashable, Sendable {
    /// Messages published.
    public var published = 0
    /// Messages delivered to the application.
    public var delivered = 0
    /// Messages that came again.
    public var duplicates = 0
    /// Messages sent: own, passed on, or asked for.
    public var sent = 0
    /// Identifiers announced in IHAVEs sent.
    public var announced = 0
    /// Messages asked for.
    public var asked = 0
    /// Messages, requests and subscriptions refused for a limit, for a topic that is not ours, or for coming from a stranger.
    public var refused = 0
    /// Messages rejected or wrongly signed.
    public var invalid = 0
    /// Announced messages that were asked for and did not come in time.
    public var brokenPromises = 0
    /// Peers offered in PRUNEs received.
    public var offered = 0
    /// Peers that were to be disconnected for their score.
    public var graylisted = 0
    /// Frames not read because their sender's score is too bad.
    public var unheard = 0
    /// Heartbeats.
    public var heartbeats = 0
  }

  /// A message that a peer promised and that has not come yet.
  struct Promise: Sendable {
    let id: MessageID
    let peer: PeerID
    let until: Instant
  }

  /// Configurations are shared: a machine holds one word of it.
  final class Shared: Sendable {
    let configuration: Configuration
    /// The zeros that stand for signature and key.
    let standIn: (signature: [UInt8], key: [UInt8])
    /// Whether peers are scored, where scores have consequences, and whether it counts who brings a message second: looked at with each
    /// message, which is not the place to copy a whole ``Scoring``.
    let isScored: Bool
    let thresholds: Scoring.Thresholds
    let countsDuplicates: Bool
    static let standard = Shared(Configuration())

    init(_ configuration: Configuration) {
      self.configuration = configuration
      isScored = configuration.scoring != nil
      thresholds = configuration.scoring?.thresholds ?? Scoring.Thresholds()
      let topics = configuration.scoring?.topics ?? [:]
      countsDuplicates =
        (configuration.scoring?.otherTopics?.meshDeliveriesWeight ?? 0) != 0
        || topics.contains { $0.value.meshDeliveriesWeight != 0 }
      if case .standIn(let signature, let key) = configuration.signing {
        standIn = ([UInt8](repeating: 0, count: signature), [UInt8](repeating: 0, count: key))
      } else {
        standIn = ([], [])
      }
    }
  }

  /// Who this is.
  public let id: PeerID
  /// What it did so far.
  public internal(set) var statistics = Statistics()
  let shared: Shared
  var neighbors = Neighborhood()
  var topics = Topics()
  var cache = MessageCache()
  var promises: [Promise] = []
  /// None or one: an array is one word where the ratings would be many, and most simulated machines judge nobody.
  private var ratingsIfAny: [Ratings] = []
  /// What was asked for since heartbeat `askedTick`.
  var asked: Set<MessageID> = []
  var askedTick: Int64 = 0
  /// The last number given to an own message.
  var seqno: UInt64 = 0
  /// When the heartbeat is due; `nil` if it rests.
  var due: Instant?
  /// When topics are announced again, and after how long the next time.
  var announceAt: Instant?
  var announceAfter = Instant.Span.zero

  /// A pub/sub peer that knows nobody yet; machines made from one `Settings` share it.
  public init(id: PeerID, settings: Settings = .standard) {
    self.id = id
    shared = settings.shared
  }

  /// A ``Configuration`` ready for use by any number of machines.
  public struct Settings: Sendable {
    let shared: Shared

    /// The configuration, ready for use; its degrees must be in order: `degreeOut` < `degreeLow` ≤ `degree` ≤ `degreeHigh`.
    public init(_ configuration: Configuration) {
      precondition(
        0 < configuration.degree && configuration.degreeLow <= configuration.degree
          && configuration.degree <= configuration.degreeHigh && configuration.degreeOut * 2 <= configuration.degree
          && configuration.degreeOut < configuration.degreeLow, "degrees out of order")
      precondition(
        0 < configuration.historyGossip && configuration.historyGossip <= configuration.historyLength
          && configuration.heartbeat > .zero && configuration.seenTime > .zero, "times out of order")
      shared = Shared(configuration)
    }

    private init(_ shared: Shared) { self.shared = shared }

    /// gossipsub's recommended values.
    public static let standard = Settings(Shared.standard)
  }

  /// What is remembered of what peers did.
  var ratings: Ratings {
    _read { if ratingsIfAny.isEmpty { yield Ratings.none } else { yield ratingsIfAny[0] } }
    _modify {
      if ratingsIfAny.isEmpty { ratingsIfAny.append(Ratings()) }
      yield &ratingsIfAny[0]
    }
  }

  var configuration: Configuration { _read { yield shared.configuration } }
  var limits: Limits { _read { yield shared.configuration.limits } }

  /// Takes one input and appends what is to be done, in order.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started: start(&chance)
    case .connected(let peer, let connection): meet(peer, connection, at: now, &effects)
    case .disconnected(let peer): lose(peer, at: now)
    case .received(let peer, let rpc): receive(rpc, from: peer, at: now, &chance, &effects)
    case .subscribe(let topic): join(topic, at: now, &chance, &effects)
    case .unsubscribe(let topic): leave(topic, at: now, &effects)
    case .publish(let topic, let data): publish(data, on: topic, at: now, &chance, &effects)
    case .validated(let id, let verdict): judge(id, verdict, at: now, &effects)
    case .rated(let peer, let rating):
      if configuration.scoring != nil, let index = ratings.index(of: peer) { ratings[index].application = rating }
    case .recorded(let peer, let record):
      guard record.count <= limits.recordBytes, let index = neighbors.index(of: peer) else { break }
      neighbors[index].record = record
    case .timerFired(.heartbeat):
      guard let due, now >= due else { return }
      self.due = nil
      beat(at: now, &chance, &effects)
    }
    schedule(at: now, &effects)
  }

  private mutating func start(_ chance: inout Chance) {
    neighbors = Neighborhood()
    ratingsIfAny = []
    cache = MessageCache()
    promises = []
    asked = []
    due = nil
    announceAt = nil
    let own = topics.list.filter(\.isSubscribed).map(\.topic)
    if !own.isEmpty { cache.prepare(&chance) }
    topics = Topics()
    for topic in own {
      let index = topics.add(topic, configuration)
      topics[index].isSubscribed = true
    }
  }
}

/// What can be seen from outside.
extension PubSub {
  /// The application's topics, in order.
  public var subscriptions: [Topic] { topics.list.filter(\.isSubscribed).map(\.topic) }

  /// The peers to which messages of `topic` are passed on at once, in order.
  public func mesh(of topic: Topic) -> [PeerID] { topics.index(of: topic).map { topics[$0].mesh.list } ?? [] }

  /// The peers to which we publish on `topic` although it is not ours, in order.
  public func fanout(of topic: Topic) -> [PeerID] { topics.index(of: topic).map { topics[$0].fanout.list } ?? [] }

  /// The connected peers known to be subscribed to `topic`, in order.
  public func subscribers(of topic: Topic) -> [PeerID] {
    topics.index(of: topic).map { (topics[$0].subscribers.list + topics[$0].flooded.list).sorted() } ?? []
  }

  /// The names of the protocols that are spoken, the best first.
  public static let protocolIDs = ["/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0"]

  /// What `peer` did that it should not have done, since it connected; `nil` if it is not connected.
  public func conduct(of peer: PeerID) -> Conduct? { neighbors.index(of: peer).map { neighbors[$0].conduct } }

  /// The score of a connected peer as of the last heartbeat or offence; zero if peers are not scored, `nil` if it is not connected.
  public func score(ofPeer peer: PeerID) -> Double? { neighbors.index(of: peer).map { neighbors[$0].score } }

  /// The signed record of a connected peer that would be passed on; `nil` if none is known.
  package func record(of peer: PeerID) -> [UInt8]? {
    neighbors.index(of: peer).flatMap { neighbors[$0].record.isEmpty ? nil : neighbors[$0].record }
  }

  /// How many peers are remembered for their scores and how many messages wait for a verdict.
  package var judgements: (ratings: Int, awaiting: Int, forgeries: Int) {
    (ratings.count, cache.awaiting, ratings.forgeries.count)
  }

  /// How much the machine holds at present, for those who watch its memory.
  package var holdings: (neighbors: Int, topics: Int, backoffs: Int, cached: Int, seen: Int, promises: Int, asked: Int) {
    (
      neighbors.count, topics.list.count, topics.list.reduce(0) { $0 + $1.backoffs.count }, cache.entries.count, cache.seenCount,
      promises.count, asked.count
    )
  }
}
