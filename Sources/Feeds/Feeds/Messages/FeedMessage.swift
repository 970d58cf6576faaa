public import MurmurMachines
public import MurmurWire

/// What a thin feeder and its gateway say to each other on a stream of `/murmur/feed/1`.
public enum FeedMessage: Hashable, Sendable {
  /// The protocol's name.
  public static let protocolID = "/murmur/feed/1"

  /// From the feeder, first: for which session it has messages.
  case hello(session: String)
  /// From the feeder: a sealed message, to be issued as a transaction.
  case publish(tag: [UInt8], content: [UInt8])
  /// From the feeder: what is known of these?
  case ask([FeedKey])
  /// From the gateway: whether anything is taken, and how much.
  case welcome(FeedWelcome)
  /// From the gateway: these are in its ledger.
  case held([Digest])
  /// From the gateway: these are confirmed; they may be forgotten.
  case confirmed([Digest])
  /// From the gateway: these it does not have.
  case unknown([Digest])
  /// From the gateway: this one is not taken.
  case refused(Digest, FeedRefusal)
  /// From the gateway: nothing should be published for so long.
  case slow(Instant.Span)
}

/// Whether a gateway takes messages, and how many.
public struct FeedWelcome: Hashable, Sendable {
  /// The gateway's session.
  public var session: String
  /// The most bytes of a message's content.
  public var contentBytes: Int
  /// How many messages may be published and not answered.
  public var window: Int
  /// Why nothing is taken; `nil` if it is.
  public var problem: String?

  /// A welcome, or with a problem its opposite.
  public init(session: String, contentBytes: Int = FeedLimits.contentBytes, window: Int, problem: String? = nil) {
    self.session = session
    self.contentBytes = contentBytes
    self.window = window
    self.problem = problem
  }
}

/// Why a gateway does not take a message.
public enum FeedRefusal: String, Hashable, Sendable, CaseIterable {
  /// Too much waits; it may be sent again later.
  case busy
  /// It has too many bytes.
  case tooLarge
  /// It is no message of a stream.
  case noMessage
  /// The ledger does not take it.
  case notIssued

  /// In words.
  public var words: String {
    switch self {
    case .busy: "too much waits there"
    case .tooLarge: "it has too many bytes"
    case .noMessage: "it is no message of a stream"
    case .notIssued: "the ledger there does not take it"
    }
  }
}
