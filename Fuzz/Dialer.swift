import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire

/// A dialer that proves who it is to a listening connection, and then encrypts whatever the fuzzer wants said.
struct Dialer {
  private var victim: Connection
  private var sending: CipherState
  private var now = Instant.origin
  private var chance = Chance(seed: 1)
  private var effects = Effects<Connection.Effect>()
  /// Bytes that the socket was handed and did not take yet.
  private var waiting = 0
  /// What came on streams and was not given back, also on those that are over.
  private var owed: [StreamID: Int] = [:]
  private var streams: [StreamID] = []

  /// The handshake is the same each time, so it is done once.
  private static let introduced: Dialer? = try? Dialer()

  private init() throws {
    func secrets(_ number: UInt8) -> NoiseSecrets {
      NoiseSecrets(ephemeral: .sha256(of: [number, 3]), fixed: .sha256(of: [number, 4]))
    }
    var limits = ChannelLimits()
    limits.inboundStreams = 20
    limits.outboundStreams = 20
    victim = Connection(
      role: .listener, identity: Sample.keys[0], secrets: secrets(0), serving: ["/echo/1", "/other/1"], limits: limits)
    var handshake = NoiseHandshake(
      isInitiator: true, identity: Sample.keys[1], secrets: secrets(1), expected: Sample.keys[0].peerID,
      muxers: ["/yamux/1.0.0"])
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/noise", to: &hello)
    var chance = Chance(seed: 1)
    var effects = Effects<Connection.Effect>()
    func answer() -> [UInt8] {
      effects.take().reduce(into: []) { if case .send(let bytes) = $1 { $0 += bytes } }
    }
    victim.step(.began, at: .origin, chance: &chance, effects: &effects)
    victim.step(.received(hello), at: .origin, chance: &chance, effects: &effects)
    var sent = answer().count
    victim.step(.received(try handshake.start()), at: .origin, chance: &chance, effects: &effects)
    let reply = answer()
    let (last, secured) = try handshake.receive(Array(reply.dropFirst(2)))
    guard let last, let secured else { preconditionFailure("the handshake does not end") }
    sending = secured.sending
    sent += reply.count
    victim.step(.received(last), at: .origin, chance: &chance, effects: &effects)
    sent += answer().count
    victim.step(.sent(sent), at: .origin, chance: &chance, effects: &effects)
    waiting = answer().count
    precondition(victim.isOpen)
  }

  /// Says and does what the fuzzer's bytes say.
  static func speaks(_ bytes: [UInt8]) {
    guard var dialer = introduced else { preconditionFailure("the dialer is not let in") }
    var draw = Draw(bytes)
    while !draw.isEmpty, !dialer.victim.isClosed { dialer.act(&draw) }
  }

  private mutating func act(_ draw: inout Draw) {
    switch draw.byte() % 10 {
    case 0: step(.received(record(draw.piece())))
    // Two records in one read of the socket.
    case 1:
      let first = record(draw.piece())
      step(.received(first + record(draw.piece())))
    case 2: step(.open(request: UInt64(draw.byte()), protocols: draw.byte() & 1 == 0 ? ["/a"] : ["/a", "/b"]))
    case 3: giveBack(draw.byte())
    case 4: if let stream = stream(draw.byte()) { step(.write(stream, draw.piece())) }
    case 5: if let stream = stream(draw.byte()) { step(.finish(stream)) }
    case 6: if let stream = stream(draw.byte()) { step(.reset(stream)) }
    case 7: step(.fired([.handshake, .negotiation, .keepAlive][draw.below(3)]))
    case 8: now = now + .milliseconds(Double(draw.below(20_000)))
    default:
      let count = waiting
      waiting = 0
      step(.sent(count))
    }
    precondition(victim.streamCount <= 40 && victim.unsentInAll >= 0)
    precondition(!victim.isClosed || victim.streamCount == 0)
  }

  private func stream(_ number: UInt8) -> StreamID? { streams.isEmpty ? nil : streams[Int(number) % streams.count] }

  private mutating func giveBack(_ number: UInt8) {
    let all = owed.keys.sorted()
    guard !all.isEmpty, let count = owed.removeValue(forKey: all[Int(number) % all.count]) else { return }
    step(.consumed(all[Int(number) % all.count], count))
  }

  private mutating func record(_ plaintext: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    NoiseRecords.append(length: plaintext.count + CipherState.tag, to: &out)
    sending.seal(plaintext, into: &out)
    return out
  }

  private mutating func step(_ input: Connection.Input) {
    victim.step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.take() {
      switch effect {
      case .send(let bytes): waiting += bytes.count
      case .opened(let stream, _, _): streams = Array((streams + [stream]).suffix(64))
      case .received(let stream, let bytes): owed[stream, default: 0] += bytes.count
      case .arm, .secured, .refused, .ended, .wasReset, .drained, .closed: break
      }
    }
  }
}
