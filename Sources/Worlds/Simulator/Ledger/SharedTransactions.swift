public import MurmurIdentity
public import MurmurLedger
internal import MurmurWire
internal import Synchronization

/// Decoding and checking of transactions with a memory, for worlds of many peers: what came in the same array was checked before.
///
/// Peers of one world pass arrays on without copying them, so an array's place in memory names it as long as it is kept, and the memory keeps
/// it. The result is that of the pure function it remembers.
public final class SharedTransactions: Sendable {
  private struct State {
    var known: [UInt: Transaction] = [:]
    var checked = 0
  }

  // house:allow(purity) a lock around the memory of a pure function: no result depends on who holds it
  private let state = Mutex(State())
  private let least: Int

  /// The most transactions that are remembered; beyond, all are forgotten.
  public static let most = 1 << 20

  /// A memory that demands at least that many bits of work.
  public init(least: Int) { self.least = least }

  /// How many transactions were really checked.
  public var checked: Int { state.withLock { $0.checked } }

  /// The checked transaction of these bytes.
  public func decode(_ bytes: [UInt8]) -> Result<Transaction, LedgerError> {
    let place = unsafe bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    return state.withLock { state in
      // The comparison ends at once where the storage is the same.
      if let known = state.known[place], known.bytes == bytes { return .success(known) }
      state.checked += 1
      let result = Result { () throws(LedgerError) in
        try Transaction.verified(bytes, least: least) { SharedTransactions.signature(of: $0, over: $1) == $2 }
      }
      if case .success(let transaction) = result {
        if state.known.count >= SharedTransactions.most { state.known = [:] }
        state.known[place] = transaction
      }
      return result
    }
  }

  /// What stands for a signature in a world without keys, the same for the same words on every machine: 64 bytes.
  public static func signature(of issuer: PeerID, over message: [UInt8]) -> [UInt8] {
    let first = Digest.sha256(of: issuer.word.bytes + message)
    return first.bytes + Digest.sha256(of: first.bytes).bytes
  }
}
