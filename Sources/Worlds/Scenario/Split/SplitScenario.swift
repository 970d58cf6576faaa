public import MurmurMachines

/// One experiment with a split network as a value: whose features, which graph, which network, how it learns, and what goes wrong.
///
/// A file like a ``Scenario``, with its own keys: `murmur split simulate` reads it, and the folder of a run holds the effective one, every
/// default spelled out. `Documentation/Scenario.md` lists every key.
public struct SplitScenario: Hashable, Sendable {
  /// What to call the experiment.
  public var name = "split"
  /// The seed of everything drawn at random.
  public var seed: UInt64 = 1
  /// How many runs, with this seed and those after it.
  public var runs = 1
  /// Whose features, and who sees which.
  public var data = SplitDataPlan()
  /// The devices, who is wired to whom, and who may talk to whom.
  public var devices = SplitDevicePlan()
  /// The network of units.
  public var network = SplitNetworkPlan()
  /// How it learns.
  public var training = SplitTrainingPlan()
  /// How devices wait for each other.
  public var timing = SplitTimingPlan()
  /// What happens to devices and links while it learns.
  public var faults: [SplitFaultPlan] = []
  /// The faults that answers are measured under.
  public var test = SplitTestPlan()
  /// The folder the results go to.
  public var out: String?
  /// How many runs at a time; no result depends on it.
  public var threads: Int?

  /// Sixteen devices that each see a part of the embedded digits.
  public init() {}
}

/// Whose features, and who sees which.
public struct SplitDataPlan: Hashable, Sendable {
  /// How features are dealt to devices.
  public enum Deal: Hashable, Sendable {
    /// Patches of an image where rows are images that can be cut so, else columns evenly.
    case own
    /// Columns one after the other.
    case even
    /// Patches of an image, so many down and across.
    case patches(Int)
    /// A device for each prefix of the column names, up to a separator.
    case prefix(String)
    /// The numbers of each device's columns, as in `0-3,7`.
    case columns([String])
  }

  /// The name of a known data set, or a file.
  public var set = "digits"
  /// The column that holds the label; `nil` takes the data set's own.
  public var label: String?
  /// The column of numbers that is to be told, instead of a label; `nil` where classes are told apart.
  public var target: String?
  /// How features are dealt.
  public var deal = Deal.own
  /// Of how many devices after it a device sees the features too: redundant copies.
  public var copies = 0
  /// Test rows at most; `nil` for all.
  public var test: Int?
  /// The share of training rows that stand for the test rows, which nobody looks at then: to choose settings.
  public var validation = 0.0

  /// The embedded digits in patches.
  public init() {}
}

/// The devices and who is wired to whom.
public struct SplitDevicePlan: Hashable, Sendable {
  /// A kind of graph.
  public enum Graph: Hashable, Sendable {
    /// All with all.
    case complete
    /// A closed chain.
    case ring
    /// An open chain.
    case line
    /// Rows and columns.
    case grid
    /// One with all.
    case star
    /// The nearest of devices strewn over a square, with so many links each on average.
    case geometric(Double)
    /// Grown by preferential attachment, with so many links each.
    case preferential(Int)
    /// Links from a file: two device numbers a line, and if need be milliseconds and bytes a second.
    case file(String)
  }

  /// Who may talk to whom.
  public enum Reach: String, Hashable, Sendable, CaseIterable {
    /// All, over relays.
    case complete
    /// Those with a link.
    case direct
  }

  /// How many; with features dealt by prefix or list as many as there are prefixes or lists.
  public var count = 16
  /// Who is wired to whom.
  public var graph = Graph.complete
  /// Who may talk to whom.
  public var reach = Reach.direct
  /// The latency of a link.
  public var latency = Instant.Span.zero
  /// A link's bytes a second; `nil` for no limit.
  public var bandwidth: DataRate?
  /// How probable it is that a link loses a message.
  public var loss = 0.0
  /// The spread of latencies: the standard deviation of their logarithm.
  public var jitter = 0.0
  /// Multiply-adds a second of a device, in thousands of millions.
  public var speed = 2.0
  /// The longest wait for a stage's messages.
  public var deadline = Instant.Span.milliseconds(500)

  /// Sixteen, all with all.
  public init() {}
}

/// The network of units.
public struct SplitNetworkPlan: Hashable, Sendable {
  /// How units learn, and what an answer is.
  public enum Scheme: Hashable, Sendable {
    /// Gradients over links, an own head on every device.
    case backpropagation
    /// Gradients over links, one answer that is the sum of all devices' outputs.
    case summed
    /// Heads of every stage's own; with so many kept batches.
    case greedy(Int)
    /// Forward-Forward with a sharpness.
    case forwardForward(Double)
    /// SoftHebb with a temperature.
    case softHebb(Double)
    /// Barlow Twins with a weight of the redundancy.
    case barlowTwins(Double)

    /// All schemes by name, with the settings a bare name means.
    public static let named: [(name: String, scheme: Scheme)] = [
      ("backpropagation", .backpropagation), ("summed", .summed), ("greedy", .greedy(0)),
      ("forward-forward", .forwardForward(0.3)),
      ("softhebb", .softHebb(0.015)), ("barlow-twins", .barlowTwins(0.01)),
    ]
  }

  /// What stands for what did not come.
  public enum Missing: String, Hashable, Sendable, CaseIterable {
    /// Zero.
    case zero
    /// Zero and a flag.
    case flagged
    /// The rest scaled up.
    case rescaled
    /// The running mean.
    case mean
    /// The last value.
    case last
    /// An estimate from what did come.
    case estimate
  }

  /// How units learn.
  public var scheme = Scheme.backpropagation
  /// Neurons of a unit.
  public var hidden = 32
  /// Stages of hidden units: the first reads features, the others neighbours.
  public var depth = 3
  /// What stands for what did not come.
  public var missing = Missing.flagged

  /// Three stages of 32 neurons a device.
  public init() {}
}

/// How it learns.
public struct SplitTrainingPlan: Hashable, Sendable {
  /// Passes over the training rows; `nil` for as many as make about 4,000 steps, from 2 to 60.
  public var epochs: Double?
  /// Samples of a step.
  public var batch = 64
  /// The learning rate of the first step; it falls along a line to a fiftieth of it.
  public var rate = 0.004
  /// Up to which share of devices is dead in a sample, drawn for every sample.
  public var drop = 0.9
  /// Up to which share of links is down in a sample, drawn for every sample.
  public var linkDrop = 0.6

  /// About 4,000 steps with Adam.
  public init() {}
}

/// How devices wait for each other: partial timing.
public struct SplitTimingPlan: Hashable, Sendable {
  /// The shortest time that is waited beyond the mean of arrivals.
  public var shortest = Instant.Span.milliseconds(20)
  /// How often what is missing is asked for again.
  public var polls = 1
  /// After how many silent waits in a row a neighbour is waited for no more, until it is heard again.
  public var patience = 3
  /// Steps in flight at a time.
  public var flights = 1
  /// Steps ahead of its own from which a device takes messages; the bound of staleness.
  public var ahead = 4

  /// One step at a time.
  public init() {}
}

/// What happens to devices and links, and when: a part of G(t).
public enum SplitFaultPlan: Hashable, Sendable {
  /// When something happens: after a step, or at a virtual time. One of both is given.
  public struct When: Hashable, Sendable {
    /// After the step that any device ends first.
    public var step: Int?
    /// At a time since the beginning.
    public var time: Instant.Span?

    /// After a step, or at a time.
    public init(step: Int? = nil, time: Instant.Span? = nil) {
      self.step = step
      self.time = time
    }
  }

  /// A device stops.
  case dies(device: Int, when: When)
  /// It goes on.
  case returns(device: Int, when: When)
  /// It comes for the first time.
  case joins(device: Int, when: When)
  /// A link carries nothing.
  case breaks(from: Int, to: Int, when: When)
  /// It carries again.
  case heals(from: Int, to: Int, when: When)
  /// A share of the devices comes and goes.
  case flapping(share: Double, on: Instant.Span, off: Instant.Span)
  /// A share of the links does.
  case flappingLinks(share: Double, on: Instant.Span, off: Instant.Span)

  /// When it happens; `nil` for what goes on all the time.
  public var when: When? {
    switch self {
    case .dies(_, let when), .returns(_, let when), .joins(_, let when), .breaks(_, _, let when), .heals(_, _, let when): when
    case .flapping, .flappingLinks: nil
    }
  }
}

/// How many devices are dead: a share of all, or a number.
public enum SplitDead: Hashable, Sendable {
  /// So many of all, rounded.
  case share(Double)
  /// So many.
  case count(Int)

  /// A whole number, `25 %`, or a share below 1 such as `0.25`; `nil` for anything else.
  public init?(_ text: String) {
    let text = text.filter { $0 != " " }
    if let count = Int(text), count >= 0 {
      self = .count(count)
    } else if text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...100).contains(percent) {
      self = .share(percent / 100)
    } else if let share = Double(text), (0...1).contains(share) {
      self = .share(share)
    } else {
      return nil
    }
  }

  /// How many that are of `devices`.
  public func count(of devices: Int) -> Int {
    switch self {
    case .share(let share): Int((share * Double(devices)).rounded())
    case .count(let count): count
    }
  }
}

extension Instant.Span {
  /// As scenarios write it, `5 ms`.
  public var words: String { Durations.text(self) }
}

/// The faults that answers are measured under.
public struct SplitTestPlan: Hashable, Sendable {
  /// Dead devices.
  public var dead: [SplitDead] = [.count(0), .share(0.1), .share(0.25), .share(0.5), .share(0.75)]
  /// Shares of links that are down.
  public var links: [Double] = [0.6]
  /// Sets of devices, by number, that are dead in every sample.
  public var named: [[Int]] = []
  /// What happens to devices and links while questions are asked one after the other; nothing of the kind is measured if there is none.
  public var faults: [SplitFaultPlan] = []
  /// The time from one of those questions to the next.
  public var pace = Instant.Span.milliseconds(100)
  /// How answers of several devices become one.
  public enum Answers: Hashable, Sendable {
    /// Every answer is passed on once by everybody, up to so many links from its origin.
    case flood(Int)
    /// So many rounds in which every device averages with its neighbours.
    case gossip(Int)
    /// No answer travels.
    case alone
  }

  /// How answers of several devices become one at who asks.
  public var answers = Answers.flood(1)
  /// Steps after which the answers of all who live are measured in the middle of the training.
  public var steps: [Int] = []
  /// Deadlines of a stage under which answers are measured, with nobody dead: what links of some latency leave in time.
  public var deadlines: [Instant.Span] = []
  /// Whether one network over all features is trained beside it.
  public var central = true
  /// Whether the same network is trained on the complete graph without faults beside it, which gaps are then measured against.
  public var ideal = false

  /// The usual faults.
  public init() {}
}
