public import MurmurIdentity
public import MurmurMachines
internal import MurmurWire

extension Kademlia {
  /// What an application may want of a hash table.
  public enum Query: Sendable {
    /// Where a peer can be reached.
    case findPeer(PeerID)
    /// The k peers nearest to a key.
    case findClosest(Key)
    /// Tell the k peers nearest to a key that we provide it, now and again and again until ``Input/withdrawn(_:)``.
    case provide(Key)
    /// Who provides a key: at least `count` peers, if there are so many.
    case findProviders(Key, count: Int)
    /// Put a value to the k peers nearest to its key, now and, if `repeats`, again and again until ``Input/withdrawn(_:)``.
    case put(Key, [UInt8], repeats: Bool)
    /// The best value of a key, confirmed by ``Configuration/quorum`` peers if there are so many.
    case get(Key)

    /// The key it is about.
    var key: Key {
      switch self {
      case .findPeer(let peer): Key(peer)
      case .findClosest(let key), .provide(let key), .findProviders(let key, _), .put(let key, _, _), .get(let key): key
      }
    }
  }

  /// Something of ours that is published again and again: a content that we provide, or a value.
  public struct Published: Hashable, Sendable {
    /// Under which key.
    public var key: Key
    /// The value; `nil` for a content.
    public var value: [UInt8]?

    /// Something to be published.
    public init(_ key: Key, value: [UInt8]? = nil) {
      self.key = key
      self.value = value
    }
  }

  /// What came of a search.
  public enum Outcome: Hashable, Sendable {
    /// The peer; `isVerified` if it was spoken with, not only spoken of.
    case peer(Contact, isVerified: Bool)
    /// The nearest peers that answered, nearest first.
    case closest([Contact])
    /// Providers.
    case providers([Contact])
    /// Something was handed to `at` of the `of` nearest peers.
    case stored(at: Int, of: Int)
    /// The best value, and how many peers have it.
    case value([UInt8], holders: Int)
    /// Nothing.
    case failed(QueryFailure)
  }

  /// Why a search came to nothing.
  public enum QueryFailure: Hashable, Sendable {
    /// Nobody who was asked knows.
    case notFound
    /// There is nobody to ask: the table is empty, or nobody answered.
    case noPeers
    /// It took too long.
    case timedOut
    /// The application gave it up.
    case cancelled
    /// Too many searches are under way, or too much is published.
    case tooMany
    /// The value is not valid under that key, for that reason.
    case invalid(String)
  }

  /// What a search cost.
  public struct Effort: Hashable, Sendable {
    /// Requests made.
    public var requests = 0
    /// Requests that came to nothing.
    public var failures = 0
    /// How long it took.
    public var time = Instant.Span.zero
  }

  /// What a machine did so far.
  public struct Statistics: Hashable, Sendable {
    /// Requests made.
    public var requests = 0
    /// Requests that came to nothing.
    public var failures = 0
    /// Requests of others answered.
    public var served = 0
    /// Requests of others refused.
    public var refused = 0
    /// Searches ended, our own upkeep included.
    public var searches = 0
    /// Values of others that were not valid.
    public var invalid = 0
    /// Peers that held an outdated value, or none, and were sent the best.
    public var corrections = 0
  }

  /// On whose behalf a search is made.
  enum Purpose: Equatable, Sendable {
    case application(QueryID)
    /// Something of ours is published again.
    case republication
    case refresh
  }

  /// Something of ours that is published again and again.
  struct Publication: Sendable {
    /// `nil` for a content we provide.
    var value: [UInt8]?
    var due: Instant
    var isUnderWay = false
    /// How often in a row nobody took it.
    var failures = 0

    init(value: [UInt8]?, due: Instant) {
      self.value = value
      self.due = due
    }
  }

  /// A request that is not answered yet.
  struct PendingRequest: Sendable {
    let id: RequestID
    let contact: Contact
    let point: Digest
    let kind: KademliaMessage.Kind
    /// The number of the search it belongs to; `nil` for a check whether a peer lives, or a correction.
    let search: UInt64?
    let sentAt: Instant
    let deadline: Instant
    /// Whether its search goes on without it.
    var isSlow = false
  }

  /// One search: the lookup, and what it collects.
  struct Search: Sendable {
    let number: UInt64
    let purpose: Purpose
    let query: Query
    let key: Key
    var lookup: Lookup
    let began: Instant
    var deadline: Instant
    var effort = Effort()
    var stage = Stage.looking
    /// Whether something happened since it was last looked at, or there was no room for its requests.
    var isDirty = true
    /// Found so far, each peer once.
    var providers: [Contact] = []
    /// The best value so far.
    var best: [UInt8]?
    /// Who has the best value, who an outdated or no valid one.
    var holders: [PeerID] = []
    var outdated: [Contact] = []
    /// Whether our own store has the best value.
    var isHeldHere = false
  }

  /// How far a search is.
  enum Stage: Equatable, Sendable {
    case looking
    /// The nearest are found and are handed what is to be kept: who is still to be, how many are under way, have it, were meant.
    case handing(left: [Contact], underWay: Int, done: Int, of: Int)
  }
}
