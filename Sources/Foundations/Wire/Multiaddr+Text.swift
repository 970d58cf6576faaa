/// The text form.
extension Multiaddr: CustomStringConvertible, LosslessStringConvertible {
  /// The text form, e.g. `/ip4/127.0.0.1/tcp/4001`.
  public var description: String { parts.map(\.description).joined() }

  /// The address that `text` stands for.
  public init(parsing text: String) throws(WireError) {
    guard text.utf8.count <= Multiaddr.mostBytes else {
      throw WireError("address", "is longer than \(Multiaddr.mostBytes) characters")
    }
    guard text.hasPrefix("/"), text.utf8.count > 1 else {
      throw WireError("address", at: 0, "starts with a slash and a protocol, as in /ip4/127.0.0.1/tcp/4001")
    }
    var words = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if words.last == "" { words = words.dropLast() }
    var parts: [Part] = []
    while let name = words.popFirst() {
      guard parts.count < Multiaddr.mostParts else { throw WireError("address", "has more than \(Multiaddr.mostParts) parts") }
      let offset = text.utf8.distance(from: text.startIndex, to: name.startIndex)
      parts.append(try Multiaddr.part(named: name, at: offset, &words))
    }
    self.init(parts)
  }

  /// The address that `description` stands for; `nil` if it stands for none.
  public init?(_ description: String) {
    do { try self.init(parsing: description) } catch { return nil }
  }

  private static func part(
    named name: Substring, at offset: Int, _ words: inout ArraySlice<Substring>
  ) throws(WireError) -> Part {
    if let bare = Part.bare.first(where: { $0.name == name }) { return bare.part }
    guard known.contains(name) || Part.textual.contains(where: { $0.name == name }) else {
      throw WireError("address", at: offset, "protocol '\(name)' is not known; use ip4, ip6, dns, tcp, udp, p2p, …")
    }
    guard let argument = words.popFirst(), !argument.isEmpty else {
      throw WireError("address", at: offset, "/\(name) needs something after it")
    }
    let problem = WireError("address", at: offset, "'\(argument)' cannot stand after /\(name)")
    switch name {
    case "ip4":
      guard let address = IPText.ip4(argument) else { throw problem }
      return .ip4(address)
    case "ip6":
      guard let address = IPText.ip6(argument) else { throw problem }
      return .ip6(address)
    case "tcp", "udp":
      guard argument.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(argument) else { throw problem }
      return name == "tcp" ? .tcp(port) : .udp(port)
    case "p2p", "ipfs":
      return .p2p(try peer(argument, at: offset))
    case "certhash":
      return .certhash(try Multibase.decode(argument))
    default:
      guard let textual = Part.textual.first(where: { $0.name == name }) else { throw problem }
      var text = String(argument)
      if textual.code == 0x0190 {
        text = "/" + ([argument] + words).joined(separator: "/")
        words = []
      }
      guard Part.isSound(text, code: textual.code) else { throw problem }
      return textual.make(text)
    }
  }

  private static let known: Set<Substring> = ["ip4", "ip6", "tcp", "udp", "p2p", "ipfs", "certhash"]

  /// A peer in either text form: base58btc, or a CID of codec `libp2p-key`.
  private static func peer(_ text: Substring, at offset: Int) throws(WireError) -> Multihash {
    if text.hasPrefix("1") || text.hasPrefix("Qm") { return try multihash(try Multibase.decodeBase58(text), at: offset) }
    let bytes = try Multibase.decode(text)
    guard bytes.starts(with: [0x01, 0x72]) else { throw WireError("address", at: offset, "'\(text)' is no peer ID") }
    return try multihash(Array(bytes.dropFirst(2)), at: offset)
  }
}

extension Multiaddr.Part: CustomStringConvertible {
  /// The part's text, from its slash on.
  public var description: String {
    switch self {
    case .ip4(let address): return "/ip4/" + address.map(String.init).joined(separator: ".")
    case .ip6(let address): return "/ip6/" + IPText.text(ip6: address)
    case .tcp(let port): return "/tcp/\(port)"
    case .udp(let port): return "/udp/\(port)"
    case .p2p(let hash): return "/p2p/" + Multibase.base58(hash.bytes)
    case .certhash(let hash): return "/certhash/" + Multibase.base32.encode(hash)
    case .unix(let path): return "/unix" + path
    default:
      guard let text else { return "/" + (Multiaddr.Part.bare.first { $0.part == self }?.name ?? "") }
      return "/" + (Multiaddr.Part.textual.first { $0.code == code }?.name ?? "") + "/" + text
    }
  }
}
