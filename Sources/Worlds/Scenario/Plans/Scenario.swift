public import MurmurSessions

/// One experiment as a value: who learns what from which rows, over which network, and what goes wrong.
///
/// A scenario is read from YAML by ``init(yaml:file:)`` and printed back by ``yaml``; what is printed is the effective scenario,
/// every default spelled out, so that a run folder can hold exactly what ran. The same file drives the simulator and, through the
/// same ``FaultPlan``, a swarm of real peers. `Documentation/Scenario.md` lists every key.
public struct Scenario: Hashable, Sendable {
  /// What to call the experiment; also the session's codename.
  public var name = "session"
  /// The seed of everything drawn at random: rows, devices, delays, faults, training.
  public var seed: UInt64 = 1
  /// Whose rows, how many, and how they are dealt out.
  public var data = DataPlan()
  /// The network to train.
  public var model = ModelPlan.hidden([64])
  /// How many peers, of which roles and speeds, and who comes late.
  public var peers = PeerPlan()
  /// What all peers agree on. ``Session/name`` and ``Session/model`` are set by ``session(inputs:outputs:)``, not by a key of their
  /// own: in a file they are the top-level `name` and `model`.
  public var session = Session()
  /// Sensors whose streams supply the rows.
  public var feeds = FeedPlan()
  /// The links between the peers.
  public var network = NetworkPlan()
  /// What goes wrong.
  public var faults = FaultPlan()
  /// What is measured along the way.
  public var observe = ObservationPlan()
  /// What the session is compared with.
  public var baselines = BaselinePlan()
  /// How this machine carries the run out; no result depends on it.
  public var run = RunPlan()

  /// The default scenario: 20 peers with 70 rows of digits each.
  public init() {}

  /// The session every peer is handed: ``session`` with the scenario's name and a model that fits the data.
  public func session(inputs: Int, outputs: Int) -> Session {
    var result = session
    result.name = name
    result.model = model.architecture(inputs: inputs, outputs: outputs)
    return result
  }

  /// The same experiment without what belongs to one machine's run, for the copy in a run folder.
  public var withoutRun: Scenario {
    var result = self
    result.run = RunPlan()
    return result
  }
}

/// Which rows there are and who gets which.
public struct DataPlan: Hashable, Sendable {
  /// The name of a known data set, or the files that hold one.
  public var set = ["digits"]
  /// The column that holds the label, by name or by number from 0; `nil` takes the data set's own.
  public var label: String?
  /// Training rows per peer, on average; `nil` deals out all there are.
  public var rows: Int? = 70
  /// How rows are dealt to peers.
  public var partition = Partition.equal
  /// How many test rows at most are used; `nil` for all.
  public var test: Int?

  /// The embedded digits, 70 rows a peer.
  public init() {}

  /// How rows are dealt to peers.
  public enum Partition: Hashable, Sendable {
    /// Shuffled, the same number for everybody.
    case equal
    /// The same number for everybody, but each peer's mix of labels is drawn from a Dirichlet distribution of this concentration:
    /// 100 is nearly even, 0.1 leaves most peers with one or two labels.
    case dirichlet(Double)
    /// Each peer gets whole groups (one writer's digits): the column or file that names every row's group, or `nil` for the data
    /// set's own.
    case group(String?)
    /// Sizes rise geometrically so that the largest peer has this many times the rows of the smallest.
    case unequal(Double)
  }
}

/// The network to train, whole or as far as it does not follow from the data.
public enum ModelPlan: Hashable, Sendable {
  /// An architecture in its short form, `64-64-10` or `lenet5`, as `MurmurCompute.Architecture` parses it.
  case named(String)
  /// The widths of the hidden layers; inputs and outputs come from the data.
  case hidden([Int])

  /// The architecture's short form for data of that many features and classes.
  public func architecture(inputs: Int, outputs: Int) -> String {
    switch self {
    case .named(let name): name
    case .hidden(let widths): ([inputs] + widths + [outputs]).map(String.init).joined(separator: "-")
    }
  }
}

/// What is measured while the session runs.
public struct ObservationPlan: Hashable, Sendable {
  /// How often.
  public var every = SessionTime.share(0.01)
  /// How many peers' models are evaluated at each sample, drawn afresh each time; `nil` for all.
  public var peers: Int? = 20

  /// A hundred samples of twenty peers.
  public init() {}
}

/// What the session is compared with.
public struct BaselinePlan: Hashable, Sendable {
  /// Train every peer on its own rows only.
  public var alone = true
  /// Train one model on all peers' rows.
  public var central = true

  /// Both comparisons.
  public init() {}
}

/// How this machine carries a run out.
public struct RunPlan: Hashable, Sendable {
  /// Worker threads; `nil` for as many as there are cores.
  public var threads: Int?
  /// The folder the results go to; `nil` for one named after the scenario and its seed.
  public var out: String?

  /// All cores, a folder of its own.
  public init() {}
}
