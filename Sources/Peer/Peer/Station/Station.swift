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
    var due = Agenda()
    switch input {
    case .started: due.add([.ledger(.started), .harvest(.started)])
    case .restored(let transactions, let snapshot): due.add([.ledger(.restored(transactions, snapshot))])
    case .connected(let peer): due.add([.ledger(.connected(peer))])
    case .disconnected(let peer): due.add([.ledger(.disconnected(peer))])
    case .heard(let peer, let message): due.add([.ledger(.received(from: peer, message))])
    case .gossiped(let id, let peer, let bytes): due.add([.ledger(.gossiped(from: peer, bytes), judging: id)])
    case .worked(let challenge, let nonce): due.add([.ledger(.worked(challenge, nonce: nonce))])
    case .feeder(_, let input): due.add([.gateway(input)])
    case .follow(let sensor, let pointer): due.add([.harvest(.follow(sensor, pointer))])
    case .fired(.ledger(let timer)): due.add([.ledger(.fired(timer))])
    case .fired(.gateway): due.add([.gateway(.fired)])
    case .fired(.harvest): due.add([.harvest(.fired(.patience))])
    case .clockSet(let epoch): due.add([.ledger(.clockSet(epoch: epoch))])
    }
    while let next = due.next() { perform(next, at: now, &due, &effects) }
  }

  // MARK: The parts

  /// What is to be done, what came last first: what one part wants of another is done before the rest of what it wants. A list and no calls
  /// of functions by themselves, as one message that was waited for may bring about the reading of any number of others.
  private struct Agenda {
    enum Task {
      case ledger(Ledger.Input, judging: MessageID? = nil)
      case gateway(Gateway.Input)
      case harvest(Harvest.Input)
      case ledgerWants(Ledger.Effect, judging: MessageID?)
      case gatewayWants(Gateway.Effect)
      case harvestWants(Harvest.Effect)
    }

    private var tasks: [Task] = []

    mutating func add(_ more: [Task]) { tasks += more.reversed() }
    mutating func next() -> Task? { tasks.popLast() }
  }

  private mutating func perform(_ task: Agenda.Task, at now: Instant, _ due: inout Agenda, _ effects: inout Effects<Effect>) {
    switch task {
    case .ledger(let input, let id):
      var wanted = Effects<Ledger.Effect>()
      ledger.step(input, at: now, chance: &ledgerChance, effects: &wanted)
      due.add(wanted.list.map { .ledgerWants($0, judging: id) })
    case .gateway(let input):
      var wanted = Effects<Gateway.Effect>()
      gateway.step(input, at: now, chance: &gatewayChance, effects: &wanted)
      due.add(wanted.list.map { .gatewayWants($0) })
    case .harvest(let input):
      var wanted = Effects<Harvest.Effect>()
      harvest.step(input, at: now, chance: &harvestChance, effects: &wanted)
      due.add(wanted.list.map { .harvestWants($0) })
    case .ledgerWants(let effect, let id): perform(effect, judging: id, &due, &effects)
    case .gatewayWants(let effect): perform(effect, &due, &effects)
    case .harvestWants(let effect): perform(effect, &due, &effects)
    }
  }

  private mutating func perform(
    _ effect: Ledger.Effect, judging id: MessageID?, _ due: inout Agenda, _ effects: inout Effects<Effect>
  ) {
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
      guard let place = asked.firstIndex(where: { $0.tag == tag }) else { return }
      due.add([.gateway(.issued(asked.remove(at: place).name, as: id))] + (isAlone ? [.gateway(.confirmed([id]))] : []))
    case .refused(let tag, _):
      // What was asked last is refused at once.
      guard let place = asked.lastIndex(where: { $0.tag == tag }) else { return }
      due.add([.gateway(.notIssued(asked.remove(at: place).name))])
    case .solid(let transaction):
      due.add([.harvest(.solid(tag: transaction.tag, bytes: transaction.payload, transaction: transaction.id))])
    case .confirmed(let ids): due.add([.gateway(.confirmed(ids))])
    case .report(let report): effects.append(.report(.ledger(report)))
    }
  }

  private mutating func perform(_ effect: Gateway.Effect, _ due: inout Agenda, _ effects: inout Effects<Effect>) {
    switch effect {
    case .send(let message, let feeder): effects.append(.answer(feeder, message))
    case .issue(let key, let content):
      if let known = transaction(of: key) {
        // Another gateway was given it before.
        let isConfirmed = isAlone || ledger.isConfirmed(known.id)
        due.add([.gateway(.issued(key.name, as: known.id))] + (isConfirmed ? [.gateway(.confirmed([known.id]))] : []))
      } else {
        asked.append(key)
        due.add([.ledger(.issue(tag: key.tag, payload: content))])
      }
    case .lookUp(let keys, let feeder):
      let findings = keys.map { key in
        let known = transaction(of: key)
        return Gateway.Finding(
          key.name, transaction: known?.id, isConfirmed: known.map { isAlone || ledger.isConfirmed($0.id) } ?? false)
      }
      due.add([.gateway(.found(findings, for: feeder))])
    case .shutOut(let feeder, let span, let why): effects.append(.shutOut(feeder, for: span, why: why))
    case .arm(let at): effects.append(.arm(.gateway, at: at))
    }
  }

  /// The transaction that holds a message, confirmed if there are several and one is.
  private func transaction(of key: FeedKey) -> Transaction? {
    let all = ledger.transactions(tagged: key.tag).filter { FeedKey(tag: $0.tag, content: $0.payload).name == key.name }
    return all.first { ledger.isConfirmed($0.id) } ?? all.first
  }

  private func perform(_ effect: Harvest.Effect, _ due: inout Agenda, _ effects: inout Effects<Effect>) {
    switch effect {
    case .look(let tag):
      let found = ledger.transactions(tagged: tag)
      due.add(found.map { .harvest(.solid(tag: tag, bytes: $0.payload, transaction: $0.id)) })
    case .rows(let rows): effects.append(.rows(rows))
    case .advanced(let state): effects.append(.advanced(state))
    case .report(let report): effects.append(.report(.feed(report)))
    case .arm(_, let at): effects.append(.arm(.harvest, at: at))
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
