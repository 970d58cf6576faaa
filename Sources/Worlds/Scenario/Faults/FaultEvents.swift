public import MurmurMachines

/// Something that begins or ends at an instant because of the fault plan.
public struct FaultEvent: Hashable, Sendable {
  /// When.
  public var at: Instant
  /// What.
  public var change: Change

  /// A change at an instant.
  public init(at: Instant, change: Change) {
    self.at = at
    self.change = change
  }

  /// What begins or ends.
  public enum Change: Hashable, Sendable {
    /// The peer sends, receives and serves nothing from now on; it goes on training.
    case wentOffline(peer: Int)
    /// No fault keeps the peer offline any more.
    case cameOnline(peer: Int)
    /// The peer stops.
    case crashed(peer: Int, memory: Fault.Crash.Memory, disk: Fault.Crash.Disk)
    /// The peer starts again.
    case restarted(peer: Int)
    /// The partition, slowness or link trouble at that place in the plan begins.
    case began(fault: Int)
    /// It ends.
    case ended(fault: Int)
  }
}

/// A forecast's events in the order of time, worked out as they are asked for: memory is proportional to the peers, not to the events.
///
/// Overlapping faults are merged: a peer goes offline (or stops) with the first fault that says so and comes back with the last.
public struct FaultEvents: IteratorProtocol, Sequence, Sendable {
  private let forecast: Forecast
  private var agenda: [Entry] = []
  private var walks: [Walk] = []
  private var offline: [Int32]
  private var stopped: [Int32]

  init(_ forecast: Forecast) {
    self.forecast = forecast
    offline = [Int32](repeating: 0, count: forecast.peers)
    stopped = offline
    for fault in forecast.plan.faults.indices { plan(fault) }
  }

  private mutating func plan(_ fault: Int) {
    if let window = forecast.window(fault: fault), !window.isEmpty {
      push(Entry(at: window.lowerBound, isEnd: false, fault: fault, peer: -1))
      push(Entry(at: window.upperBound, isEnd: true, fault: fault, peer: -1))
    }
    for peer in forecast.members[fault] {
      if case .crash(let crash) = forecast.plan.faults[fault] {
        let (stops, starts) = forecast.stop(peer: peer, fault: fault, crash)
        push(Entry(at: stops, isEnd: false, fault: fault, peer: peer))
        push(Entry(at: starts, isEnd: true, fault: fault, peer: peer))
      } else if var spans = forecast.spans(peer: peer, fault: fault), let first = spans.next() {
        push(Entry(at: first.lowerBound, isEnd: false, fault: fault, peer: peer, walk: walks.count))
        walks.append(Walk(spans: spans, back: first.upperBound))
      }
    }
  }

  /// When the next change may come; `nil` if none does.
  public var nextInstant: Instant? { agenda.first.flatMap { $0.at > .origin + forecast.length ? nil : $0.at } }

  /// The next event up to the session's end.
  public mutating func next() -> FaultEvent? {
    while let entry = agenda.first, entry.at <= .origin + forecast.length {
      pop()
      if let change = take(entry) { return FaultEvent(at: entry.at, change: change) }
    }
    return nil
  }

  private mutating func take(_ entry: Entry) -> FaultEvent.Change? {
    let peer = Int(entry.peer)
    guard peer >= 0 else { return entry.isEnd ? .ended(fault: Int(entry.fault)) : .began(fault: Int(entry.fault)) }
    if entry.walk >= 0 {
      advance(entry)
      offline[peer] += entry.isEnd ? -1 : 1
      if entry.isEnd { return offline[peer] == 0 ? .cameOnline(peer: peer) : nil }
      return offline[peer] == 1 ? .wentOffline(peer: peer) : nil
    }
    stopped[peer] += entry.isEnd ? -1 : 1
    if entry.isEnd { return stopped[peer] == 0 ? .restarted(peer: peer) : nil }
    guard stopped[peer] == 1, case .crash(let crash) = forecast.plan.faults[Int(entry.fault)] else { return nil }
    return .crashed(peer: peer, memory: crash.memory, disk: crash.disk)
  }

  /// Puts what follows an offline span's beginning or end on the agenda.
  private mutating func advance(_ entry: Entry) {
    let walk = Int(entry.walk)
    var next = entry
    next.isEnd.toggle()
    if entry.isEnd {
      guard let span = walks[walk].spans.next() else { return }
      walks[walk].back = span.upperBound
      next.at = span.lowerBound
    } else {
      next.at = walks[walk].back
    }
    push(next)
  }

  // MARK: The agenda, a binary heap

  private mutating func push(_ entry: Entry) {
    guard entry.at <= .origin + forecast.length else { return }
    agenda.append(entry)
    var child = agenda.count - 1
    while child > 0, agenda[child] < agenda[(child - 1) / 2] {
      agenda.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop() {
    agenda.swapAt(0, agenda.count - 1)
    agenda.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < agenda.count && agenda[child] < agenda[least] { least = child }
      guard least != parent else { return }
      agenda.swapAt(parent, least)
      parent = least
    }
  }

  private struct Walk: Sendable {
    var spans: OfflineSpans
    var back: Instant
  }

  /// At one instant what begins comes before what ends, so that a peer that leaves one fault for another does not flicker.
  private struct Entry: Comparable, Sendable {
    var at: Instant
    var isEnd: Bool
    var fault: Int32
    var peer: Int32
    var walk: Int32

    init(at: Instant, isEnd: Bool, fault: Int, peer: Int, walk: Int = -1) {
      (self.at, self.isEnd) = (at, isEnd)
      (self.fault, self.peer, self.walk) = (Int32(fault), Int32(peer), Int32(walk))
    }

    static func < (left: Entry, right: Entry) -> Bool {
      if left.at != right.at { return left.at < right.at }
      if left.isEnd != right.isEnd { return !left.isEnd }
      return left.fault != right.fault ? left.fault < right.fault : left.peer < right.peer
    }
  }
}

extension Forecast {
  /// All events in the order of time.
  public func events() -> FaultEvents { FaultEvents(self) }
}
