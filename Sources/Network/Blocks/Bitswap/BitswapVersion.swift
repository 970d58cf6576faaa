public import MurmurWire

/// The versions of Bitswap, by the protocol identifiers under which streams are opened.
///
/// 1.2.0 added want-have and presences, 1.1.0 the blocks' prefixes; 1.0.0 knows blocks by the version 0 identifier of their bytes.
/// Sources: ipfs/specs "Bitswap"; go-bitswap sends and expects the same.
public enum BitswapVersion: String, Hashable, Sendable, CaseIterable {
  /// Asks and tells who has a block.
  case v12 = "/ipfs/bitswap/1.2.0"
  /// Blocks carry their prefix.
  case v11 = "/ipfs/bitswap/1.1.0"
  /// Blocks are bare bytes.
  case v10 = "/ipfs/bitswap/1.0.0"
  /// As 1.0.0, from before protocols carried a version.
  case unversioned = "/ipfs/bitswap"

  /// All versions, the one to be preferred first: what is offered when a stream is opened.
  public static let preference = allCases.map(\.rawValue)

  /// Whether blocks may be asked about without being asked for, and absences be told.
  public var knowsPresence: Bool { self == .v12 }
}

extension BitswapMessage {
  /// The message as the payload of one frame for a stream of that version; `nil` if nothing is left that the version can say.
  ///
  /// Before 1.2.0 a question whether a block is there becomes a want for the block itself, and presences are left out.
  public func encode(for version: BitswapVersion) -> [UInt8]? {
    guard !version.knowsPresence else { return isEmpty ? nil : encode() }
    var message = self
    message.presences = []
    for index in message.wants.indices {
      if message.wants[index].kind == .have { message.wants[index].kind = .block }
      message.wants[index].sendDontHave = false
    }
    guard version != .v11 else { return message.isEmpty ? nil : message.encode() }
    message.pendingBytes = 0
    guard !message.isEmpty else { return nil }
    return message.encodeBare()
  }
}

/// Cuts the bytes of a Bitswap stream into messages: each is preceded by its length as a varint.
///
/// A value fed with what arrives, in pieces of any size; it holds at most one message of ``BitswapMessage/mostBytes`` and refuses
/// longer ones when it reads their length.
public struct BitswapFrames: Sendable {
  private var buffer: [UInt8] = []
  private var start = 0

  /// A splitter at the beginning of a stream.
  public init() {}

  /// Bytes that are held because their message is not complete.
  public var held: Int { buffer.count - start }

  /// Takes bytes as they arrived.
  public mutating func append(_ bytes: some Collection<UInt8>) {
    if start > 0, start == buffer.count || start > 1 << 20 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole message's bytes; `nil` if more have to arrive. After an error the stream is to be reset.
  public mutating func next() throws(WireError) -> [UInt8]? {
    var length = 0
    var position = start
    for shift in stride(from: 0, through: 28, by: 7) {
      guard position < buffer.count else { return nil }
      let byte = buffer[position]
      position += 1
      length |= Int(byte & 0x7f) << shift
      guard byte < 0x80 else { continue }
      guard length <= BitswapMessage.mostBytes else {
        throw WireError(
          "Bitswap stream", "a message of \(length) bytes is announced; at most \(BitswapMessage.mostBytes) are read")
      }
      guard buffer.count - position >= length else { return nil }
      defer { start = position + length }
      return Array(buffer[position..<position + length])
    }
    throw WireError("Bitswap stream", "the length of a message has more than five bytes")
  }

  /// The frame of a message: its length, then it.
  public static func frame(_ message: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(message.count + 4)
    Varint.append(UInt64(message.count), to: &out)
    out += message
    return out
  }
}
