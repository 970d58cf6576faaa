import MurmurChannels
import MurmurHost
import MurmurIdentity
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// What one peer of a test heard from its transport, and what it does with streams.
final class Watcher: TransportDelegate {
  struct Heard {
    var connected: [Link] = []
    var disconnected: [ConnectionError] = []
    var failed: [ConnectionError] = []
    var waiting: [(count: Int, promise: EventLoopPromise<Void>)] = []
    var streams: [StreamID] = []
  }

  let heard = NIOLockedValueBox(Heard())
  /// Makes the handler of a stream that was opened from outside.
  let answer: @Sendable (PeerStream) -> (any StreamHandler)?

  init(_ answer: @escaping @Sendable (PeerStream) -> (any StreamHandler)? = { _ in Echo() }) { self.answer = answer }

  func connected(_ link: Link) { heard.withLockedValue { $0.connected.append(link) } }

  func disconnected(_ link: Link, _ why: ConnectionError) { note { $0.disconnected.append(why) } }

  func failed(_ address: Multiaddr, _ why: ConnectionError) { note { $0.failed.append(why) } }

  func accept(_ stream: PeerStream) -> (any StreamHandler)? {
    heard.withLockedValue { $0.streams.append(stream.id) }
    return answer(stream)
  }

  private func note(_ change: (inout Heard) -> Void) {
    let promises: [EventLoopPromise<Void>] = heard.withLockedValue { heard in
      change(&heard)
      let count = heard.disconnected.count + heard.failed.count
      let due = heard.waiting.filter { $0.count <= count }
      heard.waiting.removeAll { $0.count <= count }
      return due.map(\.promise)
    }
    for promise in promises { promise.succeed(()) }
  }

  /// Forgets the links it heard of, and names them once more.
  func forget() -> [Link] {
    heard.withLockedValue { heard in
      defer { heard.connected = [] }
      return heard.connected
    }
  }

  /// Returns when `count` connections have ended, one way or another.
  func ends(_ count: Int, on loop: any EventLoop) async throws {
    let promise = loop.makePromise(of: Void.self)
    let isThere = heard.withLockedValue { heard in
      if heard.disconnected.count + heard.failed.count >= count { return true }
      heard.waiting.append((count, promise))
      return false
    }
    if isThere { promise.succeed(()) }
    try await promise.futureResult.get()
  }
}

/// Sends back what comes, and ends when the other side does.
final class Echo: StreamHandler {
  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.write(bytes)
    stream.consumed(bytes.count)
  }

  func ended(_ stream: PeerStream) { stream.finish() }
}

/// Loops shared by all tests of this process.
let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

/// One peer of a test.
struct Host {
  let transport: Transport
  let watcher: Watcher
  let keys: KeyPair

  init(
    _ name: String, serving: [String] = ["/echo/1"], watcher: Watcher = Watcher(),
    configure: (inout TransportConfiguration) -> Void = { _ in }
  ) {
    keys = KeyPair(seed: .sha256(of: Array(name.utf8)))
    var configuration = TransportConfiguration()
    configure(&configuration)
    self.watcher = watcher
    transport = Transport(identity: keys, group: loops, configuration: configuration, serving: serving, delegate: watcher)
  }

  /// Listens on a free port of the loopback interface.
  func listen(_ address: String = "/ip4/127.0.0.1/tcp/0") async throws -> Multiaddr {
    try await transport.listen(Multiaddr(parsing: address)).get()
  }
}
