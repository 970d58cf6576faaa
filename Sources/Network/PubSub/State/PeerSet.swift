internal import MurmurIdentity

/// A set of peers kept in order, so that walking through it is the same everywhere; made for dozens, works for thousands.
struct PeerSet: Sendable {
  /// The peers, in order.
  private(set) var list: [PeerID] = []

  var count: Int { list.count }
  var isEmpty: Bool { list.isEmpty }

  /// Where `peer` stands, or would.
  func position(_ peer: PeerID) -> Int {
    var low = 0, high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle] < peer { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Where `peer` stands, if it is there.
  func index(of peer: PeerID) -> Int? {
    let position = position(peer)
    return position < list.count && list[position] == peer ? position : nil
  }

  func contains(_ peer: PeerID) -> Bool { index(of: peer) != nil }

  /// Whether `peer` was not there yet.
  @discardableResult mutating func insert(_ peer: PeerID) -> Bool {
    let position = position(peer)
    if position < list.count, list[position] == peer { return false }
    list.insert(peer, at: position)
    return true
  }

  /// Whether `peer` was there.
  @discardableResult mutating func remove(_ peer: PeerID) -> Bool {
    guard let index = index(of: peer) else { return false }
    list.remove(at: index)
    return true
  }

  mutating func removeAll() { list = [] }
}
