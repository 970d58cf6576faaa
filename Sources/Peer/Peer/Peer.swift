public import MurmurBlocks
public import MurmurCollective
public import MurmurIdentity
public import MurmurMachines
public import MurmurPubSub
import MurmurSessions
import MurmurWire

/// One participant: session, block exchange and pub/sub as one machine.
///
/// The parts know nothing of each other. What one wants of another (a model fetched, a notice published) is passed on here, at once
/// and in order, so that a step of the peer is finished when it returns. Each part draws from a stream of chance of its own.
public struct Peer: Machine, Sendable {
  /// What happened to the peer.
  public enum Input: Sendable {
    /// The peer starts, or starts again after a crash.
    case started
    /// A connection to a peer is there, and so much is known of it.
    case connected(PeerID, Acquaintance = Acquaintance())
    /// A connection is gone.
    case disconnected(PeerID)
    /// A connected peer's signed peer record is known, to be passed on to others.
    case recorded(PeerID, [UInt8])
    /// A message came.
    case received(from: PeerID, Message)
    /// A timer fired.
    case fired(Timer)
    /// The job handed out by `compute` ended.
    indirect case worked(WorkResult)
    /// Somebody beside the session wants something of the peer.
    indirect case asked(Ask)
    /// The world did an errand at its disk; only with a store that has one.
    indirect case disk(BlockStore.Outcome)
    /// The world got rid of so many bytes of blocks sent to a peer; only counted with `Limits.unwrittenBytesPerPeer`.
    case written(to: PeerID, bytes: Int)
  }

  /// What a peer wants done.
  public enum Effect: Sendable {
    case send(PeerID, Message)
    case arm(Timer, at: Instant)
    indirect case compute(Work)
    case note(CollectiveEvent)
    /// What came of an ``Ask``, or of a topic that was asked for.
    indirect case answer(Answer)
    /// Close the connection to a peer that is below all thresholds; only if peers are scored.
    case disconnect(PeerID)
    /// Dial a peer that another one offered, at the addresses of its signed record; only if peers are scored.
    case connect(PeerID, record: [UInt8])
    /// Something is to be done with the disk; only with a store that has one.
    indirect case disk(BlockStore.Errand)
  }

  /// What travels between two peers, one case for each protocol.
  public enum Message: Sendable {
    case collective(CollectiveMessage)
    case blocks(BitswapMessage)
    case pubsub(RPC)

    /// The bytes of the encoded message with its length prefix, as on a libp2p stream.
    public var wireSize: Int {
      let size: Int
      switch self {
      case .collective(let message): size = message.wireSize
      case .blocks(let message): size = message.wireSize
      case .pubsub(let message): size = message.wireSize
      }
      return size + (size < 128 ? 1 : size < 16384 ? 2 : size < 2_097_152 ? 3 : 4)
    }
  }

  /// The timers of all parts.
  public enum Timer: Hashable, Sendable {
    case collective(Collective.Timer)
    case blocks(Exchange.Timer)
    case pubsub(PubSub.Timer)
  }

  /// Who this is.
  public let id: PeerID
  /// The peer's part in the session.
  public private(set) var collective: Collective
  /// Its blocks and their exchange.
  public private(set) var exchange: Exchange
  /// Its pub/sub; silent in sessions that need none.
  public private(set) var pubsub: PubSub

  private let topic: Topic
  private let usesTopic: Bool
  private let servesTopics: Bool
  /// Objects that were asked for beside the session.
  private var ordered: [CID] = []
  /// Models of the session that are on the disk and that nobody keeps, the oldest first.
  private var spent: [CID] = []
  private var collectiveChance: Chance
  private var exchangeChance: Chance
  private var pubsubChance: Chance

  /// Models of the session that stay on a disk for others although nobody keeps them; of more, the oldest go. A disk has room for more, but every
  /// block on it takes memory too, and old models serve nobody.
  public static let spentModels = 32

  /// A peer about to start; the parts' streams are forked from `chance`. With `servesTopics` its pub/sub takes part whatever the session
  /// needs.
  public init(
    collective: Collective, exchange: Exchange, pubsub: PubSub, chance: Chance, servesTopics: Bool = false
  ) {
    id = collective.id
    self.collective = collective
    self.exchange = exchange
    self.pubsub = pubsub
    topic = Topic(collective.session.name)
    usesTopic = collective.session.announcements == .broadcast || !collective.session.privacy
    self.servesTopics = servesTopics
    collectiveChance = chance.fork("collective")
    exchangeChance = chance.fork("exchange")
    pubsubChance = chance.fork("pubsub")
  }

  /// Takes one input and appends what is to be done, its parts' wishes of each other already fulfilled.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started:
      if usesTopic { step(pubsub: .subscribe(topic), at: now, &effects) }
      step(collective: .began, at: now, &effects)
    case .connected(let peer, let known):
      if known.languages.contains(.blocks) { step(exchange: .connected(peer), at: now, &effects) }
      if usesPubSub, known.languages.contains(.pubsub) { step(pubsub: .connected(peer, known.pubsub), at: now, &effects) }
      if known.languages.contains(.collective) { step(collective: .met(peer), at: now, &effects) }
    case .disconnected(let peer):
      step(exchange: .disconnected(peer), at: now, &effects)
      if usesPubSub { step(pubsub: .disconnected(peer), at: now, &effects) }
    case .recorded(let peer, let record): if usesPubSub { step(pubsub: .recorded(peer, record), at: now, &effects) }
    case .received(let peer, .collective(let message)): step(collective: .heard(from: peer, message), at: now, &effects)
    case .received(let peer, .blocks(let message)): step(exchange: .received(from: peer, message), at: now, &effects)
    case .received(let peer, .pubsub(let message)):
      if usesPubSub { step(pubsub: .received(from: peer, message), at: now, &effects) }
    case .fired(.collective(let timer)): step(collective: .fired(timer), at: now, &effects)
    case .fired(.blocks(let timer)): step(exchange: .timerFired(timer), at: now, &effects)
    case .fired(.pubsub(let timer)): step(pubsub: .timerFired(timer), at: now, &effects)
    case .worked(let result): step(collective: .worked(result), at: now, &effects)
    case .asked(let ask): answer(ask, at: now, &effects)
    case .disk(let outcome): step(exchange: .disk(outcome), at: now, &effects)
    case .written(let peer, let bytes): step(exchange: .written(to: peer, bytes: bytes), at: now, &effects)
    }
  }

  /// Takes over what an earlier life of this peer left on its disk: blocks, and the newest model that was stored. With a `torn` disk
  /// the last write was cut short, so the newest model is gone.
  public mutating func restore(from earlier: Peer, torn: Bool) {
    exchange.store = earlier.exchange.store
    collective.resume(from: earlier.collective, torn: torn)
  }

  /// A model of the session need not be kept; only of interest where there is a disk, since memory has a small budget as it is.
  private mutating func spend(_ root: CID) {
    guard exchange.store.memoryBudget != nil, !spent.contains(root) else { return }
    spent.append(root)
    guard spent.count > Peer.spentModels else { return }
    let old = spent.removeFirst()
    if !ordered.contains(old), !collective.awaits(old) { exchange.store.remove(object: old) }
  }

  mutating func want(_ root: CID) {
    if !ordered.contains(root) { ordered.append(root) }
  }

  /// Whether the object was asked for beside the session; it is not any more, and nobody waits for it.
  mutating func forget(_ root: CID) -> Bool {
    guard let place = ordered.firstIndex(of: root) else { return false }
    ordered.remove(at: place)
    return !collective.awaits(root)
  }

  mutating func put(_ object: Object.Built) { exchange.store.put(object) }

  mutating func take(_ blocks: [Block], at now: Instant, _ effects: inout Effects<Effect>) {
    for block in blocks {
      exchange.store.put(block)
      step(exchange: .added(block.cid), at: now, &effects)
    }
  }

  mutating func pin(_ root: CID, _ keeps: Bool, at now: Instant, _ effects: inout Effects<Effect>) {
    if keeps { exchange.store.pin(root, as: "owner") } else { exchange.store.unpin(root, as: "owner") }
    // The exchange passes on what the store wants done at the disk.
    step(exchange: .added(root), at: now, &effects)
  }

  private var usesPubSub: Bool { usesTopic || servesTopics }

  // MARK: The parts

  mutating func step(collective input: Collective.Input, at now: Instant, _ effects: inout Effects<Effect>) {
    var wanted = Effects<Collective.Effect>(reserving: 8)
    collective.step(input, at: now, chance: &collectiveChance, effects: &wanted)
    for effect in wanted.list { perform(effect, at: now, &effects) }
  }

  private mutating func perform(_ effect: Collective.Effect, at now: Instant, _ effects: inout Effects<Effect>) {
    switch effect {
    case .say(let peer, let message): effects.append(.send(peer, .collective(message)))
    case .publish(let notice): step(pubsub: .publish(topic, data: notice.encode()), at: now, &effects)
    case .fetch(let root, let providers, let until):
      let most = collective.mostBytes(of: root)
      step(exchange: .want(root: root, providers: providers, deadline: until, mostBytes: most), at: now, &effects)
    case .store(let object):
      exchange.store.pin(object.root)
      exchange.store.put(object)
      step(exchange: .added(object.root), at: now, &effects)
    case .keep(let root): exchange.store.pin(root)
    case .release(let root):
      exchange.store.unpin(root)
      spend(root)
    case .compute(let work): effects.append(.compute(work))
    case .arm(let timer, let at): effects.append(.arm(.collective(timer), at: at))
    case .note(let event): effects.append(.note(event))
    }
  }

  mutating func step(exchange input: Exchange.Input, at now: Instant, _ effects: inout Effects<Effect>) {
    var wanted = Effects<Exchange.Effect>(reserving: 4)
    exchange.step(input, at: now, chance: &exchangeChance, effects: &wanted)
    for effect in wanted.list {
      switch effect {
      case .send(let peer, let message): effects.append(.send(peer, .blocks(message)))
      case .arm(let timer, let at): effects.append(.arm(.blocks(timer), at: at))
      case .completed(let root):
        if let place = ordered.firstIndex(of: root) {
          ordered.remove(at: place)
          effects.append(.answer(.fetched(root)))
          guard collective.awaits(root) else { continue }
        }
        spend(root)
        do throws(ObjectError) {
          let bytes = try Object.read(root, from: exchange.store, limit: collective.mostBytes(of: root))
          step(collective: .fetched(root: root, bytes: bytes), at: now, &effects)
        } catch {
          // What a root names is settled by whoever announced it; that a block is gone again is nobody's fault.
          let isOffence = if case .missing = error { false } else { true }
          step(collective: .notFetched(root: root, reason: "\(error)", isOffence: isOffence), at: now, &effects)
        }
      case .failed(let root, let failure):
        if let place = ordered.firstIndex(of: root) {
          ordered.remove(at: place)
          effects.append(.answer(.notFetched(root, failure)))
          guard collective.awaits(root) else { continue }
        }
        let isOffence = failure.reason == .tooLarge
        step(collective: .notFetched(root: root, reason: "\(failure)", isOffence: isOffence), at: now, &effects)
      case .report(let peer, let offence): effects.append(.note(.offended(by: peer, "\(offence)")))
      case .disk(let errand): effects.append(.disk(errand))
      }
    }
  }

  mutating func step(pubsub input: PubSub.Input, at now: Instant, _ effects: inout Effects<Effect>) {
    var wanted = Effects<PubSub.Effect>()
    pubsub.step(input, at: now, chance: &pubsubChance, effects: &wanted)
    for effect in wanted.list {
      switch effect {
      case .send(let peer, let message): effects.append(.send(peer, .pubsub(message)))
      case .arm(let timer, let at): effects.append(.arm(.pubsub(timer), at: at))
      case .disconnect(let peer): effects.append(.disconnect(peer))
      case .connect(let peer, let record): effects.append(.connect(peer, record: record))
      case .deliver(let delivered, let message) where delivered != topic || !usesTopic:
        effects.append(.answer(.said(delivered, message)))
      case .deliver(_, let message):
        do throws(WireError) {
          step(collective: .noticed(try Notice.decode(message.data), from: message.from), at: now, &effects)
        } catch {
          effects.append(.note(.rejected(CID(codec: .raw, hashing: message.data), from: message.from, "\(error)")))
        }
      }
    }
  }
}
