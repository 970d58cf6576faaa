public import MurmurIdentity
public import MurmurWire

/// A peer and where it may be reached.
public struct Contact: Hashable, Sendable {
  /// Who.
  public var peer: PeerID
  /// Where, most credible first, without the peer at the end.
  public var addresses: [Multiaddr]

  /// A peer and where it may be reached.
  public init(_ peer: PeerID, _ addresses: [Multiaddr] = []) {
    self.peer = peer
    self.addresses = addresses
  }

  /// Adds addresses that are not there yet, as long as there are at most `most`.
  mutating func merge(_ others: [Multiaddr], most: Int) {
    for address in others where addresses.count < most && !addresses.contains(address) { addresses.append(address) }
  }
}

/// Which addresses concern a hash table: the public one must not learn of anybody's living room, and the local one of nothing else.
public enum AddressScope: Hashable, Sendable {
  /// Addresses that can be reached from the internet, host names among them.
  case global
  /// Addresses of the site and the link; those of the machine itself if `loopback`.
  case local(loopback: Bool)
  /// All that can be reached from anywhere at all.
  case any

  /// Whether `address` belongs here.
  public func admits(_ address: Multiaddr) -> Bool {
    switch (self, address.reach) {
    case (_, .none): false
    case (.any, _): true
    case (.global, .global), (.global, .named): true
    case (.global, _): false
    case (.local, .site), (.local, .link): true
    case (.local(let loopback), .loopback): loopback
    case (.local, _): false
    }
  }

  /// `contact` with the addresses that belong here, at most `most` of them, without the peer at the end.
  func trimmed(_ contact: Contact, most: Int) -> Contact {
    var kept = Contact(contact.peer)
    for address in contact.addresses where kept.addresses.count < most {
      if let named = address.peer, named.bytes != contact.peer.bytes { continue }
      let bare = address.withoutPeer
      if admits(bare), !kept.addresses.contains(bare) { kept.addresses.append(bare) }
    }
    return kept
  }
}
