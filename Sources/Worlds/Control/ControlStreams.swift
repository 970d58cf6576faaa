extension ControlAnswer {
  /// What a peer reads of sensors.
  public struct Streams: Codable, Hashable, Sendable {
    /// One sensor.
    public struct Sensor: Codable, Hashable, Sendable {
      /// Its name.
      public var id: String
      /// What its stream is known by, in hexadecimal digits.
      public var channel: String
      /// public, private or restricted.
      public var mode: String
      /// Messages read.
      public var messages: UInt64
      /// Rows read.
      public var rows: UInt64
      /// Messages that never came.
      public var lost: UInt64
      /// Messages under its addresses that were not its own.
      public var failures: UInt64
      /// Heads of other streams under its name.
      public var doubles: UInt64
      /// Whether it said two things at one place.
      public var isForked: Bool
      /// When its latest message was made, in seconds since 1970; 0 before the first.
      public var last: Double
      /// How many seconds ago that is; `nil` before the first.
      public var lag: Double?

      /// A sensor.
      public init(
        id: String, channel: String, mode: String, messages: UInt64, rows: UInt64, lost: UInt64, failures: UInt64,
        doubles: UInt64,
        isForked: Bool, last: Double, lag: Double?
      ) {
        (self.id, self.channel, self.mode) = (id, channel, mode)
        (self.messages, self.rows, self.lost, self.failures, self.doubles) = (messages, rows, lost, failures, doubles)
        (self.isForked, self.last, self.lag) = (isForked, last, lag)
      }
    }

    /// All of them, in the order in which they were found.
    public var sensors: [Sensor]
    /// Rows that could not be learnt from in this life: without a known class, or with other columns than the session's.
    public var refused: Int
    /// Heads that were none.
    public var badHeads: Int
    /// Feeders that are connected.
    public var feeders: Int
    /// Transactions of the ledger that are kept, and their bytes.
    public var transactions: Int
    /// See ``transactions``.
    public var bytes: Int
    /// Transactions that are not confirmed.
    public var unconfirmed: Int
    /// What was noticed lately, in words.
    public var reports: [String]

    /// What a peer reads.
    public init(
      sensors: [Sensor], refused: Int, badHeads: Int, feeders: Int, transactions: Int, bytes: Int, unconfirmed: Int,
      reports: [String]
    ) {
      (self.sensors, self.refused, self.badHeads, self.feeders) = (sensors, refused, badHeads, feeders)
      (self.transactions, self.bytes, self.unconfirmed, self.reports) = (transactions, bytes, unconfirmed, reports)
    }
  }
}
