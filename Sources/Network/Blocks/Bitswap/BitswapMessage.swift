public import MurmurWire

/// What two peers exchanging blocks say to each other: one Bitswap 1.2 message as a value.
///
/// The simulator passes these values and counts ``wireSize`` bytes; a host passes ``encode()`` and ``decode(_:)``. Both carry the
/// same content, so that machines cannot tell the worlds apart. Source: ipfs/specs, "Bitswap", 1.2.0.
public struct BitswapMessage: Hashable, Sendable {
  /// Changes to what the sender wants, or all of it if ``isFull``.
  public var wants: [Want]
  /// Whether ``wants`` replaces everything the sender wanted before.
  public var isFull: Bool
  /// Blocks the receiver asked for.
  public var blocks: [Block]
  /// Answers to "have you got it?", and refusals.
  public var presences: [Presence]
  /// How many bytes the sender still has queued for the receiver, after this message.
  public var pendingBytes: Int

  /// A message; without arguments an empty one.
  public init(
    wants: [Want] = [], isFull: Bool = false, blocks: [Block] = [], presences: [Presence] = [], pendingBytes: Int = 0
  ) {
    self.wants = wants
    self.isFull = isFull
    self.blocks = blocks
    self.presences = presences
    self.pendingBytes = pendingBytes
  }

  /// Whether the message says nothing.
  public var isEmpty: Bool { wants.isEmpty && !isFull && blocks.isEmpty && presences.isEmpty && pendingBytes == 0 }

  /// One line of a want-list.
  public struct Want: Hashable, Sendable {
    /// The block in question.
    public var cid: CID
    /// What is asked.
    public var kind: Kind
    /// Higher is served first.
    public var priority: Int32
    /// Whether a "no" is to be answered, rather than silence until the block turns up.
    public var sendDontHave: Bool
    /// Whether the sender named the block by its version 0 identifier (`Qm…`); answers must name it so too.
    public var isVersion0 = false

    /// A line of a want-list.
    public init(_ cid: CID, _ kind: Kind = .block, priority: Int32 = 1, sendDontHave: Bool = true) {
      self.cid = cid
      self.kind = kind
      self.priority = priority
      self.sendDontHave = sendDontHave
    }

    /// What is asked about a block.
    public enum Kind: UInt8, Hashable, Sendable {
      /// Send the block.
      case block
      /// Say whether you have it.
      case have
      /// Forget that I wanted it.
      case cancel
    }
  }

  /// Whether the sender has a block.
  public struct Presence: Hashable, Sendable {
    /// The block in question.
    public var cid: CID
    /// True for HAVE, false for DONT_HAVE.
    public var has: Bool
    /// Whether the block is named by its version 0 identifier, as whoever asked did.
    public var isVersion0: Bool

    /// Whether the sender has `cid`.
    public init(_ cid: CID, has: Bool, isVersion0: Bool = false) {
      self.cid = cid
      self.has = has
      self.isVersion0 = isVersion0
    }
  }

  /// The most lines a want-list may have.
  public static let mostWants = 1_024
  /// The most blocks one message may carry.
  public static let mostBlocks = 1_024
  /// The most presences one message may carry.
  public static let mostPresences = 2_048
  /// The most bytes an encoded message may have: 4 MiB.
  public static let mostBytes = 4 << 20
}
