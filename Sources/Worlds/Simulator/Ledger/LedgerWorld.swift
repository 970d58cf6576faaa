public import MurmurIdentity
public import MurmurLedger
public import MurmurMachines
public import MurmurPubSub
public import MurmurWire

/// Many peers with a ledger under virtual time: the machines that run on sockets, their gossip included, over links that delay, lose and
/// break.
///
/// One event at a time, in the order of virtual time: a seed replays a run exactly, and ``trace`` is a hash over every event.
public struct LedgerWorld {
  enum Event {
    case gossip(from: Int32, to: Int32, RPC)
    case message(from: Int32, to: Int32, LedgerMessage)
    case ledger(Int32, Ledger.Timer, life: Int32)
    case heartbeat(Int32, life: Int32)
    case worked(Int32, Challenge, nonce: UInt64, life: Int32)
    case issue(Int32, tag: [UInt8], payload: [UInt8])
    case fault(LedgerFault.What)
  }

  /// What a peer was told to keep.
  struct Disk {
    var order: [Digest] = []
    var kept: [Digest: Transaction] = [:]
    var snapshot: LedgerSnapshot?
  }

  struct Node {
    var ledger: Ledger
    var pubsub: PubSub
    var ledgerChance: Chance
    var pubsubChance: Chance
    var linkChance: Chance
    var links: [Link]
    var isAlive = true
    var life: Int32 = 0
    /// Only of peers that will stop.
    var disk: Disk?

    mutating func step(_ input: Ledger.Input, at now: Instant, _ effects: inout Effects<Ledger.Effect>) {
      ledger.step(input, at: now, chance: &ledgerChance, effects: &effects)
    }

    mutating func step(_ input: PubSub.Input, at now: Instant, _ effects: inout Effects<PubSub.Effect>) {
      pubsub.step(input, at: now, chance: &pubsubChance, effects: &effects)
    }
  }

  struct Link {
    let to: Int
    let latency: Double
    let isOutbound: Bool
  }

  /// What travelled.
  public struct Traffic: Sendable, Hashable {
    /// Frames of gossip.
    public var frames = 0
    /// Their bytes.
    public var frameBytes = 0
    /// Messages between ledgers.
    public var messages = 0
    /// Their bytes.
    public var messageBytes = 0
    /// Frames and messages that were lost, or came to nobody.
    public var lost = 0
  }

  /// What is known of one transaction that says something.
  public struct Story: Sendable, Hashable {
    /// Who issued it.
    public let issuer: Int
    /// When the application said it.
    public let said: Instant
    /// At how many peers it is solid.
    public var solid = 0
    /// At how many peers it is confirmed.
    public var confirmed = 0
    /// When it was confirmed at its issuer.
    public var confirmedAtIssuer: Instant?
    /// When it was confirmed at half of the peers.
    public var confirmedAtHalf: Instant?
    /// When it was confirmed last anywhere.
    public var confirmedLast: Instant?
  }

  /// What the peers and links are like.
  public let conditions: LedgerConditions
  /// The memory of checked transactions.
  public let shared: SharedTransactions
  /// The topic of the ledger's gossip.
  public static let topic = Topic("simulated/ledger")
  var nodes: [Node] = []
  var numbers: [PeerID: Int] = [:]
  var queue = EventQueue<Event>()
  var cut: Int?
  /// The virtual time of the latest event.
  public private(set) var now = Instant.origin
  /// A hash over every event so far.
  public private(set) var trace = TraceHash()
  /// Events so far.
  public private(set) var events = 0
  /// What travelled so far.
  public internal(set) var traffic = Traffic()
  /// What became of every transaction that says something.
  public internal(set) var stories: [Digest: Story] = [:]
  /// What ledgers reported.
  public internal(set) var reports: [(by: Int, LedgerReport)] = []
  /// When what a peer waits to have issued was said, by peer.
  var said: [[Instant]]

  /// Milliseconds since 1970 at the world's origin.
  public static let epoch: Int64 = 1_800_000_000_000

  /// A world whose peers have started.
  public init(_ conditions: LedgerConditions) {
    self.conditions = conditions
    shared = SharedTransactions(least: conditions.ledger.baseDifficulty)
    said = Array(repeating: [], count: conditions.peers)
    let chance = Chance(seed: conditions.seed).fork("ledger world")
    var links = LedgerWorld.links(conditions, chance)
    var configuration = conditions.pubsub
    configuration.validatedTopics = [LedgerWorld.topic]
    let settings = PubSub.Settings(configuration)
    for number in 0..<conditions.peers {
      let id = LedgerWorld.id(number)
      numbers[id] = number
      let own = chance.fork("peer", number)
      let pubsub = PubSub(id: id, settings: settings)
      nodes.append(
        Node(
          ledger: ledger(number), pubsub: pubsub, ledgerChance: own.fork("ledger"), pubsubChance: own.fork("pubsub"),
          linkChance: own.fork("links"), links: links[number]))
      links[number] = []
    }
    for fault in conditions.faults {
      queue.schedule(.fault(fault.what), at: fault.at)
      if case .crash(let number) = fault.what { nodes[number].disk = Disk() }
      if case .absent(let number) = fault.what { nodes[number].isAlive = false }
    }
    for number in nodes.indices where nodes[number].isAlive { begin(number) }
    for number in nodes.indices { connectAll(number) { $0 > number } }
  }

  /// The identity of a peer.
  public static func id(_ number: Int) -> PeerID {
    PeerID(kind: .ed25519, word: .sha256(of: Array("ledger peer \(number)".utf8)))
  }

  private func ledger(_ number: Int) -> Ledger {
    var configuration = conditions.ledger
    var clock = Chance(seed: conditions.seed).fork("clock", number)
    configuration.epoch = LedgerWorld.epoch + Int64(conditions.clockError.seconds * 1_000 * (2 * clock.uniform() - 1))
    let shared = shared
    configuration.decode = { shared.decode($0) }
    let id = LedgerWorld.id(number)
    return Ledger(id: id, configuration: configuration) { SharedTransactions.signature(of: id, over: $0) }
  }

  private static func links(_ conditions: LedgerConditions, _ chance: Chance) -> [[Link]] {
    var draws = chance.fork("graph")
    var links: [[Link]] = Array(repeating: [], count: conditions.peers)
    guard conditions.peers > 1 else { return links }
    for number in 0..<conditions.peers {
      var left = min(conditions.degree, conditions.peers - 1), tries = 20 * left
      while left > 0, tries > 0 {
        tries -= 1
        let other = draws.below(conditions.peers)
        guard other != number, !links[number].contains(where: { $0.to == other }) else { continue }
        let latency = draws.logNormal(median: conditions.latency.seconds, sigma: conditions.latencySpread)
        links[number].append(Link(to: other, latency: latency, isOutbound: true))
        links[other].append(Link(to: number, latency: latency, isOutbound: false))
        left -= 1
      }
    }
    return links
  }

  // MARK: Running

  /// Runs until `time`.
  public mutating func run(until time: Instant, isStopped: () -> Bool = { false }) {
    while let next = queue.next, next <= time, let event = queue.pop() {
      now = max(now, event.time)
      events += 1
      take(event.event)
      if events & 1_023 == 0, isStopped() { return }
    }
    now = max(now, time)
  }

  /// Lets a peer's application say something at a time.
  public mutating func issue(by number: Int, tag: [UInt8], payload: [UInt8], at time: Instant) {
    queue.schedule(.issue(Int32(number), tag: tag, payload: payload), at: time)
  }

  private mutating func take(_ event: Event) {
    switch event {
    case .gossip(let from, let to, let rpc):
      let (source, number) = (Int(from), Int(to))
      guard nodes[number].isAlive, !isCut(source, number) else { return traffic.lost += 1 }
      trace.mix(now, 1, UInt64(to), UInt64(from) << 32 | UInt64(rpc.wireSize & 0xffff_ffff))
      step(number, pubsub: .received(from: LedgerWorld.id(of: nodes[source]), rpc), neighbor: source)
    case .message(let from, let to, let message):
      let (source, number) = (Int(from), Int(to))
      guard nodes[number].isAlive, !isCut(source, number) else { return traffic.lost += 1 }
      trace.mix(now, 2, UInt64(to), UInt64(from) << 32 | UInt64(message.wireSize & 0xffff_ffff))
      step(number, .received(from: LedgerWorld.id(of: nodes[source]), message))
    case .ledger(let number, let timer, let life):
      guard isSame(number, life) else { return }
      trace.mix(now, 3, UInt64(number), 0)
      step(Int(number), .fired(timer))
    case .heartbeat(let number, let life):
      guard isSame(number, life) else { return }
      step(Int(number), pubsub: .timerFired(.heartbeat), neighbor: nil)
    case .worked(let number, let challenge, let nonce, let life):
      guard isSame(number, life) else { return }
      trace.mix(now, 4, UInt64(number), nonce)
      step(Int(number), .worked(challenge, nonce: nonce))
    case .issue(let meant, let tag, let payload):
      // Who is not there leaves it to the next.
      guard
        let number = nodes.indices.first(where: { nodes[(Int(meant) + $0) % nodes.count].isAlive }).map({
          (Int(meant) + $0) % nodes.count
        })
      else { return }
      said[number].append(now)
      step(number, .issue(tag: tag, payload: payload))
    case .fault(let what): act(what)
    }
  }

  private static func id(of node: Node) -> PeerID { node.ledger.id }

  private func isSame(_ number: Int32, _ life: Int32) -> Bool { nodes[Int(number)].isAlive && nodes[Int(number)].life == life }

  func isCut(_ a: Int, _ b: Int) -> Bool {
    guard let cut else { return false }
    return (a < cut) != (b < cut)
  }

  // MARK: Faults

  /// Does what a fault says, now.
  public mutating func act(_ what: LedgerFault.What) {
    trace.mix(now, 5, 0, 0)
    switch what {
    case .partition(let below):
      for number in nodes.indices { connectAll(number, connects: false) { (number < below) != ($0 < below) && number < $0 } }
      cut = below
    case .heal:
      guard let below = cut else { return }
      cut = nil
      for number in nodes.indices { connectAll(number) { (number < below) != ($0 < below) && number < $0 } }
    case .crash(let number):
      guard nodes[number].isAlive else { return }
      connectAll(number, connects: false) { _ in true }
      nodes[number].isAlive = false
      nodes[number].life += 1
      said[number] = []
    case .start(let number):
      guard !nodes[number].isAlive else { return }
      nodes[number].isAlive = true
      nodes[number].ledger = ledger(number)
      begin(number)
      connectAll(number) { _ in true }
    case .absent: return
    }
  }

  private mutating func begin(_ number: Int) {
    if let disk = nodes[number].disk, !disk.kept.isEmpty {
      step(number, .restored(disk.order.compactMap { disk.kept[$0] }, disk.snapshot))
    }
    step(number, .started)
    step(number, pubsub: .started, neighbor: nil)
    step(number, pubsub: .subscribe(LedgerWorld.topic), neighbor: nil)
  }

  /// Makes or breaks the links of a peer to those others, as both sides see it.
  private mutating func connectAll(_ number: Int, connects: Bool = true, _ isMeant: (Int) -> Bool) {
    guard nodes[number].isAlive else { return }
    for link in nodes[number].links where isMeant(link.to) && nodes[link.to].isAlive && !isCut(number, link.to) {
      for (here, there, isOutbound) in [(number, link.to, link.isOutbound), (link.to, number, !link.isOutbound)] {
        let id = LedgerWorld.id(of: nodes[there])
        if connects {
          step(here, pubsub: .connected(id, .init(isOutbound: isOutbound)), neighbor: nil)
          step(here, .connected(id))
        } else {
          step(here, pubsub: .disconnected(id), neighbor: nil)
          step(here, .disconnected(id))
        }
      }
    }
  }
}

/// What can be seen from outside.
extension LedgerWorld {
  /// A peer's ledger.
  public func ledger(of number: Int) -> Ledger { nodes[number].ledger }
  /// Whether a peer is there.
  public func isAlive(_ number: Int) -> Bool { nodes[number].isAlive }
}
