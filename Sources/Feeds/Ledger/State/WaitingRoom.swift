import MurmurIdentity
import MurmurMachines
import MurmurWire

/// Transactions that wait for what they approve, and what they wait for.
struct WaitingRoom: Sendable {
  struct Waiter: Sendable {
    let transaction: Transaction
    let source: PeerID?
    var missing: Int
  }

  /// Something that is missing.
  struct Need: Sendable {
    var waiters: [Digest]
    let source: PeerID?
    /// When to ask for it.
    var due: Instant
    var attempts = 0
  }

  private(set) var waiters: [Digest: Waiter] = [:]
  private(set) var needs: [Digest: Need] = [:]
  private(set) var bytes = 0
  private var shares: [PeerID: (count: Int, bytes: Int)] = [:]

  var count: Int { waiters.count }
  var isEmpty: Bool { waiters.isEmpty }

  func contains(_ digest: Digest) -> Bool { waiters[digest] != nil }

  /// Whether there is room for one of `size` bytes from `source`.
  func hasRoom(for size: Int, from source: PeerID?, _ limits: Ledger.Limits) -> Bool {
    guard count < limits.waiting, bytes + size <= limits.waitingBytes else { return false }
    guard let source else { return true }
    let share = shares[source] ?? (0, 0)
    return share.count < limits.waiting / limits.waitingShare && share.bytes + size <= limits.waitingBytes / limits.waitingShare
  }

  mutating func add(_ transaction: Transaction, missing: [Digest], from source: PeerID?, due: Instant) {
    waiters[transaction.digest] = Waiter(transaction: transaction, source: source, missing: missing.count)
    count(transaction, source, 1)
    for digest in missing {
      needs[digest, default: Need(waiters: [], source: source, due: due)].waiters.append(transaction.digest)
    }
  }

  private mutating func count(_ transaction: Transaction, _ source: PeerID?, _ sign: Int) {
    bytes += sign * transaction.bytes.count
    guard let source else { return }
    let share = shares[source] ?? (0, 0)
    let left = share.count + sign
    shares[source] = left > 0 ? (left, share.bytes + sign * transaction.bytes.count) : nil
  }

  /// What waited for `digest` alone, now that it is known.
  mutating func arrived(_ digest: Digest) -> [Waiter] {
    guard !needs.isEmpty, let need = needs.removeValue(forKey: digest) else { return [] }
    var ready: [Waiter] = []
    for name in need.waiters {
      guard let left = waiters[name]?.missing else { continue }
      waiters[name]?.missing = left - 1
      if left == 1, let waiter = take(name) { ready.append(waiter) }
    }
    return ready
  }

  private mutating func take(_ name: Digest) -> Waiter? {
    guard let waiter = waiters.removeValue(forKey: name) else { return nil }
    count(waiter.transaction, waiter.source, -1)
    return waiter
  }

  /// Forgets what waits for `digest`, and what waits for that; returns how many.
  mutating func giveUp(_ digest: Digest) -> Int {
    var forgotten = 0
    var rest = [digest]
    while let next = rest.popLast() {
      guard let need = needs.removeValue(forKey: next) else { continue }
      for name in need.waiters where take(name) != nil {
        forgotten += 1
        rest.append(name)
      }
    }
    return forgotten
  }

  /// What is missing, not on its way through the room itself, and due; in ascending order.
  func due(at now: Instant) -> [Digest] {
    needs.keys.sorted().filter { needs[$0].map { $0.due <= now } ?? false && waiters[$0] == nil }
  }

  /// When the next of what is missing is due.
  var nextDue: Instant? {
    // house:allow(order) the least of all
    needs.lazy.filter { self.waiters[$0.key] == nil }.map(\.value.due).min()
  }

  /// Notes that `digest` was asked for, and when to ask again.
  mutating func asked(for digest: Digest, again: Instant) {
    needs[digest]?.attempts += 1
    needs[digest]?.due = again
  }
}
