public import MurmurMachines

/// What holds right now: the world feeds it every ``FaultEvent`` and asks it about peers and links.
public struct FaultConditions: Sendable {
  /// Each peer's clock error; constant over the session.
  public let skews: [Instant.Span]
  /// Each peer's way to lie; constant over the session.
  public let lies: [Fault.Liars.Lie?]
  /// Whether each peer is online as far as offline and on/off faults go.
  public private(set) var isOnline: [Bool]
  /// Whether each peer runs, that is, has not crashed or has started again.
  public private(set) var isRunning: [Bool]
  /// How many times longer each peer's computing takes.
  public private(set) var slowdown: [Double]
  private let forecast: Forecast
  private var active: [Int] = []
  private var divisions: [Division] = []
  private var troubles: [Trouble] = []

  /// Nothing has happened yet.
  public init(_ forecast: Forecast) {
    self.forecast = forecast
    skews = forecast.skews()
    lies = forecast.lies()
    isOnline = [Bool](repeating: true, count: forecast.peers)
    isRunning = isOnline
    slowdown = [Double](repeating: 1, count: forecast.peers)
  }

  /// Takes a change in.
  public mutating func apply(_ change: FaultEvent.Change) {
    switch change {
    case .wentOffline(let peer): isOnline[peer] = false
    case .cameOnline(let peer): isOnline[peer] = true
    case .crashed(let peer, _, _): isRunning[peer] = false
    case .restarted(let peer): isRunning[peer] = true
    case .began(let fault):
      active.append(fault)
      begin(fault)
    case .ended(let fault):
      active.removeAll { $0 == fault }
      divisions.removeAll { $0.fault == fault }
      troubles.removeAll { $0.fault == fault }
      if case .slow = forecast.plan.faults[fault] { recomputeSlowdown() }
    }
  }

  private mutating func begin(_ fault: Int) {
    switch forecast.plan.faults[fault] {
    case .partition(let partition):
      guard let group = forecast.groups(fault: fault) else { return }
      divisions.append(Division(fault: fault, group: group, isOneWay: partition.direction == .oneWay))
    case .link(let trouble): troubles.append(Trouble(fault: fault, trouble, forecast))
    case .slow: recomputeSlowdown()
    case .offline, .sessions, .crash, .skew, .liars: return
    }
  }

  private mutating func recomputeSlowdown() {
    slowdown = [Double](repeating: 1, count: forecast.peers)
    for fault in active.sorted() {
      guard case .slow(let slow) = forecast.plan.faults[fault] else { continue }
      for peer in forecast.members[fault] { slowdown[peer] *= slow.factor }
    }
  }

  /// Whether a message sent now can arrive: both peers run and are online, and no partition lies between them.
  public func reaches(from sender: Int, to receiver: Int) -> Bool {
    isOnline[sender] && isOnline[receiver] && isRunning[sender] && isRunning[receiver] && !isDivided(from: sender, to: receiver)
  }

  /// Whether a partition keeps messages of `sender` from `receiver`.
  public func isDivided(from sender: Int, to receiver: Int) -> Bool {
    for division in divisions {
      let (one, other) = (division.group[sender], division.group[receiver])
      if division.isOneWay ? one < other : one != other { return true }
    }
    return false
  }

  /// The link from one peer to another as it is now, made from what it is without faults.
  public func link(_ one: Int, _ other: Int, base: LinkModel) -> (model: LinkModel, extra: Instant.Span) {
    var model = base
    var extra = Instant.Span.zero
    for trouble in troubles where trouble.concerns(one, other) {
      let fault = trouble.model
      model.loss = either(model.loss, fault.loss)
      model.duplication = either(model.duplication, fault.duplication)
      model.reordering = either(model.reordering, fault.reordering)
      model.corruption = either(model.corruption, fault.corruption)
      model.bandwidth = fault.bandwidth.bitsPerSecond < model.bandwidth.bitsPerSecond ? fault.bandwidth : model.bandwidth
      extra = extra + fault.delay
    }
    return (model, extra)
  }

  private func either(_ one: Double, _ other: Double) -> Double { 1 - (1 - one) * (1 - other) }

  private struct Division: Sendable {
    let fault: Int
    let group: [Int]
    let isOneWay: Bool
  }

  private struct Trouble: Sendable {
    let fault: Int
    let model: Fault.LinkTrouble
    /// For each peer whether it is at the first and at the second end; empty for all links.
    let ends: [(Bool, Bool)]

    init(fault: Int, _ model: Fault.LinkTrouble, _ forecast: Forecast) {
      self.fault = fault
      self.model = model
      guard let pair = model.between else {
        ends = []
        return
      }
      var ends = [(Bool, Bool)](repeating: (false, false), count: forecast.peers)
      for peer in pair.one.members(of: forecast.peers, chance: forecast.chance(of: fault).fork("one end")) { ends[peer].0 = true }
      for peer in pair.other.members(of: forecast.peers, chance: forecast.chance(of: fault).fork("other end")) {
        ends[peer].1 = true
      }
      self.ends = ends
    }

    func concerns(_ one: Int, _ other: Int) -> Bool {
      ends.isEmpty || (ends[one].0 && ends[other].1) || (ends[one].1 && ends[other].0)
    }
  }
}
