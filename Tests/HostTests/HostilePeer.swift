import MurmurChannels
import MurmurHost
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A peer that proves who it is, says of itself what it likes, and then says anything on any stream.
final class HostilePeer: Sendable {
  let keys: KeyPair
  let transport: Transport
  private let watcher: Watcher

  /// A peer that claims to speak `protocols`; `answer` handles the streams that others open for them, or ignores them.
  init(
    _ name: String, claiming protocols: [String] = [],
    answer: @escaping @Sendable (PeerStream) -> (any StreamHandler)? = { _ in Deaf() }
  ) {
    let keys = KeyPair(seed: .sha256(of: Array("hostile \(name)".utf8)))
    self.keys = keys
    let description = IdentifyMessage(
      publicKey: keys.publicKey.encoded, protocols: protocols + [Identify.protocolID], agentVersion: "hostile/1")
    watcher = Watcher { stream in
      guard stream.protocolName == Identify.protocolID else { return answer(stream) }
      stream.write(MessageFraming.frame(description.encode()))
      stream.finish()
      return Deaf()
    }
    transport = Transport(
      identity: keys, group: loops, configuration: TransportConfiguration(), serving: protocols + [Identify.protocolID],
      delegate: watcher)
  }

  /// Who it is.
  var id: PeerID { keys.peerID }

  /// Connects; `nil` if it is not let in.
  func link(to node: HonestNode) async throws -> Link? {
    do { return try await transport.dial(node.address).get() } catch is TransportError { return nil }
  }

  /// How many of its connections have ended.
  var ended: Int { watcher.heard.withLockedValue { $0.disconnected.count + $0.failed.count } }

  /// Opens streams for `name` and writes `bytes` on each, without waiting for anything.
  func say(_ bytes: [UInt8], on name: String, over link: Link, streams: Int = 1, finishes: Bool = false) {
    link.execute { link in
      for _ in 0..<streams {
        link.open(
          [name],
          handler: Speaker { stream in
            if !bytes.isEmpty { stream.write(bytes) }
            if finishes { stream.finish() }
          })
      }
    }
  }

  /// Connects again and again and does `attack`, until the node does not let it in any more. How often it got in.
  func insist(_ node: HonestNode, most: Int = 40, _ attack: (Link) async throws -> Void) async throws -> Int {
    for attempt in 0..<most {
      if try await node.node.ban(of: id) != nil { return attempt }
      guard let link = try await link(to: node) else { continue }
      let before = ended
      try await attack(link)
      _ = try await eventually(2) { try await node.node.ban(of: self.id) != nil || self.ended > before }
    }
    return most
  }

  func stop() async throws { try await transport.close().get() }
}

/// Takes what comes and does nothing.
final class Deaf: StreamHandler {
  func received(_ bytes: [UInt8], on stream: PeerStream) { stream.consumed(bytes.count) }
}

/// Takes nothing of what comes: the window stays closed.
final class Blocked: StreamHandler {
  func received(_ bytes: [UInt8], on stream: PeerStream) {}
}

/// Says something when its stream is there, and listens to nothing.
final class Speaker: StreamHandler {
  private let body: (PeerStream) -> Void
  private let listens: Bool

  init(listens: Bool = true, _ body: @escaping (PeerStream) -> Void) {
    self.listens = listens
    self.body = body
  }

  func opened(_ stream: PeerStream) { body(stream) }
  func received(_ bytes: [UInt8], on stream: PeerStream) { if listens { stream.consumed(bytes.count) } }
}

/// A bare TCP socket, from any address of this machine.
final class RawSocket: Sendable {
  let channel: any Channel
  private let heard: NIOLockedValueBox<[UInt8]>

  private final class Collecting: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let heard: NIOLockedValueBox<[UInt8]>
    init(_ heard: NIOLockedValueBox<[UInt8]>) { self.heard = heard }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = Array(unwrapInboundIn(data).readableBytesView)
      heard.withLockedValue { if $0.count < 1 << 20 { $0 += bytes } }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }

  private init(_ channel: any Channel, _ heard: NIOLockedValueBox<[UInt8]>) {
    self.channel = channel
    self.heard = heard
  }

  static func connect(to port: Int, from host: String = "127.0.0.1", reads: Bool = true) async throws -> RawSocket {
    let heard = NIOLockedValueBox<[UInt8]>([])
    let channel = try await ClientBootstrap(group: loops)
      .channelOption(.autoRead, value: reads)
      .channelInitializer { channel in channel.pipeline.addHandler(Collecting(heard)) }
      .bind(to: SocketAddress(ipAddress: host, port: 0))
      .connect(to: SocketAddress(ipAddress: "127.0.0.1", port: port)).get()
    return RawSocket(channel, heard)
  }

  var isOpen: Bool { channel.isActive }

  func write(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

  /// The next `count` bytes that came.
  func read(_ count: Int) async throws -> [UInt8]? {
    guard try await eventually(5, { self.heard.withLockedValue { $0.count } >= count || !self.isOpen }) else { return nil }
    return heard.withLockedValue { heard in
      guard heard.count >= count else { return nil }
      defer { heard.removeFirst(count) }
      return Array(heard.prefix(count))
    }
  }

  func close() { channel.close(promise: nil) }
}

/// A peer that does Noise by hand and then sends frames of yamux that no muxer would.
struct RawPeer {
  let socket: RawSocket
  private var sending: CipherState

  /// The hello of a dialer.
  static var hello: [UInt8] {
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/noise", to: &hello)
    return hello
  }

  /// Keys for handshakes, new ones for each.
  static func secrets() -> NoiseSecrets {
    var generator = SystemRandomNumberGenerator()
    return NoiseSecrets(using: &generator)
  }

  /// Connects and proves who it is; with `lying` it signs another key than the one it uses, and is `nil` when that is noticed.
  init?(_ keys: KeyPair, to node: HonestNode, from host: String = "127.0.0.1", lying: Bool = false) async throws {
    socket = try await RawSocket.connect(to: node.port, from: host)
    socket.write(RawPeer.hello)
    guard try await socket.read(RawPeer.hello.count) != nil else { return nil }
    var noise = NoiseXX(isInitiator: true, secrets: RawPeer.secrets())
    socket.write(RawPeer.record(try noise.write([])))
    guard let length = try await socket.read(2),
      let answer = try await socket.read(Int(length[0]) << 8 | Int(length[1]))
    else { return nil }
    _ = try noise.read(answer)
    let fixed = lying ? [UInt8](repeating: 9, count: 32) : noise.localStatic
    let payload = NoisePayload(vouching: keys, for: fixed, muxers: ["/yamux/1.0.0"])
    socket.write(RawPeer.record(try noise.write(payload.encoded)))
    sending = noise.split().sending
  }

  static func record(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    NoiseRecords.append(length: bytes.count, to: &out)
    return out + bytes
  }

  /// Sends plaintext as it should be encrypted.
  mutating func say(_ plaintext: [UInt8]) {
    for start in stride(from: 0, to: plaintext.count, by: NoiseRecords.mostPlaintext) {
      let piece = Array(plaintext[start..<min(plaintext.count, start + NoiseRecords.mostPlaintext)])
      var out: [UInt8] = []
      NoiseRecords.append(length: piece.count + CipherState.tag, to: &out)
      sending.seal(piece, into: &out)
      socket.write(out)
    }
  }

  /// One frame of yamux.
  static func frame(
    _ kind: YamuxHeader.Kind, _ flags: YamuxHeader.Flags = [], stream: UInt32, length: UInt32? = nil, _ payload: [UInt8] = []
  ) -> [UInt8] {
    var out: [UInt8] = []
    YamuxHeader(kind, flags, stream: stream, length: length ?? UInt32(payload.count)).append(to: &out)
    return out + payload
  }
}
