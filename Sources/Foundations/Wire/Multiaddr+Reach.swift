/// From where an address can be reached, and whom it has for neighbours.
extension Multiaddr {
  /// From where an address can be reached: RFC 6890 and what libp2p makes of it.
  public enum Reach: UInt8, Hashable, Sendable {
    /// Only from the same machine.
    case loopback
    /// Only from the same link (`169.254/16`, `fe80::/10`).
    case link
    /// Only from the same site (RFC 1918, `100.64/10`, `fc00::/7`).
    case site
    /// From the whole internet.
    case global
    /// From wherever the host name resolves.
    case named
    /// From nowhere: unspecified, multicast, reserved, documentation, or not an internet address.
    case none
  }

  /// From where the address can be reached, judged by its first part; relayed addresses (`/p2p-circuit`) are ``Reach/none`` here.
  public var reach: Reach {
    if parts.contains(.p2pCircuit) { return .none }
    for part in parts {
      switch part {
      case .ip6zone: continue
      case .ip4(let bytes): return Multiaddr.reach(ip4: bytes)
      case .ip6(let bytes): return Multiaddr.reach(ip6: bytes)
      case .dns(let name), .dns4(let name), .dns6(let name), .dnsaddr(let name):
        return name == "localhost" || name.hasSuffix(".localhost") || name.hasSuffix(".local") ? .site : .named
      default: return .none
      }
    }
    return .none
  }

  /// The bytes of the internet address it starts with, four or sixteen; `nil` if it starts with something else.
  public var hostBytes: [UInt8]? {
    for part in parts {
      switch part {
      case .ip6zone: continue
      case .ip4(let bytes): return bytes
      case .ip6(let bytes): return bytes.starts(with: Multiaddr.mapped) ? Array(bytes.suffix(4)) : bytes
      default: return nil
      }
    }
    return nil
  }

  /// Whom an address has for neighbours; `nil` for addresses without a host.
  ///
  /// The first sixteen bits of an address of version 4, the first 32 of version 6, or the host name: addresses of one group are cheap
  /// for whoever has one of them, addresses of many groups are not.
  public var group: Group? {
    for part in parts {
      switch part {
      case .ip4(let bytes): return Group(4, bytes.prefix(2))
      case .ip6(let bytes):
        return bytes.starts(with: Multiaddr.mapped) ? Group(4, bytes.dropFirst(12).prefix(2)) : Group(6, bytes.prefix(4))
      case .dns(let name), .dns4(let name), .dns6(let name), .dnsaddr(let name): return Group(named: name)
      default: continue
      }
    }
    return nil
  }

  /// A neighbourhood of addresses: one word.
  public struct Group: Hashable, Comparable, Sendable {
    /// The kind of address and the prefix, or 56 bits of a hash of the name.
    private let word: UInt64

    init(_ version: UInt64, _ prefix: ArraySlice<UInt8>) {
      word = version << 56 | prefix.reduce(0) { $0 << 8 | UInt64($1) }
    }

    init(named name: String) {
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
      word = 1 << 56 | hash >> 8
    }

    /// By kind, then by prefix.
    public static func < (left: Group, right: Group) -> Bool { left.word < right.word }
  }

  private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

  private static func reach(ip4 bytes: [UInt8]) -> Reach {
    guard bytes.count == 4 else { return .none }
    switch (bytes[0], bytes[1], bytes[2]) {
    case (127, _, _): return .loopback
    case (169, 254, _): return .link
    case (10, _, _), (172, 16...31, _), (192, 168, _), (100, 64...127, _): return .site
    case (0, _, _), (224..., _, _), (192, 0, 0), (192, 0, 2), (198, 18...19, _), (198, 51, 100), (203, 0, 113): return .none
    default: return .global
    }
  }

  private static func reach(ip6 bytes: [UInt8]) -> Reach {
    guard bytes.count == 16 else { return .none }
    if bytes.starts(with: mapped) { return reach(ip4: Array(bytes.suffix(4))) }
    if bytes.dropLast().allSatisfy({ $0 == 0 }) { return bytes[15] == 1 ? .loopback : .none }
    if bytes[0] == 0xfe, bytes[1] & 0xc0 == 0x80 { return .link }
    if bytes[0] & 0xfe == 0xfc { return .site }
    if bytes[0] == 0xff || bytes.starts(with: [0x20, 0x01, 0x0d, 0xb8]) { return .none }
    // 2000::/3 is what has been given out, 64:ff9b::/96 leads there.
    return bytes[0] & 0xe0 == 0x20 || bytes.starts(with: [0x00, 0x64, 0xff, 0x9b]) ? .global : .none
  }

  /// The address without what it says about the peer at its end.
  public var withoutPeer: Multiaddr {
    guard case .p2p? = parts.last else { return self }
    return Multiaddr(Array(parts.dropLast()))
  }
}
