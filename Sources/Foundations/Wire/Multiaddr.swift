/// A network address that says how it is to be used: multiformats/multiaddr, e.g. `/ip4/192.0.2.1/tcp/4001/p2p/12D3KooW…`.
public struct Multiaddr: Hashable, Sendable {
  /// The parts, outermost first.
  public let parts: [Part]

  /// One part of an address.
  public enum Part: Hashable, Sendable {
    /// Four bytes.
    case ip4([UInt8])
    /// Sixteen bytes.
    case ip6([UInt8])
    /// The zone of the IPv6 address that follows.
    case ip6zone(String)
    /// A host name, resolved to any, IPv4 or IPv6 addresses, or to whole addresses in text records.
    case dns(String)
    case dns4(String)
    case dns6(String)
    case dnsaddr(String)
    /// A port.
    case tcp(UInt16)
    case udp(UInt16)
    /// The multihash of a peer's key.
    case p2p(Multihash)
    /// What comes after is reached through the peer before.
    case p2pCircuit
    /// Transports without an argument.
    case quic
    case quicV1
    case ws
    case wss
    case tls
    case noise
    case http
    case https
    case webtransport
    /// A certificate's hash, for WebTransport; kept as it is.
    case certhash([UInt8])
    /// A server name, for TLS.
    case sni(String)
    /// A file system path, always last.
    case unix(String)
  }

  /// The most bytes a binary address may have, and the most characters of a text.
  public static let mostBytes = 1_024
  /// The most parts an address may have.
  public static let mostParts = 32

  /// The address made of `parts`.
  public init(_ parts: [Part]) { self.parts = parts }

  /// What the address says about the peer at its end; `nil` if it says nothing.
  public var peer: Multihash? {
    for part in parts.reversed() { if case .p2p(let hash) = part { return hash } }
    return nil
  }
}

/// The table of protocols: code, name, part.
extension Multiaddr.Part {
  /// Codes and names of the parts without an argument.
  static let bare: [(code: UInt64, name: String, part: Multiaddr.Part)] = [
    (0x0122, "p2p-circuit", .p2pCircuit), (0x01cc, "quic", .quic), (0x01cd, "quic-v1", .quicV1), (0x01dd, "ws", .ws),
    (0x01de, "wss", .wss), (0x01c0, "tls", .tls), (0x01c6, "noise", .noise), (0x01e0, "http", .http), (0x01bb, "https", .https),
    (0x01d1, "webtransport", .webtransport),
  ]

  /// Codes and names of the parts with an argument of text behind its length.
  static let textual: [(code: UInt64, name: String, make: @Sendable (String) -> Multiaddr.Part)] = [
    (0x2a, "ip6zone", { .ip6zone($0) }), (0x35, "dns", { .dns($0) }), (0x36, "dns4", { .dns4($0) }),
    (0x37, "dns6", { .dns6($0) }), (0x38, "dnsaddr", { .dnsaddr($0) }), (0x01c1, "sni", { .sni($0) }),
    (0x0190, "unix", { .unix($0) }),
  ]

  /// The protocol's code.
  public var code: UInt64 {
    switch self {
    case .ip4: 0x04
    case .ip6: 0x29
    case .tcp: 0x06
    case .udp: 0x0111
    case .p2p: 0x01a5
    case .certhash: 0x01d2
    case .ip6zone: 0x2a
    case .dns: 0x35
    case .dns4: 0x36
    case .dns6: 0x37
    case .dnsaddr: 0x38
    case .sni: 0x01c1
    case .unix: 0x0190
    case .p2pCircuit, .quic, .quicV1, .ws, .wss, .tls, .noise, .http, .https, .webtransport:
      Multiaddr.Part.bare.first { $0.part == self }?.code ?? 0
    }
  }

  /// The text of a part whose argument is text.
  var text: String? {
    switch self {
    case .ip6zone(let text), .dns(let text), .dns4(let text), .dns6(let text), .dnsaddr(let text), .sni(let text),
      .unix(let text):
      text
    case .ip4, .ip6, .tcp, .udp, .p2p, .certhash, .p2pCircuit, .quic, .quicV1, .ws, .wss, .tls, .noise, .http, .https,
      .webtransport:
      nil
    }
  }

  /// Whether `text` may stand in an address: not empty, no slash, no control characters. A path has slashes, but starts with just
  /// one and ends without, so that it is written in one way only.
  static func isSound(_ text: String, code: UInt64) -> Bool {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return false }
    guard code == 0x0190 else { return !text.utf8.contains(UInt8(ascii: "/")) }
    return text.hasPrefix("/") && !text.hasPrefix("//") && !text.hasSuffix("/")
  }
}
