/// How a store keeps what it is given.
public struct StoreOptions: Hashable, Sendable {
  /// When the bytes of blocks are made safe against a loss of power. Against the end of the process they are safe in any case.
  public enum Durability: String, Hashable, Sendable, CaseIterable {
    /// Before a put returns.
    case always
    /// Before a flush returns; a put flushes by itself when ``StoreOptions/batchBytes`` have gathered.
    case batch
    /// When the system likes. What a loss of power tore is recognised by its hash and dropped.
    case never
  }

  /// When blocks are made safe.
  public var durability = Durability.batch
  /// Bytes of blocks that are kept; when more come, blocks that nobody pinned go, the longest unused first.
  public var limit = 16 << 30
  /// Bytes that may wait for a flush.
  public var batchBytes = 16 << 20
  /// Peers whose addresses are remembered; those not reached for the longest time go first.
  public var peers = 2_048
  /// Peers whose ledgers are remembered; those not heard of for the longest time go first.
  public var ledgers = 16_384
  /// Entries of one area of states; a new one beyond that replaces the one saved longest ago.
  public var entriesPerArea = 65_536
  /// Blocks that are known not to need another look at their hash in this run.
  public var remembered = 16_384

  /// The usual options.
  public init() {}
}
