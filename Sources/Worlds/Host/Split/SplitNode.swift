public import MurmurChannels
public import MurmurIdentity
public import MurmurMachines
public import MurmurSplit
public import MurmurWire
public import NIOCore

/// One device of a split network on real sockets: the machine that also runs under virtual time, with connections to its neighbours.
///
/// The machine has a loop of its own, where it takes one input after the other and does its arithmetic; sockets, frames and encryption
/// have another. Between them lies a bounded inbox. Methods may be called from anywhere.
public final class SplitNode: TransportDelegate, Sendable {
  /// How it behaves.
  public let configuration: SplitNodeConfiguration
  /// Who it is.
  public let id: PeerID
  /// The fingerprint of what all devices agree on.
  public let fingerprint: Digest
  /// Which device it is.
  public let number: Int
  let home: any EventLoop
  let sockets: any EventLoop
  let place: NIOLoopBoundBox<SplitPlace>
  let lines: NIOLoopBoundBox<SplitLines>

  /// What is to be seen of a device at one moment.
  public struct Snapshot: Sendable {
    /// The machine's figures.
    public var statistics = SplitStatistics()
    /// The next step it begins.
    public var step = 0
    /// Whether it has ended all its steps.
    public var hasTrained = false
    /// The neighbours that are there.
    public var present: [Int] = []
    /// The longest time from one step's end to the next.
    public var longestPause = Instant.Span.zero
    /// Messages that had no way to their neighbour, or too many before them.
    public var dropped = 0
    /// Frames that could not be read, or held what they may not.
    public var unreadable = 0
    /// Bytes of frames that came.
    public var bytesReceived = 0
    /// Bytes of frames that were sent.
    public var bytesSent = 0
  }

  /// A device that is about to start, of a plan and the rows it has; it goes on from `checkpoint` if there is one. `observer` is called on
  /// the machine's loop. `life` keeps the numbers of its questions apart from those of earlier lives: milliseconds since 1970 do. `group` is best
  /// of two loops.
  ///
  /// - Throws: `WireError` if the checkpoint belongs to another plan or device, or is damaged.
  public static func make(
    _ configuration: SplitNodeConfiguration, keys: KeyPair, plan: SplitPlan, device number: Int, rows: SplitRows,
    checkpoint: [UInt8]? = nil, life: Int = 0, group: any EventLoopGroup,
    observer: @escaping @Sendable (SplitNodeEvent, Instant) -> Void = { _, _ in }
  ) async throws -> SplitNode {
    let (home, sockets) = (group.next(), group.next())
    let fingerprint = plan.fingerprint(configuration.context)
    let mailbox = SplitMailbox(limit: configuration.inboxBytes)
    let place = try await home.submit {
      let place = try SplitPlace(
        configuration, plan: plan, number: number, rows: rows, checkpoint: checkpoint, fingerprint: fingerprint, life: life,
        home: home, mailbox: mailbox, observer: observer)
      return NIOLoopBoundBox(place, eventLoop: home)
    }.get()
    return try await sockets.submit {
      let lines = SplitLines(
        configuration, plan: plan, number: number, fingerprint: fingerprint, loop: sockets, mailbox: mailbox)
      let node = SplitNode(
        configuration, (keys.peerID, fingerprint, number), home, sockets, place, NIOLoopBoundBox(lines, eventLoop: sockets))
      lines.transport = Transport(
        identity: keys, group: sockets, configuration: configuration.transport,
        serving: [SplitFrame.protocolID, SplitFrame.askProtocolID], delegate: node)
      node.join(lines, mailbox)
      return node
    }.get()
  }

  private init(
    _ configuration: SplitNodeConfiguration, _ identity: (PeerID, Digest, Int), _ home: any EventLoop, _ sockets: any EventLoop,
    _ place: NIOLoopBoundBox<SplitPlace>, _ lines: NIOLoopBoundBox<SplitLines>
  ) {
    self.configuration = configuration
    (id, fingerprint, number) = identity
    self.home = home
    self.sockets = sockets
    self.place = place
    self.lines = lines
  }

  /// Lets the two sides reach each other.
  private func join(_ lines: SplitLines, _ mailbox: SplitMailbox) {
    let (home, sockets, place, box) = (home, sockets, place, self.lines)
    mailbox.connect(
      wake: { home.execute { place.value.turn() } }, giveBack: { sockets.execute { box.value.giveBack() } })
    lines.ask = { rows in home.flatSubmit { place.value.ask(rows) } }
    lines.tell = { event in home.execute { place.value.hear(event) } }
    home.execute { place.value.post = { batch in sockets.execute { box.value.send(batch) } } }
  }

  /// Listens, looks for the neighbours and begins to train when they are there. Returns where it listens.
  @discardableResult public func start() async throws -> [Multiaddr] {
    var bound: [Multiaddr] = []
    let transport = try await sockets.submit { [lines] in lines.value.transport }.get()
    for address in configuration.listen { if let transport { bound.append(try await transport.listen(address).get()) } }
    try await sockets.submit { [lines] in lines.value.begin() }.get()
    try await home.submit { [place] in place.value.gather() }.get()
    return bound
  }

  /// The answer of all that live about some rows.
  ///
  /// - Throws: ``MurmurSplit/SplitRefusal`` that says why there is none.
  public func ask(_ rows: [Int32]) async throws -> SplitReply {
    try await home.flatSubmit { [place] in place.value.ask(rows) }.get()
  }

  /// The device as it is now.
  public func snapshot() async throws -> Snapshot {
    let seen = try await sockets.submit { [lines] in lines.value.census }.get()
    return try await home.submit { [place] in place.value.snapshot(seen) }.get()
  }

  /// The device's units and step as bytes, to be given to ``make(_:keys:plan:device:rows:checkpoint:life:group:observer:)``.
  public func checkpoint() async throws -> [UInt8] {
    try await home.submit { [place] in place.value.checkpoint() }.get()
  }

  /// Other contents of the device's table, as the window of a live stream moves on.
  public func replace(_ rows: SplitRows) async throws {
    try await home.submit { [place] in place.value.replace(rows) }.get()
  }

  /// Looks at the machine.
  public func look<Result: Sendable>(_ body: @escaping @Sendable (borrowing SplitDevice) -> Result) async throws -> Result {
    try await home.submit { [place] in body(place.value.device) }.get()
  }

  /// Stops the machine's timers and closes all connections.
  public func close() async throws {
    try await home.submit { [place] in place.value.stop() }.get()
    let transport = try await sockets.submit { [lines] in lines.value.stop() }.get()
    try await transport?.close().get()
  }

  // MARK: The transport's delegate

  /// A peer has proven who it is.
  public func connected(_ link: Link) { lines.value.connected(link) }
  /// A link is gone, and its streams have ended before.
  public func disconnected(_ link: Link, _ why: ConnectionError) { lines.value.disconnected(link, why) }
  /// A peer opened a stream.
  public func accept(_ stream: PeerStream) -> (any StreamHandler)? { lines.value.accept(stream) }
}
