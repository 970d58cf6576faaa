import MurmurMachines
import MurmurSessions

/// The keys of scenario and session files. Each table line is read, printed, checked and documented from this one place: to add a
/// key, add its line here and run the tests, which say what `Documentation/Scenario.md` should hold.
enum Schema {
  /// The whole scenario file.
  static let scenario: Section<Scenario> = {
    let standard = Scenario()
    var section = Section<Scenario>([
      Field("name", \.name, .words(upTo: 100, "a name"), "What to call the experiment; also the session's codename."),
      Field("seed", \.seed, .seed, "The seed of everything drawn at random. The same seed gives the same run, bit for bit."),
      Field("data", \.data, data, over: standard.data, "Whose rows, how many, and how they are dealt out."),
      Field("model", \.model, model, "The network to train."),
      Field("peers", \.peers, peers, over: standard.peers, "How many peers, of which roles and speeds, and who comes late."),
      Field("session", \.session, session, over: standard.session, "What all peers agree on before they begin."),
      Field("feeds", \.feeds, feeds, over: standard.feeds, "Sensors too small to train, whose streams supply all rows.")
        .hidden { $0.feeds != FeedPlan() },
      Field("network", \.network, network, over: standard.network, "The links between the peers."),
      Field("faults", \.faults.faults, faults, "What goes wrong: a list, each entry a map of one fault."),
      Field("observe", \.observe, observation, over: standard.observe, "What is measured while the session runs."),
      Field("baselines", \.baselines, baselines, over: standard.baselines, "What the session is compared with."),
      Field("run", \.run, run, over: standard.run, "How this machine carries the run out; no result depends on it.")
        .hidden { $0.run != RunPlan() },
    ])
    section.check = Schema.misfit
    return section
  }()

  /// What is wrong with a scenario although every key by itself is right.
  static let misfit: @Sendable (Scenario) -> (message: String, advice: String)? = { scenario in
    if let sum = scenario.faults.faults.lazy.compactMap(Schema.overfull).first { return sum }
    if scenario.peers.roles.trainers + scenario.peers.roles.feeders > 0, scenario.session.privacy {
      return (
        "trainers and feeders live on shared slices, but session.privacy keeps rows at home", "write privacy: false under session"
      )
    }
    return nil
  }

  static let dataSet = Codec<String>.words(upTo: 4_096, "a data set or file")
    .list("a data set's name, a file, or a list of files", count: 1...64)
  static let label = Codec<String>.words(upTo: 200, "a column").or("own")
  static let rowCount = Codec<Int>.count(1...1_000_000_000).or("all")
  static let peerCount = Codec<Int>.count(1...1_000_000)
  static let epochs = Codec<Int>.count(1...100_000)
  static let threads = Codec<Int>.count(1...1_024).or("cores")
  static let folder = Codec<String>.words(upTo: 4_096, "a folder").or("own")

  static let data: Section<DataPlan> = Section([
    Field(
      "set", \.set, dataSet,
      "A known data set (`murmur data list`), a file, or a list of files."),
    Field(
      "label", \.label, label,
      "The column that holds the label, by name or by number from 0; `own` for the data set's own."),
    Field("rows", \.rows, rowCount, "Training rows per peer, on average."),
    Field("partition", \.partition, partition, "How rows are dealt to peers."),
    Field("test", \.test, Codec<Int>.count(1...1_000_000_000).or("all"), "How many test rows are used at most."),
  ])

  static let partition = Codec<DataPlan.Partition>.choice(
    "partition",
    [
      .word("equal", .equal),
      .with(
        "dirichlet", .number(1e-3...1e6), example: "0.3",
        note: "The concentration of each peer's mix of labels: 100 is nearly even, 0.1 leaves most peers one or two labels.",
        { .dirichlet($0) },
        back: { if case .dirichlet(let concentration) = $0 { concentration } else { nil } }),
      .with(
        "group", Codec<String>.words(upTo: 4_096, "a column or a file").or("own"), standard: .some(nil), example: "writer",
        note:
          "Whole groups per peer: the column or file that names every row's group; `own` for the data set's own (MNIST: the writer).",
        { .group($0) }, back: { if case .group(let column) = $0 { .some(column) } else { nil } }),
      .with(
        "unequal", .number(1...1e6), example: "4",
        note: "Sizes rise geometrically; how many times the rows of the smallest peer the largest has.", { .unequal($0) },
        back: { if case .unequal(let ratio) = $0 { ratio } else { nil } }),
    ])

  static let peers: Section<PeerPlan> = {
    var section = Section<PeerPlan>([
      Field("count", \.count, peerCount, "How many peers, late ones included."),
      Field("roles", \.roles, roles, "How many of each role; peers are numbered in this order: full, trainers, feeders."),
      Field(
        "speed", \.speed,
        Section([
          Field("median", \.median, .computeRate, "Half of the devices compute faster."),
          Field(
            "spread", \.spread, .number(1...1_000),
            "About two thirds of the devices lie between median ÷ spread and median × spread; 1 makes all alike."),
        ]), over: PeerPlan.Speed(), "How fast the devices compute (log-normal)."),
      Field(
        "late", \.late,
        Section<PeerPlan.Late>([
          Field("count", \.count, .count(1...1_000_000), "How many come then."),
          Field("at", \.at, .sessionTime, "When they come."),
        ]).codec("a map", over: PeerPlan.Late()).list("a list such as `[{count: 1, at: 50 %}]`", count: 0...100),
        "Who joins after the beginning; the highest-numbered full peers."),
    ])
    section.check = { plan in
      let others = plan.roles.trainers + plan.roles.feeders
      if plan.full < 1 { return ("\(others) trainers and feeders of \(plan.count) peers leave no full peer", "raise count") }
      if let full = plan.roles.full, full != plan.full {
        return ("the roles add up to \(full + others), but count is \(plan.count)", "write count: \(full + others) or full: rest")
      }
      let late = plan.late.map(\.count).reduce(0, +)
      return late < plan.full ? nil : ("\(late) of \(plan.full) full peers come late, so nobody begins", "let fewer come late")
    }
    return section
  }()

  private static let allowed = Codec<FeedPlan.Allowed>.text(
    "a sensor's name and its channel, such as `soil-7 5f3a…` with all 64 digits",
    parse: { text in
      guard let space = text.lastIndex(of: " ") else { return nil }
      let (id, channel) = (text[..<space], text[text.index(after: space)...].lowercased())
      guard !id.isEmpty, id.utf8.count <= 64, channel.utf8.count == 64, channel.allSatisfy(\.isHexDigit) else { return nil }
      return FeedPlan.Allowed(id: String(id), channel: channel)
    }, print: { "\($0.id) \($0.channel)" }
  ).list("a list of sensors, such as `[soil-7 5f3a…, soil-8 92c0…]` with all 64 digits of each channel", count: 0...10_000)

  static let feeds: Section<FeedPlan> = Section([
    Field("sensors", \.sensors, .count(0...10_000), "How many sensors; the training rows are theirs, and peers have none."),
    Field("packet", \.packet, .count(1...4_096), "Rows of one message."),
    Field("rate", \.rate, .number(1e-6...1e6), "Rows that a sensor reads in a second of session time."),
    Field(
      "mode", \.mode, .words("mode"),
      "Who may read: `public` (everybody), `restricted` (whoever holds the side key; in a simulation all peers do)."),
    Field(
      "allowed", \.allowed, allowed,
      "The only sensors that are believed, each with its stream's channel; without, whoever claims a name first has it."
    ).hidden { !$0.allowed.isEmpty },
    Field("held", \.held, .flag, "The control: peers hold all rows from the beginning, and nothing is streamed."),
  ])

  static let observation: Section<ObservationPlan> = Section([
    Field("every", \.every, .sessionTime, "How often the peers' models are evaluated."),
    Field("peers", \.peers, Codec<Int>.count(1...1_000_000).or("all"), "How many peers are evaluated each time, drawn afresh."),
  ])

  static let baselines: Section<BaselinePlan> = Section([
    Field("alone", \.alone, .flag, "Train every peer on its own rows only."),
    Field("central", \.central, .flag, "Train one model on all peers' rows."),
  ])

  static let run: Section<RunPlan> = Section([
    Field("threads", \.threads, threads, "Worker threads."),
    Field(
      "out", \.out, folder,
      "The folder the results go to; `own` for one named after the scenario."),
  ])

  /// Every key of a scenario file.
  static let rows: [KeyRow] = scenario.rows(Scenario())

  /// Where else a key of that name is at home.
  static func home(of name: String, besides path: String) -> String? {
    for row in homes where row.key == name && row.section != path && !row.section.isEmpty { return row.section }
    return nil
  }

  /// Keys that occur in one section only, so that there is no doubt where a stray one belongs. Choices' words are no sections.
  private static let homes: [(key: String, section: String)] = [
    ("epochs", "session.training"), ("batch", "session.training"), ("optimizer", "session.training"),
    ("rate", "session.training"),
    ("schedule", "session.training"), ("validation", "session.training"), ("partners", "session.averaging"),
    ("rule", "session.averaging"), ("adoption", "session.averaging"), ("length", "session"), ("cycle", "session"),
    ("announcements", "session"), ("training", "session"), ("averaging", "session"), ("privacy", "session"),
    ("slices", "session"),
    ("label", "data"), ("set", "data"), ("rows", "data"), ("hidden", "model"), ("roles", "peers"), ("speed", "peers"),
    ("late", "peers"),
    ("delay", "network"), ("bandwidth", "network"), ("loss", "network"), ("degree", "network"), ("offline", "faults"),
    ("crash", "faults"), ("liars", "faults"), ("threads", "run"), ("out", "run"), ("alone", "baselines"),
    ("central", "baselines"),
  ]
}
