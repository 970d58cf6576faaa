import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// A peer that does the handshake as it should and from then on sends what a test wants, byte by byte, to a real connection.
struct Puppet {
  var victim: Connection
  var now = Instant.origin
  /// What the victim did.
  var effects: [Connection.Effect] = []
  /// What the victim sent, decrypted.
  var heard: [UInt8] = []
  private var chance = Chance(seed: 1)
  private var sending: CipherState?
  private var receiving: CipherState?
  private var records = NoiseRecords()
  private let muxers: [String]

  /// A dialing puppet that has proven who it is to a listening connection.
  init(limits: ChannelLimits = ChannelLimits(), muxers: [String] = ["/yamux/1.0.0"], seed: UInt64 = 1) throws {
    self.muxers = muxers
    victim = Connection(
      role: .listener, identity: Pair.keys("victim"), secrets: Pair.secrets(seed, "victim"), serving: ["/echo/1"], limits: limits)
    step(.began)
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/noise", to: &hello)
    step(.received(hello))
    _ = sent()
    var handshake = NoiseHandshake(
      isInitiator: true, identity: Pair.keys("puppet"), secrets: Pair.secrets(seed, "puppet"),
      expected: Pair.keys("victim").peerID, muxers: muxers)
    step(.received(try handshake.start()))
    let (answer, secured) = try handshake.receive(Array(sent().dropFirst(2)))
    step(.received(try #require(answer)))
    sending = try #require(secured).sending
    receiving = try #require(secured).receiving
    listen()
  }

  /// One input for the victim.
  mutating func step(_ input: Connection.Input) {
    var effects = Effects<Connection.Effect>()
    victim.step(input, at: now, chance: &chance, effects: &effects)
    self.effects += effects.list
  }

  /// The bytes the victim has sent since this was last asked; the socket takes them.
  mutating func sent() -> [UInt8] {
    var bytes: [UInt8] = []
    effects.removeAll { effect in
      guard case .send(let piece) = effect else { return false }
      bytes += piece
      return true
    }
    return bytes
  }

  /// Decrypts what the victim sent, and lets it send on.
  mutating func listen() {
    while true {
      let bytes = sent()
      guard !bytes.isEmpty else { return }
      var position = 0
      unsafe bytes.withUnsafeBytes { bytes in
        while position < bytes.count, unsafe records.read(bytes, at: &position) {
          if let plaintext = records.withBox({ receiving?.open(&$0) }) { heard += plaintext }
          records.clear()
        }
      }
      step(.sent(bytes.count))
    }
  }

  /// Sends `plaintext`, encrypted as it should be.
  mutating func say(_ plaintext: [UInt8], listening: Bool = true) {
    for start in stride(from: 0, to: plaintext.count, by: NoiseRecords.mostPlaintext) {
      let piece = Array(plaintext[start..<min(plaintext.count, start + NoiseRecords.mostPlaintext)])
      var out: [UInt8] = []
      NoiseRecords.append(length: piece.count + CipherState.tag, to: &out)
      sending?.seal(piece, into: &out)
      step(.received(out))
    }
    if listening { listen() }
  }

  /// Sends a frame of yamux with a payload.
  mutating func say(
    _ kind: YamuxHeader.Kind, _ flags: YamuxHeader.Flags = [], stream: UInt32, length: UInt32? = nil, _ payload: [UInt8] = [],
    listening: Bool = true
  ) {
    say(frame(kind, flags, stream: stream, length: length, payload), listening: listening)
  }

  /// What agrees on `/echo/1`.
  static var hello: [UInt8] {
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/echo/1", to: &hello)
    return hello
  }

  /// Opens a stream and agrees on `/echo/1`.
  mutating func open(_ stream: UInt32) { say(.data, .syn, stream: stream, Puppet.hello) }

  /// The streams that the victim said are open, in order.
  var opened: [StreamID] {
    effects.compactMap { if case .opened(let stream, _, _) = $0 { stream } else { nil } }
  }

  /// How many bytes the victim handed on of a stream.
  func received(_ stream: StreamID) -> Int {
    effects.reduce(0) { if case .received(stream, let bytes) = $1 { $0 + bytes.count } else { $0 } }
  }

  /// Why the victim closed the connection, if it did.
  var closed: ConnectionError? {
    for effect in effects { if case .closed(let error) = effect { return error } }
    return nil
  }

  /// The frames the victim sent since this was last asked, without payloads.
  mutating func frames() throws -> [YamuxHeader] {
    var found: [YamuxHeader] = []
    var rest = heard[...]
    heard = []
    while rest.count >= YamuxHeader.byteCount {
      let header = try YamuxHeader(Array(rest.prefix(YamuxHeader.byteCount)))
      found.append(header)
      rest = rest.dropFirst(YamuxHeader.byteCount + (header.kind == .data ? Int(header.length) : 0))
    }
    return found
  }
}

/// One frame of yamux.
func frame(
  _ kind: YamuxHeader.Kind, _ flags: YamuxHeader.Flags = [], stream: UInt32, length: UInt32? = nil, _ payload: [UInt8] = []
) -> [UInt8] {
  var out: [UInt8] = []
  YamuxHeader(kind, flags, stream: stream, length: length ?? UInt32(payload.count)).append(to: &out)
  return out + payload
}
