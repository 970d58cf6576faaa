/// A walk through all devices on which neighbours come soon after each other.
///
/// Taken along it, every device goes through a whole step while the devices around it do, and what they know is fetched from memory once a
/// step instead of at every stage.
struct Walk {
  /// The devices in order.
  let order: [Int]
  /// The longest way along the walk to a device's last neighbour.
  let longest: Int

  /// A walk level by level from an end of each part of the graph, those with few neighbours first (E. Cuthill, J. McKee, Reducing the
  /// bandwidth of sparse symmetric matrices, 1969).
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
      order += Walk.levels(root, neighbours, &isSeen)
    }
    var places = [Int](repeating: 0, count: order.count)
    for (place, device) in order.enumerated() { places[device] = place }
    var longest = 0
    for device in order {
      for neighbour in neighbours[device] { longest = max(longest, places[neighbour] - places[device]) }
    }
    (self.order, self.longest) = (order, longest)
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
