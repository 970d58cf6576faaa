public import MurmurIdentity
public import MurmurMachines

/// One connection to a peer, as a value: the bytes of a socket go in and come out, streams above.
///
/// The upgrade of libp2p/specs `connections`: multistream-select agrees on Noise, Noise proves who is there and agrees on yamux in
/// its handshake (or multistream-select does afterwards, with peers that know no better), yamux carries streams, and multistream-select
/// agrees on each stream's protocol. With one proposal a stream is usable at once: the proposal travels with the first bytes.
///
/// Back-pressure goes end to end. A reader gives bytes back (``Input/consumed(_:_:)``) and only then may the other side send more; a
/// writer is told (``Effect/drained(_:)``) when what it wrote has gone; what the socket has not taken waits unencrypted.
///
/// Effects are to be performed in order. An input that performing one of them causes may be given at once, but its effects come after all
/// that were wanted before: records that leave in another order than they were sealed in do not decrypt.
public struct Connection: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The socket is there. The dialer speaks first.
    case began
    /// Bytes came from the socket.
    case received([UInt8])
    /// The socket took that many of the bytes it was handed.
    case sent(Int)
    /// The other side will send nothing more, or the socket failed for that reason.
    case ended(String?)
    /// A stream is wanted that speaks the first of these protocols that the other side knows; `request` comes back in the effects.
    case open(request: UInt64, protocols: [String])
    /// Bytes to send on a stream, after all that were written before.
    case write(StreamID, [UInt8])
    /// Nothing more will be written on the stream.
    case finish(StreamID)
    /// The stream is of no use any more; nothing more is sent or received.
    case reset(StreamID)
    /// So many received bytes of the stream are done with; the other side may send as many again.
    case consumed(StreamID, Int)
    /// From now on streams may be opened from outside for these protocols.
    case serve([String])
    /// A timer fired.
    case fired(Timer)
    /// The connection is of no use any more, for the reason given.
    case close(String)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Send these bytes; say ``Input/sent(_:)`` when the socket has taken them.
    case send([UInt8])
    /// Wake this connection then; arming a timer again moves it.
    case arm(Timer, at: Instant)
    /// The peer has proven who it is, the connection can carry streams.
    case secured(PeerID, PublicKey)
    /// A stream is open: its protocol and who wanted it.
    case opened(StreamID, protocol: String, Origin)
    /// A wanted stream will not come.
    case refused(request: UInt64, ConnectionError)
    /// Bytes came on a stream. Give them back with ``Input/consumed(_:_:)`` when they are done with.
    case received(StreamID, [UInt8])
    /// The other side will write nothing more on the stream.
    case ended(StreamID)
    /// The stream is over, at once and both ways.
    case wasReset(StreamID, ConnectionError)
    /// Little of what was written on the stream still waits: its writer may go on.
    case drained(StreamID)
    /// Nothing more comes. Close the socket as soon as all bytes before have been sent.
    case closed(ConnectionError)
  }

  /// The timers of a connection.
  public enum Timer: Hashable, Sendable {
    /// The upgrade takes too long.
    case handshake
    /// Streams whose protocol is not agreed on in time.
    case negotiation
    /// A sign of life is due, or overdue.
    case keepAlive
  }

  /// Who wanted a stream.
  public enum Origin: Hashable, Sendable {
    /// This side, by that request.
    case here(request: UInt64)
    /// The other side.
    case there
  }

  /// Which side of the connection this is.
  public enum Role: Hashable, Sendable {
    /// The one that dialled.
    case dialer
    /// The one that was dialled.
    case listener
  }

  /// What is offered on the bare socket, and what over Noise.
  static let security = "/noise"
  static let muxer = "/yamux/1.0.0"

  /// How far the connection is.
  enum Stage: Sendable {
    case idle
    /// Both sides agree on Noise.
    case agreeing(Negotiation)
    case shaking(NoiseHandshake)
    /// Both sides agree on yamux, over Noise: the handshake did not say.
    case choosing(Negotiation)
    case open
    case closed
  }

  /// A stream whose protocol is not agreed on.
  struct Talk: Sendable {
    enum Kind: Sendable {
      /// The caller waits for an answer.
      case dialing(request: UInt64, protocols: [String])
      /// The caller uses the stream already.
      case assuming(protocols: [String])
      case listening
    }

    let kind: Kind
    var negotiation: Negotiation
  }

  /// Which side this is.
  public let role: Role
  /// The peer at the other end, once it is proven.
  public internal(set) var peer: PeerID?
  let limits: ChannelLimits
  let identity: KeyPair
  let secrets: NoiseSecrets
  let expected: PeerID?
  var served: [String]
  var stage = Stage.idle
  var records = NoiseRecords()
  var sending: CipherState?
  var receiving: CipherState?
  var yamux: Yamux
  var events = Effects<Yamux.Event>()
  var plaintext: [UInt8] = []
  var inFlight = 0
  var lastReceived = Instant.origin
  /// The proven key, while yamux is not agreed on.
  var remoteKey: PublicKey?
  var talks: [StreamID: Talk] = [:]
  var deadlines: [(due: Instant, stream: StreamID)] = []

  /// A connection over a socket that is there, or will be when ``Input/began`` comes. `secrets` serve one connection only; the
  /// upgrade fails unless `expected` answers, if a peer is expected; `serving` are the protocols that others may ask for.
  public init(
    role: Role, identity: KeyPair, secrets: NoiseSecrets, expected: PeerID? = nil, serving: [String] = [],
    limits: ChannelLimits = ChannelLimits()
  ) {
    self.role = role
    self.identity = identity
    self.secrets = secrets
    self.expected = expected
    self.limits = limits
    served = serving
    yamux = Yamux(isDialer: role == .dialer, limits: limits)
  }

  /// Whether streams can be opened.
  public var isOpen: Bool { if case .open = stage { true } else { false } }
  /// Whether all is over.
  public var isClosed: Bool { if case .closed = stage { true } else { false } }
  /// Whether ``flush(at:effects:)`` would send something.
  public var canSend: Bool { isOpen && yamux.hasOutput && inFlight < limits.inFlight }
  /// Whether the socket takes so little that answers pile up: read no more from it until it does.
  public var isBehind: Bool { isOpen && yamux.answers.count > limits.answers / 2 }
  /// Bytes written on all streams that wait to be sent.
  public var unsentInAll: Int { yamux.queued }
  /// How many streams are open, both ways.
  public var streamCount: Int { yamux.count }
  /// The last measured round trip.
  public var roundTrip: Instant.Span? { yamux.roundTrip }
  /// Bytes written on the stream that wait to be sent.
  public func unsent(_ stream: StreamID) -> Int { yamux.unsent(stream) }

  /// Takes one input and appends what is to be done, sending included. Draws no chance.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    take(input, at: now, effects: &effects)
    flush(at: now, effects: &effects)
  }

  /// Takes one input, but leaves what it causes to be sent for the next ``flush(at:effects:)``: a host that has several inputs at hand
  /// sends the outcome of all at once.
  public mutating func take(_ input: Input, at now: Instant, effects: inout Effects<Effect>) {
    switch input {
    case .began: begin(at: now, &effects)
    case .received(let bytes): unsafe bytes.withUnsafeBytes { unsafe receive($0, at: now, effects: &effects) }
    case .sent(let count):
      precondition(count <= inFlight, "\(count) bytes sent of \(inFlight)")
      inFlight -= count
    case .ended(let failure): ended(failure, &effects)
    case .open(let request, let protocols): open(request, protocols, at: now, &effects)
    case .write(let stream, let bytes): write(stream, bytes, &effects)
    case .finish(let stream): yamux.finish(stream)
    case .reset(let stream):
      talks[stream] = nil
      yamux.reset(stream)
    case .consumed(let stream, let count): yamux.consumed(stream, count, at: now)
    case .serve(let protocols): served = protocols
    case .fired(let timer): fired(timer, at: now, &effects)
    case .close(let why): fail(ConnectionError(phase, .closedHere(why)), &effects)
    }
  }

  /// Hands to the socket what waits, as far as it takes it.
  public mutating func flush(at now: Instant, effects: inout Effects<Effect>) {
    guard isOpen else { return }
    while yamux.hasOutput, inFlight < limits.inFlight {
      yamux.fill(&plaintext, room: NoiseRecords.mostPlaintext, events: &events)
      guard !plaintext.isEmpty else { break }
      seal(&effects)
    }
    pass(at: now, &effects)
    guard yamux.answers.count > limits.answers else { return }
    let what = "it makes this side answer but reads nothing; \(yamux.answers.count) bytes of answers wait"
    fail(ConnectionError(.open, .limit(what)), &effects)
  }
}
