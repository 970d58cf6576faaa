import MurmurCompute
import MurmurSplit

/// A walk through all devices on which neighbours come soon after each other, and the order of what happens at one time along it.
///
/// Where neither messages nor computing take time, a whole training happens at one virtual time, and any order of its messages is as true
/// as another: each device waits for all its neighbours. Taken by steps, and within a step by the senders' places along the walk, every
/// device goes through a whole step while the devices around it do, and what they know is fetched from memory once a step instead of at
/// every stage.
struct Walk {
  /// Each device's place.
  let places: [Int]
  /// The devices in order.
  let order: [Int]
  /// Who has heard of all neighbours once the device at a place was heard.
  fileprivate let ready: [[Int32]]
  /// The longest way along the walk to a device's last neighbour.
  let longest: Int

  /// No walk: what happens at one time happens in the order in which it was caused.
  static let none = Walk([])
  var isEmpty: Bool { order.isEmpty }

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
    var ready = [[Int32]](repeating: [], count: order.count)
    var longest = 0
    for device in order {
      let last = neighbours[device].reduce(places[device]) { max($0, places[$1]) }
      ready[last].append(Int32(device))
      longest = max(longest, last - places[device])
    }
    (self.places, self.order, self.ready, self.longest) = (places, order, ready, longest)
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

  /// Whether it brings neighbours so near to each other that a step of those around a device is much less than one of all.
  var isWorthwhile: Bool { longest * 8 <= order.count }

  /// The place of a training message among those that arrive at one time; what belongs to no step comes first, with 0.
  func rank(step: Int, from device: Int) -> Int { 1 + step * order.count + places[device] }
}

extension SplitWorld {
  /// Where devices are visited along a walk: the outputs of the first stage that arrive now say who has work soon, and for a whole step.
  mutating func nearAlong(_ bundle: LetterBox.Bundle) {
    guard let first = bundle.places.first, box.begins(first) else { return }
    Nearing.age()
    let (place, rounds) = (walk.places[box.from(first)], SplitDevice.nearingRounds)
    for round in -1..<rounds {
      let soon = place + 2 * (rounds - round)
      guard soon < walk.ready.count else { continue }
      for device in walk.ready[soon] {
        if round < 0 {
          posts.near(at: Int(device))
          nodes.near(at: Int(device))
        } else {
          near(round, device)
          nodes[Int(device)].device.nearUnits(round)
        }
      }
    }
  }
}
