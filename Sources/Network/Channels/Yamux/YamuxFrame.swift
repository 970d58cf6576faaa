package import MurmurWire

/// The header of a frame of yamux (libp2p/specs `yamux`, "Framing"): twelve bytes, numbers big-endian.
package struct YamuxHeader: Hashable, Sendable {
  /// The bytes of a header.
  package static let byteCount = 12

  /// What a frame is.
  package enum Kind: UInt8, Hashable, Sendable {
    case data = 0
    case windowUpdate = 1
    case ping = 2
    case goAway = 3
  }

  /// What a frame also says.
  package struct Flags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The first frame of a stream; a question, in a ping.
    package static let syn = Flags(rawValue: 1)
    /// The first answer to a stream; an answer, in a ping.
    package static let ack = Flags(rawValue: 2)
    /// The sender's last frame.
    package static let fin = Flags(rawValue: 4)
    /// The end of the stream, both ways.
    package static let rst = Flags(rawValue: 8)
  }

  /// What the frame is.
  package var kind: Kind
  /// What it also says.
  package var flags: Flags
  /// The stream, zero for the whole connection.
  package var stream: UInt32
  /// Bytes that follow, bytes that may be sent, a ping's number or a code.
  package var length: UInt32

  /// The header with these fields.
  package init(_ kind: Kind, _ flags: Flags, stream: UInt32, length: UInt32) {
    self.kind = kind
    self.flags = flags
    self.stream = stream
    self.length = length
  }

  /// The header in these twelve bytes.
  package init(_ bytes: [UInt8]) throws(WireError) {
    precondition(bytes.count == YamuxHeader.byteCount, "a header has twelve bytes")
    guard bytes[0] == 0 else { throw WireError("yamux header", at: 0, "version \(bytes[0]) is not 0") }
    guard let kind = Kind(rawValue: bytes[1]) else { throw WireError("yamux header", at: 1, "type \(bytes[1]) does not exist") }
    self.kind = kind
    flags = Flags(rawValue: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
    stream = YamuxHeader.number(bytes, 4)
    length = YamuxHeader.number(bytes, 8)
  }

  private static func number(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8 | UInt32(bytes[at + 3])
  }

  /// Appends the twelve bytes to `out`.
  package func append(to out: inout [UInt8]) {
    out.append(0)
    out.append(kind.rawValue)
    out.append(UInt8(truncatingIfNeeded: flags.rawValue >> 8))
    out.append(UInt8(truncatingIfNeeded: flags.rawValue))
    for number in [stream, length] {
      for shift: UInt32 in [24, 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
  }
}
