import MurmurMachines
import MurmurSessions

extension Schema {
  /// What all peers agree on; `name` and `model` stand at the top of the file.
  static let session: Section<Session> = {
    let standard = Session()
    return Section([
      Field("length", \.length, .duration(.seconds(1)...Durations.longest, "200 min"), "When the session ends for everybody."),
      Field(
        "cycle", \.cycle, .duration(.milliseconds(1)...Durations.longest, "1 min"),
        "The pace: a work cycle begins this long after the one before."),
      Field("jitter", \.jitter, .share, "The share by which each cycle's pace is varied at random."),
      Field("work", \.work, work, "What a peer does in one work cycle."),
      Field("final", \.finalShare, .share, "The share of the length, at its end, in which peers only average."),
      Field(
        "initial", \.initialModel, Codec<UInt64>.seed.or("own"),
        "The seed of the model all peers begin with; `own` lets each draw its own."),
      Field("privacy", \.privacy, .flag, "Whether rows stay home and only models travel."),
      Field("training", \.training, training, over: standard.training, "How a peer trains on its rows."),
      Field("averaging", \.averaging, averaging, over: standard.averaging, "How announced models are chosen and combined."),
      Field("announcements", \.announcements, announcements, "How peers hear of each other's models."),
      Field("slices", \.slices, slices, over: standard.slices, "How rows become dataslices where privacy is off."),
    ])
  }()

  private static let work = Codec<Session.Work>.choice(
    "work cycle",
    [
      .word("combined", .combined),
      .with(
        "alternating", .share, standard: 0.5, example: "50 %",
        note: "LEARNAE's cycle: the probability of training rather than averaging.", { .alternating(trainingShare: $0) },
        back: { if case .alternating(let share) = $0 { share } else { nil } }),
    ])

  private static let training: Section<Session.Training> = Section([
    Field(
      "epochs", \.epochs, epochs.or("auto"),
      "Passes over the rows (or the slice) per training cycle; `auto` for as many as make about a dozen optimiser steps."),
    Field(
      "watchful", \.watchful, .flag,
      "Whether the network's validation loss is watched, and training goes back to the best average when it stops falling."),
    Field("batch", \.batch, .count(1...1_000_000), "Rows per optimiser step."),
    Field("optimizer", \.optimizer, optimizer, "The optimiser."),
    Field("rate", \.rate, .number(1e-9...100), "The learning rate at the beginning."),
    Field("schedule", \.schedule, schedule, "How the learning rate falls over the session, and to which share of the first."),
    Field("validation", \.validation, .factor(0...0.9), "The share of its rows that a peer keeps for validation."),
  ])

  private static let optimizer = Codec<Session.Optimizer>.choice(
    "optimizer",
    [
      .word("adam", .adam),
      .with(
        "adamw", .number(0...10), standard: 0.01, example: "0.01", note: "The weight decay.", { .adamW(decay: $0) },
        back: { if case .adamW(let decay) = $0 { decay } else { nil } }),
      .with(
        "sgd", .number(0...0.9999), standard: 0.9, example: "0.9", note: "The momentum.", { .sgd(momentum: $0) },
        back: { if case .sgd(let momentum) = $0 { momentum } else { nil } }),
    ])

  private static let schedule = Codec<Session.Schedule>.choice(
    "schedule",
    [
      .word("constant", .constant),
      .with(
        "cosine", .share, standard: 0.01, example: "1 %", note: "Half a cosine, down to this share of the rate.",
        { .cosine(to: $0) },
        back: { if case .cosine(let share) = $0 { share } else { nil } }),
      .with(
        "linear", .share, standard: 0.01, example: "1 %", note: "A straight line, down to this share of the rate.",
        { .linear(to: $0) },
        back: { if case .linear(let share) = $0 { share } else { nil } }),
    ])

  private static let averaging: Section<Session.Averaging> = Section([
    Field("partners", \.partners, .count(1...10_000), "How many other models at most enter one averaging step."),
    Field(
      "choice", \.choice, .choice("choice", [.word("newest", .newest), .word("random", .random), .word("better", .better)]),
      "Which announced models are taken; `better` is LEARNAE's."),
    Field("rule", \.rule, rule, "How the numbers combine."),
    Field(
      "variance-corrected", \.varianceCorrected, .flag, "Whether the variance that averaging takes out of each layer is put back."
    ),
    Field("adoption", \.adoption, adoption, "When a combined model replaces the peer's own."),
    Field("from", \.from, .share, "Averaging begins at this share of the length."),
  ])

  private static let rule = Codec<Session.Averaging.Rule>.choice(
    "rule",
    [
      .word("mean", .mean), .word("by-rows", .byRows), .word("by-loss", .byLoss), .word("line-search", .lineSearch),
      .word("median", .median),
      .with(
        "trimmed-mean", .factor(0...0.49), standard: 0.2, example: "20 %",
        note: "The share left out at either end, coordinate by coordinate.", { .trimmedMean($0) },
        back: { if case .trimmedMean(let share) = $0 { share } else { nil } }),
    ])

  private static let adoption = Codec<Session.Averaging.Adoption>.choice(
    "adoption",
    [
      .word("always", .always), .word("if-better", .ifBetter),
      .with(
        "unless-worse", .factor(0...100), standard: 0.5, example: "50 %",
        note: "Not adopted if the loss on own validation rows rises by more than this share.", { .unlessWorse(by: $0) },
        back: { if case .unlessWorse(let share) = $0 { share } else { nil } }),
    ])

  private static let announcements = Codec<Session.Announcements>.choice(
    "announcement policy",
    [
      .word("broadcast", .broadcast),
      .with(
        "newscast", newscast, standard: Newscast(), example: "{fanout: 8, entries: 8}",
        { .newscast(fanout: $0.fanout, entries: $0.entries) },
        back: { if case .newscast(let fanout, let entries) = $0 { Newscast(fanout: fanout, entries: entries) } else { nil } }),
    ])

  private struct Newscast: Sendable {
    var fanout = 8
    var entries = 8

    init(fanout: Int, entries: Int) { (self.fanout, self.entries) = (fanout, entries) }

    /// What the default session says, if it says this.
    init() {
      if case .newscast(let fanout, let entries) = Session().announcements { (self.fanout, self.entries) = (fanout, entries) }
    }
  }

  private static let newscast: Codec<Newscast> = Section<Newscast>([
    Field("fanout", \.fanout, .count(1...10_000), "With how many peers a peer swaps announcements each cycle."),
    Field("entries", \.entries, .count(1...10_000), "How many of its freshest announcements it swaps."),
  ]).codec("a map", over: Newscast())

  private static let slices: Section<Session.Slices> = Section([
    Field("rows", \.rows, .count(1...1_000_000_000), "Rows per dataslice."),
    Field(
      "overuse", \.overuse, .count(1...1_000_000_000), "How many times a slice may be used for training by the whole network."),
    Field("per-hashlist", \.perHashlist, .count(1...1_000_000), "How many slices one hashlist names at most."),
  ])
}
