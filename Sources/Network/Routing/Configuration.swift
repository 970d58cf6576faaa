public import MurmurMachines

extension Kademlia {
  /// How a peer of a hash table behaves; the names are those of libp2p/specs kad-dht.
  public struct Configuration: Sendable {
    /// The protocol's name; one machine speaks one.
    public var protocolID: String
    /// Which addresses are used and passed on.
    public var scope: AddressScope
    /// Which values are kept and believed.
    public var namespaces: [Namespace]
    /// k: peers in a bucket, in an answer, and those that keep a record.
    public var bucketSize = 20
    /// α: requests of one search at once.
    public var concurrency = 10
    /// β: the nearest peers of a path that must have answered before the path ends.
    public var resiliency = 3
    /// d: disjoint paths of a search (S/Kademlia).
    public var disjointPaths = 3
    /// How many peers must agree on a value before a search for it ends early.
    public var quorum = 3
    /// How long one request may take, dialling included.
    public var requestTimeout = Instant.Span.seconds(10)
    /// After how long a search goes on as if a peer were dead, and takes its answer nevertheless should it come.
    public var patience = Instant.Span.seconds(2)
    /// How long a search may take.
    public var queryTimeout = Instant.Span.seconds(60)
    /// How often buckets are refreshed, and our own neighbourhood.
    public var refreshInterval = Instant.Span.minutes(10)
    /// How soon the table is refreshed while it is nearly empty; doubles up to ``refreshInterval``.
    public var emptyInterval = Instant.Span.seconds(5)
    /// After how long without a sign of life a peer is checked.
    public var livenessAge = Instant.Span.minutes(10)
    /// Requests in a row that a peer of the table may leave unanswered.
    public var failuresBeforeEviction = 2
    /// How often a peer that left the table, because it did not answer, is tried again: a network that was torn must grow together.
    public var retryInterval = Instant.Span.seconds(15)
    /// How often it is tried before it is forgotten.
    public var retries = 12
    /// How long a value of others is kept.
    public var recordAge = Instant.Span.minutes(48 * 60)
    /// How often our own values are put again.
    public var recordInterval = Instant.Span.minutes(22 * 60)
    /// How long a provider of others is kept.
    public var providerAge = Instant.Span.minutes(48 * 60)
    /// How long a provider's addresses are passed on; then only its identity is.
    public var providerAddressAge = Instant.Span.minutes(24 * 60)
    /// How often we say again what we provide.
    public var providerInterval = Instant.Span.minutes(22 * 60)
    /// How soon something of ours that nobody took is published again; doubles up to the usual interval.
    public var republishRetry = Instant.Span.seconds(30)
    /// How much of everything.
    public var limits = Limits()

    /// A configuration for the protocol `protocolID`.
    public init(protocolID: String, scope: AddressScope, namespaces: [Namespace]) {
      self.protocolID = protocolID
      self.scope = scope
      self.namespaces = namespaces
      if scope != .global {
        // In one site all addresses are of one group, and strangers are few.
        limits.groupPerBucket = nil
        limits.groupPerTable = nil
        limits.groupPerLookup = nil
        limits.requestsPerSecond = 2_000
        limits.requestBurst = 4_000
      }
    }

    /// The public hash table of IPFS, `/ipfs/kad/1.0.0`: public addresses only.
    public static let wan = Configuration(protocolID: "/ipfs/kad/1.0.0", scope: .global, namespaces: [.publicKeys])
    /// The local one, `/ipfs/lan/kad/1.0.0`: addresses of the site, and those of this machine if `loopback`.
    public static func lan(loopback: Bool = true) -> Configuration {
      Configuration(protocolID: "/ipfs/lan/kad/1.0.0", scope: .local(loopback: loopback), namespaces: [.publicKeys])
    }
    /// Our own, `/murmur/kad/1.0.0`, for our own records.
    public static func murmur(scope: AddressScope) -> Configuration {
      Configuration(protocolID: "/murmur/kad/1.0.0", scope: scope, namespaces: [.publicKeys, .murmur])
    }
  }

  /// How much of everything; what happens beyond is said at each.
  public struct Limits: Hashable, Sendable {
    // What we do.

    /// Requests under way; further ones wait.
    public var requestsAtOnce = 256
    /// Searches under way; further ones fail at once.
    public var queriesAtOnce = 128
    /// Candidates of one search; beyond, the farthest not asked are forgotten.
    public var candidates = 256
    /// Requests of one search; then it ends with what it has.
    public var requestsPerQuery = 160
    /// Providers one search collects.
    public var providersPerQuery = 64
    /// Contents we provide and values we put again and again; further ones are refused.
    public var published = 4_096
    /// Peers to start from that are remembered; further ones are not.
    public var seeds = 64

    /// Peers that left the table and are tried again; beyond, the one that left first is forgotten.
    public var missed = 64

    // What we keep.

    /// Peers that wait beside a full bucket; beyond, the one that waits longest goes.
    public var waitingPerBucket = 10
    /// Peers known from connections, in the table or not, whose addresses are passed on when asked for; beyond, the oldest goes.
    public var acquaintances = 1_024
    /// Addresses of one peer; further ones are left out.
    public var addressesPerPeer = 8
    /// Peers of one address group in a bucket; further ones do not get in; `nil` for any number.
    public var groupPerBucket: Int? = 2
    /// Peers of one address group in the table; likewise.
    public var groupPerTable: Int? = 5
    /// Peers of one address group among those that a search takes for the nearest; further ones are asked last.
    public var groupPerLookup: Int? = 4
    /// Values kept for others; beyond, the key farthest from us goes.
    public var records = 4_096
    /// Bytes of those values; likewise.
    public var recordBytes = 16 << 20
    /// Values kept for one peer; further ones are refused.
    public var recordsPerPeer = 256
    /// Bytes of one value; larger ones are refused.
    public var valueBytes = 10 << 10
    /// Keys that providers are kept for; further ones are refused.
    public var providedKeys = 16_384
    /// Providers of one key; beyond, the one that announced itself longest ago goes.
    public var providersPerKey = 32
    /// Keys that one peer may say it provides; further ones are refused.
    public var providedPerPeer = 2_048

    // What we put up with.

    /// Requests of one peer a second; further ones are refused. Requests to keep something count fourfold.
    public var requestsPerSecond = 50.0
    /// Requests of one peer at once, after it was silent for long; likewise.
    public var requestBurst = 200.0
    /// Peers whose requests are counted; beyond, the one that asked longest ago is forgotten.
    public var countedPeers = 1_024

    /// The default limits.
    public init() {}
  }
}
