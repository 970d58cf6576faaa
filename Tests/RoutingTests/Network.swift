import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire

/// Hash table peers joined by a network that delays, loses and lies, in virtual time: one seed, one course of events.
struct Network {
  /// What a peer is like.
  enum Nature { case honest, dead, liar, forger }

  var peers: [Kademlia] = []
  var natures: [Nature]
  /// The share of requests and of answers that are lost.
  var loss = 0.0
  /// Which side of a tear a peer is on.
  var sides: [Int]
  /// Whether messages go through their bytes.
  var encodes = false
  /// How long a dead address costs: a reset at once, or the whole timeout.
  var deadAreSilent = true
  private(set) var now = Instant.origin
  private(set) var outcomes: [UInt64: (outcome: Kademlia.Outcome, effort: Kademlia.Effort)] = [:]
  private(set) var findings = 0
  private(set) var requests = 0
  /// How often a peer was sent each kind of request.
  private(set) var asked: [KademliaMessage.Kind: Int] = [:]
  private var events: [Event] = []
  private var sequence: UInt64 = 0
  private var chance: Chance
  private var chances: [Chance]
  private var numbers: [PeerID: Int] = [:]
  private var tokens: [UInt64: (peer: Int, request: Kademlia.RequestID)] = [:]
  private var effects = Effects<Kademlia.Effect>()
  private var armed: [[Kademlia.Timer: Instant]]
  private var nextQuery: UInt64 = 0
  /// The pairs that are connected.
  private var met: Set<Int> = []

  private struct Event {
    let time: Instant
    let sequence: UInt64
    let peer: Int
    let input: Kademlia.Input
  }

  init(_ count: Int, seed: UInt64, _ configuration: Kademlia.Configuration = .test, clients: Set<Int> = []) {
    natures = Array(repeating: .honest, count: count)
    sides = Array(repeating: 0, count: count)
    chance = Chance(seed: seed)
    chances = (0..<count).map { Chance(seed: seed).fork("peer", $0) }
    armed = Array(repeating: [:], count: count)
    for number in 0..<count {
      numbers[Network.id(number)] = number
      peers.append(
        Kademlia(id: Network.id(number), configuration: configuration, mode: clients.contains(number) ? .client : .server))
    }
    for number in 0..<count {
      give(.addressesChanged([Network.address(number)]), to: number)
      give(.started, to: number)
    }
  }

  static func id(_ number: Int) -> PeerID { PeerID(simulated: number) }
  static func address(_ number: Int) -> Multiaddr {
    Multiaddr([.ip4([UInt8(20 + number / 250 % 80), UInt8(number % 250), 3, 4]), .tcp(4_001)])
  }
  static func contact(_ number: Int) -> Contact { Contact(id(number), [address(number)]) }

  /// Every peer is told of a few others, as from a list, and the tables fill.
  mutating func bootstrap(_ seconds: Double = 120) {
    for number in peers.indices {
      let others = (0..<3).map { _ in Network.contact(chance.below(min(max(number, 1), 10))) }
      give(.seeded(others), to: number)
      run(0.2)
    }
    run(seconds)
  }

  /// Asks something of a peer; the answer will be under the number.
  mutating func ask(_ query: Kademlia.Query, of peer: Int) -> UInt64 {
    nextQuery += 1
    give(.query(.init(nextQuery), query), to: peer)
    return nextQuery
  }

  /// Asks and waits; what came of it.
  mutating func result(_ query: Kademlia.Query, of peer: Int) -> Kademlia.Outcome? {
    let number = ask(query, of: peer)
    for _ in 0..<200 where outcomes[number] == nil { run(0.5) }
    return outcomes[number]?.outcome
  }

  mutating func give(_ input: Kademlia.Input, to peer: Int) {
    peers[peer].step(input, at: now, chance: &chances[peer], effects: &effects)
    for effect in effects.take() { perform(effect, of: peer) }
  }

  mutating func run(_ seconds: Double) {
    let end = now + .seconds(seconds)
    while let event = pop(before: end) {
      now = max(now, event.time)
      if case .timerFired(let timer) = event.input {
        guard armed[event.peer][timer] == event.time else { continue }
        armed[event.peer][timer] = nil
      }
      guard natures[event.peer] != .dead else { continue }
      if case .asked(let token, let from, let message) = event.input, let answer = lie(event.peer, message) {
        guard answer.kind == message.kind else { continue }
        deliver(answer, for: token, to: from)
        continue
      }
      give(event.input, to: event.peer)
    }
    now = end
  }

  /// What a peer that is not honest answers: a liar names only its friends and peers that do not exist, as near to the key as it can.
  private mutating func lie(_ peer: Int, _ message: KademliaMessage) -> KademliaMessage? {
    switch natures[peer] {
    case .honest, .dead: return nil
    case .liar:
      var answer = KademliaMessage(message.kind, key: message.key)
      let friends = natures.indices.filter { natures[$0] == .liar }
      answer.closer = chance.pick(10, from: friends).map { Network.contact($0) }
      var invented: [(Digest, Contact)] = []
      for _ in 0..<100 {
        let id = PeerID(simulated: 1_000_000 + chance.below(1_000_000))
        let near = Key(message.key).point
        let point = Key(id).point
        let apart = Digest(point.a ^ near.a, point.b ^ near.b, point.c ^ near.c, point.d ^ near.d)
        let host: [UInt8] = [UInt8(100 + chance.below(90)), UInt8(chance.below(250)), 1, 1]
        invented.append((apart, Contact(id, [Multiaddr([.ip4(host), .tcp(1)])])))
      }
      invented.sort { $0.0 < $1.0 }
      answer.closer += invented.prefix(10).map(\.1)
      return answer
    case .forger:
      var answer = KademliaMessage(message.kind, key: message.key)
      answer.record = .init(key: message.key, value: Array("forged".utf8))
      answer.providers = [Contact(PeerID(simulated: 5_000_000), [Network.address(0)])]
      return answer
    }
  }

  private mutating func perform(_ effect: Kademlia.Effect, of peer: Int) {
    switch effect {
    case .request(let id, let contact, let message, let timeout):
      requests += 1
      asked[message.kind, default: 0] += 1
      // The right peer must be at one of the addresses.
      guard let to = numbers[contact.peer], contact.addresses.contains(Network.address(to)), natures[to] != .dead else {
        let delay = deadAreSilent ? timeout : .milliseconds(50)
        return push(.failed(id, deadAreSilent ? .timedOut : .unreachable), to: peer, after: delay)
      }
      guard sides[to] == sides[peer], !chance.happens(loss) else { return push(.failed(id, .timedOut), to: peer, after: timeout) }
      meet(peer, to)
      guard peers[to].mode == .server else { return push(.failed(id, .unsupported), to: peer, after: .milliseconds(80)) }
      sequence += 1
      tokens[sequence] = (peer, id)
      let through = encodes ? throughBytes(message) : message
      push(.asked(.init(sequence), from: Network.id(peer), through), to: to, after: delay())
      if !message.expectsAnswer { push(.delivered(id), to: peer, after: delay()) }
    case .answer(let token, let message): deliver(message, for: token, to: nil)
    case .refuse(let token, let refusal):
      guard let asker = tokens.removeValue(forKey: token.number), refusal != .silent else { return }
      push(.failed(asker.request, .broken), to: asker.peer, after: delay())
    case .abandon: return
    case .completed(let query, let outcome, let effort): outcomes[query.number] = (outcome, effort)
    case .found: findings += 1
    case .added, .removed: return
    case .arm(let timer, let at):
      armed[peer][timer] = at
      push(.timerFired(timer), to: peer, at: max(at, now))
      armed[peer][timer] = max(at, now)
    }
  }

  /// A first connection between two peers: each is told by identify what the other is.
  private mutating func meet(_ one: Int, _ other: Int) {
    guard met.insert(min(one, other) << 32 | max(one, other)).inserted else { return }
    for (teller, hearer) in [(one, other), (other, one)] {
      let isServer = peers[teller].mode == .server
      push(.identified(Network.contact(teller), isServer: isServer), to: hearer, after: .milliseconds(100))
    }
  }

  private mutating func deliver(_ message: KademliaMessage, for token: Kademlia.RequestToken, to _: PeerID?) {
    guard let asker = tokens.removeValue(forKey: token.number) else { return }
    guard !chance.happens(loss) else { return push(.failed(asker.request, .timedOut), to: asker.peer, after: .seconds(10)) }
    push(.answered(asker.request, encodes ? throughBytes(message) : message), to: asker.peer, after: delay())
  }

  private func throughBytes(_ message: KademliaMessage) -> KademliaMessage {
    do { return try KademliaMessage.decode(message.encode()) } catch {
      preconditionFailure("a message of ours cannot be read: \(error)")
    }
  }

  private mutating func delay() -> Instant.Span { .milliseconds(20 + 60 * chance.uniform()) }

  private mutating func push(_ input: Kademlia.Input, to peer: Int, after span: Instant.Span) {
    push(input, to: peer, at: now + span)
  }

  // A binary heap by time, then by sequence.
  private mutating func push(_ input: Kademlia.Input, to peer: Int, at time: Instant) {
    sequence += 1
    events.append(Event(time: time, sequence: sequence, peer: peer, input: input))
    var child = events.count - 1
    while child > 0, before(events[child], events[(child - 1) / 2]) {
      events.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop(before end: Instant) -> Event? {
    guard let first = events.first, first.time <= end else { return nil }
    events.swapAt(0, events.count - 1)
    events.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < events.count && before(events[child], events[least]) {
        least = child
      }
      guard least != parent else { return first }
      events.swapAt(parent, least)
      parent = least
    }
  }

  private func before(_ left: Event, _ right: Event) -> Bool {
    left.time != right.time ? left.time < right.time : left.sequence < right.sequence
  }
}

extension Kademlia.Configuration {
  /// Our own table among public addresses.
  static var test: Kademlia.Configuration { .murmur(scope: .global) }
}
