public import MurmurWire

/// What two peers with a ledger say to each other over `/murmur/ledger/1`.
public enum LedgerMessage: Hashable, Sendable {
  /// What the sender has: its tips, then ever older transactions at growing distances. Answered with a batch of what it lacks.
  case frontier([Digest])
  /// What the sender lacks. Answered with a batch.
  case wanted([Digest])
  /// Transactions.
  case batch(Batch)

  /// Transactions for somebody who lacks them.
  public struct Batch: Hashable, Sendable {
    /// Encoded transactions, what they approve before them.
    public var transactions: [[UInt8]]
    /// What some of these approve and the sender no longer keeps.
    public var pruned: [Digest]
    /// Whether there is more, to be had by another frontier.
    public var hasMore: Bool
    /// Whether this answers a frontier, and not a want.
    public var answersFrontier: Bool

    /// A batch.
    public init(transactions: [[UInt8]] = [], pruned: [Digest] = [], hasMore: Bool = false, answersFrontier: Bool = false) {
      self.transactions = transactions
      self.pruned = pruned
      self.hasMore = hasMore
      self.answersFrontier = answersFrontier
    }
  }

  /// The protocol's name.
  public static let protocolID = "/murmur/ledger/1"
  /// The most bytes of an encoded message.
  public static let mostBytes = 1 << 20
  /// The most digests in a frontier or a want.
  public static let mostDigests = 1_024
  /// The most transactions in a batch.
  public static let mostTransactions = 1_024
  /// The most digests of pruned transactions in a batch: three for each transaction.
  public static let mostPruned = 3 * mostTransactions
}

/// The message as protobuf bytes.
extension LedgerMessage {
  /// The encoded message, without the length that frames it on a stream.
  public func encode() -> [UInt8] {
    var message = Murmur_Ledger_Message()
    switch self {
    case .frontier(let digests): message.frontier.digests = .init(wire: LedgerMessage.joined(digests))
    case .wanted(let digests): message.wanted.digests = .init(wire: LedgerMessage.joined(digests))
    case .batch(let batch):
      message.batch.transactions = batch.transactions.map { .init(wire: $0) }
      message.batch.pruned = .init(wire: LedgerMessage.joined(batch.pruned))
      message.batch.more = batch.hasMore
      message.batch.answersFrontier = batch.answersFrontier
    }
    return message.wire
  }

  /// How many bytes ``encode()`` gives, counted without encoding; exact.
  public var wireSize: Int {
    switch self {
    case .frontier(let digests), .wanted(let digests):
      let inner = digests.isEmpty ? 0 : LedgerMessage.delimited(digests.count * Digest.count)
      return LedgerMessage.delimited(inner)
    case .batch(let batch):
      var inner = batch.transactions.reduce(0) { $0 + LedgerMessage.delimited($1.count) }
      if !batch.pruned.isEmpty { inner += LedgerMessage.delimited(batch.pruned.count * Digest.count) }
      inner += (batch.hasMore ? 2 : 0) + (batch.answersFrontier ? 2 : 0)
      return LedgerMessage.delimited(inner)
    }
  }

  private static func delimited(_ count: Int) -> Int { 1 + Varint.size(UInt64(count)) + count }

  /// The message that `bytes` encode; throws on anything that is none or exceeds the limits. Transactions in it are not read yet.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> LedgerMessage {
    let what = "ledger message"
    guard bytes.count <= mostBytes else { throw WireError(what, "has \(bytes.count) bytes; at most \(mostBytes) are read") }
    try ProtobufScan.bound(bytes[...], what: what, fields: 8)
    var scan = ProtobufScan(bytes[...], what: what)
    while let field = try scan.next() {
      try ProtobufScan.bound(field.payload, what: what, fields: mostTransactions + 8, counting: [(1, mostTransactions)])
    }
    let message = try Murmur_Ledger_Message(wire: bytes, what: what, depth: 2)
    switch message.kind {
    case .frontier(let frontier): return .frontier(try split(frontier.digests.array, mostDigests))
    case .wanted(let wanted): return .wanted(try split(wanted.digests.array, mostDigests))
    case .batch(let batch):
      let transactions = batch.transactions.map(\.array)
      guard transactions.allSatisfy({ $0.count <= Transaction.mostBytes }) else {
        throw WireError(what, "holds a transaction of more than \(Transaction.mostBytes) bytes")
      }
      return .batch(
        Batch(
          transactions: transactions, pruned: try split(batch.pruned.array, mostPruned), hasMore: batch.more,
          answersFrontier: batch.answersFrontier))
    case nil: throw WireError(what, "is of no kind that is known")
    }
  }

  static func joined(_ digests: [Digest]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(digests.count * Digest.count)
    for digest in digests { digest.append(to: &out) }
    return out
  }

  static func split(_ bytes: [UInt8], _ most: Int) throws(WireError) -> [Digest] {
    guard bytes.count % Digest.count == 0, bytes.count / Digest.count <= most else {
      throw WireError("ledger message", "\(bytes.count) bytes are not up to \(most) digests of \(Digest.count)")
    }
    return stride(from: 0, to: bytes.count, by: Digest.count).compactMap { Digest(bytes[$0..<$0 + Digest.count]) }
  }
}
