public import MurmurFeeds
public import MurmurIdentity
public import MurmurLedger
public import MurmurMachines
public import MurmurPubSub
public import MurmurStreams
public import MurmurWire

/// What a full peer does for streams: holds a replica of the ledger, takes the messages of thin feeders in, and reads all streams of the
/// session. Ledger, gateway and harvest as one machine; what one wants of another is passed on at once.
///
/// It stands beside the ``Peer``, whose pub/sub carries its gossip and whose session learns from the rows it reads. Each part draws from a stream of
/// chance of its own.
public struct Station: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// It starts. With ``restored(_:_:)`` before it, it goes on.
    case started
    /// What an earlier life kept of the ledger.
    case restored([Transaction], LedgerSnapshot?)
    /// A peer with a ledger is there.
    case connected(PeerID)
    /// It is gone.
    case disconnected(PeerID)
    /// It says something.
    case heard(from: PeerID, LedgerMessage)
    /// A transaction came by gossip; answered with ``Effect/judge(_:_:)``.
    case gossiped(MessageID, from: PeerID?, [UInt8])
    /// The work handed out was done.
    case worked(Challenge, nonce: UInt64)
    /// A feeder opened a stream, or ended it, or said something.
    case feeder(PeerID, Gateway.Input)
    /// A stream whose pointer was handed over is to be followed.
    case follow(Sensor, StreamPointer)
    /// A timer fired.
    case fired(Timer)
    /// Milliseconds since 1970 at the world's origin.
    case clockSet(epoch: Int64)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Send a message to a peer with a ledger.
    case send(PeerID, LedgerMessage)
    /// Publish on the ledger's topic.
    case publish([UInt8])
    /// What gossip is worth.
    case judge(MessageID, PubSub.Verdict)
    /// Find a nonce.
    case work(Challenge)
    /// Send a feeder a message.
    case answer(PeerID, FeedMessage)
    /// Close a feeder's stream, and let it open none for so long.
    case shutOut(PeerID, for: Instant.Span, why: String)
    /// Keep a transaction on the disk.
    case keep(CID, [UInt8])
    /// Remove transactions from the disk, and keep the snapshot instead of the one before, at once.
    case prune([CID], LedgerSnapshot)
    /// Rows of a sensor, each told once. What is kept of its stream is in the following ``advanced(_:)``: both are to be kept together.
    case rows(FeedRows)
    /// The place of a stream moved on.
    case advanced(FeedState)
    /// Something is to be known.
    case report(StationReport)
    /// Wake it then; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
  }

  /// The timers of all parts.
  public enum Timer: Hashable, Sendable {
    case ledger(Ledger.Timer)
    case gateway
    case harvest
  }

  /// Its replica of the ledger.
  public private(set) var ledger: Ledger
  /// What it does for feeders.
  public private(set) var gateway: Gateway
  /// What it reads.
  public private(set) var harvest: Harvest
  /// Whether there is no other peer to confirm anything: what is in its ledger then counts as confirmed.
  private let isAlone: Bool
  /// What feeders gave and the ledger was asked to issue, in order.
  private var asked: [FeedKey] = []
  private var ledgerChance: Chance
  private var gatewayChance: Chance
  private var harvestChance: Chance

  /// A station of these parts, which have not started. One that is alone in its session waits for nobody's confirmation.
  public init(ledger: Ledger, gateway: Gateway, harvest: Harvest, isAlone: Bool = false, chance: Chance) {
    self.isAlone = isAlone
    self.ledger = ledger
    self.gateway = gateway
    self.harvest = harvest
    ledgerChance = chance.fork("ledger")
    gatewayChance = chance.fork("gateway")
    harvestChance = chance.fork("harvest")
  }

  /// The pub/sub topic of a session's ledger.
  public static func topic(of session: String) -> Topic { Topic(session + "/ledger") }

  /// Takes one input and appends what is to be done; what its parts want of each other is done when it returns.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started:
      step(ledger: .started, at: now, &effects)
      step(harvest: .started, at: now, &effects)
    case .restored(let transactions, let snapshot): step(ledger: .restored(transactions, snapshot), at: now, &effects)
    case .connected(let peer): step(ledger: .connected(peer), at: now, &effects)
    case .disconnected(let peer): step(ledger: .disconnected(peer), at: now, &effects)
    case .heard(let peer, let message): step(ledger: .received(from: peer, message), at: now, &effects)
    case .gossiped(let id, let peer, let bytes): step(ledger: .gossiped(from: peer, bytes), judging: id, at: now, &effects)
    case .worked(let challenge, let nonce): step(ledger: .worked(challenge, nonce: nonce), at: now, &effects)
    case .feeder(_, let input): step(gateway: input, at: now, &effects)
    case .follow(let sensor, let pointer): step(harvest: .follow(sensor, pointer), at: now, &effects)
    case .fired(.ledger(let timer)): step(ledger: .fired(timer), at: now, &effects)
    case .fired(.gateway): step(gateway: .fired, at: now, &effects)
    case .fired(.harvest): step(harvest: .fired(.patience), at: now, &effects)
    case .clockSet(let epoch): step(ledger: .clockSet(epoch: epoch), at: now, &effects)
    }
  }

  // MARK: The parts

  private mutating func step(
    ledger input: Ledger.Input, judging id: MessageID? = nil, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    var wanted = Effects<Ledger.Effect>()
    ledger.step(input, at: now, chance: &ledgerChance, effects: &wanted)
    for effect in wanted.list {
      switch effect {
      case .send(let peer, let message): effects.append(.send(peer, message))
      case .publish(let bytes): effects.append(.publish(bytes))
      case .judge(let verdict):
        if let id { effects.append(.judge(id, verdict.forPubSub)) }
      case .work(let challenge): effects.append(.work(challenge))
      case .arm(let timer, let at): effects.append(.arm(.ledger(timer), at: at))
      case .keep(let id, let bytes): effects.append(.keep(id, bytes))
      case .prune(let ids, let snapshot): effects.append(.prune(ids, snapshot))
      case .issued(let id, let tag):
        guard let place = asked.firstIndex(where: { $0.tag == tag }) else { continue }
        step(gateway: .issued(asked.remove(at: place).name, as: id), at: now, &effects)
        if isAlone { step(gateway: .confirmed([id]), at: now, &effects) }
      case .refused(let tag, _):
        // What was asked last is refused at once.
        guard let place = asked.lastIndex(where: { $0.tag == tag }) else { continue }
        step(gateway: .notIssued(asked.remove(at: place).name), at: now, &effects)
      case .solid(let transaction):
        step(harvest: .solid(tag: transaction.tag, bytes: transaction.payload, transaction: transaction.id), at: now, &effects)
      case .confirmed(let ids): step(gateway: .confirmed(ids), at: now, &effects)
      case .report(let report): effects.append(.report(.ledger(report)))
      }
    }
  }

  private mutating func step(gateway input: Gateway.Input, at now: Instant, _ effects: inout Effects<Effect>) {
    var wanted = Effects<Gateway.Effect>()
    gateway.step(input, at: now, chance: &gatewayChance, effects: &wanted)
    for effect in wanted.list {
      switch effect {
      case .send(let message, let feeder): effects.append(.answer(feeder, message))
      case .issue(let key, let content):
        if let known = transaction(of: key) {
          // Another gateway was given it before.
          step(gateway: .issued(key.name, as: known.id), at: now, &effects)
          if isAlone || ledger.isConfirmed(known.id) { step(gateway: .confirmed([known.id]), at: now, &effects) }
        } else {
          asked.append(key)
          step(ledger: .issue(tag: key.tag, payload: content), at: now, &effects)
        }
      case .lookUp(let keys, let feeder):
        let findings = keys.map { key in
          let known = transaction(of: key)
          return Gateway.Finding(
            key.name, transaction: known?.id, isConfirmed: known.map { isAlone || ledger.isConfirmed($0.id) } ?? false)
        }
        step(gateway: .found(findings, for: feeder), at: now, &effects)
      case .shutOut(let feeder, let span, let why): effects.append(.shutOut(feeder, for: span, why: why))
      case .arm(let at): effects.append(.arm(.gateway, at: at))
      }
    }
  }

  /// The transaction that holds a message, confirmed if there are several and one is.
  private func transaction(of key: FeedKey) -> Transaction? {
    let all = ledger.transactions(tagged: key.tag).filter { FeedKey(tag: $0.tag, content: $0.payload).name == key.name }
    return all.first { ledger.isConfirmed($0.id) } ?? all.first
  }

  private mutating func step(harvest input: Harvest.Input, at now: Instant, _ effects: inout Effects<Effect>) {
    var wanted = Effects<Harvest.Effect>()
    harvest.step(input, at: now, chance: &harvestChance, effects: &wanted)
    for effect in wanted.list {
      switch effect {
      case .look(let tag):
        for transaction in ledger.transactions(tagged: tag) {
          step(harvest: .solid(tag: tag, bytes: transaction.payload, transaction: transaction.id), at: now, &effects)
        }
      case .rows(let rows): effects.append(.rows(rows))
      case .advanced(let state): effects.append(.advanced(state))
      case .report(let report): effects.append(.report(.feed(report)))
      case .arm(_, let at): effects.append(.arm(.harvest, at: at))
      }
    }
  }
}

extension Ledger.Verdict {
  fileprivate var forPubSub: PubSub.Verdict {
    switch self {
    case .accept: .accept
    case .reject: .reject
    case .ignore: .ignore
    }
  }
}

/// Something that a station noticed.
public enum StationReport: Hashable, Sendable, CustomStringConvertible {
  /// In the ledger, about an issuer or a peer.
  case ledger(LedgerReport)
  /// In a stream, about a sensor.
  case feed(FeedReport)

  /// One sentence.
  public var description: String {
    switch self {
    case .ledger(let report): "ledger: \(report)"
    case .feed(let report): "\(report)"
    }
  }
}
