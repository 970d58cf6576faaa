import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOCore

/// Drives one ``Connection`` on its event loop: bytes of the socket in, effects out.
///
/// What callbacks and callers want is taken in at once, but sent together: at the end of a read, or of the loop's turn. Bytes of the
/// socket go to the machine without a copy; records go to the socket as they were sealed, one write for several.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Batches of records sent in one turn of the loop, so that others get their turn.
  private static let batches = 16

  private(set) var connection: Connection
  private let id: UInt64
  private let loop: any EventLoop
  private let transport: Transport
  private let remoteAddress: Multiaddr
  /// Who dialled waits for this; let go when it is kept, as its link refers to this handler.
  private var dialled: EventLoopPromise<Link>?
  private var context: ChannelHandlerContext?
  private var link: Link?
  private var effects = Effects<Connection.Effect>()
  private var performing = Effects<Connection.Effect>()
  private var writes: [ByteBuffer] = []
  private var writtenBytes = 0
  private var taken = 0
  private var isSettling = false
  private var isReading = false
  private var isScheduled = false
  private var isClosing = false
  private var timers: [Connection.Timer: Scheduled<Void>] = [:]
  private var streams: [StreamID: OpenStream] = [:]
  /// Streams that the other side opened, by protocol.
  private(set) var inbound: [String: Int] = [:]
  private var isPaused = false
  /// When the socket last took something, or was idle.
  private var takenAt = Instant.origin
  private var requests: [UInt64: any StreamHandler] = [:]
  private var nextRequest: UInt64 = 0

  private struct OpenStream {
    let stream: PeerStream
    let handler: any StreamHandler
    var isFinished = false
    var isEnded = false
    var heardAt: Instant
  }

  init(
    _ connection: Connection, id: UInt64, loop: any EventLoop, transport: Transport, remoteAddress: Multiaddr,
    dialled: EventLoopPromise<Link>?
  ) {
    self.connection = connection
    self.id = id
    self.loop = loop
    self.transport = transport
    self.remoteAddress = remoteAddress
    self.dialled = dialled
  }

  var lowWater: Int { transport.configuration.channel.lowWater }
  private var now: Instant { transport.configuration.clock.now }

  // MARK: From the socket

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { take(.began) }
  }

  func channelActive(context: ChannelHandlerContext) {
    take(.began)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    transport.meters.received(buffer.readableBytes)
    isReading = true
    unsafe buffer.withUnsafeReadableBytes { bytes in unsafe connection.receive(bytes, at: now, effects: &effects) }
    perform()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    settle()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isReading = false
    take(.ended(nil))
    settle()
    for scheduled in timers.values { scheduled.cancel() }  // house:allow(order) every one is cancelled
    timers = [:]
    self.context = nil
    // The link refers to this handler: whoever keeps the one shall not keep both.
    link = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    take(.ended("\(error)"))
    context.close(promise: nil)
  }

  // MARK: From above

  /// Takes an input in; what it causes is sent at the end of the loop's turn.
  func take(_ input: Connection.Input) {
    connection.take(input, at: now, effects: &effects)
    schedule()
  }

  func open(_ protocols: [String], _ handler: any StreamHandler) {
    requests[nextRequest] = handler
    take(.open(request: nextRequest, protocols: protocols))
    nextRequest += 1
  }

  /// Tells what stands between this and the socket.
  func tell(_ event: any Sendable) { context?.triggerUserOutboundEvent(event, promise: nil) }

  func finish(_ stream: StreamID) {
    take(.finish(stream))
    streams[stream]?.isFinished = true
    if streams[stream]?.isEnded == true { close(stream, nil) }
  }

  func reset(_ stream: StreamID) {
    forget(stream)
    take(.reset(stream))
  }

  private func schedule() {
    guard !isSettling, !isReading, !isScheduled else { return }
    isScheduled = true
    loop.assumeIsolated().execute {
      self.isScheduled = false
      self.settle()
    }
  }

  // MARK: Effects

  /// Performs what is wanted, sends it, and goes on while the socket takes it.
  private func settle() {
    guard !isSettling else { return }
    isSettling = true
    for _ in 0..<ConnectionHandler.batches {
      perform()
      connection.flush(at: now, effects: &effects)
      perform()
      send()
      guard taken > 0 else { break }
      connection.take(.sent(taken), at: now, effects: &effects)
      taken = 0
    }
    isSettling = false
    if !effects.isEmpty || connection.canSend { schedule() }
    if isClosing, writtenBytes == 0 { context?.close(promise: nil) }
    pace()
  }

  private func perform() {
    let outer = isSettling
    isSettling = true
    while !effects.isEmpty {
      swap(&effects, &performing)
      for effect in performing.list { perform(effect) }
      performing.removeAll()
    }
    isSettling = outer
  }

  private func perform(_ effect: Connection.Effect) {
    switch effect {
    case .send(let bytes):
      guard let context else { return }
      var buffer = context.channel.allocator.buffer(capacity: bytes.count)
      buffer.writeBytes(bytes)
      writes.append(buffer)
    case .arm(let timer, let at): arm(timer, at)
    case .secured(let peer, let key): secured(peer, key)
    case .opened(let stream, let name, let origin): opened(stream, name, origin)
    case .refused(let request, let error): requests.removeValue(forKey: request)?.refused(error)
    case .received(let stream, let bytes):
      // A stream that was reset here may still be sent to.
      if let open = streams[stream] {
        streams[stream]?.heardAt = now
        open.handler.received(bytes, on: open.stream)
      }
    case .ended(let stream):
      guard let open = streams[stream] else { return }
      streams[stream]?.isEnded = true
      open.handler.ended(open.stream)
      if streams[stream]?.isFinished == true { close(stream, nil) }
    case .wasReset(let stream, let error): close(stream, error)
    case .drained(let stream): if let open = streams[stream] { open.handler.drained(open.stream) }
    case .closed(let error): closed(error)
    }
  }

  /// Hands the records at hand to the socket, with one promise for all.
  private func send() {
    guard let context, let last = writes.popLast() else { return }
    if writtenBytes == 0 { takenAt = now }
    var count = last.readableBytes
    for buffer in writes {
      count += buffer.readableBytes
      context.write(wrapOutboundOut(buffer), promise: nil)
    }
    writes.removeAll(keepingCapacity: true)
    writtenBytes += count
    transport.meters.sent(count)
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { result in
      guard case .success = result else { return }
      self.tookBytes(count)
    }
    context.writeAndFlush(wrapOutboundOut(last), promise: promise)
  }

  private func tookBytes(_ count: Int) {
    writtenBytes -= count
    takenAt = now
    taken += count
    guard !isSettling else { return }
    connection.take(.sent(taken), at: now, effects: &effects)
    taken = 0
    settle()
  }

  private func arm(_ timer: Connection.Timer, _ at: Instant) {
    timers[timer]?.cancel()
    guard context != nil else { return }
    let deadline = transport.configuration.clock.deadline(at)
    timers[timer] = loop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.timers[timer] = nil
      self.take(.fired(timer))
    }
  }

  private func secured(_ peer: PeerID, _ key: PublicKey) {
    guard let context else { return }
    timers.removeValue(forKey: .handshake)?.cancel()
    let link = Link(
      id: id, peer: peer, key: key, role: connection.role, remoteAddress: remoteAddress,
      localAddress: Multiaddr(context.channel.localAddress), loop: loop, since: now, handler: self)
    guard transport.enter(link) else {
      return connection.take(
        .close("it has \(transport.configuration.perPeer) connections already"), at: now, effects: &effects)
    }
    self.link = link
    transport.delegate.connected(link)
    dialled?.succeed(link)
    dialled = nil
  }

  private func opened(_ id: StreamID, _ name: String, _ origin: Connection.Origin) {
    guard let link else { return }
    let stream = PeerStream(link: link, id: id, protocolName: name, origin: origin)
    switch origin {
    case .here(let request):
      transport.meters.openedStream(here: true)
      guard let handler = requests.removeValue(forKey: request) else { return take(.reset(id)) }
      streams[id] = OpenStream(stream: stream, handler: handler, heardAt: now)
      handler.opened(stream)
    case .there:
      transport.meters.openedStream(here: false)
      guard let handler = transport.delegate.accept(stream) else { return take(.reset(id)) }
      streams[id] = OpenStream(stream: stream, handler: handler, heardAt: now)
      inbound[name, default: 0] += 1
    }
  }

  private func close(_ id: StreamID, _ error: ConnectionError?) {
    guard let open = forget(id) else { return }
    open.handler.closed(open.stream, error)
  }

  @discardableResult private func forget(_ id: StreamID) -> OpenStream? {
    guard let open = streams.removeValue(forKey: id) else { return nil }
    if case .there = open.stream.origin {
      let left = (inbound[open.stream.protocolName] ?? 1) - 1
      inbound[open.stream.protocolName] = left > 0 ? left : nil
    }
    return open
  }

  // MARK: Care

  /// Nothing is read while the socket does not take the answers to what was read: who does not listen is not heard.
  private func pace() {
    guard connection.isBehind != isPaused, let context else { return }
    isPaused.toggle()
    context.channel.setOption(.autoRead, value: !isPaused).whenFailure { _ in }
  }

  /// Resets streams whose other side has been silent for longer than their handlers bear. Whether the socket has taken nothing of what was
  /// written to it for too long.
  func endsSilence() -> Bool {
    let now = now
    for id in streams.keys.sorted() {
      guard let open = streams[id], let patience = open.handler.patience, now - open.heardAt > patience else { continue }
      forget(id)
      take(.reset(id))
      open.handler.closed(open.stream, ConnectionError(.open, .late("what was to come on a stream"), peer: connection.peer))
    }
    return writtenBytes > 0 && now - takenAt > transport.configuration.stall
  }

  /// All is over: streams first, in order, then the link.
  private func closed(_ error: ConnectionError) {
    for request in requests.keys.sorted() { requests.removeValue(forKey: request)?.refused(error) }
    for id in streams.keys.sorted() { close(id, error) }
    if let link {
      transport.delegate.disconnected(link, error)
    } else {
      if connection.role == .listener { transport.meters.failedHandshake() }
      transport.delegate.failed(remoteAddress, error)
      if connection.role == .listener { transport.delegate.misbehaved(remoteAddress, error) }
      let problem = "\(error)"
      dialled?.fail(TransportError(.dialling, remoteAddress, error.peer, problem, cause: error))
      dialled = nil
    }
    isClosing = true
    schedule()
    // A socket that takes nothing more is closed all the same.
    loop.assumeIsolated().scheduleTask(in: transport.configuration.closeGrace) { self.context?.close(promise: nil) }
  }
}
