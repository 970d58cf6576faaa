import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What any channel is, for the harness: two ends, bytes in order both ways, ends that are noticed.
protocol Channel: SendableMetatype {
  /// Whether changed bytes are noticed.
  static var isSecure: Bool { get }

  init(seed: UInt64, faults: PipeFaults) throws

  mutating func write(_ end: Int, _ bytes: [UInt8])
  mutating func finish(_ end: Int)
  /// Lets bytes move until none do.
  mutating func run()
  /// What came at `end` so far.
  func received(_ end: Int) -> [UInt8]
  /// How often it was said at `end` that nothing more comes.
  func ends(_ end: Int) -> Int
  /// Whether the channel broke.
  var isBroken: Bool { get }
}

/// A direction of bytes that are cut, delayed and changed.
struct FaultyPipe {
  var waiting: [UInt8] = []
  var faults: PipeFaults
  var chance: Chance

  mutating func take() -> [UInt8] {
    guard !waiting.isEmpty, !chance.happens(faults.stall) else { return [] }
    let count = min(waiting.count, faults.piece < waiting.count ? 1 + chance.below(faults.piece) : waiting.count)
    var piece = Array(waiting.prefix(count))
    waiting.removeFirst(count)
    if chance.happens(faults.corruption) { piece[chance.below(count)] ^= 1 << UInt8(chance.below(8)) }
    return piece
  }
}

/// Noise's records alone, after a handshake; the end is an empty record.
struct RecordChannel: Channel {
  static let isSecure = true
  private var sending: [CipherState] = []
  private var receiving: [CipherState] = []
  private var readers = [NoiseRecords(), NoiseRecords()]
  private var pipes: [FaultyPipe]
  private var got: [[UInt8]] = [[], []]
  private var endings = [0, 0]
  private(set) var isBroken = false

  init(seed: UInt64, faults: PipeFaults) throws {
    var first = NoiseXX(isInitiator: true, secrets: Pair.secrets(seed, "first"))
    var second = NoiseXX(isInitiator: false, secrets: Pair.secrets(seed, "second"))
    _ = try second.read(first.write([]))
    _ = try first.read(second.write([]))
    _ = try second.read(first.write([]))
    for cipher in [first.split(), second.split()] {
      sending.append(cipher.sending)
      receiving.append(cipher.receiving)
    }
    pipes = [0, 1].map { FaultyPipe(faults: faults, chance: Chance(seed: seed).fork("record pipe", $0)) }
  }

  mutating func write(_ end: Int, _ bytes: [UInt8]) {
    for start in stride(from: 0, to: bytes.count, by: NoiseRecords.mostPlaintext) {
      seal(end, Array(bytes[start..<min(bytes.count, start + NoiseRecords.mostPlaintext)]))
    }
  }

  mutating func finish(_ end: Int) { seal(end, []) }

  private mutating func seal(_ end: Int, _ plaintext: [UInt8]) {
    NoiseRecords.append(length: plaintext.count + CipherState.tag, to: &pipes[end].waiting)
    sending[end].seal(plaintext, into: &pipes[end].waiting)
  }

  mutating func run() {
    while !isBroken, pipes.contains(where: { !$0.waiting.isEmpty }) {
      for end in 0...1 {
        let piece = pipes[end].take()
        var position = 0
        unsafe piece.withUnsafeBytes { bytes in
          while position < bytes.count, !isBroken, unsafe readers[1 - end].read(bytes, at: &position) { open(1 - end) }
        }
      }
    }
  }

  private mutating func open(_ end: Int) {
    guard let plaintext = readers[end].withBox({ receiving[end].open(&$0) }) else {
      isBroken = true
      return
    }
    readers[end].clear()
    if plaintext.isEmpty { endings[end] += 1 } else { got[end] += plaintext }
  }

  func received(_ end: Int) -> [UInt8] { got[end] }
  func ends(_ end: Int) -> Int { endings[end] }
}

/// One stream of yamux over a bare pipe, between streams that are busy too.
struct YamuxChannel: Channel {
  static let isSecure = false
  private var muxers = [
    Yamux(isDialer: true, limits: ChannelLimits()), Yamux(isDialer: false, limits: ChannelLimits()),
  ]
  private var pipes: [FaultyPipe]
  private var got: [[UInt8]] = [[], []]
  private var endings = [0, 0]
  private let stream: StreamID
  private(set) var isBroken = false

  init(seed: UInt64, faults: PipeFaults) throws {
    pipes = [0, 1].map { FaultyPipe(faults: faults, chance: Chance(seed: seed).fork("yamux pipe", $0)) }
    stream = try muxers[0].open(at: .origin)
    let other = try muxers[0].open(at: .origin)
    _ = muxers[0].write(other, pattern(100_000))
    run()
  }

  mutating func write(_ end: Int, _ bytes: [UInt8]) { _ = muxers[end].write(stream, bytes) }
  mutating func finish(_ end: Int) { muxers[end].finish(stream) }

  mutating func run() {
    while !isBroken, pipes.contains(where: { !$0.waiting.isEmpty }) || muxers.contains(where: \.hasOutput) {
      for end in 0...1 {
        var events = Effects<Yamux.Event>()
        muxers[end].fill(&pipes[end].waiting, room: pipes[end].waiting.count + 4_096, events: &events)
        let piece = pipes[end].take()
        let reason = unsafe piece.withUnsafeBytes { unsafe muxers[1 - end].receive($0, at: .origin, events: &events) }
        if reason != nil { isBroken = true }
        for event in events.list { note(event, 1 - end) }
      }
    }
  }

  private mutating func note(_ event: Yamux.Event, _ end: Int) {
    switch event {
    case .received(let stream, let bytes):
      if stream == self.stream { got[end] += bytes }
      muxers[end].consumed(stream, bytes.count, at: .origin)
    case .ended(let stream): if stream == self.stream { endings[end] += 1 }
    case .wasReset: isBroken = true
    case .opened, .acknowledged, .drained, .answered, .goingAway: break
    }
  }

  func received(_ end: Int) -> [UInt8] { got[end] }
  func ends(_ end: Int) -> Int { endings[end] }
}

/// A stream of a whole connection; `dials` says which end opens it, `proposals` what it proposes.
struct StreamChannel: Channel {
  static let isSecure = true
  private var pair: Pair
  private let stream: StreamID

  init(seed: UInt64, faults: PipeFaults) throws {
    var still = faults
    still.corruption = 0
    pair = Pair(seed: seed, faults: still)
    pair.begin()
    stream = try pair.open(0, seed % 2 == 0 ? ["/echo/1"] : ["/nobody/1", "/echo/1"])
    pair.faults = faults
  }

  mutating func write(_ end: Int, _ bytes: [UInt8]) { if !isBroken { pair.step(end, .write(stream, bytes)) } }
  mutating func finish(_ end: Int) { if !isBroken { pair.step(end, .finish(stream)) } }
  mutating func run() { pair.run() }
  func received(_ end: Int) -> [UInt8] { pair.ends[end].data[stream] ?? [] }
  func ends(_ end: Int) -> Int { pair.ends[end].ended.contains(stream) ? 1 : 0 }
  var isBroken: Bool { pair.ends.contains { $0.closed != nil } }
}

/// Every property on every channel.
@Suite struct ChannelConformance {
  static let channels: [any (Channel & SendableMetatype).Type] = [RecordChannel.self, YamuxChannel.self, StreamChannel.self]
  static let pipes = [
    PipeFaults.none, PipeFaults(piece: 1), PipeFaults(piece: 7, stall: 0.3), PipeFaults(piece: 4_000, stall: 0.1),
    PipeFaults(piece: 70_000, stall: 0.5),
  ]

  @Test(arguments: channels.indices, pipes.indices)
  func `bytes arrive in order, whole, both ways at once`(channel: Int, pipe: Int) throws {
    for seed in Effort.seeds.prefix(6) {
      var path = try ChannelConformance.channels[channel].init(seed: seed, faults: ChannelConformance.pipes[pipe])
      var chance = Chance(seed: seed).fork("writes")
      let most = pipe == 1 ? 2_000 : 100_000
      var sent: [[UInt8]] = [[], []]
      for _ in 0..<12 {
        let end = chance.below(2)
        let piece = pattern(chance.happens(0.2) ? 0 : 1 + chance.below(most), sent[end].count)
        sent[end] += piece
        if !piece.isEmpty || channel > 0 { path.write(end, piece) }
        if chance.happens(0.5) { path.run() }
      }
      path.run()
      #expect(!path.isBroken, "seed \(seed)")
      #expect(same(path.received(1), sent[0]) && same(path.received(0), sent[1]), "seed \(seed)")
      #expect(path.ends(0) == 0 && path.ends(1) == 0)
      path.finish(0)
      path.run()
      #expect(path.ends(1) == 1 && path.ends(0) == 0, "one half is closed, seed \(seed)")
      path.write(1, [1, 2, 3])
      path.run()
      #expect(same(path.received(0), sent[1] + [1, 2, 3]), "the other half goes on, seed \(seed)")
      path.finish(1)
      path.run()
      #expect(path.ends(0) == 1 && !path.isBroken, "seed \(seed)")
    }
  }

  @Test(arguments: channels.indices) func `a changed byte is never taken for a true one`(channel: Int) throws {
    guard ChannelConformance.channels[channel].isSecure else { return }
    for seed in Effort.seeds {
      let faults = PipeFaults(piece: 20_000, stall: 0.1, corruption: 0.3)
      var path = try ChannelConformance.channels[channel].init(seed: seed, faults: faults)
      let sent = pattern(150_000)
      path.write(0, sent)
      path.run()
      let got = path.received(1)
      #expect(same(got, Array(sent.prefix(got.count))), "seed \(seed)")
      #expect(path.isBroken || same(got, sent), "seed \(seed)")
    }
  }
}
