public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// A peer of a distributed hash table, as a machine: libp2p's Kademlia (libp2p/specs kad-dht), with the disjoint paths of S/Kademlia.
///
/// One machine speaks one protocol name and sees one scope of addresses; a host has one for the public table, one for the local one
/// and one for our own records. The world opens a stream for each request (or uses one again) and reports what came of it.
///
/// What it trusts: peers get into the table when they answered a request or proved who they are over a connection, never because
/// somebody named them. Addresses count for what the scope admits, those of ourselves not at all. Values count if their namespace says
/// so. Everything kept for others is bounded, in all and by peer.
///
/// Where this deviates from the specification: a search also stops at a number of requests and at a time; peers of the nearest that only
/// discredited peers named are asked last; requests that check whether a peer lives are FIND_NODE for the peer itself.
public struct Kademlia: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The machine starts, or starts again: searches of an earlier life are forgotten, what it keeps and knows is not.
    case started
    /// Peers to start from, from a list or a cache; their addresses are used whatever the scope says.
    case seeded([Contact])
    /// A connected peer said, or showed over its connection, where it can be reached, and whether it answers to our protocol.
    case identified(Contact, isServer: Bool)
    /// A peer asks something, over a connection that proves who it is.
    case asked(RequestToken, from: PeerID, KademliaMessage)
    /// A request of ours was answered.
    case answered(RequestID, KademliaMessage)
    /// A request that expects no answer was written.
    case delivered(RequestID)
    /// A request of ours came to nothing.
    case failed(RequestID, RequestFailure)
    /// The application wants something found, kept or said.
    case query(QueryID, Query)
    /// The application does not want to know any more.
    case cancelled(QueryID)
    /// An earlier life published these: they are published again soon, and again and again until ``withdrawn(_:)``.
    case resumed([Published])
    /// The application does not provide this any more, or wants a value put no more.
    case withdrawn(Key)
    /// Our own addresses are these from now on.
    case addressesChanged([Multiaddr])
    /// We answer requests from now on, or do not.
    case modeChanged(Mode)
    /// A timer fired.
    case timerFired(Timer)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Send a request to a peer, connected or to be dialled, and report ``Input/answered(_:_:)``, ``Input/delivered(_:)`` (if no answer is
    /// expected) or ``Input/failed(_:_:)`` within that time.
    case request(RequestID, to: Contact, KademliaMessage, timeout: Instant.Span)
    /// Nobody waits for that request any more.
    case abandon(RequestID)
    /// Answer a peer.
    case answer(RequestToken, KademliaMessage)
    /// Do not answer a peer: reset the stream, or close it if nothing was expected.
    case refuse(RequestToken, Refusal)
    /// A search found something before its end: providers so far, or a better value.
    case found(QueryID, Outcome)
    /// A search ended.
    case completed(QueryID, Outcome, Effort)
    /// A peer got into the routing table: worth remembering.
    case added(Contact)
    /// A peer left the routing table: it does not answer.
    case removed(PeerID)
    /// Let ``Input/timerFired(_:)`` happen at that time; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
  }

  /// The timers.
  public enum Timer: Hashable, Sendable {
    /// A request or a search is late.
    case deadline
    /// Buckets are to be refreshed.
    case refresh
    /// Something of ours is to be published again.
    case republish
    /// What is kept for others may be too old.
    case sweep
    /// Peers that left the table are to be tried again.
    case retry
  }

  /// Whether requests of others are answered.
  public enum Mode: Hashable, Sendable {
    /// No: we cannot be reached, or do not want to be.
    case client
    /// Yes; the host offers the protocol in identify.
    case server
  }

  /// A request of ours.
  public struct RequestID: Hashable, Comparable, Sendable {
    let number: UInt64
    /// By age.
    public static func < (left: RequestID, right: RequestID) -> Bool { left.number < right.number }
  }

  /// A request of another peer, under the host's number for it.
  public struct RequestToken: Hashable, Sendable {
    /// The host's number.
    public let number: UInt64
    /// The request with that number.
    public init(_ number: UInt64) { self.number = number }
  }

  /// A search of the application, under its number for it.
  public struct QueryID: Hashable, Comparable, Sendable {
    /// The application's number.
    public let number: UInt64
    /// The search with that number.
    public init(_ number: UInt64) { self.number = number }
    /// By number.
    public static func < (left: QueryID, right: QueryID) -> Bool { left.number < right.number }
  }

  /// Why a request came to nothing.
  public enum RequestFailure: Error, Hashable, Sendable {
    /// Nobody with that identity answers at any of the addresses.
    case unreachable
    /// No answer in time.
    case timedOut
    /// The peer is there and does not speak the protocol.
    case unsupported
    /// The stream was reset, or what came could not be read.
    case broken
  }

  /// Why a peer is not answered.
  public enum Refusal: Error, Hashable, Sendable {
    /// We are a client.
    case clientMode
    /// The peer asks too much.
    case tooMany
    /// The request makes no sense.
    case malformed
    /// There is no answer to such a request.
    case silent
    /// What was to be kept is worse than what we have, or of a kind that we do not keep.
    case rejected
    /// What was to be kept is not valid: no honest peer keeps it, or passes it on.
    case invalid
    /// There is no room for it.
    case full
  }

  /// Who this is.
  public let id: PeerID
  /// What it did so far.
  public internal(set) var statistics = Statistics()
  let key: Key
  let shared: Shared
  /// Whether requests of others are answered.
  public internal(set) var mode: Mode
  var addresses: [Multiaddr] = []
  var table: RoutingTable
  var seeds: [Contact] = []
  var acquaintances = SortedTable<PeerID, (contact: Contact, order: UInt64)>()
  var acquaintanceOrder: UInt64 = 0
  var records: RecordStore
  var providers: ProviderStore
  var rate: RateLimit
  var published = SortedTable<Key, Publication>()
  var requests: [PendingRequest] = []
  var requestNumber: UInt64 = 0
  /// When the deadline's timer will fire.
  var deadlineAt: Instant?
  var searches: [Search] = []
  var searchNumber: UInt64 = 0
  /// What is still to be refreshed in this round: points of buckets, by the length of the common prefix; `nil` for our own.
  var refreshes: [Int?] = []
  var refreshAt: Instant?
  var emptyWait = Instant.Span.zero
  var sweepAt: Instant?
  /// Peers that left the table and may come back, in order of leaving, and how often they were tried.
  var missed: [(contact: Contact, tries: Int)] = []
  var retryAt: Instant?

  /// Configurations are shared: a machine holds one word of it.
  final class Shared: Sendable {
    let configuration: Configuration
    init(_ configuration: Configuration) { self.configuration = configuration }
  }

  /// A peer that knows nobody yet.
  public init(id: PeerID, configuration: Configuration, mode: Mode = .server) {
    precondition(
      configuration.bucketSize > 0 && configuration.concurrency > 0 && configuration.resiliency > 0
        && configuration.disjointPaths > 0 && configuration.refreshInterval > .zero && configuration.emptyInterval > .zero,
      "k, α, β, d and intervals are positive")
    self.id = id
    key = Key(id)
    shared = Shared(configuration)
    self.mode = mode
    table = RoutingTable(own: key.point, configuration)
    records = RecordStore(own: key.point, configuration)
    providers = ProviderStore(configuration)
    let limits = configuration.limits
    rate = RateLimit(perSecond: limits.requestsPerSecond, burst: limits.requestBurst, peers: limits.countedPeers)
  }

  var configuration: Configuration { _read { yield shared.configuration } }
  var limits: Limits { _read { yield shared.configuration.limits } }

  /// Takes one input and appends what is to be done, in order.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started: start(at: now, &chance, &effects)
    case .seeded(let contacts): seed(contacts, at: now, &effects)
    case .identified(let contact, let isServer): identify(contact, isServer: isServer, at: now, &effects)
    case .asked(let token, let peer, let message): serve(token, peer, message, at: now, &effects)
    case .answered(let request, let message): finish(request, .success(message), at: now, &effects)
    case .delivered(let request): finish(request, .success(nil), at: now, &effects)
    case .failed(let request, let failure): finish(request, .failure(failure), at: now, &effects)
    case .query(let id, let query): begin(query, for: id, at: now, &effects)
    case .cancelled(let id): cancel(id, at: now, &effects)
    case .resumed(let earlier): resume(earlier, at: now, &effects)
    case .withdrawn(let key): published[key] = nil
    case .addressesChanged(let addresses): self.addresses = addresses
    case .modeChanged(let mode): self.mode = mode
    case .timerFired(.deadline): expire(at: now, &effects)
    case .timerFired(.refresh): refresh(at: now, &chance, &effects)
    case .timerFired(.republish): republish(at: now, &chance, &effects)
    case .timerFired(.sweep): sweep(at: now, &effects)
    case .timerFired(.retry): retry(at: now, &effects)
    }
    pump(at: now, &chance, &effects)
  }

  private mutating func start(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    requests = []
    deadlineAt = nil
    searches = []
    refreshes = []
    refreshAt = nil
    sweepAt = nil
    retryAt = nil
    emptyWait = .zero
    planRefresh(after: configuration.emptyInterval * (0.5 + chance.uniform()), at: now, &effects)
    planRepublish(&effects)
    planSweep(at: now, &effects)
    planRetry(at: now, &effects)
  }
}

/// What can be seen from outside.
extension Kademlia {
  /// The peers of the routing table, by bucket.
  public var contacts: [Contact] { table.contacts }
  /// How many peers the routing table has.
  public var tableCount: Int { table.count }
  /// The peers of the routing table nearest to `key`, nearest first.
  public func closest(to key: Key, limit: Int = 20) -> [Contact] { table.closest(to: key.point, limit: limit).map(\.contact) }

  /// How much the machine holds at present, for those who watch its memory.
  package var holdings:
    (records: Int, recordBytes: Int, providers: Int, requests: Int, searches: Int, waiting: Int, acquaintances: Int, counted: Int)
  {
    (
      records.count, records.bytes, providers.count, requests.count, searches.count, table.waitingCount, acquaintances.count,
      rate.count
    )
  }

  /// The value kept here under `key`, for others or for ourselves; `nil` if there is none.
  package func stored(_ key: Key, at now: Instant) -> [UInt8]? { records.value(key, at: now) }
}
