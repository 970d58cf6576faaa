public import MurmurMachines

/// What all peers of one session agree on before it begins: the model, how to learn, how to talk, how to end.
///
/// A session is data. It comes from a scenario file in the simulator and from a session file on a host, and every peer holds the
/// same one; nothing in it is decided by any peer at run time. The work cycle follows LEARNAE (Nikolaidis & Refanidis 2021) where
/// ``work`` is ``Work/alternating(trainingShare:)``, and goes past it elsewhere (`Documentation/Architecture.md`, Collective).
public struct Session: Hashable, Sendable {
  /// The session's codename; also its pub/sub topic.
  public var name = "session"
  /// The architecture in its short form, e.g. `64-64-10`; `MurmurCompute.Architecture` parses it.
  public var model = "64-64-10"
  /// The seed of the initial model that all peers share; `nil` lets every peer draw its own.
  public var initialModel: UInt64? = 1
  /// When the session ends for everybody, counted from its beginning. Schedules (learning rate, final phase) run over this length.
  public var length: Instant.Span = .minutes(200)
  /// The pace: how long after a work cycle began the next one may begin. A device that needs longer is late, nobody waits for it.
  public var cycle: Instant.Span = .minutes(1)
  /// The share by which each cycle's pace is varied at random, so that peers do not run in step.
  public var jitter = 0.1
  /// What a peer does in one work cycle.
  public var work = Work.combined
  /// How a peer trains.
  public var training = Training()
  /// How announced models are chosen and combined.
  public var averaging = Averaging()
  /// How peers hear of each other's models.
  public var announcements = Announcements.newscast(fanout: 5, entries: 8)
  /// Whether rows stay home and only models travel.
  public var privacy = true
  /// How private rows become dataslices when ``privacy`` is off.
  public var slices = Slices()
  /// The share of the length, at its end, in which peers only average.
  public var finalShare = 0.08

  /// The default session.
  public init() {}

  /// What a peer does in one work cycle.
  public enum Work: Hashable, Sendable {
    /// Average with the newest models of some peers, then train on the result, in one cycle.
    case combined
    /// LEARNAE: pick at random between training and averaging; `trainingShare` is the probability of training.
    case alternating(trainingShare: Double)
  }

  /// How a peer trains on its rows.
  public struct Training: Hashable, Sendable {
    /// Passes over the rows (or the slice) per training cycle; `nil` for as many as make about ``stepsPerCycle`` optimiser steps,
    /// so that peers with few rows learn as much between two averages as peers with many.
    public var epochs: Int?
    /// Optimiser steps in a training cycle where ``epochs`` does not say otherwise.
    public static let stepsPerCycle = 12
    /// Whether the network's validation loss is watched, and training goes back to the best average when it stops falling.
    public var watchful = true
    /// Rows per optimiser step.
    public var batch = 32
    /// The optimiser.
    public var optimizer = Optimizer.adam
    /// The learning rate at the beginning.
    public var rate = 0.01
    /// How the learning rate falls over the session.
    public var schedule = Schedule.cosine(to: 0.01)
    /// The share of its rows that a peer keeps for validation.
    public var validation = 0.1

    /// The default training.
    public init() {}
  }

  /// The optimisers `MurmurCompute` has.
  public enum Optimizer: Hashable, Sendable {
    case sgd(momentum: Double)
    case adam
    case adamW(decay: Double)
  }

  /// How the learning rate falls from its first value, over the session's length.
  public enum Schedule: Hashable, Sendable {
    case constant
    /// Half a cosine from the whole rate to the given share of it.
    case cosine(to: Double)
    /// A straight line from the whole rate to the given share of it.
    case linear(to: Double)
  }

  /// How announced models are chosen and combined.
  public struct Averaging: Hashable, Sendable {
    /// How many other models at most enter one averaging step.
    public var partners = 4
    /// Which announced models are taken.
    public var choice = Choice.random
    /// How the numbers combine.
    public var rule = Rule.mean
    /// Whether the variance that averaging takes out of each layer is put back (Corti et al. 2022, "variance-corrected averaging").
    public var varianceCorrected = false
    /// When the combined model replaces the peer's own.
    public var adoption = Adoption.unlessWorse(by: 0.5)
    /// Averaging begins at this share of the session's length: 0 from the beginning; 0.9 is a late global merge.
    public var from = 0.0

    /// The default averaging.
    public init() {}

    /// Which announced models are taken.
    public enum Choice: Hashable, Sendable {
      /// The newest, one per peer.
      case newest
      /// At random among those made in the last two cycles, then the newest of the others.
      case random
      /// LEARNAE: at random among those whose reported accuracy beats one's own.
      case better
    }

    /// How numbers combine; `MurmurAggregation` implements each.
    public enum Rule: Hashable, Sendable {
      /// The plain mean of own and fetched models.
      case mean
      /// The mean weighted by the number of training rows behind each model.
      case byRows
      /// The mean weighted by the inverse of the reported validation loss.
      case byLoss
      /// Own + w · (mean of the fetched − own), with w found on own validation rows.
      case lineSearch
      /// The coordinate-wise median.
      case median
      /// The coordinate-wise mean without the given share at either end.
      case trimmedMean(Double)
    }

    /// When a combined model is adopted.
    public enum Adoption: Hashable, Sendable {
      case always
      /// LEARNAE: only if its accuracy on own validation rows is higher.
      case ifBetter
      /// Unless its loss on own validation rows exceeds the old one's by more than this share.
      case unlessWorse(by: Double)
    }
  }

  /// How peers hear of each other's models.
  public enum Announcements: Hashable, Sendable {
    /// Every cycle a peer swaps its freshest `entries` announcements with `fanout` peers (Newscast, Jelasity & van Steen 2002):
    /// messages and bytes per peer and cycle do not depend on the number of peers.
    case newscast(fanout: Int, entries: Int)
    /// LEARNAE: every announcement goes to everybody over pub/sub.
    case broadcast
  }

  /// How private rows become dataslices when they are shared.
  public struct Slices: Hashable, Sendable {
    /// Rows per dataslice.
    public var rows = 50
    /// How many times a slice may be used for training by the whole network.
    public var overuse = 40
    /// How many slices one hashlist names at most.
    public var perHashlist = 100

    /// The default slicing.
    public init() {}
  }

  /// What a peer is able and willing to do (LEARNAE's table 1).
  public enum Role: String, Hashable, Sendable, CaseIterable {
    /// Stores, gossips, trains, has rows of its own.
    case full
    /// Trains on the slices of others.
    case trainer
    /// A fat feeder: stores and gossips its slices, does not train.
    case feeder
  }
}
