public import MurmurWire

/// Bytes and their name.
///
/// Copies share the bytes (copy on write), so that one model block of megabytes lies in memory once however many simulated peers
/// hold it. Whoever makes a block from bytes that came over a network uses ``init(verifying:bytes:)``.
public struct Block: Hashable, Sendable {
  /// The name that the bytes hash to.
  public let cid: CID
  /// The content.
  public let bytes: [UInt8]
  /// Whether the bytes were hashed on this machine, here or by the caller. ``Exchange`` hashes what is not verified and refuses it
  /// if the name is wrong.
  public let isVerified: Bool
  /// Whether the one it is sent to knows it by its name of version 0 (`Qm…`), which then goes with it over Bitswap.
  public internal(set) var isVersion0 = false

  /// The most bytes a block may have: what every Bitswap implementation passes on.
  public static let mostBytes = 2 << 20

  /// The block of these bytes, named by hashing them.
  public init(_ bytes: [UInt8], codec: CID.Codec = .raw) {
    self.init(trusted: CID(codec: codec, hashing: bytes), bytes: bytes)
  }

  /// The block with a name that the caller knows to be right, for instance because it hashed the bytes before.
  public init(trusted cid: CID, bytes: [UInt8]) {
    self.cid = cid
    self.bytes = bytes
    self.isVerified = true
  }

  /// The block with a name that nobody checked; a simulator makes corrupted blocks like this.
  public init(claimed cid: CID, bytes: [UInt8]) {
    self.cid = cid
    self.bytes = bytes
    self.isVerified = false
  }

  /// The block, if `bytes` hash to `cid`; `nil` otherwise.
  public init?(verifying cid: CID, bytes: [UInt8]) {
    guard cid.matches(bytes) else { return nil }
    self.init(trusted: cid, bytes: bytes)
  }

  /// Two blocks are the same if their names are; the bytes follow from it.
  public static func == (left: Block, right: Block) -> Bool { left.cid == right.cid }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { cid.hash(into: &hasher) }
}
