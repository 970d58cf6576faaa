public import MurmurWire

/// Cuts the bytes of a stream into messages, each behind its length as a varint, as most protocols of libp2p frame theirs.
///
///     var framing = MessageFraming(most: 1 << 20)
///     framing.append(bytes)
///     while let message = try framing.next() { … }
public struct MessageFraming: Sendable {
  /// The most bytes a message may have.
  public let most: Int
  private var pending: [UInt8] = []
  private var start = 0

  /// At the beginning of a stream whose messages have at most `most` bytes.
  public init(most: Int) {
    precondition(most > 0 && most < 1 << 32, "a bound of \(most) bytes makes no sense")
    self.most = most
  }

  /// Bytes that are kept because their message is not complete; never more than a message, its length and what came with its end.
  public var waiting: Int { pending.count - start }

  /// Takes bytes of the stream. Take out all messages with ``next()`` before more bytes are appended, or they pile up.
  public mutating func append(_ bytes: [UInt8]) {
    if start == pending.count {
      pending = bytes
    } else {
      pending.removeFirst(start)
      pending.append(contentsOf: bytes)
    }
    start = 0
  }

  /// The next complete message; `nil` if more bytes are needed. Throws as soon as a length is not a varint or too large: the stream is
  /// of no use then.
  public mutating func next() throws(WireError) -> [UInt8]? {
    let what = "message length"
    let end = pending[start...].prefix(Varint.longest).firstIndex { $0 < 0x80 }
    guard let end else {
      guard waiting < Varint.longest else { throw WireError(what, "the number is longer than \(Varint.longest) bytes") }
      return nil
    }
    var position = start
    let length = try Varint.read(pending, at: &position, what: what)
    guard length <= UInt64(most) else { throw WireError(what, "\(length) bytes are announced, at most \(most) are allowed") }
    guard pending.count - position >= Int(length) else { return nil }
    let message = Array(pending[position..<position + Int(length)])
    start = max(position + Int(length), end + 1)
    return message
  }

  /// Whether the stream may end here: no message is cut off.
  public var isAtBoundary: Bool { waiting == 0 }

  /// The message with its length before it.
  public static func frame(_ message: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(message.count + Varint.longest)
    Varint.append(UInt64(message.count), to: &out)
    out.append(contentsOf: message)
    return out
  }
}
