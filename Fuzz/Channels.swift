import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire

/// The bytes of sockets, before and after Noise.
extension Target {
  private static var hello: [UInt8] {
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/noise", to: &hello)
    return hello
  }

  private static func secrets(_ number: UInt8) -> NoiseSecrets {
    NoiseSecrets(ephemeral: .sha256(of: [number, 1]), fixed: .sha256(of: [number, 2]))
  }

  private static func frame(
    _ kind: YamuxHeader.Kind, _ flags: YamuxHeader.Flags = [], stream: UInt32, length: UInt32? = nil, _ payload: [UInt8] = []
  ) -> [UInt8] {
    var out: [UInt8] = []
    YamuxHeader(kind, flags, stream: stream, length: length ?? UInt32(payload.count)).append(to: &out)
    return out + payload
  }

  private static var frames: [[UInt8]] {
    let data = frame(.data, .syn, stream: 1, [1, 2, 3]) + frame(.data, .fin, stream: 1, [4])
    let windows = frame(.windowUpdate, .syn, stream: 3, length: 100_000) + frame(.windowUpdate, .rst, stream: 3, length: 0)
    return [data, windows, frame(.ping, .syn, stream: 0, length: 7), frame(.goAway, stream: 0, length: 0)]
  }

  /// Records of a dialer, one with a stream that is over and another one with its number, and what the listener does meanwhile.
  private static var connectionSeeds: [[UInt8]] {
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/echo/1", to: &hello)
    let open = frame(.data, .syn, stream: 1, hello)
    let over = open + frame(.windowUpdate, .rst, stream: 1)
    let ended = frame(.data, [.syn, .fin], stream: 3, hello) + frame(.windowUpdate, .syn, stream: 5, length: 0)
    return [
      [0] + piece(open) + [0] + piece(frame(.data, stream: 1, [1, 2, 3])) + [3, 0, 4, 0, 5, 0],
      [0] + piece(over + open) + [3, 0, 0] + piece(frame(.data, stream: 1, [1])) + [3, 1],
      [1] + piece(over) + piece(open) + [3, 0, 6, 0], [0] + piece(ended) + [5, 0, 0] + piece(open) + [7, 1, 8, 200, 7, 2],
      frames.flatMap { [0] + piece($0) },
    ]
  }

  static let channels: [Target] = [
    Target("upgrade", seeds: { [piece(hello), piece(hello) + piece([0, 32] + [UInt8](repeating: 5, count: 32))] }) { bytes in
      var draw = Draw(bytes)
      var connection = Connection(
        role: draw.byte() & 1 == 0 ? .listener : .dialer, identity: Sample.keys[0], secrets: secrets(1), serving: ["/echo/1"])
      var effects = Effects<Connection.Effect>()
      var chance = Chance(seed: 1)
      var now = Instant.origin
      connection.step(.began, at: now, chance: &chance, effects: &effects)
      while !draw.isEmpty {
        connection.step(.received(draw.piece()), at: now, chance: &chance, effects: &effects)
        now = now + .milliseconds(Double(draw.byte()))
      }
      connection.step(.fired(.handshake), at: now + .seconds(20), chance: &chance, effects: &effects)
      precondition(connection.isClosed || connection.isOpen)
    },
    Target("negotiation", seeds: { [[0] + piece(hello)] }) { bytes in
      var draw = Draw(bytes)
      var negotiation =
        draw.byte() & 1 == 0
        ? Negotiation.listener(["/noise", "/yamux/1.0.0"], limits: ChannelLimits())
        : Negotiation.dialer(["/noise", "/yamux/1.0.0"], limits: ChannelLimits())
      var out: [UInt8] = []
      while !draw.isEmpty {
        let bytes = draw.piece()
        var position = 0
        let outcome = unsafe bytes.withUnsafeBytes { unsafe try? negotiation.receive($0, at: &position, answers: &out) }
        guard outcome == .pending else { return }
        precondition(position == bytes.count)
      }
    },
    Target("payload", seeds: { [NoisePayload(vouching: Sample.keys[0], for: [1], muxers: ["/yamux/1.0.0"]).encoded] }) { bytes in
      if let payload = try? NoisePayload(encoded: bytes) { try? payload.verify(for: [1]) }
    },
    Target("framing", seeds: { [piece([3, 1, 2, 3])] }) { bytes in
      var draw = Draw(bytes)
      var framing = MessageFraming(most: 300)
      while !draw.isEmpty {
        framing.append(draw.piece())
        while let message = try? framing.next() { precondition(message.count <= 300) }
        guard framing.waiting <= 4_096 + 310 else { return }
      }
    },
    Target("connection", seeds: { connectionSeeds }) { bytes in Dialer.speaks(bytes) },
    Target("yamux", seeds: { [frames.flatMap { [0] + piece($0) }] }) { bytes in muxes(bytes) },
  ]

  /// Frames from outside, and what a caller may do meanwhile.
  private static func muxes(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var limits = ChannelLimits()
    limits.inboundStreams = 20
    limits.outboundStreams = 20
    var yamux = Yamux(isDialer: draw.byte() & 1 == 0, limits: limits)
    var now = Instant.origin
    var unconsumed: [StreamID: Int] = [:]
    while !draw.isEmpty {
      var events = Effects<Yamux.Event>()
      let stream = StreamID(UInt32(draw.byte() % 32))
      switch draw.byte() % 8 {
      case 0: _ = try? yamux.open(at: now)
      case 1: _ = yamux.write(stream, draw.piece())
      case 2: yamux.finish(stream)
      case 3: yamux.reset(stream)
      case 4:
        // Also of streams that are over, whose numbers may be in use again.
        let streams = unconsumed.keys.sorted()
        guard !streams.isEmpty else { continue }
        let one = streams[Int(stream.number) % streams.count]
        if let count = unconsumed.removeValue(forKey: one) { yamux.consumed(one, count, at: now) }
      case 5:
        var record: [UInt8] = []
        while yamux.hasOutput {
          record = []
          yamux.fill(&record, room: 1_000, events: &events)
          precondition(record.count <= 1_000)
          guard !record.isEmpty else { break }
        }
      case 6: now = now + .milliseconds(Double(draw.byte()))
      default:
        let piece = draw.piece()
        if unsafe piece.withUnsafeBytes({ unsafe yamux.receive($0, at: now, events: &events) }) != nil { return }
      }
      for event in events.list {
        switch event {
        case .received(let stream, let bytes): unconsumed[stream, default: 0] += bytes.count
        default: break
        }
      }
      precondition(yamux.count <= 40 && yamux.queued >= 0)
      // house:allow(order) each is looked at by itself
      for (stream, count) in unconsumed { precondition(count <= limits.window || !yamux.isOpen(stream)) }
    }
  }
}
