public import Logging
public import Metrics
public import MurmurChannels
public import MurmurMachines
public import NIOCore

/// How a transport behaves, and how much it allows.
public struct TransportConfiguration: Sendable {
  /// What each connection allows.
  public var channel = ChannelLimits()
  /// How long a socket may take to connect; then the dial fails.
  public var dialTimeout = TimeAmount.seconds(5)
  /// How long a closing connection may take to send what is left; then its socket is closed all the same.
  public var closeGrace = TimeAmount.seconds(2)
  /// Connections at a time, both ways; further inbound ones are closed at once, further dials fail.
  public var connections = 512
  /// Inbound connections that have not proven who they are. For one more, the oldest from where most of them come is closed.
  public var unproven = 128
  /// Inbound connections from one IPv4 address, or one network of IPv6 of 64 bits; further ones are closed at once.
  public var perAddress = 64
  /// Of these, connections that have not proven who they are; further ones are closed at once.
  public var unprovenPerAddress = 16
  /// Whether addresses of this machine may have as many connections as there are.
  public var sparesLoopback = true
  /// How long a socket may take nothing of what is written to it; then the connection is of no use.
  public var stall = Instant.Span.seconds(60)
  /// Connections from one peer; a further one is closed when it has proven who it is.
  public var perPeer = 8
  /// Sockets the system keeps until they are accepted.
  public var backlog: Int32 = 256
  /// Bytes read from a socket at once.
  public var receiveBuffer = 128 << 10
  /// Where it is logged what happens.
  public var logger = Logger(label: "murmur.transport")
  /// Where it is counted what happens; a program chooses a collector with `MetricsSystem.bootstrap` before anything else.
  public var metrics: any MetricsFactory = MetricsSystem.factory
  /// What machines are told about time.
  public var clock = HostClock()

  /// Called on a new socket's loop before anything is read, so that handlers can be put between the socket and the connection: a fault
  /// plan acts there.
  public var prepare: (@Sendable (any Channel) throws -> Void)?

  /// The defaults.
  public init() {}
}
