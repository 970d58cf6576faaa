public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// A feeless ledger without miners or coordinator, as a machine: a directed acyclic graph of signed transactions, each of which approves two
/// earlier ones.
///
/// After Popov, "The Tangle", 2018, with what a ledger of *messages* needs and no more: nothing is spent, so two transactions never
/// contradict each other, and what is asked of the ledger is that every peer comes to hold the same set, knows when others hold a
/// transaction, and stays small.
///
/// - **Gossip.** A new transaction is published on the session's ledger topic; every peer checks it before it is passed on.
/// - **Solidity.** A transaction counts once all it approves is there. What is missing is asked for.
/// - **Confirmation.** A transaction is confirmed once transactions of ``Configuration/quorum`` issuers other than its own approve it, directly or
///   not; so is all in its past. With nothing to say, peers *nod*: an empty transaction, after a random delay, unless others were faster.
/// - **Tips.** A new transaction approves two tips: first an issuer is drawn, then its newest tip, so that a hundred tips of one issuer
///   weigh like one. Tips whose past ignores what was long confirmed are not chosen: lazy ones, and chains built aside (parasites).
/// - **Work.** Each transaction carries hash-cash, more of it the faster its issuer is; the rate follows from the issuer's own chain, so
///   that all agree on what is due.
/// - **Synchronisation.** Now and then, and on meeting, a peer tells another its frontier and gets what is not in its past, oldest first.
/// - **Pruning.** What is old goes; what kept transactions approve of it stays as a name (an entry point).
///
/// Where this deviates from the Tangle: the own previous transaction is a third approval, which makes issuers' chains checkable; tips are
/// drawn by issuer rather than by a random walk; confirmation counts issuers rather than weight, as work is only there against spam.
public struct Ledger: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The machine starts. With ``restored(_:_:)`` before it, it goes on.
    case started
    /// What was kept of an earlier life, in the order of ``Effect/keep(_:_:)``, and the last snapshot. Comes before ``started``.
    case restored([Transaction], LedgerSnapshot?)
    /// A connection to a peer with a ledger is there.
    case connected(PeerID)
    /// A connection is gone.
    case disconnected(PeerID)
    /// A message came.
    case received(from: PeerID, LedgerMessage)
    /// Bytes came by gossip on the ledger topic. Answered at once with one ``Effect/judge(_:)``.
    case gossiped(from: PeerID?, [UInt8])
    /// The application has something to say. Answered with ``Effect/issued(_:tag:)`` or ``Effect/refused(tag:_:)``.
    case issue(tag: [UInt8], payload: [UInt8])
    /// The work handed out was done.
    case worked(Challenge, nonce: UInt64)
    /// A timer fired.
    case fired(Timer)
    /// The wall clock was set: milliseconds since 1970 at the world's origin.
    case clockSet(epoch: Int64)
  }

  /// What is to be done, in this order: what is to be kept must be safe before what follows it is sent.
  public enum Effect: Sendable {
    /// Send a message to a connected peer.
    case send(PeerID, LedgerMessage)
    /// Publish on the ledger topic.
    case publish([UInt8])
    /// What to do with the gossip that just came.
    case judge(Verdict)
    /// Find a nonce, and say so with ``Input/worked(_:nonce:)``. There is one at a time.
    case work(Challenge)
    /// Let ``Input/fired(_:)`` happen at that time; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
    /// Keep a transaction on the disk.
    case keep(CID, [UInt8])
    /// Remove transactions from the disk, and keep the snapshot instead of the one before, at once.
    case prune([CID], LedgerSnapshot)
    /// The application's message was issued as that transaction.
    case issued(CID, tag: [UInt8])
    /// The application's message was not issued, and why.
    case refused(tag: [UInt8], Refusal)
    /// A transaction is there with all its past, own ones included. Nods are not told.
    case solid(Transaction)
    /// Transactions are confirmed now; nods are not told.
    case confirmed([CID])
    /// Something happened that should not.
    case report(LedgerReport)
  }

  /// The timers.
  public enum Timer: Hashable, Sendable, CaseIterable {
    /// Something may be unconfirmed for too long.
    case nod
    /// Something is missing.
    case solidify
    /// Another peer is to be asked what it has.
    case sync
    /// Something may be too old.
    case prune
  }

  /// What gossip is worth.
  public enum Verdict: Hashable, Sendable {
    /// Pass it on.
    case accept
    /// It is bad, and so is who brought it.
    case reject
    /// Neither: keep it to yourself.
    case ignore
  }

  /// Why something was not issued.
  public enum Refusal: Hashable, Sendable {
    /// The tag or the payload is too long.
    case tooLarge
    /// Too much waits already.
    case full
  }

  /// What a ledger did so far, and how much it holds.
  public struct Statistics: Hashable, Sendable {
    /// Transactions that became solid here.
    public var attached = 0
    /// Transactions that were confirmed.
    public var confirmed = 0
    /// Own transactions with something to say.
    public var issued = 0
    /// Own nods.
    public var nods = 0
    /// Transactions that came again.
    public var duplicates = 0
    /// Transactions that were bad.
    public var rejected = 0
    /// Transactions that were not taken for a limit.
    public var refused = 0
    /// Transactions that were old and pruned when they came again.
    public var stale = 0
    /// Transactions pruned.
    public var pruned = 0
    /// Transactions that waited in vain for what they approve.
    public var orphaned = 0
    /// Transactions that came by synchronisation or on demand.
    public var synchronised = 0
    /// Transactions given to others.
    public var served = 0

    /// Nothing done.
    public init() {}
  }

  /// Who this is, and issues under that name.
  public let id: PeerID
  /// How it behaves.
  public let configuration: Configuration
  /// What it did so far.
  public internal(set) var statistics = Statistics()
  let sign: @Sendable ([UInt8]) -> [UInt8]
  var tangle: Tangle
  var waiting = WaitingRoom()
  var issuing = Issuing()
  var peers = PeerTable()
  var offences: Set<LedgerReport.Offence> = []
  /// Bad transactions, and the same in the order in which they came.
  var flawed: Set<Digest> = []
  var flawedOrder = Queue<Digest>()
  var epoch: Int64
  var armed: [Instant?] = [nil, nil, nil, nil]
  var hasStarted = false

  /// A ledger that issues under the identity of `keys`, which must be `id`.
  public init(id: PeerID, keys: KeyPair, configuration: Configuration) {
    precondition(keys.peerID == id, "the keys are another peer's")
    self.init(id: id, configuration: configuration) { keys.sign($0) }
  }

  /// A ledger with another way to sign, for worlds without keys; then ``Configuration/decode`` checks accordingly.
  public init(id: PeerID, configuration: Configuration, sign: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    precondition(id.kind == .ed25519, "issuers have Ed25519 identities")
    precondition((1...4).contains(configuration.quorum), "a quorum of \(configuration.quorum) is not 1…4")
    self.id = id
    self.configuration = configuration
    self.sign = sign
    epoch = configuration.epoch
    tangle = Tangle(genesis: configuration.genesis, quorum: configuration.quorum, window: configuration.tipWindow)
  }

  /// Takes one input and appends what is to be done, in order.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started: start(at: now, &chance, &effects)
    case .restored(let transactions, let snapshot): restore(transactions, snapshot, at: now)
    case .connected(let peer): meet(peer, at: now, &chance, &effects)
    case .disconnected(let peer): peers.remove(peer)
    case .received(let peer, let message): receive(message, from: peer, at: now, &chance, &effects)
    case .gossiped(let peer, let bytes): effects.append(.judge(hear(bytes, from: peer, at: now, &chance, &effects)))
    case .issue(let tag, let payload): issue(tag, payload, at: now, &chance, &effects)
    case .worked(let challenge, let nonce): finish(challenge, nonce, at: now, &chance, &effects)
    case .fired(let timer): fire(timer, at: now, &chance, &effects)
    case .clockSet(let epoch): self.epoch = epoch
    }
  }

  /// Milliseconds since 1970.
  func milliseconds(_ now: Instant) -> Int64 { epoch &+ now.nanoseconds / 1_000_000 }

  mutating func arm(_ timer: Timer, at time: Instant, _ effects: inout Effects<Effect>) {
    let place = timer.place
    if let due = armed[place], due <= time { return }
    armed[place] = time
    effects.append(.arm(timer, at: time))
  }

  private mutating func fire(_ timer: Timer, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard let due = armed[timer.place], due <= now else { return }
    armed[timer.place] = nil
    switch timer {
    case .nod: considerNod(at: now, &chance, &effects)
    case .solidify: solidify(at: now, &chance, &effects)
    case .sync: synchronise(at: now, &chance, &effects)
    case .prune:
      prune(at: now, &effects)
      arm(.prune, at: now + configuration.pruneInterval, &effects)
    }
  }

  private mutating func start(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    hasStarted = true
    armed = [nil, nil, nil, nil]
    arm(.prune, at: now + configuration.pruneInterval, &effects)
    arm(.sync, at: now + configuration.syncInterval * chance.uniform(), &effects)
    armAfterTaking(at: now, &effects)
  }

  mutating func report(_ report: LedgerReport, _ effects: inout Effects<Effect>) {
    guard offences.count < LedgerReport.mostOffenders, offences.insert(report.offence).inserted else { return }
    effects.append(.report(report))
  }
}

extension Ledger.Timer {
  var place: Int {
    switch self {
    case .nod: 0
    case .solidify: 1
    case .sync: 2
    case .prune: 3
    }
  }
}

/// What can be seen from outside.
extension Ledger {
  /// The solid transactions with that tag, in the order in which they became solid here.
  public func transactions(tagged tag: [UInt8]) -> [Transaction] { tangle.transactions(tagged: tag) }

  /// A solid transaction that is kept.
  public func transaction(_ id: CID) -> Transaction? { id.codec == .dagCBOR ? tangle.transaction(id.digest) : nil }

  /// Whether a transaction is kept and confirmed.
  public func isConfirmed(_ id: CID) -> Bool { tangle.isConfirmed(id.digest) }

  /// How many issuers other than its own approve a transaction, up to the quorum; `nil` if it is not there.
  public func approvals(of id: CID) -> Int? { tangle.approvals(of: id.digest) }

  /// How many transactions are kept, how many bytes, how many of them are tips, and how many are not confirmed.
  public var holdings: (transactions: Int, bytes: Int, tips: Int, unconfirmed: Int, waiting: Int, entryPoints: Int, issuers: Int)
  {
    (
      tangle.count, tangle.byteCount, tangle.tipCount, tangle.unconfirmedCount, waiting.count, tangle.entryPoints.count,
      tangle.issuers.count
    )
  }

  /// Bytes of the tables of what is kept, the transactions themselves left out: they may be shared.
  public var tableBytes: Int { tangle.tableBytes }

  /// All transactions kept, what they approve before them.
  public var transactions: [Transaction] { tangle.inOrder() }

  /// Whether `issuer` was seen to issue two transactions in one place.
  public func isDistrusted(_ issuer: PeerID) -> Bool { tangle.isDistrusted(issuer.word) }
}
