import MurmurIdentity
import MurmurMachines
import MurmurPubSub

/// Pub/sub peers joined by links that delay, lose and tear, in virtual time: one seed, one course of events.
struct Network {
  var peers: [PubSub]
  /// The share of frames that are lost.
  var loss = 0.0
  var delay = Instant.Span.milliseconds(20)
  var jitter = Instant.Span.milliseconds(30)
  /// Which side of a tear a peer is on; frames between sides are lost.
  var sides: [Int]
  /// Whether frames go through their bytes, as on a host, or as values, as in the simulator.
  var encodes = false
  /// Whether the number of deliveries per peer and message is kept.
  private(set) var now = Instant.origin
  /// What was delivered, by peer: how often each message.
  private(set) var delivered: [[MessageID: Int]]
  /// Peers that send no messages, their own or others'.
  var mutes: Set<PeerID> = []
  /// Who wanted whom disconnected, and whom dialled.
  private(set) var dropped: [(by: Int, peer: PeerID)] = []
  private(set) var offered: [(to: Int, peer: PeerID)] = []
  private(set) var order: [(peer: Int, id: MessageID)] = []
  /// How many frames, messages in them and bytes were sent.
  private(set) var frames = 0
  private(set) var messages = 0
  private(set) var bytes = 0
  /// A hash over everything sent and delivered, in order.
  private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
  private var events: [Event] = []
  private var sequence = 0
  private var chance: Chance
  private var chances: [Chance]
  private var effects = Effects<PubSub.Effect>()
  private let numbers: [PeerID: Int]
  private var links: [[Int]]

  private struct Event {
    let time: Instant
    let sequence: Int
    let peer: Int
    let input: PubSub.Input
  }

  /// `count` peers, each connected to about `degree` others at random (all, if `nil`).
  init(_ count: Int, degree: Int? = nil, seed: UInt64, _ configuration: PubSub.Configuration = PubSub.Configuration()) {
    let settings = PubSub.Settings(configuration)
    peers = (0..<count).map { PubSub(id: Network.id($0), settings: settings) }
    sides = Array(repeating: 0, count: count)
    delivered = Array(repeating: [:], count: count)
    chance = Chance(seed: seed)
    chances = (0..<count).map { Chance(seed: seed).fork("peer", $0) }
    numbers = Dictionary(uniqueKeysWithValues: (0..<count).map { (Network.id($0), $0) })
    links = Array(repeating: [], count: count)
    for peer in 0..<count {
      guard let degree, degree < count - 1 else {
        for other in 0..<peer { link(peer, other) }
        continue
      }
      // A ring keeps the whole connected, whatever the coin says.
      link(peer, (peer + 1) % count)
      for _ in 1..<max(degree / 2, 1) { link(peer, chance.below(count)) }
    }
    for peer in 0..<count { for other in links[peer] { give(.connected(Network.id(other)), to: peer) } }
  }

  static func id(_ peer: Int) -> PeerID { PeerID(simulated: peer) }

  private mutating func link(_ one: Int, _ other: Int) {
    guard one != other, !links[one].contains(other) else { return }
    links[one].append(other)
    links[other].append(one)
  }

  /// The peers that `peer` is connected to.
  func neighbours(of peer: Int) -> [Int] { links[peer] }

  mutating func subscribeAll(_ topic: Topic) { for peer in peers.indices { give(.subscribe(topic), to: peer) } }

  mutating func give(_ input: PubSub.Input, to peer: Int) {
    peers[peer].step(input, at: now, chance: &chances[peer], effects: &effects)
    for effect in effects.take() { perform(effect, of: peer) }
  }

  /// Lets `seconds` of virtual time pass.
  mutating func run(_ seconds: Double) {
    let end = now + .seconds(seconds)
    while let event = pop(before: end) {
      now = max(now, event.time)
      give(event.input, to: event.peer)
    }
    now = end
  }

  /// Events that wait: frames under way and timers.
  var waiting: Int { events.count }

  private mutating func perform(_ effect: PubSub.Effect, of peer: Int) {
    switch effect {
    case .send(let id, let rpc):
      guard let to = numbers[id] else { return }
      frames += 1
      messages += rpc.publish.count
      bytes += rpc.wireSize
      note(UInt64(peer) << 40 ^ UInt64(to) << 20 ^ UInt64(rpc.wireSize))
      guard sides[to] == sides[peer], !chance.happens(loss) else { return }
      if !rpc.publish.isEmpty, mutes.contains(Network.id(peer)) { return }
      let arrived = encodes ? throughBytes(rpc) : rpc
      push(.received(from: Network.id(peer), arrived), to: to, at: now + delay + jitter * chance.uniform())
    case .deliver(_, let message):
      let id = message.id(.origin)
      delivered[peer][id, default: 0] += 1
      order.append((peer, id))
      note(message.seqno ^ UInt64(peer) << 48)
    case .arm(let timer, let time):
      // A timer that was replaced fires too: that must be harmless.
      push(.timerFired(timer), to: peer, at: time)
    case .disconnect(let id): dropped.append((peer, id))
    case .connect(let id, _): offered.append((peer, id))
    }
  }

  private func throughBytes(_ rpc: RPC) -> RPC {
    do { return try RPC.decode(rpc.encode()) } catch { preconditionFailure("a frame of ours cannot be read: \(error)") }
  }

  private mutating func note(_ word: UInt64) {
    trace = (trace ^ word ^ UInt64(bitPattern: now.nanoseconds)) &* 0x0000_0100_0000_01b3
  }

  // A binary heap by time, then by sequence.
  private mutating func push(_ input: PubSub.Input, to peer: Int, at time: Instant) {
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

/// One machine on its own, for stories about what it answers.
struct Lone {
  var machine: PubSub
  var now = Instant.origin
  private var chance = Chance(seed: 7)
  private var effects = Effects<PubSub.Effect>()
  static let topic = Topic("news")

  init(_ configuration: PubSub.Configuration = PubSub.Configuration(), peers: Range<Int> = 1..<1) {
    machine = PubSub(id: Network.id(0), settings: .init(configuration))
    for peer in peers { give(.connected(Network.id(peer), PubSub.Connection(isOutbound: false))) }
  }

  @discardableResult mutating func give(_ input: PubSub.Input) -> [PubSub.Effect] {
    machine.step(input, at: now, chance: &chance, effects: &effects)
    return effects.take()
  }

  @discardableResult mutating func hear(_ rpc: RPC, from peer: Int) -> [PubSub.Effect] {
    give(.received(from: Network.id(peer), rpc))
  }

  /// Lets `count` heartbeats pass, one second each; what was done in them.
  @discardableResult mutating func beat(_ count: Int = 1) -> [PubSub.Effect] {
    var all: [PubSub.Effect] = []
    for _ in 0..<count {
      now = now + .seconds(1)
      all += give(.timerFired(.heartbeat))
    }
    return all
  }

  static func message(_ author: Int, _ number: Int, bytes: Int = 20) -> Message {
    Message(from: Network.id(author), seqno: UInt64(number), topic: topic, data: Array(repeating: 5, count: bytes))
  }

  static func joins(_ topic: Topic = topic) -> RPC { RPC(subscriptions: [.init(topic, subscribes: true)]) }
}

extension [PubSub.Effect] {
  /// What is sent, to whom.
  var sent: [(peer: PeerID, rpc: RPC)] {
    compactMap { effect in
      guard case .send(let peer, let rpc) = effect else { return nil }
      return (peer, rpc)
    }
  }
  /// What is delivered.
  var delivered: [Message] {
    compactMap { effect in
      guard case .deliver(_, let message) = effect else { return nil }
      return message
    }
  }
}
