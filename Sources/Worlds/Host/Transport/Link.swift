public import MurmurChannels
public import MurmurIdentity
public import MurmurMachines
public import MurmurWire
public import NIOCore

/// A connection to a peer that has proven who it is. A peer may have several.
///
/// A link belongs to one event loop. What is constant may be read anywhere; everything else is to be used on ``loop``, where all
/// callbacks come: nothing is locked, and nothing waits.
public final class Link: Sendable {
  /// The link's number within its transport, never used again.
  public let id: UInt64
  /// Who is at the other end.
  public let peer: PeerID
  /// Its public key.
  public let key: PublicKey
  /// Which side of the connection this is.
  public let role: Connection.Role
  /// The other end's address: what was dialled, or where it comes from.
  public let remoteAddress: Multiaddr
  /// This end's address.
  public let localAddress: Multiaddr?
  /// Where everything about this link happens.
  public let loop: any EventLoop
  /// When it was there.
  public let since: Instant
  let handler: NIOLoopBound<ConnectionHandler>

  init(
    id: UInt64, peer: PeerID, key: PublicKey, role: Connection.Role, remoteAddress: Multiaddr, localAddress: Multiaddr?,
    loop: any EventLoop, since: Instant, handler: ConnectionHandler
  ) {
    self.id = id
    self.peer = peer
    self.key = key
    self.role = role
    self.remoteAddress = remoteAddress
    self.localAddress = localAddress
    self.loop = loop
    self.since = since
    self.handler = NIOLoopBound(handler, eventLoop: loop)
  }

  /// Opens a stream for the first of `protocols` that the peer speaks; `handler` hears of it. On ``loop``.
  ///
  /// With one protocol the stream is usable as soon as ``StreamHandler/opened(_:)`` comes, without waiting for the peer.
  public func open(_ protocols: [String], handler: any StreamHandler) { self.handler.value.open(protocols, handler) }

  /// Closes the connection; all its streams end. On ``loop``.
  public func close(_ why: String) { handler.value.take(.close(why)) }

  /// Flips a bit of what is sent next, where a fault plan put something between socket and connection that can. On ``loop``.
  func spoil() { handler.value.tell(SpoilingHandler.Spoil()) }

  /// How many streams are open, both ways. On ``loop``.
  public var streamCount: Int { handler.value.connection.streamCount }

  /// Bytes written on all streams that wait to be sent. On ``loop``.
  var unsent: Int { handler.value.connection.unsentInAll }

  /// How many streams for that protocol the other side has open. On ``loop``.
  func streams(of name: String) -> Int { handler.value.inbound[name] ?? 0 }

  /// Ends streams that have been silent for too long. Whether the socket has taken nothing for too long. On ``loop``.
  func endsSilence() -> Bool { handler.value.endsSilence() }

  /// The last measured round trip. On ``loop``.
  public var roundTrip: Instant.Span? { handler.value.connection.roundTrip }

  /// Runs `body` on ``loop``: now, if the caller is there.
  public func execute(_ body: @escaping @Sendable (Link) -> Void) {
    if loop.inEventLoop { body(self) } else { loop.execute { body(self) } }
  }
}

/// One stream to a peer. To be used on its link's loop, where its handler is called.
public final class PeerStream: Sendable {
  /// The connection it belongs to.
  public let link: Link
  /// Its number there.
  public let id: StreamID
  /// What is spoken on it.
  public let protocolName: String
  /// Who wanted it.
  public let origin: Connection.Origin

  init(link: Link, id: StreamID, protocolName: String, origin: Connection.Origin) {
    self.link = link
    self.id = id
    self.protocolName = protocolName
    self.origin = origin
  }

  /// Who is at the other end.
  public var peer: PeerID { link.peer }

  /// Sends `bytes` after all that was written before. Go on when ``StreamHandler/drained(_:)`` comes if ``unsent`` is large.
  public func write(_ bytes: [UInt8]) { link.handler.value.take(.write(id, bytes)) }

  /// Says that nothing more will be written.
  public func finish() { link.handler.value.finish(id) }

  /// Ends the stream both ways, at once. Its handler hears nothing more.
  public func reset() { link.handler.value.reset(id) }

  /// Lets the peer send `count` further bytes: so many of those received are done with.
  public func consumed(_ count: Int) { link.handler.value.take(.consumed(id, count)) }

  /// When no more than this waits, ``StreamHandler/drained(_:)`` comes.
  public var lowWater: Int { link.handler.value.lowWater }

  /// Bytes written that wait to be sent.
  public var unsent: Int { link.handler.value.connection.unsent(id) }
}

/// What happens on a stream, told on its link's loop.
public protocol StreamHandler: AnyObject {
  /// The stream is there; for streams that were opened here.
  func opened(_ stream: PeerStream)
  /// The stream will not come.
  func refused(_ error: ConnectionError)
  /// Bytes came. Say ``PeerStream/consumed(_:)`` when they are done with, or the peer must stop.
  func received(_ bytes: [UInt8], on stream: PeerStream)
  /// The peer will write nothing more.
  func ended(_ stream: PeerStream)
  /// Little of what was written waits: go on writing.
  func drained(_ stream: PeerStream)
  /// The stream is over; the last that is heard of it. Without error both sides had finished.
  func closed(_ stream: PeerStream, _ error: ConnectionError?)
  /// How long the other side may be silent at present; then the stream is reset, which ``closed(_:_:)`` tells. `nil` for ever.
  var patience: Instant.Span? { get }
}

extension StreamHandler {
  /// Does nothing.
  public func opened(_ stream: PeerStream) {}
  /// Does nothing.
  public func refused(_ error: ConnectionError) {}
  /// Does nothing.
  public func ended(_ stream: PeerStream) {}
  /// Does nothing.
  public func drained(_ stream: PeerStream) {}
  /// Does nothing.
  public func closed(_ stream: PeerStream, _ error: ConnectionError?) {}
  /// The other side may be silent for ever.
  public var patience: Instant.Span? { nil }
}

/// What a transport tells whoever uses it, each on the loop of the link that it concerns.
public protocol TransportDelegate: AnyObject, Sendable {
  /// Whether a socket from there may go on; asked before anything is read from it.
  func admits(_ address: Multiaddr) -> Bool
  /// A peer has proven who it is.
  func connected(_ link: Link)
  /// A link is gone, and all its streams.
  func disconnected(_ link: Link, _ why: ConnectionError)
  /// A connection ended before it was one.
  func failed(_ address: Multiaddr, _ why: ConnectionError)
  /// The same, of one that came from outside.
  func misbehaved(_ address: Multiaddr, _ why: ConnectionError)
  /// The peer opened a stream for a protocol that is served; gives its handler, or `nil` to reset it.
  func accept(_ stream: PeerStream) -> (any StreamHandler)?
}

extension TransportDelegate {
  /// Admits everybody.
  public func admits(_ address: Multiaddr) -> Bool { true }
  /// Does nothing.
  public func failed(_ address: Multiaddr, _ why: ConnectionError) {}
  /// Does nothing.
  public func misbehaved(_ address: Multiaddr, _ why: ConnectionError) {}
}
