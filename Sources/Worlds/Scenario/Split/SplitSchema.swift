import MurmurMachines

/// The keys of split scenario files.
extension Schema {
  /// The whole file.
  static let split: Section<SplitScenario> = {
    let standard = SplitScenario()
    return Section([
      Field("name", \.name, .words(upTo: 100, "a name"), "What to call the experiment."),
      Field("seed", \.seed, .seed, "The seed of everything drawn at random."),
      Field("runs", \.runs, .count(1...1_000), "How many runs, with this seed and those after it."),
      Field("data", \.data, splitData, over: standard.data, "Whose features, and which device sees which."),
      Field("devices", \.devices, splitDevices, over: standard.devices, "The devices and the links between them."),
      Field("network", \.network, splitNetwork, over: standard.network, "The units on the devices."),
      Field("training", \.training, splitTraining, over: standard.training, "How they learn."),
      Field("timing", \.timing, splitTiming, over: standard.timing, "How devices wait for each other."),
      Field(
        "faults", \.faults, splitFault.list("a list of faults", count: 0...10_000),
        "What happens to devices and links while they learn."),
      Field("test", \.test, splitTest, over: standard.test, "The faults that answers are measured under."),
      Field("threads", \.threads, threads, "Threads; runs share them, and no result depends on it.").hidden { $0.threads != nil },
      Field("out", \.out, folder, "The folder the results go to; `own` for one named after the scenario.").hidden {
        $0.out != nil
      },
    ])
  }()

  static let splitData: Section<SplitDataPlan> = Section([
    Field("set", \.set, .words(upTo: 4_096, "a data set or file"), "A known data set (`murmur data list`) or a file."),
    Field("label", \.label, label, "The column that holds the label; `own` for the data set's own."),
    Field(
      "target", \.target, Codec<String>.words(upTo: 200, "a column").or("none"),
      "A column of numbers that the devices are to tell, by name or by number from 0; then nothing is a label."),
    Field(
      "deal", \.deal,
      .choice(
        "way to deal features",
        [
          .word("own", .own), .word("even", .even),
          .with(
            "patches", .count(1...256), example: "4", note: "Patches of an image, so many down and across.", { .patches($0) },
            back: { if case .patches(let side) = $0 { side } else { nil } }),
          .with(
            "prefix", .words(upTo: 1, "a character"), standard: "_", example: "_",
            note: "A device for each prefix of the column names, up to this character.", { .prefix($0) },
            back: { if case .prefix(let separator) = $0 { separator } else { nil } }),
          .with(
            "columns", Codec<String>.words(upTo: 4_096, "column numbers").list("a list such as `[0-3, 4-7]`", count: 1...100_000),
            example: "[0-3, 4-7]", note: "The columns of each device, by their numbers from 0.", { .columns($0) },
            back: { if case .columns(let lists) = $0 { lists } else { nil } }),
        ]), "How features are dealt to devices; `own` cuts images into patches and deals other columns evenly."),
    Field(
      "copies", \.copies, .count(0...1_000),
      "Of how many devices after it a device sees the features too, so that they outlive the device that is nearest to them."),
    Field("test", \.test, Codec<Int>.count(1...1_000_000_000).or("all"), "How many test rows are used at most."),
    Field(
      "validation", \.validation, .share,
      "The share of training rows that stand for the test rows, to choose settings on; the test rows stay unseen."),
  ])

  static let splitDevices: Section<SplitDevicePlan> = Section([
    Field("count", \.count, .count(1...100_000), "How many devices; a list of columns or prefixes decides it by itself."),
    Field(
      "graph", \.graph,
      .choice(
        "graph",
        [
          .word("complete", .complete), .word("ring", .ring), .word("line", .line), .word("grid", .grid), .word("star", .star),
          .with(
            "geometric", .number(1...100), example: "4", note: "Devices strewn over a square; links a device has on average.",
            { .geometric($0) }, back: { if case .geometric(let degree) = $0 { degree } else { nil } }),
          .with(
            "preferential", .count(1...100), example: "2", note: "Barabási and Albert's: links each new device makes.",
            { .preferential($0) }, back: { if case .preferential(let count) = $0 { count } else { nil } }),
          .with(
            "file", .words(upTo: 4_096, "a file"), example: "links.csv",
            note: "Two device numbers a line, and if need be milliseconds and bytes a second.", { .file($0) },
            back: { if case .file(let path) = $0 { path } else { nil } }),
        ]), "Who is wired to whom."),
    Field("reach", \.reach, .words("reach"), "Who may talk to whom: `direct` those with a link, `complete` all, over relays."),
    Field("latency", \.latency, .duration(.zero ... .seconds(3_600), "5 ms"), "The latency of a link."),
    Field("bandwidth", \.bandwidth, Codec<DataRate>.dataRate.or("unlimited"), "A link's bytes a second."),
    Field("loss", \.loss, .share, "How probable it is that a link loses a message."),
    Field("jitter", \.jitter, .number(0...5), "The spread of latencies: the standard deviation of their logarithm."),
    Field(
      "speed", \.speed, .number(0...1e6),
      "Multiply-adds a device does in a second, in thousands of millions; with 0, computing takes no time."),
    Field(
      "deadline", \.deadline, .duration(.milliseconds(1) ... .seconds(3_600), "500 ms"),
      "The longest wait for the messages of a stage; devices learn shorter ones."),
  ])

  static let splitNetwork: Section<SplitNetworkPlan> = Section([
    Field(
      "scheme", \.scheme,
      .choice(
        "scheme",
        [
          .word("backpropagation", .backpropagation), .word("summed", .summed),
          .with(
            "greedy", .count(0...10_000), standard: 0, example: "0", note: "Batches that are kept and learnt from again.",
            { .greedy($0) }, back: { if case .greedy(let replay) = $0 { replay } else { nil } }),
          .with(
            "forward-forward", .number(0.001...1_000), standard: 0.3, example: "0.3",
            note: "How sharply goodness with the true and a wrong label are told apart.", { .forwardForward($0) },
            back: { if case .forwardForward(let sharpness) = $0 { sharpness } else { nil } }),
          .with(
            "softhebb", .number(0.0001...100), standard: 0.015, example: "0.015", note: "The temperature of the competition.",
            { .softHebb($0) }, back: { if case .softHebb(let temperature) = $0 { temperature } else { nil } }),
          .with(
            "barlow-twins", .number(0...10), standard: 0.01, example: "0.01", note: "The weight of redundancy.",
            { .barlowTwins($0) }, back: { if case .barlowTwins(let redundancy) = $0 { redundancy } else { nil } }),
        ]),
      "How units learn. Gradients cross links in `backpropagation` (own heads) and `summed` (one answer, the sum) alone."),
    Field("hidden", \.hidden, .count(1...65_536), "Neurons of a unit."),
    Field("depth", \.depth, .count(1...64), "Stages of hidden units; the first reads features, the others neighbours."),
    Field("missing", \.missing, .words("policy"), "What stands for a neighbour's outputs that did not come."),
  ])

  static let splitTraining: Section<SplitTrainingPlan> = Section([
    Field(
      "epochs", \.epochs, Codec<Double>.number(0...100_000).or("own"),
      "Passes over the training rows; `own` for about 4,000 steps, from 2 to 60 passes."),
    Field("batch", \.batch, .count(1...65_536), "Samples of a step."),
    Field("rate", \.rate, .number(1e-9...10), "The learning rate of the first step; it falls along a line to a fiftieth."),
    Field("drop", \.drop, .share, "The share of devices dead in a sample is drawn evenly from 0 to this."),
    Field("links", \.linkDrop, .share, "The share of links down in a sample is drawn evenly from 0 to this."),
  ])

  static let splitTest: Section<SplitTestPlan> = Section([
    Field(
      "dead", \.dead, dead.list("a list such as `[0, 10 %, 3]`", count: 0...100),
      "Dead devices: shares below 1, or numbers."),
    Field("links", \.links, Codec<Double>.share.list("a list such as `[30 %, 60 %]`", count: 0...100), "Shares of links down."),
    Field(
      "named", \.named,
      Codec<Int>.count(0...100_000).list("a list such as `[0, 5]`", count: 1...100_000).list(
        "a list such as `[[3], [0, 5]]`", count: 0...100), "Sets of devices, by their numbers, that are dead in every sample."),
    Field(
      "faults", \.faults, splitFault.list("a list of faults", count: 0...10_000),
      "What happens to devices and links while questions are asked one after the other, each at a time `at` or all the time."),
    Field("pace", \.pace, .duration(.milliseconds(0.001) ... .seconds(3_600), "100 ms"), "The time between those questions."),
    Field(
      "answers", \.answers,
      .choice(
        "way of answers",
        [
          .with(
            "flood", .count(1...1_000), standard: 1, example: "8", note: "Links an answer crosses at most.", { .flood($0) },
            back: { if case .flood(let hops) = $0 { hops } else { nil } }),
          .with(
            "gossip", .count(1...1_000), standard: 4, example: "4", note: "Rounds of averaging with the neighbours.",
            { .gossip($0) }, back: { if case .gossip(let rounds) = $0 { rounds } else { nil } }),
          .word("alone", .alone),
        ]), "How answers of several devices become one at who asks; another device is asked each time."),
    Field(
      "steps", \.steps, Codec<Int>.count(0...1_000_000_000).list("a list such as `[100, 200]`", count: 0...1_000),
      "Steps after which the answers of all who live are measured in the middle of the training."),
    Field(
      "deadlines", \.deadlines,
      Codec<Instant.Span>.duration(.milliseconds(0.001) ... .seconds(3_600), "5 ms").list(
        "a list such as `[2 ms, 5 ms]`", count: 0...100),
      "Deadlines of a stage under which answers are measured as well, with nobody dead; of use where links have latency and jitter."
    ),
    Field("central", \.central, .flag, "Train one network over all features beside it."),
    Field(
      "ideal", \.ideal, .flag,
      "Train the same network on the complete graph, where nothing fails, beside it, and measure gaps against that."),
  ])

  static let splitTiming: Section<SplitTimingPlan> = Section([
    Field(
      "shortest", \.shortest, .duration(.zero ... .seconds(3_600), "20 ms"),
      "The shortest time that is waited beyond the mean of arrivals."),
    Field("polls", \.polls, .count(0...16), "How often what is missing is asked for again."),
    Field(
      "patience", \.patience, .count(1...1_000), "After how many silent waits in a row a neighbour is waited for no more."),
    Field(
      "flights", \.flights, .count(1...64), "Steps in flight at a time; with several, gradients are of slightly older weights."),
    Field(
      "ahead", \.ahead, .count(1...64),
      "Steps ahead of its own from which a device takes messages; beyond, it follows the others."),
  ])

  private static let dead = Codec<SplitDead>.text(
    "a share such as `25 %` or a number of devices such as `3`", parse: { SplitDead($0) },
    print: {
      switch $0 {
      case .share(let share): Shares.print(share)
      case .count(let count): String(count)
      }
    })

  private struct Occasion: Sendable {
    var device = 0
    var to = 0
    var when = SplitFaultPlan.When()
  }

  private static let ofDevice = Section<Occasion>(
    [Field("device", \.device, .count(0...100_000), "Its number.").required("3")] + occasions
  ).codec("a map", over: Occasion())

  private static let ofLink = Section<Occasion>(
    [
      Field("from", \.device, .count(0...100_000), "One end.").required("0"),
      Field("to", \.to, .count(0...100_000), "The other end.").required("1"),
    ] + occasions
  ).codec("a map", over: Occasion())

  private static let occasions: [Field<Occasion>] = [
    Field(
      "step", \.when.step, Codec<Int>.count(0...1_000_000_000).or("none"),
      "After which step, of whichever device is first; not together with `at`."
    ).hidden { $0.when.step != nil },
    Field(
      "at", \.when.time, Codec<Instant.Span>.duration(.zero ... .seconds(31_536_000), "2 s").or("none"),
      "At which time since the beginning."
    ).hidden { $0.when.time != nil },
  ]

  private struct Flaps: Sendable {
    var share = 0.5
    var on = Instant.Span.seconds(1)
    var off = Instant.Span.seconds(1)
  }

  private static let flaps = Section<Flaps>([
    Field("share", \.share, .share, "Of the devices, or the links."),
    Field("on", \.on, .duration(.zero ... .seconds(86_400), "2 s"), "The mean time there."),
    Field("off", \.off, .duration(.zero ... .seconds(86_400), "2 s"), "The mean time away."),
  ]).codec("a map", over: Flaps())

  static let splitFault = Codec<SplitFaultPlan>.choice(
    "fault",
    [
      .with(
        "dies", ofDevice, example: "{device: 3, step: 200}", { .dies(device: $0.device, when: $0.when) },
        back: { if case .dies(let device, let when) = $0 { Occasion(device: device, when: when) } else { nil } }),
      .with(
        "returns", ofDevice, example: "{device: 3, step: 300}", { .returns(device: $0.device, when: $0.when) },
        back: { if case .returns(let device, let when) = $0 { Occasion(device: device, when: when) } else { nil } }),
      .with(
        "joins", ofDevice, example: "{device: 3, step: 300}", { .joins(device: $0.device, when: $0.when) },
        back: { if case .joins(let device, let when) = $0 { Occasion(device: device, when: when) } else { nil } }),
      .with(
        "breaks", ofLink, example: "{from: 0, to: 1, at: 2 s}", { .breaks(from: $0.device, to: $0.to, when: $0.when) },
        back: { if case .breaks(let from, let to, let when) = $0 { Occasion(device: from, to: to, when: when) } else { nil } }),
      .with(
        "heals", ofLink, example: "{from: 0, to: 1, at: 5 s}", { .heals(from: $0.device, to: $0.to, when: $0.when) },
        back: { if case .heals(let from, let to, let when) = $0 { Occasion(device: from, to: to, when: when) } else { nil } }),
      .with(
        "flapping", flaps, example: "{share: 50 %, on: 2 s, off: 1 s}",
        { .flapping(share: $0.share, on: $0.on, off: $0.off) },
        back: { if case .flapping(let share, let on, let off) = $0 { Flaps(share: share, on: on, off: off) } else { nil } }),
      .with(
        "flapping-links", flaps, example: "{share: 20 %, on: 2 s, off: 1 s}",
        { .flappingLinks(share: $0.share, on: $0.on, off: $0.off) },
        back: {
          if case .flappingLinks(let share, let on, let off) = $0 { Flaps(share: share, on: on, off: off) } else { nil }
        }),
    ])
}

extension SplitScenario {
  /// Reads a split scenario file's bytes; what it leaves out keeps its default.
  ///
  /// - Throws: Every problem found, each with line, column and what to do.
  public init(bytes: [UInt8], file: String) throws(ScenarioError) {
    guard bytes.count <= Source.maximumBytes, let text = String(validating: bytes, as: UTF8.self) else {
      let problem = ScenarioError.Problem(
        file: file, line: 1, column: 1, message: "the file is not UTF-8 text of at most \(Source.maximumBytes) bytes",
        advice: "shorten it, or save it as UTF-8")
      throw ScenarioError([problem])
    }
    self.init()
    try Schema.split.read(text, file: file, into: &self)
  }

  /// The effective scenario as YAML, every default spelled out; reading it gives an equal scenario.
  public var yaml: String { Schema.split.write(self).document }
}
