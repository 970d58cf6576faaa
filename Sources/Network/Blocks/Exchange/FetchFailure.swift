public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// Why an object could not be fetched.
public struct FetchFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// How far the fetch had come.
  public let phase: Phase
  /// Why it ended.
  public let reason: Reason
  /// The peers that were asked, in the order they were asked first.
  public let asked: [PeerID]
  /// A block that is missing.
  public let missing: CID
  /// Blocks that came.
  public let blocks: Int
  /// Bytes that came.
  public let bytes: Int
  /// How long it took.
  public let elapsed: Instant.Span

  /// How far a fetch had come.
  public enum Phase: String, Hashable, Sendable {
    /// Nobody was found who could be asked.
    case finding
    /// The root was asked for and did not come.
    case root
    /// The root came, some blocks below it did not.
    case blocks
  }

  /// Why a fetch ended.
  public enum Reason: Hashable, Sendable {
    /// No provider was named and no peer is connected.
    case nobodyToAsk
    /// Everybody who was asked says not to have the block.
    case nobodyHasIt
    /// Those who did not refuse stay silent or are disconnected.
    case silence
    /// The deadline passed.
    case deadline
    /// The store has no room beside pinned blocks, or the block is too large.
    case storeFull
    /// The world could not keep a block.
    case notStored
    /// The object has more blocks than ``Limits/blocksPerFetch``.
    case tooManyBlocks
    /// ``Limits/fetches`` are going on already.
    case tooManyFetches
    /// The object has more bytes than it may have.
    case tooLarge
  }

  /// One sentence: phase, reason, peers, how far it came.
  public var description: String {
    let what =
      switch phase {
      case .finding: "finding a provider failed"
      case .root: "fetching the root failed"
      case .blocks: "fetching the blocks failed at \(missing) after \(blocks) blocks, \(bytes) bytes"
      }
    let why =
      switch reason {
      case .nobodyToAsk: "no provider is known and no peer is connected"
      case .nobodyHasIt: "nobody has it"
      case .silence: "peers do not answer"
      case .deadline: "the deadline passed"
      case .storeFull: "the store is full of pinned blocks; unpin some or raise its budget"
      case .notStored: "a block could not be written to the store; see why in the log"
      case .tooManyBlocks: "the object has too many blocks"
      case .tooManyFetches: "too many objects are being fetched; wait for one to end"
      case .tooLarge: "the object has more bytes than it may have"
      }
    let who = asked.isEmpty ? "nobody was asked" : "asked: " + asked.map(\.description).joined(separator: ", ")
    return "\(what) within \(elapsed.seconds) s: \(why) (\(who))"
  }
}
