import MurmurMachines

extension Schema {
  static let network: Section<NetworkPlan> = Section([
    Field(
      "delay", \.link.delay,
      Section([
        Field("median", \.median, .duration(.zero ... .minutes(60), "40 ms"), "Half of the links are faster, one way."),
        Field(
          "spread", \.spread, .number(1...1_000),
          "About two thirds of the links lie between median ÷ spread and median × spread; 1 makes all alike."),
        Field("jitter", \.jitter, .factor(0...100), "Every message is late by up to this share of its link's delay."),
      ]), over: LinkModel.Delay(), "How long messages take (log-normal over the links)."),
    Field("bandwidth", \.link.bandwidth, .dataRate, "What a peer's uplink carries."),
    Field("loss", \.link.loss, .share, "The probability that a message is lost."),
    Field("duplication", \.link.duplication, .share, "The probability that a message arrives twice."),
    Field("reordering", \.link.reordering, .share, "The probability that a message is held back so that later ones overtake it."),
    Field("corruption", \.link.corruption, .share, "The probability that a message arrives with flipped bits."),
    Field(
      "queue", \.queue, .bytes(1_024...(1 << 40)), "How many bytes may wait at an uplink; a message that finds more is dropped."),
    Field("degree", \.degree, .count(1...1_000_000), "How many other peers a peer knows when it begins."),
  ])

  /// The list of faults.
  static let faults = fault.list("a list of faults such as `[{offline: {probability: 80 %}}]`", count: 0...64)

  private static let fault = Codec<Fault>.choice(
    "fault",
    [
      .with(
        "offline", offline, example: "{probability: 80 %}", { .offline($0) },
        back: { if case .offline(let it) = $0 { it } else { nil } }),
      .with(
        "sessions", onOff, example: "{on: 60 min, off: 15 min}", { .sessions($0) },
        back: { if case .sessions(let it) = $0 { it } else { nil } }),
      .with(
        "crash", crash, example: "{peers: 20 %, at: 50 %}", { .crash($0) },
        back: { if case .crash(let it) = $0 { it } else { nil } }),
      .with(
        "partition", partitionFault, example: "{groups: [50 %, 50 %], at: 20 min, for: 30 min}", { .partition($0) },
        back: { if case .partition(let it) = $0 { it } else { nil } }),
      .with(
        "slow", slow, example: "{peers: 20 %, factor: 10}", { .slow($0) },
        back: { if case .slow(let it) = $0 { it } else { nil } }),
      .with(
        "link", linkTrouble, example: "{loss: 10 %}", { .link($0) }, back: { if case .link(let it) = $0 { it } else { nil } }),
      .with(
        "skew", skew, example: "{peers: 10 %, by: 30 s}", { .skew($0) }, back: { if case .skew(let it) = $0 { it } else { nil } }),
      .with(
        "liars", liars, example: "{peers: 10 %, how: noise}", { .liars($0) },
        back: { if case .liars(let it) = $0 { it } else { nil } }),
    ])

  private static let offline: Codec<Fault.Offline> = Section<Fault.Offline>([
    Field("probability", \.probability, .share, "The probability with which each peer is drawn offline.").required("80 %"),
    Field(
      "cycle", \.cycle, Codec<Instant.Span>.duration(Fault.shortestCycle...Durations.longest).or("session"),
      "How often it is redrawn; `session` for the work cycle."),
    Field(
      "duration", \.duration, Codec<Instant.Span>.duration(Fault.shortestCycle...Durations.longest).or("cycle"),
      "How long an offline peer stays so; `cycle` for the whole cycle."),
    Field("peers", \.peers, choice, "Who may be drawn."),
  ]).codec("a map", over: Fault.Offline())

  private static let onOff: Codec<Fault.OnOff> = Section<Fault.OnOff>([
    Field("on", \.on, .duration(Fault.shortestCycle...Durations.longest), "The mean time online (exponential).").required(
      "60 min"),
    Field("off", \.off, .duration(Fault.shortestCycle...Durations.longest), "The mean time offline (exponential).").required(
      "15 min"),
    Field("peers", \.peers, choice, "Who comes and goes."),
  ]).codec("a map", over: Fault.OnOff())

  private static let crash: Codec<Fault.Crash> = Section<Fault.Crash>([
    Field("peers", \.peers, choice, "Who stops.").required("20 %"),
    Field("at", \.at, .sessionTime, "When.").required("50 %"),
    Field("over", \.over, .sessionTime, "Each peer stops at its own instant, drawn from this long after `at`."),
    Field("restart", \.restart, Codec<SessionTime>.sessionTime.or("never"), "How long after its crash a peer starts again."),
    Field("memory", \.memory, .words("fate of the memory"), "Whether what was in memory is lost (a crash) or kept (a sleep)."),
    Field("disk", \.disk, .words("fate of the disk"), "What is left of the disk; `torn` cuts the last write short."),
  ]).codec("a map", over: Fault.Crash())

  private static let partitionFault: Codec<Fault.Partition> = Section<Fault.Partition>([
    Field(
      "groups", \.groups, choice.list("a list of peer choices such as `[50 %, 50 %]`", count: 1...64),
      "Who is cut off from whom; peers in no group form one more."
    )
    .required("[50 %, 50 %]"),
    Field("at", \.window.at, .sessionTime, "When it begins."),
    Field("for", \.window.length, Codec<SessionTime>.sessionTime.or("ever"), "How long it lasts."),
    Field(
      "direction", \.direction, .words("direction"),
      "Which messages between groups are lost: all, or only those from a group to later ones."),
  ]).codec("a map", over: Fault.Partition())

  private static let slow: Codec<Fault.Slow> = Section<Fault.Slow>([
    Field("peers", \.peers, choice, "Whose devices."),
    Field("factor", \.factor, .number(1...1e6), "How many times longer everything takes.").required("10"),
    Field("at", \.window.at, .sessionTime, "When it begins."),
    Field("for", \.window.length, Codec<SessionTime>.sessionTime.or("ever"), "How long it lasts."),
  ]).codec("a map", over: Fault.Slow())

  private static let linkTrouble: Codec<Fault.LinkTrouble> = Section<Fault.LinkTrouble>([
    Field("loss", \.loss, .share, "The probability of loss, beside the link's own."),
    Field("delay", \.delay, .duration(.zero ... .minutes(60), "200 ms"), "Added to the link's delay."),
    Field("bandwidth", \.bandwidth, .dataRate, "What an uplink still carries over these links."),
    Field("duplication", \.duplication, .share, "The probability of duplication, beside the link's own."),
    Field("reordering", \.reordering, .share, "The probability of reordering, beside the link's own."),
    Field("corruption", \.corruption, .share, "The probability of corruption, beside the link's own."),
    Field("at", \.window.at, .sessionTime, "When it begins."),
    Field("for", \.window.length, Codec<SessionTime>.sessionTime.or("ever"), "How long it lasts."),
    Field("between", \.between, pair.or("all"), "The links between any of the first and any of the second, both ways."),
  ]).codec("a map", over: Fault.LinkTrouble())

  private static let skew: Codec<Fault.Skew> = Section<Fault.Skew>([
    Field("peers", \.peers, choice, "Whose clocks."),
    Field(
      "by", \.by, .duration(Instant.Span.zero - Durations.longest...Durations.longest, "30 s"),
      "By how much they are ahead; negative for behind."
    ).required("30 s"),
  ]).codec("a map", over: Fault.Skew())

  private static let liars: Codec<Fault.Liars> = Section<Fault.Liars>([
    Field("peers", \.peers, choice, "Who lies.").required("10 %"),
    Field("how", \.how, .words("lie"), "Random parameters, zeros, a reported accuracy of 100 %, or every sign flipped."),
  ]).codec("a map", over: Fault.Liars())

  private static let pair: Codec<Fault.LinkTrouble.Pair> = {
    let kind = "two choices of peers such as `[[0-9], [10-19]]`"
    let list = choice.list(kind, count: 2...2)
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        guard item.isList else { throw item.expected(kind) }
        let ends = try list.read(item)
        return Fault.LinkTrouble.Pair(ends[0], ends[1])
      },
      write: { list.write([$0.one, $0.other]) })
  }()

  /// A choice among the peers: `all`, `30 %`, `any 3`, `[0, 4, 7-9]`.
  static let choice: Codec<PeerChoice> = {
    let kind = "peers as `all`, `30 %`, `any 3`, or numbers from 0 as `[0, 4, 7-9]`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        if item.isList {
          guard item.values.count <= 10_000 else { throw item.problem("more than 10000 numbers", "write ranges such as 0-9999") }
          var ranges: [ClosedRange<Int>] = []
          for value in item.values { ranges.append(try range(value, kind)) }
          return .numbers(ranges)
        }
        guard let text = item.text else { throw item.expected(kind) }
        if text == "all" { return .all }
        if let share = Shares.parse(text, isUnitless: false) {
          guard (0...1).contains(share) else { throw item.problem("\(item.shown) is out of range", "write 0 % to 100 %") }
          return .share(share)
        }
        if text.hasPrefix("any "), let count = Int(text.dropFirst(4)), (0...1_000_000).contains(count) { return .some(count) }
        if Int(text) != nil {
          throw item.problem("\(item.shown) may be a number or a count", "write [\(text)] for peer \(text), or any \(text)")
        }
        throw item.expected(kind)
      },
      write: { choice in
        switch choice {
        case .all: .word("all")
        case .share(let share): .word(Shares.print(share, isUnitless: false))
        case .some(let count): .word("any \(count)")
        case .numbers(let ranges):
          .list(ranges.map { .word($0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)") })
        }
      })
  }()

  private static func range(_ item: Item, _ kind: String) throws(ScenarioError.Problem) -> ClosedRange<Int> {
    let ends = (item.text ?? "").prefix(40).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, (0...1_000_000).contains(first),
      (0...1_000_000).contains(last)
    else { throw item.expected(kind) }
    guard first <= last else { throw item.problem("\(item.shown) runs backwards", "write \(last)-\(first)") }
    return first...last
  }

  /// What is wrong with a fault although each of its keys is right.
  static let overfull: @Sendable (Fault) -> (message: String, advice: String)? = { fault in
    guard case .partition(let partition) = fault else { return nil }
    let sum = partition.groups.reduce(0.0) { if case .share(let share) = $1 { $0 + share } else { $0 } }
    return sum <= 1 + 1e-9 ? nil : ("the shares of a partition's groups add up to more than 100 %", "lower them")
  }
}
