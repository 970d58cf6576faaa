public import MurmurMachines
import MurmurWire

/// A thin feeder's side: brings the messages of a spool to one of several gateways, and forgets each when it is confirmed.
///
/// The messages lie in a spool on disk, numbered one after the other; the machine knows their keys and never holds their bytes. It takes
/// a window of them (``room`` says how many more), publishes so many as the gateway allows, hears that they are `held`, and later that they
/// are `confirmed`: only then may the spool forget them, since a gateway that dies right after `held` takes them along.
///
/// It stays with a gateway that works. When it goes, is silent or does not get messages confirmed, the next one is dialled, with a
/// back-off that doubles for each; it is asked what it knows of all messages that somebody had before, and gets what it does not know.
/// Messages may so be in the ledger twice, which does no harm: readers go by address. A gateway is believed when it says `confirmed`.
public struct Feeder: Machine, Sendable {
  /// How it behaves.
  public struct Configuration: Hashable, Sendable {
    /// The session's codename.
    public var session: String
    /// How many gateways there are; they are named by their numbers from 0.
    public var gateways: Int
    /// Messages taken from the spool at a time.
    public var window = 4_096
    /// Messages published and not answered, and their bytes; a gateway may allow fewer.
    public var flight = 32
    /// See ``flight``.
    public var flightBytes = 2 << 20
    /// Messages asked about at a time.
    public var questions = 256
    /// How long a gateway is left alone after a failure; doubles with every further one, up to ``longestBackoff``.
    public var backoff = Instant.Span.milliseconds(200)
    /// See ``backoff``.
    public var longestBackoff = Instant.Span.seconds(60)
    /// How long a connection and the answer to a hello may take.
    public var greeting = Instant.Span.seconds(8)
    /// How long an answer may take at most; then it is asked what became of the message, and after twice as long without a word the gateway is left.
    public var silence = Instant.Span.seconds(3)
    /// How long it may take at least. Between the two it is learnt from the answers that came, as TCP does.
    public var leastSilence = Instant.Span.milliseconds(100)
    /// How long a held message may be unconfirmed until the gateway is asked about it; doubles with every question, five times.
    public var confirmation = Instant.Span.seconds(20)
    /// How long nothing may be confirmed while something should be; then another gateway is tried, if there is one.
    public var isolation = Instant.Span.minutes(2)
    /// How long a message rests that a gateway refused for good; then it is offered again.
    public var rest = Instant.Span.minutes(1)

    /// The defaults.
    public init(session: String, gateways: Int) {
      self.session = session
      self.gateways = gateways
    }
  }

  /// A message of the spool.
  public struct Entry: Hashable, Sendable {
    /// Which it is.
    public var key: FeedKey
    /// The bytes of its content.
    public var bytes: Int
    /// Whether somebody may have had it before, in an earlier life.
    public var isOld: Bool

    /// A message of the spool.
    public init(key: FeedKey, bytes: Int, isOld: Bool = false) {
      self.key = key
      self.bytes = bytes
      self.isOld = isOld
    }
  }

  /// What happens to it.
  public enum Input: Sendable {
    /// Its life begins; the first message it is told of will have this number.
    case started(first: Int)
    /// These are in the spool, safe, and follow those before. No more than ``Feeder/room``.
    case spooled([Entry])
    /// The stream to a gateway is open.
    case connected(Int)
    /// It could not be opened, or is gone.
    case disconnected(Int, String)
    /// A gateway says something.
    case received(from: Int, FeedMessage)
    /// A timer fired.
    case fired(Timer)
  }

  /// What it waits for.
  public enum Timer: Hashable, Sendable {
    /// A gateway may be dialled again.
    case dial
    /// Answers may be overdue.
    case watch
  }

  /// What it wants done.
  public enum Effect: Sendable {
    /// Open a stream to a gateway.
    case dial(Int)
    /// Close the stream to it, or give up opening it.
    case hangUp(Int)
    /// Send it a message.
    case send(FeedMessage, to: Int)
    /// Send it the message with that number from the spool.
    case publish(Int, to: Int)
    /// All messages with smaller numbers are confirmed.
    case forget(upTo: Int)
    /// Wake it then; instead of what was armed before.
    case arm(Timer, at: Instant)
    /// Tell whoever watches.
    case note(FeederEvent)
  }

  /// What became of a message.
  enum State: Hashable, Sendable {
    /// Nobody has it.
    case fresh
    /// Somebody may have it.
    case unsure
    /// The gateway was asked about it.
    case asked(at: Instant)
    /// The gateway was given it.
    case sent(at: Instant)
    /// The gateway has it in its ledger.
    case held(at: Instant)
    /// This gateway does not want it.
    case refused(at: Instant)
    case confirmed

    /// Whether an answer is awaited.
    var isAwaited: Bool {
      switch self {
      case .asked, .sent: true
      default: false
      }
    }
  }

  struct Item: Sendable {
    var entry: Entry
    var state: State
    var questions = 0
    var wasPublished = false
    /// How often this gateway was given it.
    var publications = 0
    /// Whether the gateway was given it and has not said what became of it.
    var isGiven = false
  }

  enum Phase: Hashable, Sendable {
    case idle
    case dialling(Int, since: Instant)
    case greeting(Int, since: Instant)
    case open(Int)

    var gateway: Int? {
      switch self {
      case .idle: nil
      case .dialling(let number, _), .greeting(let number, _), .open(let number): number
      }
    }
  }

  struct Place: Sendable {
    var failures = 0
    var notBefore = Instant.origin
  }

  /// How it behaves.
  public let configuration: Configuration
  /// What it did so far.
  public internal(set) var statistics = FeederStatistics()
  var phase = Phase.idle
  var places: [Place]
  var items = Line<Item>()
  /// The number of the first of ``items``.
  var first = 0
  var numbers: [Digest: Int] = [:]
  /// No message before this one is fresh or unsure.
  var cursor = 0
  /// Messages that the gateway was given and has not answered for, and their bytes.
  var flight = 0
  var flightBytes = 0
  /// Messages whose answer is awaited, and how many of these are asked about.
  var awaited = 0
  var questions = 0
  var welcome: FeedWelcome?
  var slowUntil = Instant.origin
  var heardAt = Instant.origin
  /// When something was last confirmed, or began to wait after nothing had.
  var firmAt = Instant.origin
  var watchAt = Instant.never
  var answerTime = AnswerTime()

  /// A feeder with no messages yet.
  public init(_ configuration: Configuration) {
    precondition(configuration.gateways > 0, "a feeder needs a gateway")
    self.configuration = configuration
    places = Array(repeating: Place(), count: configuration.gateways)
  }

  /// How many further messages it takes from the spool.
  public var room: Int { configuration.window - items.count }
  /// The number of the next message it takes.
  public var next: Int { first + items.count }
  /// Messages it knows of that are not confirmed.
  public var unconfirmed: Int { items.count }
  /// The gateway that takes messages at present.
  public var gateway: Int? { if case .open(let number) = phase { number } else { nil } }

  /// Takes one input.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started(let number):
      (first, cursor) = (number, number)
      turn(at: now, &effects)
    case .spooled(let entries): take(entries, at: now)
    case .connected(let number): connected(number, at: now, &effects)
    case .disconnected(let number, let why):
      if phase.gateway == number { lose(number, why, at: now, &chance, &effects) }
    case .received(let number, let message):
      if phase.gateway == number { receive(message, from: number, at: now, &chance, &effects) }
    case .fired(.dial): turn(at: now, &effects)
    case .fired(.watch):
      watchAt = .never
      watch(at: now, &chance, &effects)
    }
    pump(at: now, &effects)
    schedule(at: now, &effects)
  }
}

/// What a feeder tells whoever watches.
public enum FeederEvent: Hashable, Sendable {
  /// A gateway is dialled.
  case dialling(Int)
  /// A gateway takes messages.
  case open(Int)
  /// A gateway is left, or has gone.
  case left(Int, String)
  /// A gateway has a message in its ledger, so long after it was published; `nil` if it had it already.
  case held(Int, after: Instant.Span?)
  /// A message is confirmed.
  case confirmed(Int)
  /// A gateway does not take a message.
  case refused(Int, FeedRefusal)
}

/// What a feeder did so far.
public struct FeederStatistics: Hashable, Sendable {
  /// Messages given to a gateway, each time.
  public var published = 0
  /// Of these, messages that somebody had been given before.
  public var again = 0
  /// Messages that a gateway was asked about, each time.
  public var asked = 0
  /// Messages that were confirmed.
  public var confirmed = 0
  /// How often a gateway was left, or could not be reached.
  public var changes = 0

  /// None.
  public init() {}
}
