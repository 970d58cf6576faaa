/// The binary form: for each part its code as a varint, then its argument, behind its length where that varies.
extension Multiaddr {
  /// The binary form.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    for part in parts {
      Varint.append(part.code, to: &out)
      switch part {
      case .ip4(let address), .ip6(let address): out += address
      case .tcp(let port), .udp(let port): out += [UInt8(port >> 8), UInt8(port & 0xff)]
      case .p2p(let hash): Multiaddr.append(hash.bytes, to: &out)
      case .certhash(let hash): Multiaddr.append(hash, to: &out)
      default:
        if let text = part.text { Multiaddr.append(Array(text.utf8), to: &out) }
      }
    }
    return out
  }

  private static func append(_ argument: [UInt8], to out: inout [UInt8]) {
    Varint.append(UInt64(argument.count), to: &out)
    out += argument
  }

  /// The address whose binary form is `bytes`; protocols we do not know are refused.
  public init(bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= Multiaddr.mostBytes else {
      throw WireError("multiaddr", "has \(bytes.count) bytes; at most \(Multiaddr.mostBytes) are read")
    }
    guard !bytes.isEmpty else { throw WireError("multiaddr", "is empty") }
    var parts: [Part] = []
    var position = 0
    while position < bytes.count {
      if case .unix? = parts.last { throw WireError("multiaddr", at: position, "a path is the last part of an address") }
      guard parts.count < Multiaddr.mostParts else { throw WireError("multiaddr", "has more than \(Multiaddr.mostParts) parts") }
      parts.append(try Multiaddr.part(bytes, at: &position))
    }
    self.init(parts)
  }

  private static func part(_ bytes: [UInt8], at position: inout Int) throws(WireError) -> Part {
    let start = position
    let code = try Varint.read(bytes, at: &position, what: "multiaddr")
    switch code {
    case 0x04: return .ip4(try take(4, bytes, at: &position))
    case 0x29: return .ip6(try take(16, bytes, at: &position))
    case 0x06: return .tcp(try port(bytes, at: &position))
    case 0x0111: return .udp(try port(bytes, at: &position))
    case 0x01a5: return .p2p(try multihash(try argument(bytes, at: &position), at: start))
    case 0x01d2: return .certhash(try argument(bytes, at: &position))
    default: break
    }
    if let bare = Part.bare.first(where: { $0.code == code }) { return bare.part }
    guard let textual = Part.textual.first(where: { $0.code == code }) else {
      throw WireError("multiaddr", at: start, "protocol 0x\(String(code, radix: 16)) is not supported")
    }
    let content = try argument(bytes, at: &position)
    guard let text = String(validating: content, as: UTF8.self), Part.isSound(text, code: code) else {
      throw WireError("multiaddr", at: start, "the name after /\(textual.name) is empty or has characters that no name has")
    }
    return textual.make(text)
  }

  static func multihash(_ bytes: [UInt8], at start: Int) throws(WireError) -> Multihash {
    var position = 0
    let hash = try Multihash.read(bytes, at: &position)
    guard position == bytes.count else { throw WireError("multiaddr", at: start, "bytes follow the peer's multihash") }
    return hash
  }

  private static func take(_ count: Int, _ bytes: [UInt8], at position: inout Int) throws(WireError) -> [UInt8] {
    guard bytes.count - position >= count else { throw WireError("multiaddr", at: position, "is cut off") }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  private static func port(_ bytes: [UInt8], at position: inout Int) throws(WireError) -> UInt16 {
    let pair = try take(2, bytes, at: &position)
    return UInt16(pair[0]) << 8 | UInt16(pair[1])
  }

  private static func argument(_ bytes: [UInt8], at position: inout Int) throws(WireError) -> [UInt8] {
    let length = try Varint.read(bytes, at: &position, what: "multiaddr")
    guard length <= UInt64(mostBytes) else { throw WireError("multiaddr", at: position, "an argument has \(length) bytes") }
    return try take(Int(length), bytes, at: &position)
  }
}
