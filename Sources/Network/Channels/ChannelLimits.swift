public import MurmurMachines

/// How much of everything one connection allows, and for how long. What happens at each limit is said beside it.
///
/// The defaults serve a peer among hundreds; a test or a small device makes them tighter.
public struct ChannelLimits: Hashable, Sendable {
  /// From the first byte to an upgraded connection; then the connection is closed.
  public var handshake = Instant.Span.seconds(10)
  /// From a stream's opening to an agreed protocol; then the stream is reset.
  public var negotiation = Instant.Span.seconds(10)
  /// Silence after which the other side is asked for a sign of life.
  public var keepAlive = Instant.Span.seconds(30)
  /// How long that sign may take; then the connection is closed.
  public var pong = Instant.Span.seconds(20)
  /// Bytes of one message of multistream-select; a longer one ends the negotiation. The limit of go-multistream.
  public var negotiationMessage = 1_024
  /// Protocols one side may propose in one negotiation; one more ends it.
  public var proposals = 32
  /// Bytes of one handshake payload of Noise; a longer one closes the connection. An RSA key of 8,192 bits with signature fits.
  public var handshakePayload = 8_192
  /// Streams the other side may have open at a time; further ones are reset at once.
  public var inboundStreams = 1_024
  /// Streams this side may have open at a time; further ones are refused to the caller.
  public var outboundStreams = 1_024
  /// Streams opened here that the other side has not acknowledged; further ones are refused to the caller (yamux, "ACK backlog").
  public var unacknowledged = 256
  /// The most bytes the other side may send on one stream before they are consumed; a stream starts with yamux's 256 KiB and
  /// grows to this while its reader keeps up.
  public var window = 4 << 20
  /// How far all windows of a connection together may have grown; then none grows further.
  public var growth = 16 << 20
  /// Bytes written on one stream that wait to be sent; a write beyond resets the stream, its writer did not heed ``lowWater``.
  public var unsent = 16 << 20
  /// Bytes written on all streams of a connection that wait to be sent; a write beyond resets its stream.
  public var unsentInAll = 64 << 20
  /// When a stream's waiting bytes fall to this, its writer is told that it may go on.
  public var lowWater = 256 << 10
  /// Bytes handed to the socket that it has not taken yet; further ones wait unencrypted.
  public var inFlight = 256 << 10
  /// Bytes of answers (pongs, resets, window updates) that wait for a socket that takes nothing; then the connection is closed.
  public var answers = 64 << 10
  /// Resets the other side may cause in ten seconds, its own and refused streams; then the connection is closed.
  public var resets = 4_096

  /// The period over which resets are counted.
  static let resetPeriod = Instant.Span.seconds(10)

  /// The defaults.
  public init() {}
}
