internal import MurmurIdentity

/// One connected peer.
struct Neighbor: Sendable {
  let language: PubSub.Connection.Language
  let isOutbound: Bool
  /// Topics it is subscribed to and that are noted.
  var subscriptions: UInt16 = 0
  var conduct = PubSub.Conduct()
  /// The score as of the last heartbeat or offence.
  var score = 0.0
  /// Its signed peer record, or nothing.
  var record: [UInt8] = []
  // Counters of one heartbeat; they are for `tick`, and zero in any other.
  private var tick: Int64 = -1
  var ihaves: Int32 = 0
  var asked: Int32 = 0
  var grafts: Int32 = 0

  init(_ language: PubSub.Connection.Language, isOutbound: Bool) {
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
