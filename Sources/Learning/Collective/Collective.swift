public import MurmurBlocks
public import MurmurCompute
public import MurmurIdentity
public import MurmurMachines
public import MurmurSessions
public import MurmurWire

/// One peer's part in a session: trains on its own rows, averages with the models of others, at its own pace, waiting for nobody.
///
/// The work cycle, in steps (LEARNAE §3.3; numbers are referred to in the code):
///
/// 1. A cycle begins when its timer fires. The peer tells some others its freshest announcements and hears theirs (``Directory``).
/// 2. When all have answered, or when answers have taken longer than they usually do (``Patience``), it chooses models to average
///    with, among those whose holder was heard of in this cycle; if too few were, it asks others first.
/// 3. The models are fetched from whoever holds them. What has not come in time is left out: a cycle never waits for a peer.
/// 4. One job averages, trains, evaluates and writes the model down.
/// 5. The model is stored and will be announced; the next cycle begins at the pace of the session, or at once if that is past.
///
/// In the last part of the session (``Session/finalShare``) peers only average, so that they end close together. LEARNAE's own
/// choices (train *or* average at random, adopt only if better, take the best at the end, broadcast to all) are values in
/// ``Session``; the defaults deviate from it where measuring showed better (`Documentation/Results.md`).
public struct Collective: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The peer starts, or starts again after a crash.
    case began
    /// A neighbour can be talked to.
    case met(PeerID)
    /// A peer said something to us.
    case heard(from: PeerID, CollectiveMessage)
    /// Something was said on the session's topic by `from`.
    indirect case noticed(Notice, from: PeerID)
    /// An object that was asked for is in the store.
    case fetched(root: CID, bytes: [UInt8])
    /// An object that was asked for could not be had; it is an offence of whoever announced it if it cannot be what it should be.
    case notFetched(root: CID, reason: String, isOffence: Bool = false)
    /// The job ended.
    indirect case worked(WorkResult)
    /// Rows were gathered, as from the streams of sensors. Where rows stay home these are all there are now; where they are shared, those that
    /// came since the last time, which become dataslices.
    case gathered(Work.Rows)
    /// A timer fired.
    case fired(Timer)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    case say(PeerID, CollectiveMessage)
    indirect case publish(Notice)
    case fetch(root: CID, from: [PeerID], until: Instant)
    /// Add an object to the store and keep it.
    case store(Object.Built)
    /// Keep a fetched object, to serve it to others.
    case keep(root: CID)
    /// An object need not be kept any longer.
    case release(root: CID)
    indirect case compute(Work)
    case arm(Timer, at: Instant)
    case note(CollectiveEvent)
  }

  /// The timers of a session; arming one again replaces it.
  public enum Timer: Int, Hashable, Sendable, CaseIterable {
    /// The next work cycle may begin.
    case cycle
    /// Answers to a round of news are no longer waited for.
    case answers
    /// Models are no longer waited for.
    case models
  }

  /// Where a peer is in its cycle.
  enum Phase: Sendable {
    case resting
    /// Steps 1 and 2: these have not answered yet; this was asked so many times.
    case gathering(asked: [PeerID], round: Int)
    /// Step 3: these have not come yet, these have.
    case fetching(wanted: [CID], models: [Work.Fetched])
    /// A dataslice is on its way.
    case fetchingSlice(CID, models: [Work.Fetched])
    /// Step 4.
    case working
    case ended
  }

  /// Who this is.
  public let id: PeerID
  /// What all peers agreed on.
  public let session: Session
  /// The architecture that ``Session/model`` names.
  public let architecture: Architecture
  /// What this peer is able and willing to do.
  public let role: Session.Role
  /// The model, always the last one that a cycle ended with.
  public internal(set) var parameters: ParameterVector
  /// The peer's own announcement of its newest model; `nil` before the first.
  public internal(set) var newest: Announcement?
  /// How the model did on own validation rows.
  public internal(set) var evaluation = Evaluation.none
  /// Work cycles begun.
  public internal(set) var cycle: UInt32 = 0

  /// The identity in words, as it stands in the model's file.
  let name: String
  var optimizer: OptimizerState
  var rows: Work.Rows
  var phase = Phase.resting
  var directory = Directory()
  var vigil = Vigil()
  /// The loss of the average that the newest model was trained from.
  var groundLoss: Float = 0
  /// What is told to others at present.
  var news: [Announcement] = []
  var neighbours: [PeerID] = []
  var patience: Patience
  var began = Instant.origin
  /// The last cycle before this beginning.
  var firstCycle: UInt32 = 0
  var cycleBegan = Instant.origin
  var asked = Instant.origin
  var previous: CID?
  var trainsThisCycle = true
  var own = Work.Own.counts
  var sharing = Sharing()
  /// How announcements are proven to be their owners'.
  public var sealing = Sealing.none
  /// The signature of ``newest``.
  var ownSeal: (root: CID, signature: [UInt8])?
  var checks = Checks()

  /// A peer about to take part, with its own `rows` (a trainer has none) and the model it `start`s from, usually the session's common
  /// initial model.
  public init(
    id: PeerID, session: Session, architecture: Architecture, role: Session.Role, rows: Work.Rows, start: ParameterVector
  ) {
    self.id = id
    self.session = session
    self.architecture = architecture
    self.role = role
    self.rows = rows
    name = "\(id)"
    parameters = start
    optimizer = OptimizerState(session.training.optimizer.rule, count: architecture.parameterCount)
    patience = Patience(first: session.cycle * 0.05, most: session.cycle * 0.2)
  }

  /// Whether the session is over for this peer.
  public var hasEnded: Bool { if case .ended = phase { true } else { false } }
  /// Whether it is training or averaging at this moment, and which.
  public var isWorking: Bool { if case .working = phase { true } else { false } }
  /// The roots of the dataslices that it shares.
  public var sharedSlices: [CID] { sharing.own }
  /// How many other peers it knows of.
  public var known: Int { directory.entries.count }

  /// Whether an object is being waited for.
  public func awaits(_ root: CID) -> Bool {
    if sharing.lists.contains(where: { $0.root == root }) { return true }
    switch phase {
    case .fetching(let wanted, _): return wanted.contains(root)
    case .fetchingSlice(let slice, _): return slice == root
    case .resting, .gathering, .working, .ended: return false
    }
  }

  /// The most bytes that an object which is asked for may have: what it should be never has more.
  public func mostBytes(of root: CID) -> Int {
    var most = 0
    if sharing.lists.contains(where: { $0.root == root }) { most = sharing.mostListBytes(session) }
    if sharing.queue.contains(where: { $0.root == root }) { most = max(most, SliceFile.mostBytes(session, architecture)) }
    guard most == 0 || directory.index(holding: root) != nil else { return most }
    return max(most, architecture.parameterCount * 4 + SafeTensors.headerLimit + 8)
  }

  /// Who announced an object that is asked for, as far as is known.
  private func announcer(of root: CID) -> PeerID? {
    sharing.lists.first { $0.root == root }?.owner ?? sharing.queue.first { $0.root == root }?.owner
      ?? directory.index(holding: root).map { directory.entries[$0].announcement.peer }
  }

  /// The share of the session's length that has passed, 0…1.
  func progress(at now: Instant) -> Double { min(max(now.seconds / max(session.length.seconds, 1e-9), 0), 1) }

  /// Takes one input and appends what is to be done.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .began: begin(at: now, &chance, &effects)
    case .met(let peer):
      if peer != id, !neighbours.contains(peer), neighbours.count < Directory.capacity { neighbours.append(peer) }
    case .heard(let peer, .news(let news, let wantsReply)):
      hear(news, from: peer, wantsReply: wantsReply, at: now, &chance, &effects)
    case .heard(let peer, .sealed(let news, let wantsReply)):
      hear(sealed: news, from: peer, wantsReply: wantsReply, at: now, &chance, &effects)
    case .noticed(let notice, let peer): take(notice, from: peer, at: now, &effects)
    case .fetched(let root, let bytes): arrived(root, bytes, at: now, &chance, &effects)
    case .notFetched(let root, let reason, let isOffence):
      if isOffence, let announcer = announcer(of: root) {
        effects.append(.note(.rejected(root, from: announcer, reason)))
        // It will not be better the next time.
        directory.merged(root)
      } else {
        effects.append(.note(.fetchFailed(root, reason)))
      }
      failed(root, at: now, &chance, &effects)
    case .worked(let result): worked(result, at: now, &chance, &effects)
    case .gathered(let rows): gather(rows, &effects)
    case .fired(.cycle): beginCycle(at: now, &chance, &effects)
    case .fired(.answers): if case .gathering = phase { gathered(at: now, &chance, &effects) }
    case .fired(.models): stopWaiting(at: now, &chance, &effects)
    }
  }

  /// Goes on with the model that an earlier life stored; everything else (optimiser, directory, what was under way) is gone.
  public mutating func resume(from earlier: Collective, torn: Bool) {
    guard !torn, let stored = earlier.newest else { return }
    parameters = earlier.parameters
    newest = stored
    evaluation = earlier.evaluation
    cycle = stored.cycle
    sharing.own = earlier.sharing.own
  }

  /// Goes on with a model that an earlier life left on its disk.
  public mutating func resume(model root: CID, parameters stored: ParameterVector, cycle last: UInt32) {
    precondition(stored.count == architecture.parameterCount, "a model of another architecture")
    parameters = stored
    cycle = last
    newest = Announcement(
      peer: id, root: root, cycle: last, made: .origin, accuracy: 0, loss: 0, rows: UInt32(clamping: rows.training.count),
      held: true)
  }

  private mutating func begin(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    began = now
    firstCycle = cycle
    phase = .resting
    effects.append(.note(.joined))
    if !session.privacy, !rows.training.isEmpty, sharing.own.isEmpty { share(&effects) }
    guard role != .feeder else { return }
    // The first cycles are spread over one pace, so that peers do not run in step.
    effects.append(.arm(.cycle, at: now + session.cycle * chance.uniform()))
  }
}

/// How long answers usually take: Jacobson and Karels' estimate (1988), bounded; there is no time-out for a user to guess.
struct Patience: Sendable {
  private var mean: Double
  private var deviation: Double
  private let most: Double

  init(first: Instant.Span, most: Instant.Span) {
    mean = first.seconds / 2
    deviation = first.seconds / 8
    self.most = most.seconds
  }

  /// How long to wait now.
  var limit: Instant.Span { Instant.Span(seconds: min(max(mean + 4 * deviation, most / 1000), most)) }

  mutating func answered(after span: Instant.Span) {
    let error = span.seconds - mean
    mean += error / 8
    deviation += (abs(error) - deviation) / 4
  }
}
