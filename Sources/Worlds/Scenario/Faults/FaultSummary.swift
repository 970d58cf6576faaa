import MurmurMachines

extension Fault {
  /// What the fault does, in a sentence that says which kind of "80 %" is meant.
  public var summary: String {
    switch self {
    case .offline(let fault):
      let cycle = fault.cycle.map { "every \(Durations.text($0))" } ?? "every work cycle"
      let span = fault.duration.map { "for \(Durations.text($0))" } ?? "for that whole cycle"
      return
        "Offline, redrawn: \(cycle) each of \(fault.peers.noun) is offline with probability \(Shares.print(fault.probability)), "
        + "independently of before, \(span); it sends, receives and serves nothing but goes on training."
    case .sessions(let fault):
      let share = fault.off.seconds / (fault.on.seconds + fault.off.seconds)
      return
        "On/off sessions: \(fault.peers.noun) stay online for \(Durations.text(fault.on)) and offline for \(Durations.text(fault.off)) "
        + "on average, so that at any moment about \(Fault.percent(share)) of them are offline."
    case .crash(let fault): return fault.sentence
    case .partition(let fault):
      let sides = fault.groups.map(\.noun).joined(separator: " | ")
      let lost = fault.direction == .both ? "no message passes between groups" : "no message passes from a group to a later one"
      return "Partition: \(fault.window.words) the network falls apart into \(sides) | the others, if any; \(lost), "
        + "while all of them run on."
    case .slow(let fault):
      return
        "Slow devices: \(fault.window.words) computing takes \(Quantity.text(fault.factor)) times longer for \(fault.peers.noun)."
    case .link(let fault): return fault.sentence
    case .skew(let fault):
      let direction = fault.by < .zero ? "behind" : "ahead"
      let size = Instant.Span(nanoseconds: fault.by < .zero ? 0 - fault.by.nanoseconds : fault.by.nanoseconds)
      return "Clock skew: the clocks of \(fault.peers.noun) are \(Durations.text(size)) \(direction), all the time."
    case .liars(let fault):
      return "Liars: \(fault.peers.noun), the same ones all the time, \(fault.how.deed)."
    }
  }

  fileprivate static func percent(_ share: Double) -> String { "\(Quantity.text((share * 1_000).rounded() / 10)) %" }
}

extension Fault.Crash {
  fileprivate var sentence: String {
    let spread = over == .after(.zero) ? "at \(at.words)" : "at random instants within \(over.words) from \(at.words) on"
    let back = restart.map { "start again \($0.words) later" } ?? "never come back (permanent loss)"
    let disk = ["kept": "keep their disks", "torn": "find their last write torn", "lost": "find their disks empty"][
      self.disk.rawValue]
    let deed =
      memory == .lost ? "Crash: \(peers.noun) stop and lose their memory" : "Sleep: \(peers.noun) stop and keep their memory"
    return "\(deed) \(spread); they \(back)\(restart == nil ? "" : " and \(disk ?? "")")."
  }
}

extension Fault.LinkTrouble {
  fileprivate var sentence: String {
    var parts: [String] = []
    if loss > 0 { parts.append("\(Shares.print(loss)) of messages are lost") }
    if delay > .zero { parts.append("messages take \(Durations.text(delay)) longer") }
    if bandwidth != .unlimited { parts.append("uplinks carry \(Units.bits.text(bandwidth.bitsPerSecond))") }
    if duplication > 0 { parts.append("\(Shares.print(duplication)) arrive twice") }
    if reordering > 0 { parts.append("\(Shares.print(reordering)) are overtaken") }
    if corruption > 0 { parts.append("\(Shares.print(corruption)) arrive corrupted") }
    let links = between.map { "between \($0.one.noun) and \($0.other.noun)" } ?? "on every link"
    return "Bad links: \(window.words), \(links), " + (parts.isEmpty ? "nothing changes" : parts.joined(separator: ", ")) + "."
  }
}

extension Fault.Liars.Lie {
  fileprivate var deed: String {
    switch self {
    case .noise: "send random parameters in place of their models"
    case .zero: "send models of zeros"
    case .inflate: "report an accuracy of 100 % for whatever they send"
    case .flip: "send their models with every sign flipped"
    }
  }
}

extension Fault.Window {
  fileprivate var words: String {
    guard let length else { return at == .after(.zero) ? "all the time" : "from \(at.words) on" }
    return "from \(at.words) on for \(length.words)"
  }
}

extension SessionTime {
  fileprivate var words: String {
    switch self {
    case .after(let span): Durations.text(span)
    case .share(let share): "\(Shares.print(share, isUnitless: false)) of the session"
    }
  }
}

extension PeerChoice {
  fileprivate var noun: String {
    switch self {
    case .all: return "all peers"
    case .share(let share): return "\(Shares.print(share, isUnitless: false)) of the peers"
    case .some(let count): return "\(count) peers drawn from the seed"
    case .numbers(let ranges):
      let list = ranges.prefix(8).map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
      return "peers " + list.joined(separator: ", ") + (ranges.count > 8 ? " …" : "")
    }
  }
}
