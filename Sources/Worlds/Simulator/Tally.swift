import MurmurCollective

/// What one peer did, counted.
public struct Tally: Sendable, Hashable {
  /// Bytes of messages sent, as they would stand on libp2p streams.
  public var bytesSent = 0
  /// Bytes of messages received.
  public var bytesReceived = 0
  /// Messages sent.
  public var messagesSent = 0
  /// Messages received.
  public var messagesReceived = 0
  /// Work cycles begun.
  public var cycles = 0
  /// Cycles that trained.
  public var trained = 0
  /// Averages tried.
  public var attempts = 0
  /// Averages adopted.
  public var successes = 0
  /// Models and slices that could not be had.
  public var failedFetches = 0
  /// Models and slices that were not what they should be.
  public var rejected = 0

  mutating func count(_ event: CollectiveEvent) {
    switch event {
    case .cycleBegan: cycles += 1
    case .trained: trained += 1
    case .averaged(_, let adopted):
      attempts += 1
      if adopted { successes += 1 }
    case .fetchFailed: failedFetches += 1
    case .rejected, .offended: rejected += 1
    case .joined, .published, .ended: break
    }
  }

  mutating func add(_ other: Tally) {
    bytesSent += other.bytesSent
    bytesReceived += other.bytesReceived
    messagesSent += other.messagesSent
    messagesReceived += other.messagesReceived
    cycles += other.cycles
    trained += other.trained
    attempts += other.attempts
    successes += other.successes
    failedFetches += other.failedFetches
    rejected += other.rejected
  }
}
