public import MurmurFeeds
public import MurmurLedger
public import MurmurStorage
import MurmurWire

/// What an earlier life of a station kept: everything but what is much and read apart, see ``ledger(_:session:)`` and
/// ``recall(_:session:rows:take:)``.
public struct FeedInheritance: Sendable {
  /// Where each stream is read on.
  public var states: [FeedState] = []
  /// Up to where rows are those of earlier lives.
  public var lastRows: Int64

  /// What a store has for a session; what cannot be read is left out, and its stream is read anew.
  public init(_ store: Store, session: String) throws(StoreError) {
    for state in try store.states(FeedHouse.statesArea(session)) {
      if let state = try? FeedState(encoded: state.value) { states.append(state) }
    }
    lastRows = try store.lastSaved(FeedHouse.rowsArea(session))
  }

  /// What a store had of a ledger.
  public struct Kept: Sendable {
    /// The transactions that can be read.
    public var transactions: [Transaction] = []
    /// The last snapshot.
    public var snapshot: LedgerSnapshot?
    /// What could not be read, and so is asked of other peers again.
    public var complaints: [String] = []
  }

  /// The ledger's transactions, and its last snapshot: of a full room, 64 MiB, it takes about a second.
  public static func ledger(_ store: Store, session: String) throws(StoreError) -> Kept {
    let rows = try store.rows(ofLedger: session)
    var kept = Kept()
    kept.transactions.reserveCapacity(rows.transactions.count)
    var (damaged, problem) = (0, "")
    for bytes in rows.transactions {
      do throws(LedgerError) { kept.transactions.append(try Transaction(reading: bytes)) } catch {
        (damaged, problem) = (damaged + 1, "\(error)")
      }
    }
    if damaged > 0 {
      kept.complaints.append("\(damaged) of \(rows.transactions.count) transactions cannot be read, the last one: \(problem)")
    }
    if let bytes = rows.snapshot {
      do throws(WireError) { kept.snapshot = try LedgerSnapshot.decode(bytes) } catch {
        kept.complaints.append("the snapshot of what was pruned cannot be read: \(error)")
      }
    }
    return kept
  }

  /// Reads the rows that were kept last, at least so many of them if there are so many, and hands them on in the order in which they were
  /// kept, until `take` says that it wants no more. It takes a while: not for a thread on which others wait.
  public func recall(_ store: Store, session: String, rows most: Int, take: (FeedRows) -> Bool) throws(StoreError) {
    let area = FeedHouse.rowsArea(session)
    var (count, first) = (0, lastRows + 1)
    try store.visit(area, 0...lastRows, isBackwards: true) { saved, state in
      count += FeedRows.count(encoded: state.value)
      first = saved
      return count < most
    }
    guard first <= lastRows else { return }
    try store.visit(area, first...lastRows) { _, state in
      guard let rows = try? FeedRows(encoded: state.value) else { return true }
      return take(rows)
    }
  }
}
