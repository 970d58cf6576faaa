import Logging
import MurmurDiscovery
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOCore

/// Drives one ``MulticastDNS`` over one socket.
final class MulticastHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  private var machine: MulticastDNS
  private var chance: Chance
  private let clock: HostClock
  private let group: SocketAddress
  private let logger: Logger
  private let found: @Sendable (PeerID, [Multiaddr]) -> Void
  private var context: ChannelHandlerContext?
  private var timers: [MulticastDNS.Timer: Scheduled<Void>] = [:]
  /// Whether the socket's last write failed; that is logged once, until one succeeds.
  private var isMute = false

  init(
    _ machine: MulticastDNS, chance: Chance, clock: HostClock, group: SocketAddress, logger: Logger,
    found: @escaping @Sendable (PeerID, [Multiaddr]) -> Void
  ) {
    self.machine = machine
    self.chance = chance
    self.clock = clock
    self.group = group
    self.logger = logger
    self.found = found
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { drop() }
  func channelInactive(context: ChannelHandlerContext) { drop() }

  /// The socket has joined the group.
  func begin() { step(.started) }

  /// Says goodbye and closes the socket.
  func stop() {
    step(.stopped)
    context?.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let packet = unwrapInboundIn(data)
    let source = Multiaddr(packet.remoteAddress)?.hostBytes ?? []
    step(.received(Array(packet.data.readableBytesView), from: source))
  }

  /// An error of a datagram socket, such as of an unreachable network, concerns one packet: the socket goes on.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { logger.debug("mDNS: a packet was lost: \(error)") }

  private func drop() {
    for timer in timers.values { timer.cancel() }  // house:allow(order) every one is cancelled
    timers = [:]
    context = nil
  }

  private func step(_ input: MulticastDNS.Input) {
    var effects = Effects<MulticastDNS.Effect>()
    machine.step(input, at: clock.now, chance: &chance, effects: &effects)
    for effect in effects.list { perform(effect) }
  }

  private func perform(_ effect: MulticastDNS.Effect) {
    guard let context else { return }
    switch effect {
    case .send(let bytes):
      let packet = AddressedEnvelope(remoteAddress: group, data: ByteBuffer(bytes: bytes))
      let promise = context.eventLoop.makePromise(of: Void.self)
      promise.futureResult.assumeIsolated().whenComplete { self.sent($0) }
      context.writeAndFlush(wrapOutboundOut(packet), promise: promise)
    case .found(let peer, let addresses):
      logger.debug("mDNS: \(peer) is at \(addresses.map(\.description).joined(separator: ", "))")
      found(peer, addresses)
    case .arm(let timer, let at):
      timers[timer]?.cancel()
      timers[timer] = context.eventLoop.assumeIsolated().scheduleTask(deadline: clock.deadline(at)) {
        self.timers[timer] = nil
        self.step(.timerFired(timer))
      }
    }
  }

  private func sent(_ result: Result<Void, any Error>) {
    switch result {
    case .success: isMute = false
    case .failure(ChannelError.ioOnClosedChannel), .failure(ChannelError.alreadyClosed): return
    case .failure(let error):
      if !isMute { logger.warning("mDNS: a packet could not be sent to \(group): \(error); it is tried again") }
      isMute = true
    }
  }
}
