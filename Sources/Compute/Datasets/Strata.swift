import MurmurCompute
import MurmurMachines

/// Rows sorted into pools, by class or by group, so that draws can respect or skew their shares.
struct Strata {
  /// The rows of each class or group, in ascending order; empty pools are left out of group strata only.
  var pools: [[Int32]]

  /// Pools by class; one pool without classes.
  init(of rows: [Int32], in dataset: Dataset) {
    let labels = dataset.samples.labels
    guard dataset.samples.classes > 0 else {
      pools = [rows]
      return
    }
    pools = Array(repeating: [], count: dataset.samples.classes)
    for row in rows { pools[Int(labels[Int(row)])].append(row) }
  }

  /// Pools by group; groups without rows are left out.
  init(of rows: [Int32], by groups: [Int32]) {
    var all: [Int32: [Int32]] = [:]
    for row in rows { all[groups[Int(row)], default: []].append(row) }
    pools = all.keys.sorted().map { all[$0, default: []] }
  }

  /// All rows in a random order in which every stretch has about the whole's shares of the pools.
  func order(_ chance: inout Chance) -> [Int32] {
    var keyed: [(key: Double, pool: Int, row: Int32)] = []
    for (index, pool) in pools.enumerated() {
      var rows = pool
      chance.shuffle(&rows)
      let offset = chance.uniform()
      for (position, row) in rows.enumerated() {
        keyed.append(((Double(position) + offset) / Double(rows.count), index, row))
      }
    }
    keyed.sort { ($0.key, $0.pool) < ($1.key, $1.pool) }
    return keyed.map(\.row)
  }

  /// How many rows to take of each pool for `size` in all: in proportion to `shares`, no more than a pool has.
  ///
  /// Whole parts first, then one each to pools drawn by their remainders; what full pools cannot give, the others do.
  func counts(_ size: Int, shares: [Double], left: [Int]? = nil, _ chance: inout Chance) -> [Int] {
    let room = left ?? pools.map(\.count)
    var counts = Array(repeating: 0, count: room.count)
    var missing = min(size, room.reduce(0, +))
    while missing > 0 {
      let open = room.indices.filter { counts[$0] < room[$0] }
      var total = open.reduce(0.0) { $0 + shares[$1] }
      let flat = !(total > 0)
      if flat { total = Double(open.count) }
      var remainders: [(key: Double, pool: Int)] = []
      let round = Double(missing)
      for pool in open {
        let exact = round * (flat ? 1 : shares[pool]) / total
        let whole = min(Int(exact), room[pool] - counts[pool], missing)
        counts[pool] += whole
        missing -= whole
        let rest = exact - exact.rounded(.down)
        if rest > 0 && counts[pool] < room[pool] { remainders.append((chance.uniform() < rest ? rest + 1 : rest, pool)) }
      }
      remainders.sort { ($0.key, $1.pool) > ($1.key, $0.pool) }
      for (_, pool) in remainders where missing > 0 {
        counts[pool] += 1
        missing -= 1
      }
    }
    return counts
  }
}
