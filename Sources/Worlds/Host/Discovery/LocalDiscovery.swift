public import Logging
public import MurmurDiscovery
public import MurmurIdentity
public import MurmurMachines
public import MurmurWire
public import NIOCore
import NIOPosix

/// Finds peers on the networks this machine is on: a ``MurmurDiscovery/MulticastDNS`` for every interface that the peer listens on, over
/// UDP at 224.0.0.251 and ff02::fb, port 5353.
///
/// Nothing here can fail a peer: an interface on which multicast cannot be had is named in a warning and tried again later, as
/// interfaces come and go. A peer that listens on the loopback interface alone is told of there alone.
public final class LocalDiscovery: Sendable {
  /// How it behaves.
  public struct Configuration: Sendable {
    /// How the machines behave.
    public var machine = MulticastDNS.Configuration()
    /// The port of multicast DNS.
    public var port: UInt16 = 5_353
    /// How often it is looked which interfaces there are.
    public var lookout = TimeAmount.seconds(20)
    /// Links at a time, two for an interface with both families; further ones are not used.
    public var links = 32
    /// Where it is logged what happens.
    public var logger = Logger(label: "murmur.discovery")

    /// The defaults.
    public init() {}
  }

  private let loop: any EventLoop
  private let core: NIOLoopBound<Core>

  /// Will tell of peers, on a loop of `group`, once it is started. `listening` is where this peer can be reached, with ports, as
  /// ``Node/start()`` returns it.
  public static func make(
    id: PeerID, listening: [Multiaddr], chance: Chance, group: any EventLoopGroup, configuration: Configuration = Configuration(),
    found: @escaping @Sendable (PeerID, [Multiaddr]) -> Void
  ) async throws -> LocalDiscovery {
    let loop = group.next()
    return try await loop.submit {
      LocalDiscovery(loop, NIOLoopBound(Core(id, listening, chance, loop, configuration, found), eventLoop: loop))
    }.get()
  }

  private init(_ loop: any EventLoop, _ core: NIOLoopBound<Core>) {
    self.loop = loop
    self.core = core
  }

  /// Begins, and returns when every link is open or was tried.
  public func start() async throws { try await loop.flatSubmit { [core] in core.value.start() }.get() }

  /// Names of the links that are open, such as `eth0 (IPv4)`.
  public var links: [String] { get async throws { try await loop.submit { [core] in core.value.names }.get() } }

  /// Says goodbye and closes all sockets.
  public func close() async throws { try await loop.flatSubmit { [core] in core.value.close() }.get() }

  /// Everything, on one loop.
  private final class Core {
    private struct Link {
      var place: MulticastPlace
      var channel: (any Channel)?
      var handler: NIOLoopBound<MulticastHandler>?
    }

    private let id: PeerID
    private let listening: [Multiaddr]
    private let name: String
    private let chance: Chance
    private let loop: any EventLoop
    private let configuration: Configuration
    private let found: @Sendable (PeerID, [Multiaddr]) -> Void
    private let clock = HostClock()
    private var links: [MulticastPlace.Key: Link] = [:]
    private var complained: Set<MulticastPlace.Key> = []
    private var lookout: RepeatedTask?
    private var isClosed = false
    private var opened = 0

    init(
      _ id: PeerID, _ listening: [Multiaddr], _ chance: Chance, _ loop: any EventLoop, _ configuration: Configuration,
      _ found: @escaping @Sendable (PeerID, [Multiaddr]) -> Void
    ) {
      var chance = chance
      self.id = id
      self.listening = listening
      name = MulticastDNS.drawName(&chance)
      self.chance = chance
      self.loop = loop
      self.configuration = configuration
      self.found = found
    }

    var names: [String] { links.values.filter { $0.handler != nil }.map(\.place.description).sorted() }

    func start() -> EventLoopFuture<Void> {
      let bound = NIOLoopBound(self, eventLoop: loop)
      lookout = loop.scheduleRepeatedTask(initialDelay: configuration.lookout, delay: configuration.lookout) { _ in
        _ = bound.value.look()
      }
      return look().map { bound.value.complainOfNothing() }
    }

    private func complainOfNothing() {
      guard names.isEmpty, complained.isEmpty else { return }
      configuration.logger.warning(
        """
        mDNS: none of the interfaces that this peer listens on is up; it listens at \
        \(listening.map(\.description).joined(separator: ", ")). Peers are found here when one of them is up
        """)
    }

    func close() -> EventLoopFuture<Void> {
      isClosed = true
      lookout?.cancel()
      let all = links.keys.sorted().compactMap { links[$0] }
      links = [:]
      let ends = all.compactMap { link -> EventLoopFuture<Void>? in
        link.handler?.value.stop()
        return link.channel?.closeFuture
      }
      return EventLoopFuture.andAllComplete(ends, on: loop)
    }

    /// Opens links that are missing, and leaves those whose interface is gone.
    private func look() -> EventLoopFuture<Void> {
      guard !isClosed else { return loop.makeSucceededVoidFuture() }
      let places = MulticastPlace.all(listening: listening).prefix(configuration.links)
      for key in links.keys.sorted() where !places.contains(where: { $0.key == key }) {
        links.removeValue(forKey: key)?.handler?.value.stop()
        configuration.logger.debug("mDNS: interface \(key) is gone")
      }
      let opening = places.filter { links[$0.key] == nil }.map(open)
      return EventLoopFuture.andAllComplete(opening, on: loop)
    }

    private func open(_ place: MulticastPlace) -> EventLoopFuture<Void> {
      links[place.key] = Link(place: place)
      opened += 1
      let machine = MulticastDNS(
        id: id, name: name, addresses: place.addresses, scope: place.scope, configuration: configuration.machine)
      let (found, logger, clock) = (found, configuration.logger, clock)
      let chance = chance.fork("link", opened)
      let bound = NIOLoopBound(self, eventLoop: loop)
      return place.open(on: loop, port: Int(configuration.port)) { group in
        MulticastHandler(machine, chance: chance, clock: clock, group: group, logger: logger, found: found)
      }.map { channel, handler in
        let core = bound.value
        guard !core.isClosed, core.links[place.key] != nil else { return handler.value.stop() }
        core.links[place.key]?.channel = channel
        core.links[place.key]?.handler = handler
        core.complained.remove(place.key)
        handler.value.begin()
        core.configuration.logger.debug("mDNS: asking and answering on \(place)")
      }.flatMapErrorThrowing { error in
        let core = bound.value
        core.links[place.key] = nil
        guard !core.isClosed, core.complained.insert(place.key).inserted else { return }
        core.configuration.logger.warning(
          """
          mDNS: peers on \(place) are not found: \(error). Let UDP port \(core.configuration.port) and multicast through there, or \
          give addresses with --join; it is tried again every \(core.configuration.lookout.nanoseconds / 1_000_000_000) s
          """)
      }
    }
  }
}
