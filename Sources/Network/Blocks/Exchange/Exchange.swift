public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// One peer's part in the exchange of blocks: it asks for what its owner wants and gives what others ask for.
///
/// Bitswap 1.2 as a machine. An object is fetched from several peers at once: each has a window of blocks it may be asked for, a
/// peer that answers gets the next ones, so that fast peers give more. How long to wait for a peer is learnt from its answers, as
/// TCP learns it (RFC 6298), and doubles when it stays silent; whoever says DONT_HAVE, stays silent or disconnects is replaced by
/// another. In return it serves wants from its ``store``, those first who gave most (the debt ratio of the IPFS white paper,
/// Benet 2014, section 3.4), and to a peer in deep debt only a trickle.
///
/// The usual case costs two messages: a model is one block, wanted from one provider. A want answered DONT_HAVE is forgotten by the
/// server (Kubo keeps it): the asker was told and has moved on, so no cancellation is needed.
public struct Exchange: Machine, Sendable {
  /// The blocks this peer holds. The owner may put, pin and read directly; ``Input/added(_:)`` tells those who wait for a block.
  public var store: BlockStore
  /// The limits in force.
  public let limits: Limits
  /// What happened so far.
  public internal(set) var statistics = Statistics()

  var fetches: [Fetch] = []
  var ledgers: [Ledger] = []
  var ledgerIndex = LedgerIndex()
  /// When the timers that are armed will fire; ``Instant/never`` if they are not.
  var patienceArmed = Instant.never
  var serviceArmed = Instant.never
  /// What was sent to all peers together since the present service window began.
  var windowStart = Instant.origin
  var windowSpent = 0
  /// How many ledgers have wants that wait for a block to turn up.
  var waiting = 0
  /// Blocks that the world was asked to bring, and who waits for them; how many bytes they have.
  var loading: [CID: Loading] = [:]
  var loadingBytes = 0
  /// What is on its way out to peers; only of peers of which the world says what it got rid of, or who wait for the disk.
  var outgoing: [PeerID: Outgoing] = [:]

  /// An exchange that gives from and fetches into `store`.
  public init(store: BlockStore = BlockStore(), limits: Limits = Limits()) {
    self.store = store
    self.limits = limits
  }

  /// What may happen to an exchange.
  public enum Input: Sendable {
    /// The owner wants the object: all blocks below `root`. `providers` are peers believed to have it, the most promising first;
    /// without any the connected peers are asked. With a deadline silent peers are asked again until then, without one a silent
    /// peer is given up after ``Limits/attempts``. An object that says of itself that it has more than `mostBytes`, or of which more
    /// came, ends the fetch. Wanting a root again adds providers and may extend the deadline and raise the limit.
    case want(root: CID, providers: [PeerID], deadline: Instant?, keeping: Keeping = .memory, mostBytes: Int = .max)
    /// The owner does not want the object any more.
    case cancel(CID)
    /// The owner put this block into the store; peers that wait for it get it.
    case added(CID)
    /// A message came.
    case received(from: PeerID, BitswapMessage)
    /// A peer can be talked to.
    case connected(PeerID)
    /// A peer cannot be reached, or not any more.
    case disconnected(PeerID)
    /// A timer fired.
    case timerFired(Timer)
    /// The world did an errand.
    indirect case disk(BlockStore.Outcome)
    /// The world got rid of so many bytes of blocks that were sent to the peer; only counted with
    /// ``Limits/unwrittenBytesPerPeer``.
    case written(to: PeerID, bytes: Int)
  }

  /// Where an object is to be when its fetch is complete.
  public enum Keeping: Hashable, Sendable {
    /// All of it in memory, so that it can be read at once.
    case memory
    /// All of it safe on the world's disk, however large; in memory only what passes through. The same as ``memory`` for a store
    /// without a disk.
    case disk
  }

  /// What an exchange may want done.
  public enum Effect: Sendable {
    /// Send a message; if the peer turns out not to be reachable, say ``Input/disconnected(_:)``.
    case send(PeerID, BitswapMessage)
    /// Every block of the object is in the store. Pin it if it is to stay.
    case completed(root: CID)
    /// The object could not be fetched; what came of it is in the store until room is needed.
    indirect case failed(root: CID, FetchFailure)
    /// Arm a timer, replacing an earlier one of the same name.
    case arm(Timer, at: Instant)
    /// A peer broke the rules.
    case report(PeerID, Offence)
    /// Something is to be done with the disk; only of a store that has one.
    indirect case disk(BlockStore.Errand)
  }

  /// The timers of an exchange.
  public enum Timer: Hashable, Sendable, CaseIterable {
    /// A peer may have been silent for too long, or a deadline passed.
    case patience
    /// The next service window begins.
    case service
  }

  /// How a peer broke the rules.
  public enum Offence: Hashable, Sendable {
    /// It sent bytes that are not the block they are called.
    case forgedBlock(CID)
    /// Its message exceeded a limit of ``BitswapMessage``.
    case oversizedMessage
    /// It keeps sending blocks that nobody asked for.
    case unsolicitedBlocks
  }

  /// What happened in an exchange so far.
  public struct Statistics: Hashable, Sendable {
    /// Messages sent.
    public var messagesSent = 0
    /// Messages received.
    public var messagesReceived = 0
    /// Blocks given to others.
    public var blocksSent = 0
    /// Bytes of the blocks given to others.
    public var bytesSent = 0
    /// Blocks that were wanted and came.
    public var blocksReceived = 0
    /// Bytes of the blocks that were wanted and came.
    public var bytesReceived = 0
    /// Blocks that came although they were here already or nobody wanted them.
    public var unwanted = 0
    /// Times a peer stayed silent for too long.
    public var silences = 0
    /// Wants that were taken from a slow peer and given to a fast one.
    public var relieved = 0
    /// Objects that were fetched.
    public var completed = 0
    /// Objects that could not be fetched.
    public var failed = 0
  }

  /// Takes one input and appends what is to be done.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    if store.shelf != nil { spareMemory() }
    switch input {
    case .want(let root, let providers, let deadline, let keeping, let mostBytes):
      want(root, providers, deadline ?? .never, keeping, mostBytes, now, &effects)
    case .cancel(let root):
      cancel(root, now, &effects)
    case .added(let cid):
      if waiting > 0, let size = store.size(of: cid) { serveWaiting(cid, size, now, &effects) }
    case .received(let peer, let message):
      receive(message, from: peer, now, &effects)
    case .connected(let peer):
      connected(peer, now, &effects)
    case .disconnected(let peer):
      disconnected(peer, now, &effects)
    case .timerFired(.patience):
      patienceArmed = .never
      lookForSilence(now, &effects)
    case .timerFired(.service):
      serviceArmed = .never
      serveBacklog(now, &effects)
    case .disk(let outcome):
      wasDone(outcome, now, &effects)
    case .written(let peer, let bytes):
      written(bytes, to: peer, now, &effects)
    }
    if store.shelf != nil { runErrands(&effects) }
  }

  /// The roots being fetched, in the order they were wanted.
  public var fetching: [CID] { fetches.map(\.root) }

  /// When the patience timer that was armed last will fire; ``Instant/never`` if none is.
  package var nextPatience: Instant { patienceArmed }

  /// How many peers' ledgers are remembered.
  public var ledgerCount: Int { ledgers.count }

  /// What this peer and `peer` gave each other; `nil` if it is not remembered.
  public func ledger(of peer: PeerID) -> Ledger? {
    ledgerIndex.find(peer, in: ledgers).map { ledgers[$0] }
  }

  mutating func send(_ message: BitswapMessage, to peer: PeerID, _ effects: inout Effects<Effect>) {
    statistics.messagesSent += 1
    effects.append(.send(peer, message))
  }

  /// Arms the patience timer unless it fires early enough anyway; then it is armed again when it fires.
  mutating func beReady(by instant: Instant, _ effects: inout Effects<Effect>) {
    guard instant < patienceArmed else { return }
    patienceArmed = instant
    effects.append(.arm(.patience, at: instant))
  }

  /// Takes a message apart: blocks first, so that what came can be passed on; wants last.
  private mutating func receive(
    _ message: BitswapMessage, from peer: PeerID, _ now: Instant, _ effects: inout Effects<Effect>
  ) {
    statistics.messagesReceived += 1
    guard
      message.wants.count <= BitswapMessage.mostWants, message.blocks.count <= BitswapMessage.mostBlocks,
      message.presences.count <= BitswapMessage.mostPresences
    else {
      effects.append(.report(peer, .oversizedMessage))
      return
    }
    if !message.blocks.isEmpty || !message.presences.isEmpty {
      answered(message, by: peer, ledger(for: peer, now), now, &effects)
    }
    // Looked up again: asking others may have made ledgers, and making one may move others.
    if !message.wants.isEmpty || message.isFull { asked(message, by: ledger(for: peer, now), now, &effects) }
  }
}
