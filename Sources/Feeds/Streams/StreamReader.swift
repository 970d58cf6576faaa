public import MurmurWire

/// A reader's side of a stream: a place in it, and the side keys that were given.
public struct StreamReader: Sendable {
  /// Where it reads next.
  public private(set) var pointer: StreamPointer
  /// The side keys it tries, the newest first.
  public var sides: [SideKey]

  /// A reader that goes on from `pointer`.
  public init(_ pointer: StreamPointer, sides: [SideKey] = []) {
    (self.pointer, self.sides) = (pointer, sides)
  }

  /// Where the next message may be: one address, or one for each side key.
  public var addresses: [Digest] { StreamReader.addresses(of: pointer, sides) }

  /// Where the message at a place may be.
  public static func addresses(of pointer: StreamPointer, _ sides: [SideKey]) -> [Digest] {
    pointer.mode == .restricted ? sides.map { pointer.address($0) } : [pointer.address()]
  }

  /// Opens the next message, found at `address`, and moves on; throws, and stays where it is, if it is not the stream's.
  public mutating func open(_ bytes: [UInt8], at address: Digest) throws(StreamError) -> StreamMessage {
    let message = try StreamReader.open(bytes, at: address, of: &pointer, sides)
    guard let after = pointer.following() else { throw .malformed("it does not say how the stream goes on") }
    pointer = after
    return message
  }

  /// Opens the message at a place of the stream, which learns from it where the next tree is.
  public static func open(
    _ bytes: [UInt8], at address: Digest, of pointer: inout StreamPointer, _ sides: [SideKey]
  ) throws(StreamError) -> StreamMessage {
    guard pointer.mode == .restricted else { return try MessageCoding.open(bytes, at: &pointer, side: nil) }
    guard let side = sides.first(where: { pointer.address($0) == address }) else { throw .misplaced("no side key leads there") }
    return try MessageCoding.open(bytes, at: &pointer, side: side)
  }

  /// Goes over a message that is lost; whether that is possible: of the first message of a tree nothing is known until one of the tree
  /// before was read.
  public mutating func skip() -> Bool {
    guard let after = pointer.following() else { return false }
    pointer = after
    return true
  }
}
