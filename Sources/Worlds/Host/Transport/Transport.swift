import Logging
import MurmurChannels
public import MurmurIdentity
public import MurmurWire
public import NIOCore
import NIOConcurrencyHelpers
import NIOPosix

/// Listens, dials, and upgrades sockets to links, over TCP on IPv4 and IPv6.
///
/// Each connection lives on one of the group's loops. Everything is bounded by ``TransportConfiguration``. The secrets of handshakes are
/// drawn from the system's generator.
public final class Transport: Sendable {
  /// How it behaves.
  public let configuration: TransportConfiguration
  /// Who this side is.
  public let identity: KeyPair
  let delegate: any TransportDelegate
  let meters: Meters
  let group: any EventLoopGroup
  private let state: NIOLockedValueBox<State>

  /// What is known of all sockets together.
  private struct State {
    var sockets: [UInt64: Socket] = [:]
    var listeners: [any Channel] = []
    var served: [String] = []
    var perPeer: [PeerID: Int] = [:]
    /// Dials that have no socket yet.
    var dialling = 0
    /// Inbound sockets without a link.
    var unproven = 0
    /// Inbound sockets from each place, and how many of them are without a link.
    var perSource: [Source: (all: Int, unproven: Int)] = [:]
    var nextID: UInt64 = 1
    var isClosed = false

    /// All links, in the order in which they came.
    // house:allow(order) sorted at the end
    var links: [Link] { sockets.values.compactMap(\.link).sorted { $0.id < $1.id } }

    static func enter(_ channel: any Channel, from source: Source?, isInbound: Bool, _ state: inout State) -> UInt64 {
      let id = state.nextID
      state.nextID += 1
      state.sockets[id] = Socket(channel: channel, isInbound: isInbound, source: source)
      guard isInbound else { return id }
      state.unproven += 1
      if let source {
        state.perSource[source, default: (0, 0)].all += 1
        state.perSource[source, default: (0, 0)].unproven += 1
      }
      return id
    }

    /// A socket is proven, or gone, and no longer counts among those that are not proven.
    mutating func settle(_ id: UInt64) {
      guard let socket = sockets[id], socket.isInbound, !socket.isSettled else { return }
      sockets[id]?.isSettled = true
      unproven -= 1
      if let source = socket.source { perSource[source]?.unproven -= 1 }
    }

    /// The oldest unproven socket from where most of them come.
    mutating func surplus() -> Socket? {
      let candidates = sockets.filter { $0.value.isInbound && !$0.value.isSettled }
      func weight(_ socket: Socket) -> Int { socket.source.flatMap { perSource[$0]?.unproven } ?? 1 }
      let oldest = candidates.min { left, right in
        let (a, b) = (weight(left.value), weight(right.value))
        return a != b ? a > b : left.key < right.key
      }
      guard let oldest else { return nil }
      settle(oldest.key)
      return oldest.value
    }

    mutating func leave(_ id: UInt64) {
      settle(id)
      guard let socket = sockets.removeValue(forKey: id) else { return }
      if socket.isInbound, let source = socket.source {
        let left = (perSource[source]?.all ?? 1) - 1
        if left > 0 { perSource[source]?.all = left } else { perSource[source] = nil }
      }
      guard let link = socket.link else { return }
      let left = perPeer[link.peer, default: 1] - 1
      perPeer[link.peer] = left > 0 ? left : nil
    }
  }

  private struct Socket: Sendable {
    let channel: any Channel
    let isInbound: Bool
    let source: Source?
    var link: Link?
    /// Whether it no longer counts among those that are not proven.
    var isSettled = false
  }

  /// A transport whose sockets live on the loops of `group`, which is the caller's to shut down after ``close()``.
  public init(
    identity: KeyPair, group: any EventLoopGroup, configuration: TransportConfiguration = TransportConfiguration(),
    serving: [String] = [], delegate: any TransportDelegate
  ) {
    self.identity = identity
    self.group = group
    self.configuration = configuration
    self.delegate = delegate
    meters = Meters(configuration.metrics)
    state = NIOLockedValueBox(State(served: serving))
  }

  /// The links there are, in the order in which they came.
  public var links: [Link] { state.withLockedValue { $0.links } }

  /// How many sockets there are, and how many of them came from outside and have not proven who they are.
  var socketCounts: (all: Int, unproven: Int) { state.withLockedValue { ($0.sockets.count, $0.unproven) } }

  /// The links to one peer, in the order in which they came.
  public func links(to peer: PeerID) -> [Link] { links.filter { $0.peer == peer } }

  /// Where it listens, as bound by the system: ports are filled in, wildcards are not.
  public var addresses: [Multiaddr] {
    state.withLockedValue { $0.listeners.compactMap { Multiaddr($0.localAddress) } }
  }

  /// From now on peers may open streams for these protocols and no others.
  public func serve(_ protocols: [String]) {
    let links = state.withLockedValue { state in
      state.served = protocols
      return state.links
    }
    for link in links { link.execute { $0.handler.value.take(.serve(protocols)) } }
  }

  /// Waits for connections at `address`; gives the address with the port the system chose if it was 0.
  public func listen(_ address: Multiaddr) -> EventLoopFuture<Multiaddr> {
    let loop = group.next()
    guard case .address(let socket)? = Endpoint(address) else {
      return loop.makeFailedFuture(
        TransportError(.listening, address, nil, "only /ip4/…/tcp/… and /ip6/…/tcp/… can be listened at; write one of these"))
    }
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: configuration.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: configuration.receiveBuffer))
      .childChannelInitializer { channel in self.accept(channel) }
    return bootstrap.bind(to: socket).flatMapThrowing { channel in
      self.state.withLockedValue { $0.listeners.append(channel) }
      guard let bound = Multiaddr(channel.localAddress) else { return address }
      self.configuration.logger.debug("listening", metadata: ["address": "\(bound)"])
      return bound
    }.flatMapErrorThrowing { error in
      if error is TransportError { throw error }
      throw TransportError(.listening, address, nil, "\(error); is the port in use, or below 1024?")
    }
  }

  /// Connects to `address` and upgrades the connection; fails unless `peer` (or the one the address names) answers.
  public func dial(_ address: Multiaddr, expecting peer: PeerID? = nil) -> EventLoopFuture<Link> {
    let loop = group.next()
    let expected = peer ?? address.peer.flatMap { try? PeerID(bytes: $0.bytes) }
    guard let endpoint = Endpoint(address) else {
      let problem = "this transport dials /ip4, /ip6 and /dns addresses with /tcp; ask the peer for one of these"
      return loop.makeFailedFuture(TransportError(.dialling, address, expected, problem))
    }
    guard reserve() else {
      let problem = "\(configuration.connections) connections are open already, or the transport is closed; close some first"
      return loop.makeFailedFuture(TransportError(.dialling, address, expected, problem))
    }
    let promise = loop.makePromise(of: Link.self)
    promise.futureResult.whenComplete { [meters] result in
      if case .success = result { meters.dialled(true) } else { meters.dialled(false) }
    }
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(configuration.dialTimeout)
      // Nothing is read before the handler is there: a listener may speak first.
      .channelOption(.autoRead, value: false)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: configuration.receiveBuffer))
    let channel: EventLoopFuture<any Channel> =
      switch endpoint {
      case .address(let socket): bootstrap.connect(to: socket)
      case .name(let name, let port): bootstrap.connect(host: name, port: port)
      }
    channel.whenComplete { result in
      switch result {
      case .success(let channel): self.dialled(channel, address, expected, promise)
      case .failure(let error):
        self.state.withLockedValue { $0.dialling -= 1 }
        promise.fail(TransportError(.dialling, address, expected, "\(error); is it running, and reachable from here?"))
      }
    }
    return promise.futureResult
  }

  /// Stops listening, closes every connection, and completes when all sockets are gone. Streams that should end in good order are
  /// to be ended before.
  public func close() -> EventLoopFuture<Void> {
    let (listeners, sockets) = state.withLockedValue { state in
      state.isClosed = true
      return (state.listeners, state.sockets.sorted { $0.key < $1.key }.map(\.value))
    }
    for listener in listeners { listener.close(promise: nil) }
    for socket in sockets {
      guard let link = socket.link else {
        socket.channel.close(promise: nil)
        continue
      }
      link.execute { $0.close("the peer shuts down") }
    }
    let all = listeners + sockets.map(\.channel)
    return EventLoopFuture.andAllComplete(all.map(\.closeFuture), on: group.next())
  }

  // MARK: Sockets

  /// Counts a dial that begins; false if there are too many connections.
  private func reserve() -> Bool {
    state.withLockedValue { state in
      guard !state.isClosed, state.sockets.count + state.dialling < configuration.connections else { return false }
      state.dialling += 1
      return true
    }
  }

  private func dialled(
    _ channel: any Channel, _ address: Multiaddr, _ expected: PeerID?, _ promise: EventLoopPromise<Link>
  ) {
    let id: UInt64? = state.withLockedValue { state in
      state.dialling -= 1
      return state.isClosed ? nil : State.enter(channel, from: nil, isInbound: false, &state)
    }
    guard let id else {
      promise.fail(TransportError(.dialling, address, expected, "the transport was closed meanwhile"))
      return channel.close(promise: nil)
    }
    do {
      try attach(channel, id, .dialer, address, expected, promise)
      channel.setOption(.autoRead, value: true).cascadeFailure(to: promise)
    } catch {
      promise.fail(TransportError(.dialling, address, expected, "\(error)"))
      channel.close(promise: nil)
    }
  }

  /// An inbound socket: closed at once if there are too many, or if the delegate does not want it.
  private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
    let address = Multiaddr(channel.remoteAddress) ?? Multiaddr([])
    let source = Source(address)
    let (id, surplus): (UInt64?, Socket?) = state.withLockedValue { state in
      guard !state.isClosed, state.sockets.count + state.dialling < configuration.connections else { return (nil, nil) }
      if let source, let there = state.perSource[source], !(configuration.sparesLoopback && source.isLoopback) {
        guard there.all < configuration.perAddress, there.unproven < configuration.unprovenPerAddress else { return (nil, nil) }
      }
      let surplus = state.unproven >= configuration.unproven ? state.surplus() : nil
      return (State.enter(channel, from: source, isInbound: true, &state), surplus)
    }
    surplus?.channel.close(promise: nil)
    guard let id else {
      meters.refused()
      return channel.close()
    }
    channel.closeFuture.whenComplete { _ in self.leave(id) }
    guard delegate.admits(address) else {
      meters.refused()
      return channel.close()
    }
    return channel.eventLoop.makeCompletedFuture { try self.attach(channel, id, .listener, address, nil, nil) }
  }

  private func attach(
    _ channel: any Channel, _ id: UInt64, _ role: Connection.Role, _ address: Multiaddr, _ expected: PeerID?,
    _ promise: EventLoopPromise<Link>?
  ) throws {
    if role == .dialer { channel.closeFuture.whenComplete { _ in self.leave(id) } }
    try configuration.prepare?(channel)
    var generator = SystemRandomNumberGenerator()
    let connection = Connection(
      role: role, identity: identity, secrets: NoiseSecrets(using: &generator), expected: expected,
      serving: state.withLockedValue { $0.served }, limits: configuration.channel)
    let handler = ConnectionHandler(
      connection, id: id, loop: channel.eventLoop, transport: self, remoteAddress: address, dialled: promise)
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  /// Counts a link whose peer is proven; false if that peer has too many.
  func enter(_ link: Link) -> Bool {
    let isEntered = state.withLockedValue { state in
      guard state.perPeer[link.peer, default: 0] < configuration.perPeer else { return false }
      guard state.sockets[link.id] != nil else { return false }
      state.sockets[link.id]?.link = link
      state.perPeer[link.peer, default: 0] += 1
      state.settle(link.id)
      return true
    }
    if isEntered, link.role == .listener { meters.acceptedConnection() }
    return isEntered
  }

  private func leave(_ id: UInt64) {
    state.withLockedValue { $0.leave(id) }
  }
}
