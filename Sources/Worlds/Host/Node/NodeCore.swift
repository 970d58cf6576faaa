import Logging
import MurmurBlocks
import MurmurChannels
import MurmurCollective
import MurmurFeeds
import MurmurIdentify
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurRouting
import MurmurSessions
import MurmurStorage
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Everything a node is, on one event loop: the machines, and what carries their effects out.
///
/// The counterpart of the simulator's world. Links and streams report here; each input goes to one machine, whose effects are performed
/// before the next input is taken.
final class NodeCore {
  /// A peer that is connected.
  struct Neighbour {
    var links: [Link] = []
    var description: PeerDescription?
    /// Whether the machines know of it.
    var isTold = false
    var languages: Peer.Languages = []
    var collective: Outbox?
    var blocks: Outbox?
    var pubsub: Outbox?
    var ledger: Outbox?
    /// Bytes of messages it has begun and not finished.
    var held = 0
    /// Messages it sent lately, as of ``chargedAt``.
    var load = 0.0
    var chargedAt = Instant.origin
    /// Everything that is sent to it.
    var outboxes: [Outbox] { [collective, blocks, pubsub, ledger].compactMap { $0 } }
    /// Whether nothing is spoken with it.
    var isMute: Bool { languages.isEmpty && ledger == nil }
    /// What it said before it was known what it speaks, at most ``NodeCore/waitingMessages`` and ``NodeCore/earlyBytes``.
    var early: [Peer.Message] = []
    var earlyBytes = 0
  }

  /// A hash table and what its requests wait for.
  struct Table {
    var machine: Kademlia
    let protocolID: String
    var chance: Chance
    var timers: [Kademlia.Timer: Scheduled<Void>] = [:]
    var requests: [Kademlia.RequestID: RequestStream] = [:]
    var tokens: [UInt64: PeerStream] = [:]
    var nextToken: UInt64 = 0
    var nextQuery: UInt64 = 0
    var queries: [Kademlia.QueryID: (Kademlia.Outcome, Bool) -> Void] = [:]

    mutating func step(_ input: Kademlia.Input, at now: Instant, _ effects: inout Effects<Kademlia.Effect>) {
      machine.step(input, at: now, chance: &chance, effects: &effects)
    }
  }

  let home: any EventLoop
  let configuration: NodeConfiguration
  let keys: KeyPair
  let store: Store?
  let workers: NIOThreadPool
  /// The thread that waits for the disk, one thing after the other; a job may keep the workers busy for long.
  let diskThread: NIOThreadPool?
  /// Whether outcomes of jobs are still wanted; looked at by the workers.
  let wantsOutcomes = NIOLockedValueBox(true)
  let meters: NodeMeters
  var transport: Transport?
  var neighbours: [PeerID: Neighbour] = [:]
  var book: AddressBook
  var dials: [PeerID: Dial] = [:]
  /// Attempts to reach a peer that were begun so far.
  var attempts: UInt64 = 0
  /// Partners whose connections broke, since when; they are dialled again and again.
  var lost: [PeerID: Instant] = [:]
  var reunionDue = Instant.origin
  /// What was done that should not have been, by whom and from where.
  var misconduct: Misconduct<PeerID>
  var sources: Misconduct<Source>
  /// Bytes of messages that peers have begun and not finished.
  var held = 0

  var identify: Identify
  var identifyChance: Chance
  var identifyTimer: Scheduled<Void>?
  var identifyStreams: [UInt64: PeerStream] = [:]
  var nextIdentify: UInt64 = 0
  var tables: [Table]
  var peer: Peer
  var peerChance: Chance
  var peerTimers: [Peer.Timer: Scheduled<Void>] = [:]
  var errands: [BlockStore.Errand] = []
  var isRunningErrands = false
  var upkeep: RepeatedTask?
  /// When the node was measured last.
  var measured: Instant?
  var beginning: Scheduled<Void>?
  var listening: [Multiaddr] = []
  var recordSequence: UInt64
  var isClosing = false
  private var turns: [() -> Void] = []
  private var isTurning = false
  /// Who waits until the disk has caught up, and what they may be asked to answer themselves.
  var disk = DiskWaits()
  var dialbacks = Dialback.Rule.State()
  /// The newest model, until its blocks are safe on the disk.
  var unsaved: (root: CID, cycle: UInt32)?

  /// Who waits for objects, and who hears topics.
  var fetches: [CID: [EventLoopPromise<CID>]] = [:]
  var finding: [CID: Finding] = [:]
  var listeners: [Topic: [@Sendable (Topic, MurmurPubSub.Message) -> Void]] = [:]
  var witness: (@Sendable (Instant, CollectiveEvent) -> Void)?
  /// When ledgers are saved next.
  var creditsDue = Instant.origin + NodeCore.creditInterval
  /// Messages that a fault plan holds back.
  var heldBack = 0
  /// Where everything that the peer is told is written down.
  var recorder: Recorder?
  /// What it does for streams, if it does.
  var house: FeedHouse?

  init(
    home: any EventLoop, configuration: NodeConfiguration, keys: KeyPair, peer: Peer, chance: Chance, store: Store?,
    workers: NIOThreadPool, diskThread: NIOThreadPool?, recordSequence: UInt64
  ) {
    self.home = home
    self.configuration = configuration
    self.keys = keys
    self.peer = peer
    self.store = store
    self.workers = workers
    self.diskThread = diskThread
    self.recordSequence = recordSequence
    meters = NodeMeters(configuration.transport.metrics, tables: configuration.tables.map(\.protocolID))
    book = AddressBook(limit: configuration.addressBook)
    misconduct = Misconduct(configuration.conduct, tolerance: Double(configuration.strikes))
    sources = Misconduct(configuration.conduct, tolerance: configuration.conduct.addressTolerance)
    peerChance = chance.fork("node")
    identifyChance = chance.fork("identify")
    identify = Identify(
      Identify.Own(
        protocols: [], addresses: [], signedRecord: nil, publicKey: keys.publicKey.encoded,
        agentVersion: configuration.agentVersion), configuration: configuration.identify)
    tables = configuration.tables.enumerated().map { number, table in
      Table(
        machine: Kademlia(id: keys.peerID, configuration: table, mode: configuration.servesTables ? .server : .client),
        protocolID: table.protocolID,
        chance: chance.fork("table", number))
    }
  }

  var now: Instant { configuration.transport.clock.now }
  var sessionNow: Instant { now + configuration.sessionOffset }
  var log: Logger { configuration.logger }

  /// The protocols that streams are accepted for.
  var served: [String] {
    [Identify.protocolID, Identify.pushProtocolID, Ping.protocolID, Dialback.protocolID, NodeCore.collectiveProtocol]
      + BitswapVersion.preference
      + PubSub.protocolIDs + tables.filter { $0.machine.mode == .server }.map(\.protocolID)
      + (house == nil ? [] : [LedgerMessage.protocolID, FeedMessage.protocolID])
  }

  /// The session's own protocol.
  static let collectiveProtocol = "/murmur/collective/1"

  /// The link that is used for a peer: the oldest.
  func link(to peer: PeerID) -> Link? { neighbours[peer]?.links.first }

  func note(_ words: String) { log.debug("\(words)") }

  func schedule(_ at: Instant, _ body: @escaping () -> Void) -> Scheduled<Void> {
    home.assumeIsolated().scheduleTask(deadline: configuration.transport.clock.deadline(at), body)
  }

  // MARK: The peer

  func step(_ input: Peer.Input) {
    turn { [self] in
      var effects = Effects<Peer.Effect>()
      if let recorder {
        recorder.step(&peer, input, at: sessionNow, chance: &peerChance, effects: &effects)
      } else {
        peer.step(input, at: sessionNow, chance: &peerChance, effects: &effects)
      }
      for effect in effects.list { perform(effect) }
      runErrands()
    }
  }

  /// Takes one input of one machine and performs all its effects; what these bring about at once waits for its turn. Otherwise a timer armed
  /// by a later input would be armed anew by what is left of an earlier one.
  func turn(_ body: @escaping () -> Void) {
    turns.append(body)
    guard !isTurning else { return }
    isTurning = true
    while !turns.isEmpty {
      let due = turns
      turns = []
      for body in due { body() }
    }
    isTurning = false
  }

  private func perform(_ effect: Peer.Effect) {
    switch effect {
    case .send(let peer, let message): send(message, to: peer)
    case .arm(let timer, let at):
      peerTimers[timer]?.cancel()
      peerTimers[timer] = nil
      guard at < .never else { return }
      peerTimers[timer] = schedule(at + (.zero - configuration.sessionOffset)) { [self] in
        peerTimers[timer] = nil
        step(.fired(timer))
      }
    case .compute(let work):
      let (home, bound, wantsOutcomes) = (home, NIOLoopBound(self, eventLoop: home), wantsOutcomes)
      workers.submit { state in
        guard case .active = state else { return }
        let begun = NIODeadline.now()
        let result = work.run(on: Workbench())
        let seconds = Double((NIODeadline.now() - begun).nanoseconds) / 1e9
        // Whoever stops does not wait for a job; its loop may be gone when that ends.
        wantsOutcomes.withLockedValue { if $0 { home.execute { bound.value.worked(result, after: seconds) } } }
      }
    case .note(let event): noted(event)
    case .answer(let answer): answered(answer)
    case .disconnect(let peer): shun(peer, "its pub/sub score is too low")
    case .connect(let peer, let record): offered(peer, record)
    case .disk(let errand): errands.append(errand)
    }
  }

  private func noted(_ event: CollectiveEvent) {
    meters.noted(event)
    witness?(sessionNow, event)
    switch event {
    case .published(let root): unsaved = (root, peer.collective.cycle)
    case .rejected(let root, let who, let why):
      // Who announced the model is known only where announcements are signed.
      let words = "what it has as \(root) is not taken: \(why)"
      if case .strict = peer.collective.sealing { offend(who, Offence.plain, words) } else { log.info("\(who): \(words)") }
    case .offended(let peer, let what): offend(peer, Offence.plain, "broke the rules: \(what)")
    default: break
    }
  }

  private func answered(_ answer: Peer.Answer) {
    switch answer {
    case .fetched(let root): for promise in fetches.removeValue(forKey: root) ?? [] { promise.succeed(root) }
    case .notFetched(let root, let failure): notFetched(root, failure)
    case .said(let topic, let message): for listener in listeners[topic] ?? [] { listener(topic, message) }
    }
  }

  private func offered(_ peer: PeerID, _ record: [UInt8]) {
    do throws(EnvelopeError) {
      let opened = try PeerRecord.open(record)
      guard opened.peer == peer else { return }
      book.learn(peer, opened.addresses)
    } catch { note("\(peer) was offered with a record that is none: \(error)") }
    _ = dial(peer)
  }

  // MARK: Messages

  /// Hands a message to the peer's outbox.
  func pass(_ message: Peer.Message, to peer: PeerID) {
    guard let link = link(to: peer), neighbours[peer]?.isTold == true else { return wait(message, for: peer) }
    let sent: Bool? =
      switch message {
      case .collective(let inner): neighbours[peer]?.collective?.send(.bytes(inner.encode()), size: message.wireSize, over: link)
      case .blocks(let inner): neighbours[peer]?.blocks?.send(.blocks(inner), size: message.wireSize, over: link)
      case .pubsub(let inner): neighbours[peer]?.pubsub?.send(.bytes(inner.encode()), size: message.wireSize, over: link)
      }
    guard sent != true else { return meters.sent(message) }
    lost(message, to: peer)
    if sent == false {
      meters.dropped(.full)
      note("\(peer) takes no more: a message of \(message.wireSize) bytes is dropped")
    }
  }

  /// A message will not be sent: the exchange is not to wait until its blocks are written.
  func lost(_ message: Peer.Message, to peer: PeerID) {
    guard case .blocks(let inner) = message, inner.blockBytes > 0 else { return }
    wrote(inner.blockBytes, to: peer)
  }

  /// Gives the machine a message that came.
  func take(_ message: Peer.Message, from peer: PeerID) {
    guard neighbours[peer]?.isTold == true else {
      let size = message.wireSize
      guard let neighbour = neighbours[peer], neighbour.early.count < NodeCore.waitingMessages,
        neighbour.earlyBytes + size <= NodeCore.earlyBytes
      else { return }
      neighbours[peer]?.early.append(message)
      neighbours[peer]?.earlyBytes += size
      return
    }
    step(.received(from: peer, message))
  }

  /// Blocks are on their way, or lost: the exchange may send more.
  func wrote(_ bytes: Int, to peer: PeerID) {
    let bound = NIOLoopBound(self, eventLoop: home)
    home.execute { bound.value.step(.written(to: peer, bytes: bytes)) }
  }

  // MARK: The disk

  func runErrands() {
    guard !isRunningErrands, !errands.isEmpty, store != nil else { return }
    let batch = errands
    errands = []
    isRunningErrands = true
    let (home, bound) = (home, NIOLoopBound(self, eventLoop: home))
    onDisk { store in
      let done = store.perform(batch)
      home.execute {
        let core = bound.value
        core.isRunningErrands = false
        core.meters.storeErrors(done.failures.count)
        for failure in done.failures { core.log.error("\(failure)") }
        for outcome in done.outcomes {
          if case .stored(let cid) = outcome { core.saveSession(cid) }
          core.step(.disk(outcome))
        }
        core.disk.failures += done.failures
        core.runErrands()
        core.tellWhoWaitsForTheDisk()
      }
    }
  }
}
