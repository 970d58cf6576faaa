public import MurmurMachines
import MurmurSessions

/// A session of hours in a minute of real time.
extension Scenario {
  /// The same scenario in a session of that length: as many work cycles, and everything that happens at a time happens at the same share
  /// of the session. What links and devices do to single messages and jobs stays as it is, and no absence is made shorter than a scenario may
  /// ask for.
  public func squeezed(into length: Instant.Span) -> Scenario {
    var result = self
    let factor = length.seconds / session.length.seconds
    result.session.length = length
    result.session.cycle = session.cycle * factor
    for index in result.peers.late.indices { result.peers.late[index].at.squeeze(by: factor) }
    for index in result.faults.faults.indices { result.faults.faults[index].squeeze(by: factor) }
    return result
  }
}

extension Fault {
  /// Multiplies the times at which it acts.
  mutating func squeeze(by factor: Double) {
    switch self {
    case .offline(var fault):
      fault.cycle = fault.cycle.map { max($0 * factor, Fault.shortestCycle) }
      fault.duration = fault.duration.map { max($0 * factor, Fault.shortestCycle) }
      self = .offline(fault)
    case .sessions(var fault):
      (fault.on, fault.off) = (max(fault.on * factor, Fault.shortestCycle), max(fault.off * factor, Fault.shortestCycle))
      self = .sessions(fault)
    case .crash(var fault):
      fault.at.squeeze(by: factor)
      fault.over.squeeze(by: factor)
      fault.restart?.squeeze(by: factor)
      self = .crash(fault)
    case .partition(var fault):
      fault.window.squeeze(by: factor)
      self = .partition(fault)
    case .slow(var fault):
      fault.window.squeeze(by: factor)
      self = .slow(fault)
    case .link(var fault):
      fault.window.squeeze(by: factor)
      self = .link(fault)
    case .skew(var fault):
      fault.by = fault.by * factor
      self = .skew(fault)
    case .liars: return
    }
  }
}

extension Fault.Window {
  fileprivate mutating func squeeze(by factor: Double) {
    at.squeeze(by: factor)
    length?.squeeze(by: factor)
  }
}

extension SessionTime {
  /// A time is multiplied; a share stays.
  fileprivate mutating func squeeze(by factor: Double) {
    if case .after(let span) = self { self = .after(span * factor) }
  }
}
