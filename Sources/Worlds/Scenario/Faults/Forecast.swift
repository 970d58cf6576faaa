public import MurmurMachines
import MurmurSessions

/// What a fault plan means for so many peers, one session and one seed: who is hit, and when.
///
/// Every answer is a function of the seed, the fault's place in the plan and the peer's number: it depends neither on what was asked
/// before nor on the order of asking. ``events()`` lists the same facts in the order of time.
public struct Forecast: Sendable {
  /// The plan.
  public let plan: FaultPlan
  /// How many peers there are.
  public let peers: Int
  /// The session's length; nothing begins later.
  public let length: Instant.Span
  /// The session's work cycle.
  public let cycle: Instant.Span
  /// For each fault, the peers it names, ascending; empty for partitions and links.
  let members: [[Int]]
  private let chance: Chance

  /// The forecast for peers 0 ..< `peers` of a session of that length and work cycle, drawn from the seed of `chance`.
  public init(_ plan: FaultPlan, peers: Int, length: Instant.Span, cycle: Instant.Span, chance: Chance) {
    self.plan = plan
    self.peers = peers
    self.length = length
    self.cycle = cycle
    self.chance = chance
    members = plan.faults.indices.map { index in
      guard let choice = plan.faults[index].peers else { return [] }
      return choice.members(of: peers, chance: chance.fork("fault", index))
    }
  }

  /// Whether a fault names the peer.
  private func names(_ peer: Int, _ fault: Int) -> Bool {
    let list = members[fault]
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle] < peer { low = middle + 1 } else { high = middle }
    }
    return low < list.count && list[low] == peer
  }

  /// The stream of one fault.
  func chance(of fault: Int) -> Chance { chance.fork("fault", fault) }

  /// When a peer is offline because of one fault, in order; spans do not touch each other.
  public func offline(peer: Int, fault: Int) -> OfflineSpans? {
    guard names(peer, fault) else { return nil }
    return spans(peer: peer, fault: fault)
  }

  func spans(peer: Int, fault: Int) -> OfflineSpans? {
    switch plan.faults[fault] {
    case .offline(let offline):
      let cycle = offline.cycle ?? self.cycle
      return OfflineSpans(
        redrawn: offline.probability, every: cycle, for: offline.duration ?? cycle, until: length,
        chance: chance(of: fault).fork("offline", peer))
    case .sessions(let onOff):
      return OfflineSpans(on: onOff.on, off: onOff.off, until: length, chance: chance(of: fault).fork("sessions", peer))
    case .crash, .partition, .slow, .link, .skew, .liars: return nil
    }
  }

  /// Whether any offline or on/off fault keeps the peer offline at that instant.
  public func isOffline(_ peer: Int, at now: Instant) -> Bool {
    for fault in plan.faults.indices {
      guard var spans = offline(peer: peer, fault: fault) else { continue }
      while let span = spans.next(), span.lowerBound <= now { if now < span.upperBound { return true } }
    }
    return false
  }

  /// When the peer stops because of one crash fault, and when it starts again; `nil` if that fault spares it.
  public func crash(peer: Int, fault: Int) -> (stops: Instant, starts: Instant)? {
    guard case .crash(let crash) = plan.faults[fault], names(peer, fault) else { return nil }
    return stop(peer: peer, fault: fault, crash)
  }

  func stop(peer: Int, fault: Int, _ crash: Fault.Crash) -> (stops: Instant, starts: Instant) {
    var own = chance(of: fault).fork("crash", peer)
    let stops = .origin + crash.at.span(in: length) + crash.over.span(in: length) * own.uniform()
    return (stops, crash.restart.map { stops + $0.span(in: length) } ?? .never)
  }

  /// When a partition, slowness or link trouble holds.
  public func window(fault: Int) -> Range<Instant>? {
    switch plan.faults[fault] {
    case .partition(let fault): range(fault.window)
    case .slow(let fault): range(fault.window)
    case .link(let fault): range(fault.window)
    case .offline, .sessions, .crash, .skew, .liars: nil
    }
  }

  private func range(_ window: Fault.Window) -> Range<Instant> {
    let start = Instant.origin + window.at.span(in: length)
    return start..<max(start, window.length.map { start + $0.span(in: length) } ?? .never)
  }

  /// The group of every peer in one partition: groups are numbered from 0 in the plan's order, peers of no group come last.
  public func groups(fault: Int) -> [Int]? {
    guard case .partition(let partition) = plan.faults[fault] else { return nil }
    var group = [Int](repeating: partition.groups.count, count: peers)
    for (number, choice) in partition.groups.enumerated() {
      switch choice {
      case .all, .numbers:
        for peer in choice.members(of: peers, chance: chance(of: fault)) where group[peer] == partition.groups.count {
          group[peer] = number
        }
      case .some, .share: continue
      }
    }
    draw(partition.groups, into: &group, fault)
    return group
  }

  /// Deals the peers that no group names among the groups given by count or share, from one shuffled deck.
  private func draw(_ choices: [PeerChoice], into group: inout [Int], _ fault: Int) {
    var deck = group.indices.filter { group[$0] == choices.count }
    var own = chance(of: fault).fork("groups")
    own.shuffle(&deck)
    var dealt = 0.0
    var next = 0
    for (number, choice) in choices.enumerated() {
      let end: Int
      switch choice {
      case .all, .numbers: continue
      case .some(let count): end = next + count
      case .share(let share):
        dealt += share
        end = max(next, Int((dealt * Double(peers)).rounded()))
      }
      while next < min(end, deck.count) {
        group[deck[next]] = number
        next += 1
      }
    }
  }

  /// By how much each peer's clock is ahead.
  public func skews() -> [Instant.Span] {
    var result = [Instant.Span](repeating: .zero, count: peers)
    for (fault, list) in zip(plan.faults, members) {
      guard case .skew(let skew) = fault else { continue }
      for peer in list { result[peer] = result[peer] + skew.by }
    }
    return result
  }

  /// How each peer lies; the first fault that names a peer counts.
  public func lies() -> [Fault.Liars.Lie?] {
    var result = [Fault.Liars.Lie?](repeating: nil, count: peers)
    for (fault, list) in zip(plan.faults, members) {
      guard case .liars(let liars) = fault else { continue }
      for peer in list where result[peer] == nil { result[peer] = liars.how }
    }
    return result
  }
}

extension Fault {
  /// Whom the fault names; `nil` for partitions and links.
  var peers: PeerChoice? {
    switch self {
    case .offline(let fault): fault.peers
    case .sessions(let fault): fault.peers
    case .crash(let fault): fault.peers
    case .slow(let fault): fault.peers
    case .skew(let fault): fault.peers
    case .liars(let fault): fault.peers
    case .partition, .link: nil
    }
  }
}

extension Scenario {
  /// What the scenario's fault plan means for its peers, session and seed.
  public func forecast() -> Forecast {
    Forecast(
      faults, peers: peers.count, length: session.length, cycle: session.cycle, chance: Chance(seed: seed).fork("faults"))
  }
}
