import MurmurMachines
import MurmurSplit

/// The links of a world and the ways over them: when a message arrives that is sent now, if it does.
struct Roads {
  let graph: DeviceGraph
  let reach: VirtualGraph.Reach
  private let loss: Double
  private let jitter: Double
  private let links: [Int: DeviceGraph.Link]
  private var routes: VirtualGraph
  /// Links that carry nothing, by the numbers of their ends.
  private(set) var broken: Set<Int> = []
  /// Whether links neither delay nor lose.
  let isIdeal: Bool
  private let isWhole: Bool

  init(_ graph: DeviceGraph, _ reach: VirtualGraph.Reach, _ conditions: SplitConditions) {
    (self.graph, self.reach, loss, jitter) = (graph, reach, conditions.loss, conditions.jitter)
    routes = VirtualGraph(graph, reach)
    isWhole = graph.links.count == graph.devices * (graph.devices - 1) / 2
    isIdeal =
      conditions.loss == 0 && conditions.jitter == 0
      && graph.links.allSatisfy { $0.latency == .zero && $0.bandwidth == 0 }
    var links: [Int: DeviceGraph.Link] = [:]
    for link in graph.links { links[link.a * graph.devices + link.b] = link }
    self.links = links
  }

  private func key(_ a: Int, _ b: Int) -> Int { min(a, b) * graph.devices + max(a, b) }

  func isBroken(_ link: DeviceGraph.Link) -> Bool { broken.contains(key(link.a, link.b)) }
  mutating func breakLink(_ a: Int, _ b: Int) { broken.insert(key(a, b)) }
  mutating func heal(_ a: Int, _ b: Int) { broken.remove(key(a, b)) }
  /// The same links carry nothing as elsewhere.
  mutating func breakAll(of other: Roads) { broken = other.broken }

  /// Looks for the least-cost paths among the devices that live, after one of them or a link has gone or come.
  mutating func reroute(_ isAlive: @autoclosure () -> [Bool]) {
    guard reach == .complete, !isWhole || !broken.isEmpty || !routes.isDirect else { return }
    let (broken, devices) = (broken, graph.devices)
    routes = VirtualGraph(graph, reach, isAlive: isAlive()) { broken.contains($0.a * devices + $0.b) }
  }

  /// When a message arrives, over relays where there is no link, and how many passed it on; `nil` if it is lost on the way.
  func carry(
    _ byteCount: Int, from: Int, to: Int, at time: Instant, _ chance: inout Chance, relays: inout Int, isAlive: (Int) -> Bool
  ) -> Instant? {
    if isIdeal, broken.isEmpty, reach == .direct || isWhole { return time }
    var (place, arrival) = (from, time)
    while place != to {
      guard let hop = routes.hop(from: place, to: to), let link = links[key(place, hop)], !isBroken(link),
        place == from || isAlive(place)
      else { return nil }
      if place != from { relays += 1 }
      if loss > 0, chance.happens(loss) { return nil }
      var latency = link.latency.seconds
      if jitter > 0 { latency = chance.logNormal(median: latency, sigma: jitter) }
      if link.bandwidth > 0 { latency += Double(byteCount) / link.bandwidth }
      arrival = arrival + .seconds(latency)
      place = hop
    }
    return arrival
  }
}
