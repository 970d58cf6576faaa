import MurmurMachines

/// One stream of yamux: what may be sent, what waits to be, what may come.
struct YamuxStream: Sendable {
  /// What this side has said about the stream.
  enum Opening: Sendable {
    /// Nothing: the first frame carries this flag.
    case owes(YamuxHeader.Flags)
    /// What it owed.
    case said
  }

  /// How far the writing half is.
  enum Writing: Hashable, Sendable {
    case open
    /// The last byte was written, the last frame not sent.
    case finishing
    case finished
  }

  /// What it is called above.
  let id: StreamID
  /// Whether this side opened it.
  let isOutbound: Bool
  var opening: Opening
  /// Whether the other side said that it knows of the stream.
  var isAcknowledged: Bool
  var writing = Writing.open
  /// Whether the other side has sent its last byte.
  var isEnded = false
  /// Bytes that wait.
  var queue = ByteQueue()
  /// Whether the writer waits to be told that little is left.
  var owesDrained = false
  /// Whether the stream stands in the row of those that send.
  var isInRow = false
  /// Bytes the other side allows.
  var credit = Yamux.initialWindow
  /// Bytes the other side may still send.
  var allowance = Yamux.initialWindow
  /// The most bytes the other side may have sent and this side not consumed.
  var window = Yamux.initialWindow
  /// Bytes received and not yet consumed.
  var unconsumed = 0
  /// Bytes consumed, or by which the window grew, that the other side does not know of.
  var returnable = 0
  /// Whether a window update is due.
  var owesUpdate = false
  /// When the last window update went out.
  var lastUpdate: Instant

  /// Whether there is something to send that may be sent.
  var canSend: Bool {
    if queue.count > 0 { return credit > 0 }
    if case .owes = opening { return true }
    return writing == .finishing
  }

  /// Whether nothing more can happen on it.
  var isOver: Bool { isEnded && writing == .finished }

  /// The flags the next frame carries; `isLast` if it carries the last byte.
  mutating func takeFlags(isLast: Bool) -> YamuxHeader.Flags {
    var flags: YamuxHeader.Flags = []
    if case .owes(let owed) = opening { flags.formUnion(owed) }
    opening = .said
    if isLast {
      flags.insert(.fin)
      writing = .finished
    }
    return flags
  }
}
