public import MurmurBlocks
public import MurmurChannels
public import MurmurCollective
import MurmurIdentify
public import MurmurIdentity
public import MurmurMachines
public import MurmurPeer
public import MurmurPubSub
public import MurmurRouting
import MurmurSessions
public import MurmurStorage
public import MurmurStreams
public import MurmurWire
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix

/// A peer on a real network: a ``MurmurPeer/Peer`` with sockets, a clock, a disk and worker threads.
///
/// All machines run on one event loop. Methods may be called from anywhere; what they promise is kept there.
public final class Node: TransportDelegate, Sendable {
  /// How it behaves.
  public let configuration: NodeConfiguration
  /// Who it is.
  public let id: PeerID
  let home: any EventLoop
  let core: NIOLoopBoundBox<NodeCore>

  /// A node that is about to start. Everything happens on one loop, so `group` is to have one. Peer and store are the node's from now on;
  /// `workers` run jobs, and all draws come from `chance`. With a `station`, which `goesOn` from the ledger in the store, it takes feeders in
  /// and reads streams, of which `feeds` is told on the node's loop; it answers with the rows that the session is to learn from now on, if there
  /// are enough new ones.
  public static func make(
    _ configuration: NodeConfiguration, keys: KeyPair, peer: Peer, chance: Chance, store: Store?, group: any EventLoopGroup,
    workers: NIOThreadPool, station: Station? = nil, goesOn: Bool = false,
    feeds: @escaping @Sendable (FeedNews) -> Work.Rows? = { _ in nil }
  ) async throws -> Node {
    let home = group.next()
    let sequence = UInt64(max(Wall.seconds, 0)) * 1_000
    return try await home.submit {
      let recorder = try configuration.recording.map { try Recorder($0.path, $0.header, configuration.logger) }
      let diskThread = store.map { _ in NIOThreadPool(numberOfThreads: 1) }
      diskThread?.start()
      let core = NodeCore(
        home: home, configuration: configuration, keys: keys, peer: peer, chance: chance, store: store, workers: workers,
        diskThread: diskThread, recordSequence: sequence)
      core.recorder = recorder
      if let station {
        core.house = FeedHouse(
          station, session: peer.collective.session.name, chance: chance.fork("station"), goesOn: goesOn && store != nil,
          told: feeds)
      }
      let node = Node(configuration, keys.peerID, home, NIOLoopBoundBox(core, eventLoop: home))
      core.transport = Transport(
        identity: keys, group: group, configuration: Node.transport(configuration), serving: core.served, delegate: node)
      return node
    }.get()
  }

  /// The transport's configuration; where there are faults, something stands at the sockets that can flip bits.
  private static func transport(_ configuration: NodeConfiguration) -> TransportConfiguration {
    var transport = configuration.transport
    guard configuration.adversity != nil else { return transport }
    let prepare = transport.prepare
    transport.prepare = { channel in
      try channel.pipeline.syncOperations.addHandler(SpoilingHandler())
      try prepare?(channel)
    }
    return transport
  }

  private init(_ configuration: NodeConfiguration, _ id: PeerID, _ home: any EventLoop, _ core: NIOLoopBoundBox<NodeCore>) {
    self.configuration = configuration
    self.id = id
    self.home = home
    self.core = core
  }

  // MARK: Life

  /// Listens, starts the machines and dials the first peers. Returns where it listens; throws where it cannot.
  @discardableResult public func start() async throws -> [Multiaddr] {
    var bound: [Multiaddr] = []
    for address in configuration.listen {
      let transport = try await onHome { $0.transport }
      guard let transport else { break }
      bound += Node.reachable(try await transport.listen(address).get())
    }
    let listening = bound
    let (home, upkeep) = (home, configuration.upkeep)
    let published = try await earlierPublications()
    try await onHome { [core] it in
      it.listening = listening
      it.announceAddresses()
      for index in it.tables.indices { it.step(table: index, .started) }
      it.resume(published)
      it.readLedger()
      // A session that has not begun is waited for; connections are made meanwhile.
      if it.sessionNow < .origin {
        it.beginning = it.schedule(.origin + (.zero - it.configuration.sessionOffset)) { it.step(.started) }
      } else {
        it.step(.started)
      }
      it.openHouse()
      it.look()
      it.upkeep = home.scheduleRepeatedTask(initialDelay: upkeep, delay: upkeep) { _ in
        core.value.look()
        core.value.measure()
        core.value.setClock()
      }
    }
    return listening
  }

  /// An address as others can use it: one that stands for all of this machine's becomes those of its interfaces, the loopback one last.
  private static func reachable(_ address: Multiaddr) -> [Multiaddr] {
    guard address.isUnspecified, let first = address.parts.first, let devices = try? System.enumerateDevices() else {
      return [address]
    }
    var found: [Multiaddr] = []
    for device in devices {
      guard let own = device.address, let text = own.ipAddress,
        let here = try? Multiaddr(parsing: "/\(own.protocol == .inet ? "ip4" : "ip6")/\(text)")
      else { continue }
      switch (first, here.parts.first) {
      case (.ip4, .ip4), (.ip6, .ip6): if here.reach != .link { found.append(Multiaddr(here.parts + address.parts.dropFirst())) }
      default: continue
      }
    }
    let others = found.filter { $0.reach != .loopback }
    return others.isEmpty && found.isEmpty ? [address] : others + found.filter { $0.reach == .loopback }
  }

  /// What the tables of an earlier life published again and again.
  private func earlierPublications() async throws -> [SavedState] {
    let (store, thread) = try await onHome { ($0.store, $0.diskThread) }
    guard let store, let thread else { return [] }
    return try await thread.runIfActive { try store.states(NodeCore.publishedArea) }
  }

  /// Tells everybody good-bye, closes all connections, stops all timers, and returns when what was given to the disk is there. Then the store
  /// can be closed. The workers may still be at a job, of whose outcome nobody hears any more.
  public func close() async throws {
    let transport = try await onHome { it -> Transport? in
      it.isClosing = true
      it.wantsOutcomes.withLockedValue { $0 = false }
      it.upkeep?.cancel()
      it.beginning?.cancel()
      for timer in it.peerTimers.values { timer.cancel() }  // house:allow(order) every one is cancelled
      for table in it.tables { for timer in table.timers.values { timer.cancel() } }  // house:allow(order) every one is cancelled
      it.identifyTimer?.cancel()
      it.recorder?.flush()
      it.closeHouse()
      it.saveAll()
      it.stopWaitingForTheDisk()
      return it.transport
    }
    try await transport?.close().get()
    guard let thread = try await onHome({ $0.diskThread }) else { return }
    // What is written last may be followed by more: a model's blocks by the session's state.
    repeat { try await thread.runIfActive {} } while try await onHome { $0.awaitsDisk }
    try await thread.runIfActive {}
    try await thread.shutdownGracefully()
  }

  // MARK: What it is asked

  /// Connects to the peer that an address names at its end, or to whoever answers there.
  @discardableResult public func connect(_ address: Multiaddr) async throws -> PeerID {
    guard let peer = address.namedPeer else {
      guard let transport = try await onHome({ $0.transport }) else { throw NodeError("the node has not been made") }
      return try await transport.dial(address).get().peer
    }
    let link = try await onHomeFlat { it -> EventLoopFuture<Link> in
      it.hear(peer, at: [address], isProven: true)
      it.dials[peer]?.notBefore = .origin
      return it.dial(peer) ?? it.home.makeFailedFuture(NodeError("\(peer) could not be reached a moment ago"))
    }
    return link.peer
  }

  /// Remembers where peers were; some of them are dialled when company is wanted.
  public func remember(_ peers: [(peer: PeerID, addresses: [Multiaddr])]) async throws {
    try await onHome { it in
      for entry in peers { it.book.learn(entry.peer, entry.addresses, isProven: true) }
      it.look()
    }
  }

  /// Gets an object from whoever has it: `providers`, connected peers, and those that the tables name.
  public func fetch(_ root: CID, providers: [PeerID] = [], within: Instant.Span = .minutes(2), toDisk: Bool = false) async throws
  {
    _ = try await onHomeFlat { it -> EventLoopFuture<CID> in
      it.fetch(root, providers, until: it.sessionNow + within, toDisk ? .disk : .memory)
    }
  }

  /// The bytes of an object that is here.
  public func read(_ root: CID) async throws -> [UInt8] {
    try await onHome { it in try Object.read(root, from: it.peer.exchange.store) }
  }

  /// Blocks of an object are given to the peer, which keeps and serves them.
  public func add(_ object: Object.Built) async throws {
    try await onHome { it in it.step(.asked(.put(object))) }
  }

  /// Tells the tables that this peer has an object.
  @discardableResult public func provide(_ root: CID) async throws -> [Kademlia.Outcome] {
    try await query { _ in .provide(MurmurRouting.Key(providersOf: root)) }
  }

  /// What each table answers.
  public func query(_ make: @escaping @Sendable (Kademlia.Configuration) -> Kademlia.Query) async throws -> [Kademlia.Outcome] {
    let tables = configuration.tables
    return try await onHomeFlat { it -> EventLoopFuture<[Kademlia.Outcome]> in
      let answers = tables.enumerated().map { index, table in
        let promise = it.home.makePromise(of: Kademlia.Outcome.self)
        it.query(index, make(table)) { outcome, isEnd in if isEnd { promise.succeed(outcome) } }
        return promise.futureResult
      }
      return EventLoopFuture.whenAllSucceed(answers, on: it.home)
    }
  }

  /// Hears a topic.
  public func subscribe(_ topic: Topic, _ body: @escaping @Sendable (Topic, MurmurPubSub.Message) -> Void) async throws {
    try await onHome { it in
      it.listeners[topic, default: []].append(body)
      it.step(.asked(.subscribe(topic)))
    }
  }

  /// Says something on a topic.
  public func publish(_ topic: Topic, _ data: [UInt8]) async throws {
    try await onHome { it in it.step(.asked(.publish(topic, data))) }
  }

  /// How long a peer takes to send 32 bytes back; throws if it has not done so `within` that time.
  public func ping(_ peer: PeerID, within: Instant.Span = .seconds(10)) async throws -> Instant.Span {
    let link = try await onHomeFlat { it -> EventLoopFuture<Link> in
      it.dial(peer) ?? it.home.makeFailedFuture(NodeError("\(peer) could not be reached a moment ago"))
    }
    let clock = configuration.transport.clock
    let stream = try await WaitingStream.open(link, [Ping.protocolID])
    let alarm = link.loop.scheduleTask(in: .nanoseconds(within.nanoseconds)) { stream.reset(.late("the echo of a ping")) }
    defer { alarm.cancel() }
    let bytes = (0..<Ping.byteCount).map { UInt8(truncatingIfNeeded: clock.now.nanoseconds >> Int64($0 % 8)) }
    let begun = clock.now
    try await stream.write(bytes)
    let echo = try await stream.read(bytes.count)
    stream.reset()
    guard echo == bytes else { throw NodeError("\(peer) sent back other bytes than it was sent") }
    return clock.now - begun
  }

  // MARK: What it tells

  /// What is to be seen of a node at one moment.
  public struct Snapshot: Sendable {
    /// Everybody who is connected.
    public var neighbours: [Neighbour] = []
    /// Where it listens.
    public var listening: [Multiaddr] = []
    /// Where others see it.
    public var observed: [Multiaddr] = []
    /// Peers in each table.
    public var tables: [Int] = []
    /// Blocks and their bytes.
    public var blocks = 0
    /// See ``blocks``.
    public var bytes = 0
    /// The session's peer.
    public var cycle: UInt32 = 0
    /// Its newest model.
    public var model: CID?
    /// Whether its session is over.
    public var hasEnded = false
    /// Connections, and streams on them, both ways.
    public var links = 0
    /// See ``links``.
    public var streams = 0
    /// Timers that are armed, requests that wait for an answer, and messages that wait for a peer.
    public var pending = 0
  }

  /// A peer that is connected.
  public struct Neighbour: Sendable {
    /// Who.
    public var peer: PeerID
    /// Where.
    public var address: Multiaddr
    /// What it says it is.
    public var agent: String
    /// What it speaks.
    public var protocols: [String]
  }

  /// The node as it is now.
  public func snapshot() async throws -> Snapshot {
    try await onHome { it in
      var seen = Snapshot()
      for peer in it.neighbours.keys.sorted() {
        guard let neighbour = it.neighbours[peer], let link = neighbour.links.first else { continue }
        seen.neighbours.append(
          Neighbour(
            peer: peer, address: link.remoteAddress, agent: neighbour.description?.agentVersion ?? "",
            protocols: neighbour.description?.protocols ?? []))
      }
      seen.listening = it.listening
      seen.observed = it.identify.observedAddresses
      seen.tables = it.tables.map(\.machine.tableCount)
      (seen.blocks, seen.bytes) = (it.peer.exchange.store.count, it.peer.exchange.store.byteCount)
      seen.cycle = it.peer.collective.cycle
      seen.model = it.peer.collective.newest?.root
      seen.hasEnded = it.peer.collective.hasEnded
      (seen.links, seen.streams, seen.pending) = it.census
      return seen
    }
  }

  /// Looks at the peer's machine.
  public func look<Result: Sendable>(_ body: @escaping @Sendable (borrowing Peer) -> Result) async throws -> Result {
    try await onHome { body($0.peer) }
  }

  /// Looks at the station's machine; `nil` if there is none.
  public func lookAtStation<Result: Sendable>(_ body: @escaping @Sendable (borrowing Station) -> Result) async throws -> Result? {
    try await onHome { it in it.house.map { body($0.station) } }
  }

  /// A stream whose pointer was handed over is to be followed.
  public func follow(_ sensor: Sensor, _ pointer: StreamPointer) async throws {
    try await onHome { it in it.step(station: .follow(sensor, pointer)) }
  }

  /// The session's peer learns from these rows from now on.
  public func learn(_ rows: Work.Rows) async throws {
    try await onHome { it in it.step(.asked(.learn(rows))) }
  }

  /// From now on `body` hears of everything the session's peer announces, on the node's loop, in session time.
  public func witness(_ body: @escaping @Sendable (Instant, CollectiveEvent) -> Void) async throws {
    try await onHome { $0.witness = body }
  }

  func onHome<Result: Sendable>(_ body: @escaping @Sendable (NodeCore) throws -> Result) async throws -> Result {
    try await home.submit { [core] in try body(core.value) }.get()
  }

  func onHomeFlat<Result: Sendable>(_ body: @escaping @Sendable (NodeCore) -> EventLoopFuture<Result>) async throws
    -> Result
  {
    try await home.flatSubmit { [core] in body(core.value) }.get()
  }

  // MARK: The transport's delegate

  /// A peer has proven who it is.
  public func connected(_ link: Link) { core.value.connected(link) }
  /// A link is gone.
  public func disconnected(_ link: Link, _ why: ConnectionError) { core.value.disconnected(link, why) }
  /// Whether a socket from there may go on.
  public func admits(_ address: Multiaddr) -> Bool { core.value.admits(address) }
  /// Somebody connected and did not prove who it is.
  public func misbehaved(_ address: Multiaddr, _ why: ConnectionError) { core.value.misbehaved(address, why) }
  /// A peer opened a stream.
  public func accept(_ stream: PeerStream) -> (any StreamHandler)? { core.value.accept(stream) }
}
