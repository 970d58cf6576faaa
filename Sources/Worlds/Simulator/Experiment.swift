import MurmurCollective
import MurmurCompute
import MurmurIdentity
public import MurmurMachines
import MurmurPeer
import MurmurScenario
import MurmurSessions

/// One scenario run in the simulated world, beside its controls.
public struct Experiment: Sendable {
  /// What is run.
  public let setup: Setup
  /// How many threads compute; no result depends on it.
  public let threads: Int
  /// How many peers' *alone* is trained at most; with more peers, the first so many stand for all.
  public static let aloneLimit = 200

  /// An experiment on that many threads.
  public init(_ setup: Setup, threads: Int) {
    self.setup = setup
    self.threads = threads
  }

  /// How far a run is, for whoever waits.
  public struct Progress: Sendable {
    /// What is being done.
    public enum Phase: Sendable { case alone, central, session, evaluation }
    /// What is being done.
    public var phase: Phase
    /// How much of it is done, 0…1.
    public var share: Double
    /// The latest sample of the session.
    public var sample: Sample?
  }

  /// The controls: peers without a network, and a network without peers.
  public struct Controls: Sendable {
    /// The test accuracy of every peer that trained on its own rows only, 0…1; `nil` where it has none.
    public var alone: [Double?] = []
    /// The test accuracy of one model trained on all rows, 0…1.
    public var central: Double?

    /// No controls.
    public init() {}
  }

  /// Trains the controls that the scenario asks for; `nil` if interrupted by `progress` or `isStopped`, which any thread may ask.
  public func controls(isStopped: @escaping @Sendable () -> Bool = { false }, progress: (Progress) -> Bool) -> Controls? {
    let pool = WorkerPool(threads: threads)
    defer { pool.close() }
    let bench = Workbench()
    let setup = setup
    let baseline = Baseline(setup.session.training)
    let shuffles = setup.chance.fork("baseline")
    @Sendable func train(_ rows: Work.Rows, _ number: Int, _ bench: Workbench) -> Double {
      let outcome = baseline.train(
        setup.architecture, from: setup.start(max(number, 0)), on: rows, seed: shuffles.fork("shuffle", number).seed,
        bench: bench,
        isStopped: isStopped)
      return bench.trainer(for: setup.architecture, batch: setup.session.training.batch)
        .evaluate(outcome.parameters, on: setup.samples, rows: setup.test).accuracy
    }
    var result = Controls()
    let central = setup.scenario.baselines.central ? pool.submit { bench in train(setup.central, -1, bench) } : nil
    if setup.scenario.baselines.alone {
      let peers = Array(setup.rows.prefix(Experiment.aloneLimit))
      let tickets = peers.enumerated().map { number, rows in
        rows.training.isEmpty ? nil : pool.submit { bench in train(rows, number, bench) }
      }
      for (number, ticket) in tickets.enumerated() {
        result.alone.append(ticket.map { pool.wait(for: $0, bench: bench) })
        guard progress(Progress(phase: .alone, share: Double(number + 1) / Double(tickets.count))) else { return nil }
      }
    }
    result.central = central.map { pool.wait(for: $0, bench: bench) }
    return progress(Progress(phase: .central, share: 1)) && !isStopped() ? result : nil
  }

  /// What came of a session.
  public struct Outcome: Sendable {
    /// The hash over every event.
    public var trace = ""
    /// Whether the session was ended by an interruption, before its time.
    public var wasInterrupted = false
    /// Virtual time at the end, in seconds.
    public var virtualSeconds = 0.0
    /// The peers at the end.
    public var peers: [PeerOutcome] = []
    /// What was observed along the way.
    public var samples: [Sample] = []
    /// What all peers did.
    public var total = Tally()
    /// The mean number of peers online.
    public var online = 0.0
  }

  /// One peer at the end of a session.
  public struct PeerOutcome: Sendable {
    /// Its role.
    public var role = ""
    /// Its test accuracy, 0…1; `nil` if it has no model of its own (a feeder, or one that was not alive at the end).
    public var accuracy: Double?
    /// Its training rows.
    public var rows = 0
    /// What it did.
    public var tally = Tally()
    /// The address of its last model.
    public var model: String?
    /// When it joined, in seconds of session time.
    public var joined = 0.0
    /// The share of its time that it was online.
    public var online = 1.0
  }

  /// What is seen of a session at one instant.
  public struct Sample: Sendable {
    /// Session time in seconds.
    public var time = 0.0
    /// Test accuracy over the peers looked at, 0…1.
    public var accuracy = Statistics([])
    /// The same over those of them that joined after the beginning.
    public var late = Statistics([])
    /// Peers online.
    public var online = 0
    /// How many other peers hold a chunk, over chunks.
    public var resilience = Statistics([])
    /// Peers that trained, and that averaged, in a cycle's time, on average since the last sample.
    public var training = 0.0
    /// See ``training``.
    public var averaging = 0.0
    /// What all peers did so far.
    public var total = Tally()
    /// Bytes sent so far, over the peers that have joined.
    public var bytes = Statistics([])
  }

  /// Runs the session; `progress` is called at every observation and ends the run by returning false, and `witness` is told of every
  /// fault and peer event, in order.
  public func run(
    witness: (@Sendable (Instant, Int, WorldEvent) -> Void)? = nil, progress: (Progress) -> Bool
  ) -> Outcome {
    var world = World(setup, threads: threads)
    world.witness = witness
    defer { world.pool.close() }
    var watch = Observer(setup)
    let end = Instant.origin + setup.session.length + setup.session.cycle * 2
    let finished = world.run(until: end) { world in
      let sample = watch.observe(&world)
      let share = world.now.seconds / max(end.seconds, 1e-9)
      return progress(Progress(phase: .session, share: share, sample: sample))
    }
    var outcome = Outcome()
    outcome.wasInterrupted = !finished
    outcome.virtualSeconds = finished ? setup.session.length.seconds : world.now.seconds
    outcome.samples = watch.finish(&world)
    outcome.online =
      outcome.samples.isEmpty ? 0 : outcome.samples.reduce(0.0) { $0 + Double($1.online) } / Double(outcome.samples.count)
    outcome.total = world.sum
    outcome.peers = world.outcomes(setup) { progress(Progress(phase: .evaluation, share: $0)) }
    for peer in outcome.peers { world.mix(peer.model) }
    outcome.trace = world.trace.description
    return outcome
  }
}
