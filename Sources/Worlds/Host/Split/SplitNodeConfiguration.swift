public import Logging
public import MurmurIdentity
public import MurmurMachines
public import MurmurWire
public import NIOCore

/// How one device of a split network behaves on a real network, and how much it allows.
public struct SplitNodeConfiguration: Sendable {
  /// Where a neighbour is, and who.
  public struct Place: Sendable, Hashable {
    /// Who it must be; `nil` lets the first peer that says it is that device be it, until that one leaves.
    public var peer: PeerID?
    /// Where it is dialled; empty if it dials us.
    public var addresses: [Multiaddr]

    /// A neighbour's place.
    public init(peer: PeerID? = nil, addresses: [Multiaddr] = []) {
      self.peer = peer
      self.addresses = addresses
    }
  }

  /// Where it listens.
  public var listen: [Multiaddr] = []
  /// Where the other devices are, by their numbers.
  public var places: [Int: Place] = [:]
  /// What must be alike on all devices besides the plan: it goes into the fingerprint that devices compare.
  public var context = ""
  /// How long the training waits for neighbours that are not there when this device starts; it begins at once when all are, or when
  /// one is heard that has begun.
  public var gathering = Instant.Span.seconds(10)
  /// How long a neighbour that could not be reached is left alone; doubles with every failure, up to ``longestRedial``.
  public var redial = Instant.Span.milliseconds(200)
  /// See ``redial``.
  public var longestRedial = Instant.Span.seconds(5)
  /// How long the device with the lower number waits to be dialled before it dials itself.
  public var courtesy = Instant.Span.seconds(2)
  /// How long a hello, its answer, a question, or the rest of a message that was begun may take; then the stream is reset.
  public var silence = Instant.Span.seconds(60)
  /// How often that is looked at.
  public var upkeep = TimeAmount.seconds(1)
  /// Bytes that wait to be sent to one neighbour; further messages are dropped, as if they were lost.
  public var waitingBytes = 8 << 20
  /// Bytes that were received and wait for the machine; beyond, nothing more is read from the neighbours.
  public var inboxBytes = 32 << 20
  /// Messages of steps that came before the training began here; further ones are dropped.
  public var earlyMessages = 4_096
  /// Their bytes, at most.
  public var earlyBytes = 64 << 20
  /// Questions from outside at a time; further ones are refused. Twice as many streams may be open for them.
  public var questions = 8
  /// Rows of a question from outside.
  public var questionRows = 2_048
  /// Unreadable messages of a peer until it is shut out for a while.
  public var strikes = 3.0
  /// How misconduct fades, and for how long it shuts out.
  public var conduct = ConductLimits()
  /// What connections allow.
  public var transport = TransportConfiguration()
  /// Where it is logged what happens.
  public var logger = Logger(label: "murmur.split")

  /// The defaults; places are to be filled in.
  public init() {
    // All devices of a swarm may live behind one address.
    transport.perAddress = 512
  }
}

/// What a device on a real network tells whoever watches.
public enum SplitNodeEvent: Sendable {
  /// The training began, with so many neighbours there.
  case began(neighbours: Int)
  /// A step ended: the device's own loss, and the time since the step before ended.
  case stepped(Int, loss: Double, pause: Instant.Span)
  /// It heard others far ahead and goes on from there.
  case jumped(from: Int, to: Int)
  /// All steps are done.
  case trained
  /// A neighbour is there.
  case connected(Int)
  /// A neighbour is gone.
  case disconnected(Int)
  /// A neighbour is silent and is waited for no more.
  case suspected(Int)
  /// Something that somebody should know, in words: a device with another plan, an address where nobody answers.
  case problem(String)
}
