public import Logging
public import MurmurChannels
public import MurmurFeeds
public import MurmurIdentity
public import MurmurMachines
public import MurmurStorage
public import MurmurWire
public import NIOCore

/// How a thin feeder behaves on a real network.
public struct FeedNodeConfiguration: Sendable {
  /// Where the gateways are, in the order in which they are tried.
  public var gateways: [Multiaddr]
  /// How the machine behaves.
  public var feeder: Feeder.Configuration
  /// What connections allow.
  public var transport = TransportConfiguration()
  /// Where it is logged what happens.
  public var logger = Logger(label: "murmur.feed")

  /// The defaults.
  public init(session: String, gateways: [Multiaddr]) {
    self.gateways = gateways
    feeder = Feeder.Configuration(session: session, gateways: gateways.count)
    transport.connections = 16
    // A feeder sends, and hears little.
    transport.receiveBuffer = 16 << 10
  }
}

/// What a thin feeder tells whoever watches, on its loop.
public enum FeedNodeEvent: Sendable {
  /// What the machine notes.
  case machine(FeederEvent)
  /// Messages before that number are confirmed, and no longer in the spool.
  case forgotten(upTo: Int)
  /// Something that somebody should know, in words.
  case problem(String)
}

/// A thin feeder on real sockets: connections to one gateway after the other, and the machine that says which and what. It has no block store,
/// no gossip and no ledger, only a spool.
///
/// Everything happens on one loop; methods may be called from anywhere.
public final class FeedNode: TransportDelegate, Sendable {
  /// How it behaves.
  public let configuration: FeedNodeConfiguration
  /// Who it is.
  public let id: PeerID
  let home: any EventLoop
  let place: NIOLoopBoundBox<FeedPlace>

  /// What is to be seen of a feeder at one moment.
  public struct Snapshot: Sendable {
    /// The machine's figures.
    public var statistics = FeederStatistics()
    /// The gateway that takes messages.
    public var gateway: Int?
    /// Messages in the spool.
    public var waiting = 0
    /// Bytes of frames that were sent.
    public var bytesSent = 0
    /// Bytes of frames that came.
    public var bytesReceived = 0
    /// Bytes given to sockets: frames and all that carries them, encryption and handshakes included.
    public var socketBytesSent = 0
  }

  /// A feeder that is about to start, with a spool that is not closed before it. `observer` is called on the feeder's loop.
  public static func make(
    _ configuration: FeedNodeConfiguration, keys: KeyPair, spool: Spool, chance: Chance, group: any EventLoopGroup,
    observer: @escaping @Sendable (FeedNodeEvent) -> Void = { _ in }
  ) async throws -> FeedNode {
    let home = group.next()
    return try await home.submit {
      let place = FeedPlace(configuration, spool, chance, home, observer)
      let node = FeedNode(configuration, keys.peerID, home, NIOLoopBoundBox(place, eventLoop: home))
      var transport = configuration.transport
      let (prepare, counted) = (transport.prepare, NIOLoopBound(place, eventLoop: home))
      transport.prepare = { channel in
        try channel.pipeline.syncOperations.addHandler(SocketCounter { counted.value.socketBytesSent += $0 })
        try prepare?(channel)
      }
      place.transport = Transport(identity: keys, group: home, configuration: transport, delegate: node)
      return node
    }.get()
  }

  private init(_ configuration: FeedNodeConfiguration, _ id: PeerID, _ home: any EventLoop, _ place: NIOLoopBoundBox<FeedPlace>) {
    self.configuration = configuration
    self.id = id
    self.home = home
    self.place = place
  }

  /// Looks for a gateway, and sends what the spool has.
  public func start() { home.execute { [place] in place.value.start() } }

  /// The spool has further messages, and they are safe.
  public func spooled() { home.execute { [place] in place.value.refill() } }

  /// The feeder as it is now.
  public func snapshot() async throws -> Snapshot { try await home.submit { [place] in place.value.snapshot }.get() }

  /// Closes all connections. What is not confirmed stays in the spool.
  public func close() async throws {
    let transport = try await home.submit { [place] in place.value.stop() }.get()
    try await transport?.close().get()
  }

  // MARK: The transport's delegate

  /// Nothing: who dials hears of it.
  public func connected(_ link: Link) {}
  /// Nothing: streams end with their link.
  public func disconnected(_ link: Link, _ why: ConnectionError) {}
  /// Nobody opens streams to a feeder.
  public func accept(_ stream: PeerStream) -> (any StreamHandler)? { nil }
}
