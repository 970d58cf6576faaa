import MurmurFeeds
import MurmurIdentity
import MurmurMachines
import MurmurWire

/// One feeder, its spool, some gateways with one ledger between them, and links that lose, delay and reorder, under virtual time.
struct FeedWorld {
  /// How bad everything is.
  struct Weather {
    /// The share of messages that a link loses.
    var loss = 0.0
    /// The longest that a message is on its way; those that overtake others do.
    var delay = 0.02
    var isReordered = false
    /// How long until an issued transaction is confirmed.
    var confirmation = 0.5
    /// Whether a gateway's transactions reach the others.
    var isGossiping = true
  }

  private enum Event {
    case feeder(Feeder.Input)
    case gateway(Int, Gateway.Input)
    /// What a link delivers, if it is still the same connection.
    case arrive(at: Int?, FeedMessage, connection: Int)
    case dialled(Int, connection: Int)
    case issue(Int, FeedKey, [UInt8])
    case confirm(Int, Digest)
  }

  var weather: Weather
  var now = Instant.origin
  private(set) var feeder: Feeder
  private(set) var gateways: [Gateway]
  private(set) var isUp: [Bool]
  /// What was published under which name, and by how many transactions.
  private(set) var contents: [Digest: [UInt8]] = [:]
  private(set) var transactions: [Digest: Int] = [:]
  private(set) var confirmed: Set<Digest> = []
  private(set) var events: [FeederEvent] = []
  private(set) var shutOut: [String] = []
  /// The ledgers of the gateways: what each has.
  private var ledgers: [Set<Digest>]
  private var spool: [(key: FeedKey, content: [UInt8])] = []
  private(set) var forgotten = 0
  private var queue: [(at: Instant, order: Int, event: Event)] = []
  private var order = 0
  private var chance: Chance
  private var connection = 0
  private var isConnected = false
  private let feederID: PeerID
  private let configuration: Feeder.Configuration
  private let rules: Gateway.Configuration
  /// Timers: only the latest of a kind counts.
  private var timers: [Feeder.Timer: Int] = [:]
  private var alarms: [Int]

  init(
    seed: UInt64, gateways count: Int, weather: Weather = Weather(), rules: Gateway.Configuration = .init(session: "s"),
    _ configure: (inout Feeder.Configuration) -> Void = { _ in }
  ) {
    chance = Chance(seed: seed)
    self.weather = weather
    self.rules = rules
    var configuration = Feeder.Configuration(session: "s", gateways: count)
    configure(&configuration)
    self.configuration = configuration
    feeder = Feeder(configuration)
    gateways = (0..<count).map { _ in Gateway(rules) }
    isUp = Array(repeating: true, count: count)
    ledgers = Array(repeating: [], count: count)
    alarms = Array(repeating: 0, count: count)
    feederID = KeyPair(seed: .sha256(of: [1])).peerID
    step(.started(first: 0))
  }

  // MARK: What happens in a story

  /// So many messages come into the spool.
  mutating func write(_ count: Int, bytes: Int = 40) {
    for _ in 0..<count {
      var content = Array("message \(spool.count)".utf8)
      content += [UInt8](repeating: 7, count: max(0, bytes - content.count))
      let tag = Digest.sha256(of: content).bytes
      spool.append((FeedKey(tag: tag, content: content), content))
    }
    refill()
  }

  /// A gateway dies, with or without what its ledger has.
  mutating func kill(_ number: Int, losesLedger: Bool = false) {
    isUp[number] = false
    gateways[number] = Gateway(rules)
    if losesLedger { ledgers[number] = [] }
    queue.removeAll { if case .issue(number, _, _) = $0.event { true } else { false } }
    if isConnected { hangUp("the gateway died") }
  }

  mutating func revive(_ number: Int) { isUp[number] = true }

  /// The connection breaks.
  mutating func cut() { if isConnected { hangUp("the line broke") } }

  /// The feeder is killed and begins anew with what its spool has.
  mutating func killFeeder() {
    if isConnected, let gateway = feeder.gateway { post(.gateway(gateway, .disconnected(feederID)), at: now) }
    connection += 1
    isConnected = false
    queue.removeAll { if case .feeder = $0.event { true } else { false } }
    timers = [:]
    feeder = Feeder(configuration)
    lives = spool.count
    step(.started(first: forgotten))
    refill()
  }

  /// Messages before this one were there when the feeder was last born.
  private var lives = 0

  /// A feeder says something by hand.
  mutating func say(_ message: FeedMessage, as feeder: PeerID, to gateway: Int) {
    step(gateway, .received(from: feeder, message))
  }

  mutating func tell(_ gateway: Int, _ input: Gateway.Input) { step(gateway, input) }

  /// Goes on until something holds, or for so long; whether it held.
  @discardableResult mutating func run(for span: Double, until holds: (FeedWorld) -> Bool = { _ in false }) -> Bool {
    let end = now + .seconds(span)
    while !holds(self) {
      guard let index = queue.indices.min(by: { (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order) }),
        queue[index].at <= end
      else {
        now = end
        return holds(self)
      }
      let (at, number, event) = queue.remove(at: index)
      now = max(now, at)
      perform(event, number)
    }
    return true
  }

  /// Whether all messages are confirmed and forgotten.
  var isDone: Bool { forgotten == spool.count }
  var written: Int { spool.count }

  /// Whether every message is in the ledger.
  var isWhole: Bool { spool.allSatisfy { contents[$0.key.name] == $0.content } }

  // MARK: How it happens

  private mutating func post(_ event: Event, at: Instant) {
    order += 1
    queue.append((at, order, event))
  }

  private mutating func refill() {
    while feeder.room > 0, feeder.next < spool.count {
      let range = feeder.next..<min(spool.count, feeder.next + min(feeder.room, 100))
      step(.spooled(range.map { .init(key: spool[$0].key, bytes: spool[$0].content.count, isOld: $0 < lives) }))
    }
  }

  private mutating func perform(_ event: Event, _ number: Int) {
    switch event {
    case .feeder(.fired(let timer)): if timers[timer] == number { step(.fired(timer)) }
    case .feeder(let input): step(input)
    case .gateway(let gateway, .fired): if alarms[gateway] == number { step(gateway, .fired) }
    case .gateway(let gateway, let input): if isUp[gateway] { step(gateway, input) }
    case .dialled(let gateway, let made):
      guard made == connection else { return }
      guard isUp[gateway] else { return step(.disconnected(gateway, "nobody is there")) }
      isConnected = true
      step(gateway, .connected(feederID))
      step(.connected(gateway))
    case .arrive(let gateway, let message, let made):
      guard made == connection, isConnected else { return }
      if let gateway {
        step(gateway, .received(from: feederID, message))
      } else if let partner {
        step(.received(from: partner, message))
      }
    case .issue(let gateway, let key, let content): issue(gateway, key, content)
    case .confirm(let gateway, let name):
      guard ledgers[gateway].contains(name) else { return }
      confirmed.insert(name)
      for other in gateways.indices where isUp[other] && (weather.isGossiping || other == gateway) {
        ledgers[other].insert(name)
        step(other, .confirmed([FeedWorld.transaction(name)]))
      }
    }
  }

  /// The gateway that is dialled or connected.
  private var partner: Int?

  private static func transaction(_ name: Digest) -> CID { CID(codec: .raw, hashing: name.bytes) }

  private mutating func issue(_ gateway: Int, _ key: FeedKey, _ content: [UInt8]) {
    guard isUp[gateway] else { return }
    contents[key.name] = content
    transactions[key.name, default: 0] += 1
    ledgers[gateway].insert(key.name)
    step(gateway, .issued(key.name, as: FeedWorld.transaction(key.name)))
    post(.confirm(gateway, key.name), at: now + .seconds(weather.confirmation * (0.5 + chance.uniform())))
  }

  private mutating func hangUp(_ why: String) {
    guard let gateway = partner else { return }
    connection += 1
    isConnected = false
    partner = nil
    if isUp[gateway] { step(gateway, .disconnected(feederID)) }
    step(.disconnected(gateway, why))
  }

  private mutating func transmit(_ message: FeedMessage, to gateway: Int?) {
    guard isConnected, !chance.happens(weather.loss) else { return }
    let delay = weather.isReordered ? chance.uniform() * weather.delay : weather.delay
    post(.arrive(at: gateway, message, connection: connection), at: now + .seconds(delay))
  }

  private mutating func step(_ input: Feeder.Input) {
    var effects = Effects<Feeder.Effect>()
    feeder.step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.take() {
      switch effect {
      case .dial(let gateway):
        connection += 1
        partner = gateway
        post(.dialled(gateway, connection: connection), at: now + .milliseconds(5))
      case .hangUp(let gateway):
        connection += 1
        if isConnected, isUp[gateway] { post(.gateway(gateway, .disconnected(feederID)), at: now) }
        isConnected = false
        partner = nil
      case .send(let message, let gateway): transmit(message, to: gateway)
      case .publish(let number, let gateway):
        transmit(.publish(tag: spool[number].key.tag, content: spool[number].content), to: gateway)
      case .forget(let number): forgotten = number
      case .arm(let timer, let at):
        post(.feeder(.fired(timer)), at: at)
        timers[timer] = order
      case .note(let event): events.append(event)
      }
    }
    if feeder.room > 0, feeder.next < spool.count { refill() }
  }

  private mutating func step(_ gateway: Int, _ input: Gateway.Input) {
    var effects = Effects<Gateway.Effect>()
    gateways[gateway].step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.take() {
      switch effect {
      case .send(let message, let feeder): if feeder == feederID { transmit(message, to: nil) } else { said.append(message) }
      case .issue(let key, let content): post(.issue(gateway, key, content), at: now + .milliseconds(1))
      case .lookUp(let keys, let feeder):
        let findings = keys.map { key in
          Gateway.Finding(
            key.name, transaction: ledgers[gateway].contains(key.name) ? FeedWorld.transaction(key.name) : nil,
            isConfirmed: ledgers[gateway].contains(key.name) && confirmed.contains(key.name))
        }
        post(.gateway(gateway, .found(findings, for: feeder)), at: now)
      case .shutOut(let feeder, _, let why):
        shutOut.append(why)
        if feeder == feederID { hangUp("shut out") }
      case .arm(let at):
        post(.gateway(gateway, .fired), at: at)
        alarms[gateway] = order
      }
    }
  }

  /// What gateways said to feeders that only ``say(_:as:to:)`` speaks for.
  var said: [FeedMessage] = []
}
