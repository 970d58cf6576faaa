import MurmurIdentity
import MurmurMachines
import MurmurWire

/// The connected peers, and whom this ledger synchronises with.
struct PeerTable: Sendable {
  struct Neighbor: Sendable {
    /// Questions of ours that it has not answered.
    var owes = 0
    /// Bytes it was given since `since`, and entries that were looked at for it.
    var served = 0
    var visits = 0
    var since = Instant.origin
  }

  private(set) var list: [PeerID] = []
  var neighbors: [PeerID: Neighbor] = [:]
  /// Those met and not asked yet, in order.
  var unasked: [PeerID] = []
  /// Who was asked last, and until when it may answer.
  var syncing: (peer: PeerID, until: Instant)?
  /// Frontiers in a row that were not answered in time, and after how many of them the next regular synchronisation is waited for.
  var unanswered = 0
  static let mostUnanswered = 8
  /// Who gives this newcomer its first transactions.
  var guide: PeerID?
  /// When to synchronise next if nobody new is met.
  var nextSync = Instant.origin
  /// Who says that it pruned what is missing here.
  var votes: [Digest: [PeerID]] = [:]

  var count: Int { list.count }

  func contains(_ peer: PeerID) -> Bool { neighbors[peer] != nil }

  /// Adds a peer; false if it was there.
  mutating func add(_ peer: PeerID) -> Bool {
    guard neighbors[peer] == nil else { return false }
    neighbors[peer] = Neighbor()
    list.append(peer)
    return true
  }

  mutating func remove(_ peer: PeerID) {
    guard neighbors.removeValue(forKey: peer) != nil else { return }
    list.removeAll { $0 == peer }
    unasked.removeAll { $0 == peer }
    if syncing?.peer == peer { syncing = nil }
    if guide == peer { guide = nil }
  }
}
