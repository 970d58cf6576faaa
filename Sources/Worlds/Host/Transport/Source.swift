package import MurmurWire

/// Where sockets come from, as far as limits go: an IPv4 address, or a network of IPv6 of 64 bits, which is what one line is given.
package struct Source: Hashable, Comparable, Sendable, CustomStringConvertible {
  private let word: UInt64
  private let isVersion6: Bool
  /// Whether it is this machine.
  package let isLoopback: Bool

  /// Where `address` leads; `nil` for names and other addresses.
  package init?(_ address: Multiaddr) {
    let bytes: [UInt8]
    switch address.parts.first {
    case .ip4(let four): bytes = four
    case .ip6(let sixteen):
      let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
      bytes = sixteen.starts(with: mapped) ? Array(sixteen.suffix(4)) : sixteen
    default: return nil
    }
    isVersion6 = bytes.count > 4
    isLoopback = isVersion6 ? bytes == [UInt8](repeating: 0, count: 15) + [1] : bytes.first == 127
    word = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The address, or the network's first eight bytes.
  package var description: String {
    let count = isVersion6 ? 8 : 4
    let bytes = (0..<count).reversed().map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    guard isVersion6 else { return bytes.map { "\($0)" }.joined(separator: ".") }
    return stride(from: 0, to: 8, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }.joined(
      separator: ":") + "::/64"
  }

  package static func < (left: Source, right: Source) -> Bool {
    (left.isVersion6 ? 1 : 0, left.word) < (right.isVersion6 ? 1 : 0, right.word)
  }
}
