public import NIOCore

/// One piece of what is said on a control socket: a kind, a length, and so many bytes.
///
///     byte 0      the kind
///     bytes 1–4   the length, big-endian
///     then        JSON, text, or bytes of a file
///
/// A program that asks sends one ``request(_:)``, then the file's bytes if it has one to give, and ``end``. The peer says how far it is by
/// ``note(_:)``, gives bytes of a file if they were asked for, and ends with an ``answer(_:)`` or a ``failure(_:)``.
public enum ControlFrame: Hashable, Sendable {
  /// What is asked for, as JSON.
  case request([UInt8])
  /// The last of what is said: what came of it, as JSON.
  case answer([UInt8])
  /// How far it is, as JSON.
  case note([UInt8])
  /// A part of a file, in order.
  case bytes([UInt8])
  /// The file is complete.
  case end
  /// The last of what is said: why nothing came of it, in words for a person.
  case failure(String)

  /// The most bytes of a part of a file.
  public static let mostBytes = 1 << 20
  /// The most bytes of JSON or text.
  public static let mostText = 1 << 20
  /// Bytes before the content.
  public static let head = 5

  private var code: UInt8 {
    switch self {
    case .request: 1
    case .answer: 2
    case .note: 3
    case .bytes: 4
    case .end: 5
    case .failure: 6
    }
  }

  /// Appends the frame as it is sent. A longer content than is allowed is the caller's error; words are cut.
  public func write(to out: inout ByteBuffer) {
    let content: [UInt8]
    switch self {
    case .request(let json), .answer(let json), .note(let json): content = json
    case .bytes(let bytes): content = bytes
    case .end: content = []
    case .failure(let words): content = Array(words.utf8.prefix(ControlFrame.mostText))
    }
    precondition(content.count <= ControlFrame.mostBytes, "a frame has at most \(ControlFrame.mostBytes) bytes")
    out.writeInteger(code)
    out.writeInteger(UInt32(content.count))
    out.writeBytes(content)
  }

  /// Takes the next frame out of what came; `nil` if it is not complete. Throws for what no frame can be; then nothing after it can be read.
  public static func read(from buffer: inout ByteBuffer) throws(ControlError) -> ControlFrame? {
    guard buffer.readableBytes >= head, let code = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
      let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self)
    else { return nil }
    guard (1...6).contains(code) else {
      throw ControlError("a frame of kind \(code) is none; is the other side a murmur program?")
    }
    let most = code == 4 ? mostBytes : code == 5 ? 0 : mostText
    guard length <= UInt32(most) else {
      throw ControlError("a frame of kind \(code) has \(length) bytes; at most \(most) are read")
    }
    guard buffer.readableBytes >= head + Int(length) else { return nil }
    buffer.moveReaderIndex(forwardBy: head)
    let content = buffer.readBytes(length: Int(length)) ?? []
    switch code {
    case 1: return .request(content)
    case 2: return .answer(content)
    case 3: return .note(content)
    case 4: return .bytes(content)
    case 5: return .end
    default: return .failure(String(decoding: content, as: UTF8.self))
    }
  }
}

/// Something about a control socket, in words that say what to do.
public struct ControlError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String
  /// An error of these words.
  public init(_ description: String) { self.description = description }
}

/// Bytes into frames, on a socket.
struct ControlDecoder: NIOSingleStepByteToMessageDecoder {
  typealias InboundOut = ControlFrame

  mutating func decode(buffer: inout ByteBuffer) throws -> ControlFrame? { try ControlFrame.read(from: &buffer) }

  mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> ControlFrame? {
    try ControlFrame.read(from: &buffer)
  }
}

/// Frames into bytes, on a socket.
struct ControlEncoder: MessageToByteEncoder {
  typealias OutboundIn = ControlFrame

  func encode(data: ControlFrame, out: inout ByteBuffer) throws { data.write(to: &out) }
}
