public import MurmurMachines

/// Who is wired to whom: devices 0 ..< ``devices`` and undirected links with a latency and a bandwidth.
///
/// The *device graph* of Internet Learning (Ganguli et al., 2023, section 2). Who may talk to whom, possibly over relays, is a
/// ``VirtualGraph`` made from it.
public struct DeviceGraph: Sendable, Hashable {
  /// One wire, or radio path.
  public struct Link: Sendable, Hashable {
    /// The end with the smaller number.
    public var a: Int
    /// The other end.
    public var b: Int
    /// How long a message of no bytes takes.
    public var latency: Instant.Span
    /// Bytes a second; 0 is no limit.
    public var bandwidth: Double

    /// A link between two devices.
    public init(_ a: Int, _ b: Int, latency: Instant.Span = .zero, bandwidth: Double = 0) {
      precondition(a != b && a >= 0 && b >= 0, "a link joins two devices, not \(a) and \(b)")
      (self.a, self.b) = (min(a, b), max(a, b))
      self.latency = latency
      self.bandwidth = bandwidth
    }
  }

  /// The number of devices.
  public let devices: Int
  /// All links, by their ends in ascending order, each once.
  public let links: [Link]

  /// A graph of the given links; of several between the same two devices the first counts.
  public init(devices: Int, links: [Link]) {
    precondition(devices > 0, "a graph has devices")
    precondition(links.allSatisfy { $0.b < devices }, "a link to a device that is not in 0 ..< \(devices)")
    self.devices = devices
    var seen: Set<Int> = []
    self.links = links.filter { seen.insert($0.a * devices + $0.b).inserted }.sorted { ($0.a, $0.b) < ($1.a, $1.b) }
  }

  /// The devices at the other ends of a device's links, ascending.
  public var neighbours: [[Int]] {
    var lists = [[Int]](repeating: [], count: devices)
    for link in links {
      lists[link.a].append(link.b)
      lists[link.b].append(link.a)
    }
    return lists.map { $0.sorted() }
  }

  /// Whether every device can be reached from every other.
  public var isConnected: Bool {
    let lists = neighbours
    var reached = Set([0])
    var frontier = [0]
    while let next = frontier.popLast() {
      for other in lists[next] where reached.insert(other).inserted { frontier.append(other) }
    }
    return reached.count == devices
  }

  /// The same links, each of that latency and bandwidth.
  public func with(latency: Instant.Span, bandwidth: Double = 0) -> DeviceGraph {
    DeviceGraph(devices: devices, links: links.map { Link($0.a, $0.b, latency: latency, bandwidth: bandwidth) })
  }
}

extension DeviceGraph {
  /// Everybody is linked with everybody.
  public static func complete(_ devices: Int) -> DeviceGraph {
    DeviceGraph(devices: devices, links: (0..<devices).flatMap { a in (a + 1..<max(devices, a + 1)).map { Link(a, $0) } })
  }

  /// A closed chain.
  public static func ring(_ devices: Int) -> DeviceGraph {
    guard devices > 2 else { return complete(devices) }
    return DeviceGraph(devices: devices, links: (0..<devices).map { Link($0, ($0 + 1) % devices) })
  }

  /// An open chain.
  public static func line(_ devices: Int) -> DeviceGraph {
    DeviceGraph(devices: devices, links: (1..<max(devices, 1)).map { Link($0 - 1, $0) })
  }

  /// Device 0 is linked with everybody.
  public static func star(_ devices: Int) -> DeviceGraph {
    DeviceGraph(devices: devices, links: (1..<max(devices, 1)).map { Link(0, $0) })
  }

  /// A grid as square as it can be, row after row, each device linked with those beside, above and below it.
  public static func grid(_ devices: Int) -> DeviceGraph {
    var columns = 1
    while columns * columns < devices { columns += 1 }
    var links: [Link] = []
    for device in 0..<devices {
      if device % columns + 1 < columns, device + 1 < devices { links.append(Link(device, device + 1)) }
      if device + columns < devices { links.append(Link(device, device + columns)) }
    }
    return DeviceGraph(devices: devices, links: links)
  }

  /// Devices strewn over a unit square, the nearest pairs linked until a device has `degree` links on average, and then the pairs that join
  /// what is still apart, nearest first.
  public static func geometric(_ devices: Int, degree: Double, chance: inout Chance) -> DeviceGraph {
    let places = (0..<devices).map { _ in (x: chance.uniform(), y: chance.uniform()) }
    var pairs: [(distance: Double, a: Int, b: Int)] = []
    for a in 0..<devices {
      for b in a + 1..<max(devices, a + 1) {
        let (x, y) = (places[a].x - places[b].x, places[a].y - places[b].y)
        pairs.append((x * x + y * y, a, b))
      }
    }
    pairs.sort { ($0.distance, $0.a, $0.b) < ($1.distance, $1.a, $1.b) }
    let wanted = min(pairs.count, Int((Double(devices) * degree / 2).rounded()))
    var group = Array(0..<devices)
    func root(_ device: Int) -> Int {
      var device = device
      while group[device] != device { device = group[device] }
      return device
    }
    var links: [Link] = []
    for (index, pair) in pairs.enumerated() {
      let (a, b) = (root(pair.a), root(pair.b))
      guard index < wanted || a != b else { continue }
      group[b] = a
      links.append(Link(pair.a, pair.b))
    }
    return DeviceGraph(devices: devices, links: links)
  }

  /// Each device in turn links with `links` earlier ones, drawn by how many links they have (Barabási and Albert, 1999).
  public static func preferential(_ devices: Int, links count: Int, chance: inout Chance) -> DeviceGraph {
    var (links, ends): ([Link], [Int]) = ([], [])
    for device in 1..<max(devices, 1) {
      var chosen: Set<Int> = []
      while chosen.count < min(count, device) {
        let other = ends.isEmpty || device <= count ? chance.below(device) : ends[chance.below(ends.count)]
        guard chosen.insert(other).inserted else { continue }
        links.append(Link(other, device))
      }
      for other in chosen.sorted() { ends += [other, device] }
    }
    return DeviceGraph(devices: devices, links: links)
  }
}
