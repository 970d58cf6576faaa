import MurmurCompute
import MurmurMachines

extension Dealer {
  /// Hands with label skew: each peer's shares of the classes are one Dirichlet draw; where a class has run out, the peer's other
  /// classes fill its hand.
  func skewed(_ size: Int, concentration: Double, from training: [Int32], overlap: Bool) -> [[Int32]] {
    var strata = Strata(of: training, in: dataset)
    var deal = chance.fork("skew")
    for pool in strata.pools.indices { deal.shuffle(&strata.pools[pool]) }
    var left = strata.pools.map(\.count)
    return (0..<peers).map { peer in
      var chance = chance.fork("skew", peer + 1)
      let shares = chance.dirichlet(strata.pools.count, concentration: concentration)
      let counts = strata.counts(size, shares: shares, left: left, &chance)
      var rows: [Int32] = []
      for (pool, count) in counts.enumerated() where count > 0 {
        if overlap {
          rows += chance.pick(count, from: strata.pools[pool])
        } else {
          rows += strata.pools[pool][(left[pool] - count)..<left[pool]]
          left[pool] -= count
        }
      }
      chance.shuffle(&rows)
      return rows
    }
  }

  /// Whole groups, one at a time, to whoever has the fewest rows; a peer that has enough gets no more, and its surplus is left out.
  func byGroup(_ wanted: Int, from training: [Int32], into split: inout Split) throws(DataError) {
    guard let groups = dataset.groups else { preconditionFailure("checked before") }
    var pools = Strata(of: training, by: groups).pools
    var chance = chance.fork("groups")
    chance.shuffle(&pools)
    if split.overlapping || pools.count < peers {
      if !split.overlapping {
        split.overlapping = true
        split.notes.append(
          "\(grouped(peers)) peers are more than the \(grouped(pools.count)) groups: peers share groups and rows")
      }
      split.peers = (0..<peers).map { sharedGroups(wanted, peer: $0, of: pools) }
      return
    }
    var hands = Array(repeating: [Int32](), count: peers)
    var neediest = Heap(count: peers)
    for pool in pools {
      let (rows, peer) = neediest.least
      if rowsPerPeer != nil && rows >= wanted { break }
      hands[peer] += pool
      neediest.raise(by: pool.count)
    }
    for peer in hands.indices {
      chance.shuffle(&hands[peer])
      if rowsPerPeer != nil { hands[peer] = Array(hands[peer].prefix(wanted)) }
    }
    let fewest = hands.map(\.count).min() ?? 0
    if rowsPerPeer != nil && fewest < wanted {
      split.notes.append(
        "groups are dealt whole: some peers have fewer than \(grouped(wanted)) rows, the fewest \(grouped(fewest))")
    }
    split.peers = hands
  }

  /// A peer's hand when groups do not go round: neighbouring peers start at different groups of the same circle.
  private func sharedGroups(_ wanted: Int, peer: Int, of pools: [[Int32]]) -> [Int32] {
    var chance = chance.fork("shared groups", peer)
    var rows: [Int32] = []
    let stride = 1 + chance.below(max(pools.count - 1, 1))
    var next = peer % pools.count
    var seen = Set<Int>()
    while rows.count < wanted, seen.count < pools.count {
      if !seen.insert(next).inserted {
        next = (next + 1) % pools.count
        continue
      }
      rows += pools[next]
      next = (next + stride) % pools.count
    }
    chance.shuffle(&rows)
    return Array(rows.prefix(wanted))
  }
}

/// Peers by the number of rows they have: a binary heap whose least element only ever grows.
private struct Heap {
  private var items: [(rows: Int, peer: Int)]

  init(count: Int) { items = (0..<count).map { (0, $0) } }

  var least: (rows: Int, peer: Int) { items[0] }

  mutating func raise(by rows: Int) {
    items[0].rows += rows
    var index = 0
    while true {
      var smallest = index
      for child in [2 * index + 1, 2 * index + 2] where child < items.count && items[child] < items[smallest] { smallest = child }
      guard smallest != index else { return }
      items.swapAt(index, smallest)
      index = smallest
    }
  }
}
