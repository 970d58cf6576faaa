import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire

/// A handful of exchanges joined by links that delay, lose and reorder, in virtual time: one seed, one course of events.
struct Network {
  var peers: [Exchange]
  var links = Links()
  /// Peers that neither receive nor send.
  var dead: Set<Int> = []
  /// Whether messages go through their bytes, as on a host, or as values, as in the simulator.
  var encodes = false
  private(set) var now = Instant.origin
  private(set) var completed: [(peer: Int, root: CID)] = []
  private(set) var failed: [(peer: Int, failure: FetchFailure)] = []
  private(set) var reports: [(reporter: Int, offender: PeerID, offence: Exchange.Offence)] = []
  /// Everything that was sent, lost or not.
  private(set) var traffic: [Sent] = []
  private(set) var timersArmed = 0
  private var events: [Event] = []
  private var sequence = 0
  private var chance: Chance
  private var effects = Effects<Exchange.Effect>()
  private let numbers: [PeerID: Int]

  struct Links {
    var delay = Instant.Span.milliseconds(20)
    var jitter = Instant.Span.zero
    var loss = 0.0
  }

  struct Sent {
    let from: Int
    let to: Int
    let message: BitswapMessage
  }

  private struct Event {
    let time: Instant
    let sequence: Int
    let peer: Int
    let input: Exchange.Input
  }

  init(_ stores: [BlockStore], seed: UInt64, limits: Limits = Limits()) {
    peers = stores.map { Exchange(store: $0, limits: limits) }
    chance = Chance(seed: seed)
    numbers = Dictionary(uniqueKeysWithValues: stores.indices.map { (Network.id($0), $0) })
  }

  static func id(_ peer: Int) -> PeerID { PeerID(simulated: peer) }

  /// Tells every peer that every other is connected.
  mutating func connectAll() {
    for peer in peers.indices { for other in peers.indices where other != peer { give(.connected(Network.id(other)), to: peer) } }
  }

  mutating func give(_ input: Exchange.Input, to peer: Int) {
    peers[peer].step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.take() { perform(effect, of: peer) }
  }

  /// Runs until nothing is left to happen, or the time or the number of events is over; false if it was cut short.
  @discardableResult mutating func run(until end: Instant = .never, most: Int = 1_000_000) -> Bool {
    var count = 0
    while let event = pop(before: end) {
      count += 1
      guard count < most else { return false }
      now = max(now, event.time)
      guard !dead.contains(event.peer) else { continue }
      give(event.input, to: event.peer)
    }
    return true
  }

  private mutating func perform(_ effect: Exchange.Effect, of peer: Int) {
    switch effect {
    case .send(let id, let message):
      guard let to = numbers[id] else { return }
      traffic.append(Sent(from: peer, to: to, message: message))
      guard !dead.contains(to), !dead.contains(peer), !chance.happens(links.loss) else { return }
      let delay = links.delay + links.jitter * chance.uniform()
      var arrived = message
      if encodes {
        do { arrived = try BitswapMessage.decode(message.encode()) } catch { preconditionFailure("own message: \(error)") }
      }
      push(.received(from: Network.id(peer), arrived), to: to, at: now + delay)
    case .arm(let timer, let time):
      timersArmed += 1
      // A timer that was replaced fires too: that must be harmless.
      push(.timerFired(timer), to: peer, at: time)
    case .completed(let root): completed.append((peer, root))
    case .failed(_, let failure): failed.append((peer, failure))
    case .report(let offender, let offence): reports.append((peer, offender, offence))
    case .disk: preconditionFailure("these stores are all in memory")
    }
  }

  // A binary heap by time, then by sequence.
  private mutating func push(_ input: Exchange.Input, to peer: Int, at time: Instant) {
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

/// Bytes drawn from a seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
  var chance = Chance(seed: seed)
  var out: [UInt8] = []
  out.reserveCapacity(count + 8)
  while out.count < count {
    var word = chance.next()
    for _ in 0..<8 {
      out.append(UInt8(truncatingIfNeeded: word))
      word >>= 8
    }
  }
  out.removeLast(out.count - count)
  return out
}
