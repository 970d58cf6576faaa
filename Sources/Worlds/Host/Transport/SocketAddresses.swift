import MurmurWire
import NIOCore

/// Where a multiaddr leads, as far as this transport can go: TCP over IPv4, IPv6 or a host name.
enum Endpoint: Sendable {
  case address(SocketAddress)
  case name(String, port: Int)

  /// The endpoint of an address such as `/ip4/127.0.0.1/tcp/4001/p2p/12D3…`; `nil` if it needs another transport.
  init?(_ address: Multiaddr) {
    var parts = address.parts[...]
    if case .p2p? = parts.last { parts = parts.dropLast() }
    guard parts.count == 2, case .tcp(let port)? = parts.last, let first = parts.first else { return nil }
    switch first {
    case .ip4(let bytes), .ip6(let bytes):
      guard let socket = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port)) else { return nil }
      self = .address(socket)
    case .dns(let name), .dns4(let name), .dns6(let name): self = .name(name, port: Int(port))
    default: return nil
    }
  }
}

extension Multiaddr {
  /// The TCP address of a socket; `nil` for sockets of other families.
  init?(_ socket: SocketAddress?) {
    guard let socket, let port = socket.port, let host = socket.ipAddress else { return nil }
    let family = socket.protocol == .inet ? "ip4" : "ip6"
    guard let address = try? Multiaddr(parsing: "/\(family)/\(host)/tcp/\(port)") else { return nil }
    self = address
  }
}
