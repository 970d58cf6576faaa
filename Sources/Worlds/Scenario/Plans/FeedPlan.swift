/// Sensors too small to train, whose streams supply the rows of a session.
public struct FeedPlan: Hashable, Sendable {
  /// How many sensors; with none, peers have rows of their own.
  public var sensors = 0
  /// Rows of one message.
  public var packet = 50
  /// Rows that each sensor reads in a second of session time.
  public var rate = 1.0
  /// Who may read the streams: `public`, or `restricted` to whoever holds the side key.
  public var mode = Mode.public
  /// Whether readers hold all rows from the beginning, and nothing is streamed: the control.
  public var held = false

  /// The only sensors that are believed, if any are named.
  public var allowed: [Allowed] = []

  /// No sensors.
  public init() {}

  /// A sensor that is believed.
  public struct Allowed: Hashable, Sendable {
    /// Its name.
    public var id: String
    /// Its stream's channel, 64 hexadecimal digits.
    public var channel: String

    /// A sensor of that name.
    public init(id: String, channel: String) { (self.id, self.channel) = (id, channel) }
  }

  /// Who may read.
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    case `public`, restricted
  }
}
