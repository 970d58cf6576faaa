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
  /// What is on each peer's disk, and what is pinned there.
  var disks: [[CID: Block]]
  private(set) var diskPins: [Set<BlockStore.Pin>]
  var brokenDisks: Set<Int> = []
  var diskDelay = Instant.Span.milliseconds(1)
  private(set) var errands = 0
  /// The most bytes of blocks that lay in a peer's memory after any step.
  private(set) var mostMemory: [Int]
  /// What was read of objects at the moment they were complete, if it was.
  var readsCompleted = false
  private(set) var read: [Result<[UInt8], any Error>] = []
  /// Whether everything that was sent is kept for the test to look at.
  var keepsTraffic = true
  private var uplinks: [Instant]
  private var events: [Event] = []
  private var sequence = 0
  private var chance: Chance
  private var effects = Effects<Exchange.Effect>()
  private let numbers: [PeerID: Int]

  struct Links {
    var delay = Instant.Span.milliseconds(20)
    var jitter = Instant.Span.zero
    var loss = 0.0
    /// Bytes a second that each peer can send; without them nothing takes time but the delay.
    var rates: [Double?] = []
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
    disks = stores.map { _ in [:] }
    diskPins = stores.map { _ in [] }
    mostMemory = stores.map { _ in 0 }
    uplinks = stores.map { _ in .origin }
    numbers = Dictionary(uniqueKeysWithValues: stores.indices.map { (Network.id($0), $0) })
  }

  static func id(_ peer: Int) -> PeerID { PeerID(simulated: peer) }

  /// Tells every peer that every other is connected.
  mutating func connectAll() {
    for peer in peers.indices { for other in peers.indices where other != peer { give(.connected(Network.id(other)), to: peer) } }
  }

  mutating func give(_ input: Exchange.Input, to peer: Int) {
    peers[peer].step(input, at: now, chance: &chance, effects: &effects)
    mostMemory[peer] = max(mostMemory[peer], peers[peer].store.memoryBytes)
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

  /// Lets time pass in which nothing happens.
  mutating func pass(_ span: Instant.Span) { now = now + span }

  private mutating func perform(_ effect: Exchange.Effect, of peer: Int) {
    switch effect {
    case .send(let id, let message):
      guard let to = numbers[id] else { return }
      if keepsTraffic { traffic.append(Sent(from: peer, to: to, message: message)) }
      let sent = leave(message, from: peer, to: to)
      guard !dead.contains(to), !dead.contains(peer), !chance.happens(links.loss) else { return }
      let delay = sent - now + links.delay + links.jitter * chance.uniform()
      var arrived = message
      if encodes {
        do { arrived = try BitswapMessage.decode(message.encode()) } catch { preconditionFailure("own message: \(error)") }
      }
      push(.received(from: Network.id(peer), arrived), to: to, at: now + delay)
    case .arm(let timer, let time):
      timersArmed += 1
      // A timer that was replaced fires too: that must be harmless.
      push(.timerFired(timer), to: peer, at: time)
    case .completed(let root):
      completed.append((peer, root))
      if readsCompleted { read.append(Result { try Object.read(root, from: peers[peer].store) }) }
    case .failed(_, let failure): failed.append((peer, failure))
    case .report(let offender, let offence): reports.append((peer, offender, offence))
    case .disk(let errand): perform(errand, of: peer)
    }
  }

  /// When the last byte of a message has left: one after the other at the sender's rate.
  private mutating func leave(_ message: BitswapMessage, from peer: Int, to other: Int) -> Instant {
    guard let rate = links.rates.isEmpty ? nil : links.rates[peer] else { return now }
    let bytes = message.wireSize
    uplinks[peer] = max(uplinks[peer], now) + .seconds(Double(bytes) / rate)
    let blocks = message.blocks.reduce(0) { $0 + $1.bytes.count }
    if blocks > 0, peers[peer].limits.unwrittenBytesPerPeer != .max {
      push(.written(to: Network.id(other), bytes: blocks), to: peer, at: uplinks[peer])
    }
    return uplinks[peer]
  }

  /// The disk of a peer: what is stored is there after a while, what is loaded comes after a while.
  private mutating func perform(_ errand: BlockStore.Errand, of peer: Int) {
    errands += 1
    let done = now + diskDelay * (0.5 + chance.uniform())
    switch errand {
    case .store(let block):
      if brokenDisks.contains(peer) {
        push(.disk(.notStored(block.cid)), to: peer, at: done)
      } else {
        disks[peer][block.cid] = block
        push(.disk(.stored(block.cid)), to: peer, at: done)
      }
    case .load(let cid): push(.disk(.loaded(cid, disks[peer][cid])), to: peer, at: done)
    case .discard(let cid): disks[peer][cid] = nil
    case .pin(let pin): diskPins[peer].insert(pin)
    case .unpin(let pin): diskPins[peer].remove(pin)
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
