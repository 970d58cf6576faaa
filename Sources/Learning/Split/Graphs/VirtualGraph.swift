public import MurmurMachines

/// Who may talk to whom, and over which relays: least-cost paths in a ``DeviceGraph`` among the devices that live.
///
/// Two devices are *virtual neighbours* if they talk at all. In the complete virtual graph (DB-IL-FC of Ganguli et al., 2023) all are,
/// others forwarding for those without a link; in the direct one (DB-IL-Part) only linked devices are.
public struct VirtualGraph: Sendable, Hashable {
  /// Which pairs of devices talk.
  public enum Reach: String, Sendable, Hashable, CaseIterable {
    /// All, over relays where there is no link.
    case complete
    /// Those with a link.
    case direct
  }

  /// Devices that are asked to pass a message on, by the message's destination.
  private let next: [[Int32]]
  private let cost: [[Int64]]
  /// Which pairs talk.
  public let reach: Reach
  /// Every device's virtual neighbours, whether they live or not, ascending, without itself.
  public let neighbours: [[Int]]

  /// The graph in which devices whose `isAlive` is false relay nothing, and links that `isDown` carry nothing. A path's cost is the latency of its links; of equal paths
  /// that over the smaller numbers is taken (Dijkstra, 1959).
  public init(
    _ graph: DeviceGraph, _ reach: Reach, isAlive: [Bool]? = nil, isDown: (DeviceGraph.Link) -> Bool = { _ in false }
  ) {
    self.reach = reach
    let devices = graph.devices
    switch reach {
    case .direct: neighbours = graph.neighbours
    case .complete: neighbours = (0..<devices).map { device in (0..<devices).filter { $0 != device } }
    }
    var links = [[(other: Int, latency: Int64)]](repeating: [], count: devices)
    var carrying = 0
    for link in graph.links where !isDown(link) {
      carrying += 1
      // A hop costs something even where a link has no latency, so that the fewest hops are taken.
      let latency = link.latency.nanoseconds + 1
      links[link.a].append((link.b, latency))
      links[link.b].append((link.a, latency))
    }
    let isAlive = isAlive ?? [Bool](repeating: true, count: devices)
    var next: [[Int32]] = []
    var cost: [[Int64]] = []
    guard reach == .complete, carrying < devices * (devices - 1) / 2 || isAlive.contains(false) else {
      // Over links alone there is nothing to look for.
      self.next = []
      self.cost = []
      return
    }
    for source in 0..<devices {
      let paths = VirtualGraph.paths(from: source, links, isAlive)
      next.append(paths.first)
      cost.append(paths.cost)
    }
    self.next = next
    self.cost = cost
  }

  /// Whether every message goes straight to where it is sent.
  public var isDirect: Bool { next.isEmpty }

  /// The neighbour that a message to `destination` is handed to at `device`; `nil` if none leads there. A linked destination itself is
  /// the answer wherever its link is the least-cost path.
  public func hop(from device: Int, to destination: Int) -> Int? {
    guard !next.isEmpty else { return destination }
    let hop = next[device][destination]
    return hop < 0 ? nil : Int(hop)
  }

  /// The latency of the way between two devices; `nil` if there is none.
  public func latency(from device: Int, to destination: Int) -> Instant.Span? {
    guard !cost.isEmpty, cost[device][destination] < .max else { return nil }
    return Instant.Span(nanoseconds: cost[device][destination])
  }

  private static func paths(
    from source: Int, _ links: [[(other: Int, latency: Int64)]], _ isAlive: [Bool]
  ) -> (first: [Int32], cost: [Int64]) {
    var cost = [Int64](repeating: .max, count: links.count)
    var first = [Int32](repeating: -1, count: links.count)
    var isDone = [Bool](repeating: false, count: links.count)
    cost[source] = 0
    // The frontier as a sorted list: graphs of devices are small and sparse.
    var frontier: [(cost: Int64, device: Int)] = [(0, source)]
    while let nearest = frontier.popLast() {
      let device = nearest.device
      guard !isDone[device] else { continue }
      isDone[device] = true
      // A dead device can be an end, not a relay.
      guard device == source || isAlive[device] else { continue }
      for (other, latency) in links[device] where !isDone[other] {
        let total = nearest.cost + latency
        let hop = device == source ? Int32(other) : first[device]
        guard total < cost[other] || (total == cost[other] && hop < first[other]) else { continue }
        cost[other] = total
        first[other] = hop
        let place = frontier.firstIndex { ($0.cost, $0.device) <= (total, other) } ?? frontier.count
        frontier.insert((total, other), at: place)
      }
    }
    return (first, cost)
  }
}
