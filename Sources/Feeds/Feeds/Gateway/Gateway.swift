public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// A full peer's side: takes the messages of thin feeders, has each issued as a transaction, and says what became of it.
///
/// What one feeder may have waiting is bounded (a window, which it is told), and what it may have issued in a second. Within these bounds a
/// feeder hears nothing but answers: what is too fast waits here. A feeder that publishes beyond its window is refused and told to be
/// slow; that, and what is no message of a stream, counts against it, fades, and in the end shuts it out for a while.
///
/// Whoever holds the machine has a ledger: it does as ``Effect/issue(_:content:)`` and ``Effect/lookUp(_:for:)`` say, and tells what the ledger tells.
public struct Gateway: Machine, Sendable {
  /// How it behaves.
  public struct Configuration: Sendable {
    /// The session's codename.
    public var session: String
    /// Whether a message may be one of a stream, by its tag and content: a pure function.
    public var examine: @Sendable (_ tag: [UInt8], _ content: [UInt8]) -> Bool
    /// The most bytes of a message's content.
    public var contentBytes = FeedLimits.contentBytes
    /// Messages that one feeder may have published and not heard of.
    public var window = 64
    /// Feeders at a time.
    public var feeders = 256
    /// Bytes of all feeders' messages that wait to be issued.
    public var waitingBytes = 64 << 20
    /// Messages that the ledger is asked to issue at a time.
    public var issuing = 64
    /// Messages of one feeder issued in a second, on average, and at once after a pause.
    public var messagesPerSecond = 250.0
    /// See ``messagesPerSecond``.
    public var messageBurst = 500.0
    /// Bytes of one feeder issued in a second, on average; so many at once after a pause.
    public var bytesPerSecond = 16_777_216.0
    /// Messages that one feeder may ask about in a second, on average; four times as many at once after a pause.
    public var questionsPerSecond = 2_000.0
    /// Issued messages whose confirmation feeders wait for; of more, the oldest are forgotten, and told when they are asked about.
    public var unconfirmed = 65_536
    /// How much misconduct shuts a feeder out: see ``Offence``.
    public var tolerance = 8.0
    /// After this long, half of it is forgotten.
    public var halfLife = Instant.Span.minutes(1)
    /// How long a feeder is shut out the first time; doubles with every further time, up to ``longestBan``.
    public var ban = Instant.Span.seconds(30)
    /// See ``ban``.
    public var longestBan = Instant.Span.minutes(10)
    /// Feeders whose misconduct is remembered.
    public var remembered = 1_024

    /// The defaults; everything may be a message.
    public init(session: String, examine: @escaping @Sendable ([UInt8], [UInt8]) -> Bool = { _, _ in true }) {
      self.session = session
      self.examine = examine
    }
  }

  /// What a feeder should not do, and how much it counts.
  public enum Offence: Double, Sendable {
    /// It publishes beyond its window, or asks too much.
    case flood = 1
    /// It publishes what is no message of a stream.
    case noMessage = 2
    /// It says what no feeder says, or what cannot be read.
    case unreadable = 3
  }

  /// What the ledger knows of a message.
  public struct Finding: Hashable, Sendable {
    /// The message.
    public var name: Digest
    /// Its transaction; `nil` if there is none.
    public var transaction: CID?
    /// Whether that is confirmed.
    public var isConfirmed: Bool

    /// What the ledger knows.
    public init(_ name: Digest, transaction: CID?, isConfirmed: Bool = false) {
      self.name = name
      self.transaction = transaction
      self.isConfirmed = isConfirmed
    }
  }

  /// What happens to it.
  public enum Input: Sendable {
    /// A feeder opened a stream.
    case connected(PeerID)
    /// Its stream is gone.
    case disconnected(PeerID)
    /// It says something.
    case received(from: PeerID, FeedMessage)
    /// It sent what cannot be read.
    case unreadable(from: PeerID)
    /// The ledger has a message as that transaction.
    case issued(Digest, as: CID)
    /// The ledger does not take a message.
    case notIssued(Digest)
    /// Transactions are confirmed; others than those of feeders may be among them.
    case confirmed([CID])
    /// What the ledger knows of messages that a feeder asked about.
    case found([Finding], for: PeerID)
    /// The timer fired.
    case fired
  }

  /// What it wants done.
  public enum Effect: Sendable {
    /// Send a feeder a message.
    case send(FeedMessage, to: PeerID)
    /// Issue a transaction with the key's tag and this content; it is told as ``Input/issued(_:as:)`` or ``Input/notIssued(_:)``.
    case issue(FeedKey, content: [UInt8])
    /// Look for transactions with these tags and contents of these names; what there is is told as ``Input/found(_:for:)``.
    case lookUp([FeedKey], for: PeerID)
    /// Close the feeder's stream and let it open none for so long.
    case shutOut(PeerID, for: Instant.Span, why: String)
    /// Wake it then; instead of what was armed before.
    case arm(at: Instant)
  }

  /// A message that feeders wait to hear of.
  struct Pending: Sendable {
    var key: FeedKey
    /// The content, until the ledger has it.
    var content: [UInt8]?
    var size: Int
    var feeders: [PeerID]
    var transaction: CID?
  }

  struct Client: Sendable {
    var isConnected = true
    var isGreeted = false
    /// Messages that wait to be issued, and those that the ledger was asked to issue.
    var waiting = Line<Digest>()
    var issuing = 0
    var messages: Allowance
    var bytes: Allowance
    var questions: Allowance
  }

  /// How it behaves.
  public let configuration: Configuration
  /// What it did so far.
  public internal(set) var statistics = GatewayStatistics()
  var clients: [PeerID: Client] = [:]
  /// The clients that have something waiting, in the order in which it is their turn.
  var turns = Line<PeerID>()
  var pending: [Digest: Pending] = [:]
  /// Names of issued messages in the order in which they were, and by their transactions.
  var issued = Line<Digest>()
  var transactions: [CID: Digest] = [:]
  var waitingBytes = 0
  var issuing = 0
  var conduct: Conduct
  var armed = Instant.never

  /// A gateway with no feeders yet.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    conduct = Conduct(configuration)
  }

  /// Feeders that are connected.
  public var feeders: Int { clients.values.count(where: \.isConnected) }
  /// Messages that wait to be issued, or for the ledger's answer.
  public var unissued: Int { pending.count - transactions.count }

  /// Places in the line of issued messages whose confirmation is waited for.
  public var places: Int { issued.count }

  /// Takes one input.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .connected(let feeder): connected(feeder, at: now, &effects)
    case .disconnected(let feeder): disconnected(feeder)
    case .received(let feeder, let message): receive(message, from: feeder, at: now, &effects)
    case .unreadable(let feeder): offend(feeder, .unreadable, "it sends what cannot be read", at: now, &effects)
    case .issued(let name, let transaction): issued(name, as: transaction, &effects)
    case .notIssued(let name): notIssued(name, &effects)
    case .confirmed(let list): confirmed(list, &effects)
    case .found(let findings, let feeder): found(findings, for: feeder, &effects)
    case .fired: armed = .never
    }
    pump(at: now, &effects)
  }
}

/// What a gateway did so far.
public struct GatewayStatistics: Hashable, Sendable {
  /// Messages that feeders published, each time.
  public var published = 0
  /// Messages that the ledger issued.
  public var issued = 0
  /// Messages that were not taken.
  public var refused = 0
  /// Messages of feeders that were confirmed.
  public var confirmed = 0
  /// How often a feeder was shut out.
  public var shutOut = 0

  /// None.
  public init() {}
}
