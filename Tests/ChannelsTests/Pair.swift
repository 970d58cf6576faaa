import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What the bytes between two ends suffer.
struct PipeFaults: Sendable {
  /// The most bytes that arrive at once; fewer by chance.
  var piece = Int.max
  /// The probability that a direction delivers nothing in a round.
  var stall = 0.0
  /// The probability that a delivered piece has a byte changed.
  var corruption = 0.0
  /// Bytes the socket takes in a round.
  var rate = Int.max

  /// Everything arrives as it was sent.
  static let none = PipeFaults()
}

/// One end of a pair: the connection, its timers, what it reported, and what a simple application does with streams.
struct End {
  var connection: Connection
  var outbox: [UInt8] = []
  var timers: [Connection.Timer: Instant] = [:]
  var secured: PeerID?
  var opened: [StreamID] = []
  var protocols: [StreamID: String] = [:]
  var requests: [UInt64: StreamID] = [:]
  var refused: [UInt64: ConnectionError] = [:]
  var data: [StreamID: [UInt8]] = [:]
  var received: [StreamID: Int] = [:]
  var ended: Set<StreamID> = []
  var resets: [StreamID: ConnectionError] = [:]
  var drained: [StreamID: Int] = [:]
  var closed: ConnectionError?
  fileprivate var pending: [Connection.Effect] = []
  fileprivate var isPerforming = false
  /// Whether received bytes are given back at once.
  var consumes = true
  /// Whether received bytes are kept.
  var keeps = true
  /// Whether what comes is sent back, and the end answered by an end.
  var echoes = false
}

/// Two connections and the pipes between them, under virtual time.
struct Pair {
  /// The dialer and the listener.
  var ends: [End]
  var faults: PipeFaults
  var now = Instant.origin
  var chance: Chance
  /// Changes pieces on their way, after the faults.
  var change: ((inout [UInt8]) -> Void)?

  static func keys(_ name: String) -> KeyPair { KeyPair(seed: .sha256(of: Array(name.utf8))) }

  static func secrets(_ seed: UInt64, _ name: StaticString) -> NoiseSecrets {
    var chance = Chance(seed: seed).fork(name)
    return NoiseSecrets(using: &chance)
  }

  init(
    seed: UInt64, faults: PipeFaults = .none, serving: [String] = ["/echo/1"], expected: PeerID? = Pair.keys("listener").peerID,
    limits: ChannelLimits = ChannelLimits(), listenerLimits: ChannelLimits? = nil, listener: String = "listener"
  ) {
    let dialing = Connection(
      role: .dialer, identity: Pair.keys("dialer"), secrets: Pair.secrets(seed, "dialer"), expected: expected, limits: limits)
    let listening = Connection(
      role: .listener, identity: Pair.keys(listener), secrets: Pair.secrets(seed, "listener"), serving: serving,
      limits: listenerLimits ?? limits)
    ends = [End(connection: dialing), End(connection: listening)]
    self.faults = faults
    chance = Chance(seed: seed).fork("pipe")
  }

  /// Starts both ends and lets them finish what they do.
  mutating func begin() {
    step(0, .began)
    step(1, .began)
    run()
  }

  /// One input at one end.
  mutating func step(_ end: Int, _ input: Connection.Input) {
    var effects = Effects<Connection.Effect>()
    ends[end].connection.step(input, at: now, chance: &chance, effects: &effects)
    ends[end].pending += effects.list
    guard !ends[end].isPerforming else { return }
    // In order: what an effect causes comes after all that was wanted before, or records would leave in another order than sealed.
    ends[end].isPerforming = true
    while !ends[end].pending.isEmpty { perform(ends[end].pending.removeFirst(), at: end) }
    ends[end].isPerforming = false
  }

  private mutating func perform(_ effect: Connection.Effect, at end: Int) {
    switch effect {
    case .send(let bytes): ends[end].outbox += bytes
    case .arm(let timer, let due): ends[end].timers[timer] = due
    case .secured(let peer, _): ends[end].secured = peer
    case .opened(let stream, let name, let origin):
      ends[end].opened.append(stream)
      ends[end].protocols[stream] = name
      if case .here(let request) = origin { ends[end].requests[request] = stream }
    case .refused(let request, let error): ends[end].refused[request] = error
    case .received(let stream, let bytes):
      ends[end].received[stream, default: 0] += bytes.count
      if ends[end].keeps { ends[end].data[stream, default: []] += bytes }
      if ends[end].echoes { step(end, .write(stream, bytes)) }
      if ends[end].consumes { step(end, .consumed(stream, bytes.count)) }
    case .ended(let stream):
      ends[end].ended.insert(stream)
      if ends[end].echoes { step(end, .finish(stream)) }
    case .wasReset(let stream, let error): ends[end].resets[stream] = error
    case .drained(let stream): ends[end].drained[stream, default: 0] += 1
    case .closed(let error): ends[end].closed = error
    }
  }

  /// Moves bytes until nothing moves any more, or `rounds` rounds; time stands still.
  mutating func run(rounds limit: Int = 1_000_000) {
    var idle = 0
    for _ in 0..<limit {
      let moved = [0, 1].map { move(from: $0) }.contains(true)
      idle = moved ? 0 : idle + 1
      if idle > 0, ends.allSatisfy({ $0.outbox.isEmpty }) { return }
    }
  }

  /// Delivers some bytes of one direction; whether any moved.
  private mutating func move(from end: Int) -> Bool {
    let waiting = ends[end].outbox.count
    guard waiting > 0, !chance.happens(faults.stall) else { return false }
    var count = min(waiting, faults.rate)
    if faults.piece < count { count = 1 + chance.below(faults.piece) }
    var piece = Array(ends[end].outbox.prefix(count))
    ends[end].outbox.removeFirst(count)
    if chance.happens(faults.corruption) { piece[chance.below(count)] ^= 1 << UInt8(chance.below(8)) }
    change?(&piece)
    step(1 - end, .received(piece))
    step(end, .sent(count))
    return true
  }

  /// Lets time pass; timers that are due fire, in order, and bytes move in between.
  mutating func pass(_ span: Instant.Span) {
    let until = now + span
    while let next = due(before: until) {
      now = max(now, next.at)
      ends[next.end].timers[next.timer] = nil
      step(next.end, .fired(next.timer))
      run()
    }
    now = until
  }

  private func due(before until: Instant) -> (end: Int, timer: Connection.Timer, at: Instant)? {
    var best: (end: Int, timer: Connection.Timer, at: Instant)?
    for end in 0...1 {
      for timer in [Connection.Timer.handshake, .negotiation, .keepAlive] {
        guard let at = ends[end].timers[timer], at <= until, at < best?.at ?? .never else { continue }
        best = (end, timer, at)
      }
    }
    return best
  }

  /// Opens a stream at `end` and gives its number there; throws if it is refused.
  mutating func open(_ end: Int = 0, _ protocols: [String] = ["/echo/1"], request: UInt64 = 1) throws -> StreamID {
    step(end, .open(request: request, protocols: protocols))
    run()
    if let error = ends[end].refused[request] { throw error }
    let stream = ends[end].requests[request]
    return try #require(stream)
  }
}

/// Bytes that tell where they stand.
func pattern(_ count: Int, _ start: Int = 0) -> [UInt8] {
  (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) }
}

/// Whether both have the same bytes: a plain answer, as a comparison of thousands of bytes is of no use in a failure's text.
func same(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }
