public import MurmurMachines
public import MurmurPeer
public import MurmurStorage
import MurmurWire

/// What a station wants kept, and what it may not say before that is on the disk.
///
/// An own transaction that others have and this peer forgets would make it issue two under one number, and be distrusted for good: so while
/// anything is unsaved, whatever the station says waits. A batch that the disk refuses is kept and tried again, and nothing that depends on it goes
/// out before it is there.
public struct FeedKeeping {
  /// What goes to the disk at once.
  public struct Batch: Sendable {
    /// Changes of the ledger, in order.
    public var changes: [Store.LedgerChange] = []
    /// Rows, and the places of their streams.
    public var states: [SavedState] = []

    /// Brings it to the disk; once more changes nothing.
    public func save(_ store: Store, session: String) throws(StoreError) {
      if !changes.isEmpty { try store.change(ledger: session, changes) }
      if !states.isEmpty { try store.save(states) }
    }
  }

  /// Effects that wait for the disk; of more, what peers and feeders ask for again is not said.
  public static let mostDelayed = 4_096
  /// States that wait for a disk that does not take them; of more the oldest rows are not kept.
  public static let mostStates = 8_192
  /// How long a disk that failed is left alone; doubles with every further failure, up to ``longestRest``.
  public static let rest = Instant.Span.milliseconds(100)
  /// See ``rest``.
  public static let longestRest = Instant.Span.seconds(30)

  private var gathered = Batch()
  private var isWriting: Batch?
  private var isResting = false
  /// How many batches were begun.
  private var batches = 0
  private var delayed: [(batch: Int, effect: Station.Effect)] = []
  /// How often in a row the disk refused.
  public private(set) var failures = 0

  /// Nothing to keep.
  public init() {}

  /// Whether all is on the disk.
  public var isSafe: Bool { isWriting == nil && gathered.changes.isEmpty && gathered.states.isEmpty }

  /// Takes a change of the ledger.
  public mutating func keep(_ change: Store.LedgerChange) { gathered.changes.append(change) }

  /// Takes a state.
  public mutating func keep(_ state: SavedState) { gathered.states.append(state) }

  /// Whether an effect has to wait; then it is kept here. While the disk fails, no work is done for further own transactions either.
  public mutating func delays(_ effect: Station.Effect) -> Bool {
    switch effect {
    case .send, .publish, .answer: if isSafe { return false }
    case .work: if failures == 0 { return false }
    default: return false
    }
    let last = gathered.changes.isEmpty && gathered.states.isEmpty ? batches : batches + 1
    if case .work = effect {
      // Without it nothing would be issued any more.
    } else if delayed.count >= FeedKeeping.mostDelayed {
      return true
    }
    delayed.append((last, effect))
    return true
  }

  /// What is to go to the disk now, if anything is; `isRetry` after the rest that ``failed()`` asked for.
  public mutating func next(isRetry: Bool = false) -> Batch? {
    if isRetry { isResting = false }
    guard isWriting == nil, !isResting, !isSafe else { return nil }
    let batch = gathered
    (gathered, isWriting) = (Batch(), batch)
    batches += 1
    return batch
  }

  /// The batch is on the disk; what waited for it may go.
  public mutating func saved() -> [Station.Effect] {
    (isWriting, failures) = (nil, 0)
    let due = delayed.prefix { $0.batch <= batches }
    delayed.removeFirst(due.count)
    return due.map(\.effect)
  }

  /// The disk did not take the batch: it goes with what has gathered since, after so long.
  public mutating func failed() -> Instant.Span {
    guard let batch = isWriting else { return FeedKeeping.rest }
    gathered.changes = batch.changes + gathered.changes
    gathered.states = batch.states + gathered.states
    (isWriting, isResting) = (nil, true)
    gathered.tidy()
    defer { failures += 1 }
    return min(FeedKeeping.rest * Double(1 << min(failures, 20)), FeedKeeping.longestRest)
  }
}

extension FeedKeeping.Batch {
  /// Drops what later changes make needless, so that a disk that fails for long costs no more memory than what the ledger holds.
  mutating func tidy() {
    var (pruned, unsaved): (Set<CID>, Set<CID>) = ([], [])
    var keeps: [Store.LedgerChange] = []
    var gone: [CID] = []
    var last: [UInt8]?
    for change in changes.reversed() {
      switch change {
      case .keep(let id, _): if pruned.contains(id) { unsaved.insert(id) } else { keeps.append(change) }
      case .prune(let ids, let snapshot):
        last = last ?? snapshot
        pruned.formUnion(ids)
        gone += ids
      }
    }
    changes = keeps.reversed()
    if let last { changes.insert(.prune(gone.filter { !unsaved.contains($0) }, snapshot: last), at: 0) }
    var seen: Set<SavedState> = []
    // Of a stream's places the last counts.
    states = states.reversed().filter { state in
      var name = state
      (name.version, name.value) = (0, [])
      return seen.insert(name).inserted
    }.reversed()
    if states.count > FeedKeeping.mostStates {
      var excess = states.count - FeedKeeping.mostStates
      states = states.filter { state in
        guard excess > 0, state.area.hasPrefix(FeedHouse.rowsArea) else { return true }
        excess -= 1
        return false
      }
    }
  }
}
