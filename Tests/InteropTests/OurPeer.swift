import MurmurChannels
import MurmurHost
import MurmurIdentity
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A transport of ours that answers pings and remembers who came.
final class OurPeer: TransportDelegate {
  static let ping = "/ipfs/ping/1.0.0"
  /// The same under the name that Kubo gives it in a tunnel.
  static let tunnel = "/x/" + ping

  private struct State {
    var links: [Link] = []
    var waiting: [EventLoopPromise<Link>] = []
    var served = 0
  }

  let keys: KeyPair
  private let state = NIOLockedValueBox(State())
  private let group = MultiThreadedEventLoopGroup.singleton
  private let transport = NIOLockedValueBox<Transport?>(nil)

  init(_ name: String) {
    keys = KeyPair(seed: .sha256(of: Array(name.utf8)))
    let made = Transport(identity: keys, group: group, serving: [OurPeer.ping, OurPeer.tunnel], delegate: self)
    transport.withLockedValue { $0 = made }
  }

  private var sockets: Transport {
    guard let transport = transport.withLockedValue({ $0 }) else { preconditionFailure("it was stopped") }
    return transport
  }

  func connected(_ link: Link) {
    let waiting = state.withLockedValue { state in
      state.links.append(link)
      defer { state.waiting = [] }
      return state.waiting
    }
    for promise in waiting { promise.succeed(link) }
  }

  func disconnected(_ link: Link, _ why: ConnectionError) {}

  func accept(_ stream: PeerStream) -> (any StreamHandler)? {
    state.withLockedValue { $0.served += 1 }
    return Ping()
  }

  /// Pings that were answered.
  var served: Int { state.withLockedValue { $0.served } }

  /// The first link that came, when it comes.
  func firstLink() async throws -> Link {
    let promise = group.next().makePromise(of: Link.self)
    let link: Link? = state.withLockedValue { state in
      if state.links.isEmpty { state.waiting.append(promise) }
      return state.links.first
    }
    if let link { promise.succeed(link) }
    return try await promise.futureResult.get()
  }

  /// Listens on loopback; the address with the peer ID.
  func listen() async throws -> String {
    let address = try await sockets.listen(Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0")).get()
    return "\(address)/p2p/\(keys.peerID)"
  }

  func dial(_ address: String) async throws -> Link { try await sockets.dial(Multiaddr(parsing: address)).get() }

  func stop() async throws {
    try await sockets.close().get()
    transport.withLockedValue { $0 = nil }
  }
}

/// Sends back what comes (libp2p/specs `ping`).
private final class Ping: StreamHandler {
  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.write(bytes)
    stream.consumed(bytes.count)
  }

  func ended(_ stream: PeerStream) { stream.finish() }
}
