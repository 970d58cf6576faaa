internal import MurmurIdentity

/// What a connected peer speaks and who opened the connection.
public struct Connection: Hashable, Sendable {
  /// The pub/sub protocol of a peer.
  public enum Language: UInt8, Hashable, Sendable {
    /// `/meshsub/1.1.0` (and 1.0.0): mesh, gossip, messages.
    case gossipsub
    /// `/floodsub/1.0.0`: messages only; such a peer is sent every message of its topics.
    case floodsub
  }

  /// What the peer speaks.
  public var language: Language
  /// Whether we opened the connection; `nil` if the world does not say, and then a coin decides that falls the same way for both.
  public var isOutbound: Bool?

  /// A connection; without arguments to a gossipsub peer.
  public init(_ language: Language = .gossipsub, isOutbound: Bool? = nil) {
    self.language = language
    self.isOutbound = isOutbound
  }
}

/// What a connected peer did that it should not have done; peer scores (gossipsub v1.1, P₄ and P₇) will be made of it.
public struct Conduct: Hashable, Sendable {
  /// Messages that were rejected or wrongly signed.
  public var invalidMessages: UInt32 = 0
  /// Messages it announced and did not hand over.
  public var brokenPromises: UInt32 = 0
  /// GRAFTs before the back-off was over.
  public var earlyGrafts: UInt32 = 0
  /// Requests beyond a limit.
  public var excess: UInt32 = 0
}

/// One connected peer.
struct Neighbor: Sendable {
  let language: Connection.Language
  let isOutbound: Bool
  /// Topics it is subscribed to and that are noted.
  var subscriptions: UInt16 = 0
  var conduct = Conduct()
  // Counters of one heartbeat; they are for `tick`, and zero in any other.
  private var tick: Int64 = -1
  var ihaves: Int32 = 0
  var asked: Int32 = 0
  var grafts: Int32 = 0

  init(_ language: Connection.Language, isOutbound: Bool) {
    self.language = language
    self.isOutbound = isOutbound
  }

  /// Starts the counters afresh if a heartbeat has passed.
  mutating func count(in now: Int64) {
    guard tick != now else { return }
    tick = now
    ihaves = 0
    asked = 0
    grafts = 0
  }
}

/// The connected peers, in order.
struct Neighborhood: Sendable {
  private(set) var peers = PeerSet()
  private var states: [Neighbor] = []

  var count: Int { states.count }

  func index(of peer: PeerID) -> Int? { peers.index(of: peer) }

  subscript(index: Int) -> Neighbor {
    _read { yield states[index] }
    _modify { yield &states[index] }
  }

  mutating func insert(_ peer: PeerID, _ state: Neighbor) {
    let position = peers.position(peer)
    guard peers.insert(peer) else {
      states[position] = state
      return
    }
    states.insert(state, at: position)
  }

  mutating func remove(_ peer: PeerID) {
    guard let index = peers.index(of: peer) else { return }
    peers.remove(peer)
    states.remove(at: index)
  }

  func isOutbound(_ peer: PeerID) -> Bool { peers.index(of: peer).map { states[$0].isOutbound } ?? false }
}
