public import MurmurWire

/// What a ledger remembers beside its transactions: how far every issuer has come, and what need not be had.
public struct LedgerSnapshot: Hashable, Sendable {
  /// How far one issuer has come.
  public struct Issuer: Hashable, Sendable {
    /// Its Ed25519 key.
    public var key: Digest
    /// The last number of its chain; −1 for none, at most ``Transaction/mostSequence``.
    public var sequence: Int64
    /// The last transaction of its chain.
    public var last: Digest?
    /// All up to this number were pruned; −1 for none.
    public var prunedSequence: Int64
    /// Whether it issued twice in one place.
    public var isDistrusted: Bool

    /// How far an issuer has come.
    public init(key: Digest, sequence: Int64, last: Digest?, prunedSequence: Int64, isDistrusted: Bool) {
      self.key = key
      self.sequence = sequence
      self.last = last
      self.prunedSequence = prunedSequence
      self.isDistrusted = isDistrusted
    }
  }

  /// All issuers.
  public var issuers: [Issuer]
  /// Transactions that were pruned and that others may approve, in ascending order.
  public var entryPoints: [Digest]

  /// A snapshot.
  public init(issuers: [Issuer] = [], entryPoints: [Digest] = []) {
    self.issuers = issuers
    self.entryPoints = entryPoints
  }

  /// The most issuers and entry points that are read.
  public static let most = 1 << 20

  /// DAG-CBOR: `[1, [[key, sequence + 1, last or null, pruned sequence + 1, 0 or 1], …], entry points in one byte string]`.
  public func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(issuers.count * 90 + entryPoints.count * Digest.count + 32)
    out.append(cborArray: 3)
    out.append(cborNumber: 1)
    out.append(cborArray: issuers.count)
    for issuer in issuers {
      out.append(cborArray: 5)
      out.append(cborBytes: issuer.key.bytes)
      out.append(cborNumber: UInt64(issuer.sequence + 1))
      if let last = issuer.last { out.append(cborBytes: last.bytes) } else { out.appendCBORNull() }
      out.append(cborNumber: UInt64(issuer.prunedSequence + 1))
      out.append(cborNumber: issuer.isDistrusted ? 1 : 0)
    }
    out.append(cborBytes: LedgerMessage.joined(entryPoints))
    return out
  }

  /// The snapshot that `bytes` encode.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> LedgerSnapshot {
    var reader = CBORReader(bytes, what: "ledger snapshot")
    try reader.array(of: 3)
    guard try reader.number() == 1 else { throw WireError("ledger snapshot", at: 1, "only version 1 is known") }
    var snapshot = LedgerSnapshot()
    for _ in 0..<(try reader.array(most)) {
      try reader.array(of: 5)
      let key = try reader.digest()
      let sequence = Int64(try reader.number(Transaction.mostSequence + 1)) - 1
      let last = try reader.isNull() ? nil : try reader.digest()
      let pruned = Int64(try reader.number(Transaction.mostSequence + 1)) - 1
      let isDistrusted = try reader.number(1) == 1
      snapshot.issuers.append(
        Issuer(key: key, sequence: sequence, last: last, prunedSequence: pruned, isDistrusted: isDistrusted))
    }
    let points = try reader.content(most * Digest.count)
    guard points.count % Digest.count == 0 else { throw WireError("ledger snapshot", "its entry points are cut off") }
    for start in stride(from: 0, to: points.count, by: Digest.count) {
      if let digest = Digest(points[start..<start + Digest.count]) { snapshot.entryPoints.append(digest) }
    }
    try reader.end()
    return snapshot
  }
}
