/// A walk through all devices on which neighbours come soon after each other.
///
/// Taken along it, every device goes through a whole step while the devices around it do, and what they know is fetched from memory once a
/// step instead of at every stage.
struct Walk {
  /// The devices in order.
  let order: [Int]

  /// A walk level by level from an end of each part of the graph (E. Cuthill, J. McKee, Reducing the bandwidth of sparse symmetric matrices,
  /// 1969), straightened: each device's place moves to the mean of its own and its neighbours' again and again. That nears the graph's
  /// slowest vibration, the order of which keeps neighbours closest on average (S. Barnard, A. Pothen, H. Simon, A spectral algorithm for
  /// envelope reduction of sparse matrices, 1995).
  init(_ neighbours: [[Int]]) {
    var order: [Int] = []
    var isSeen = [Bool](repeating: false, count: neighbours.count)
    for device in neighbours.indices where !isSeen[device] {
      // An end is far from what is far from what is far.
      var root = device
      for _ in 0..<4 {
        var trial = isSeen
        root = Walk.levels(root, neighbours, &trial).last ?? root
      }
      order += Walk.straightened(Walk.levels(root, neighbours, &isSeen), neighbours)
    }
    self.order = order
  }

  /// Sums of neighbours' places that are worth their while, and rounds after which little changes.
  private static let (mostSums, mostRounds) = (10_000_000, 1_000)

  private static func straightened(_ order: [Int], _ neighbours: [[Int]]) -> [Int] {
    let links = order.reduce(0) { $0 + neighbours[$1].count }
    guard order.count > 2 else { return order }
    var places = [Double](repeating: 0, count: neighbours.count)
    for (place, device) in order.enumerated() { places[device] = Double(place) }
    var moved = places
    for _ in 0..<min(mostRounds, mostSums / links) {
      var sum = 0.0
      for device in order {
        var others = 0.0
        for other in neighbours[device] { others += places[other] }
        moved[device] = (places[device] + others / Double(neighbours[device].count)) / 2
        sum += moved[device] * Double(neighbours[device].count)
      }
      // All would meet in the middle: it is taken out, and what is left spread again.
      let middle = sum / Double(links)
      var widest = 0.0
      for device in order {
        moved[device] -= middle
        widest = max(widest, abs(moved[device]))
      }
      guard widest > 0 else { return order }
      for device in order { moved[device] /= widest }
      swap(&places, &moved)
    }
    return order.sorted { places[$0] < places[$1] }
  }

  private static func levels(_ root: Int, _ neighbours: [[Int]], _ isSeen: inout [Bool]) -> [Int] {
    var order = [root]
    isSeen[root] = true
    var next = 0
    while next < order.count {
      let fresh = neighbours[order[next]].filter { !isSeen[$0] }
        .sorted { (neighbours[$0].count, $0) < (neighbours[$1].count, $1) }
      for other in fresh { isSeen[other] = true }
      order += fresh
      next += 1
    }
    return order
  }

  /// Parts of the walk, for threads that take one each. Every other one goes backwards: neighbouring parts begin and end together where
  /// they meet.
  func parts(_ count: Int) -> [[Int]] {
    (0..<count).map { part in
      let devices = Array(order[order.count * part / count..<order.count * (part + 1) / count])
      return part % 2 == 0 ? devices : devices.reversed()
    }
  }
}
