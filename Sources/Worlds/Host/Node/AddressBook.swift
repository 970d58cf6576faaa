public import MurmurIdentity
import MurmurMachines
public import MurmurWire

/// Where peers were said to be: bounded, the longest unmentioned forgotten first.
struct AddressBook {
  private var entries: [PeerID: (addresses: [Multiaddr], turn: UInt64)] = [:]
  private var turn: UInt64 = 0
  private let limit: Int
  /// Addresses kept of one peer.
  static let perPeer = 8

  init(limit: Int) { self.limit = limit }

  /// Addresses of a peer, the most recently learnt first.
  func addresses(of peer: PeerID) -> [Multiaddr] { entries[peer]?.addresses ?? [] }

  /// How many peers there are addresses of.
  var count: Int { entries.count }

  /// Everybody there is an address of, in the order of their identities.
  var peers: [PeerID] { entries.keys.sorted() }

  /// These are addresses of the peer.
  mutating func learn(_ peer: PeerID, _ addresses: [Multiaddr]) {
    let bare = addresses.map(\.withoutPeer)
    guard !bare.isEmpty else { return }
    turn += 1
    let known = entries[peer]?.addresses ?? []
    entries[peer] = (Array((bare + known.filter { !bare.contains($0) }).prefix(AddressBook.perPeer)), turn)
    guard entries.count > limit else { return }
    // A quarter goes at a time, so that this is rare.
    let old = entries.map { (turn: $0.value.turn, peer: $0.key) }.sorted { $0.turn < $1.turn }
    for entry in old.prefix(limit / 4 + 1) { entries[entry.peer] = nil }
  }

  /// An address did not answer: it is tried last from now on.
  mutating func failed(_ peer: PeerID, _ address: Multiaddr) {
    guard var entry = entries[peer], entry.addresses.count > 1, let place = entry.addresses.firstIndex(of: address.withoutPeer)
    else {
      return
    }
    entry.addresses.append(entry.addresses.remove(at: place))
    entries[peer] = entry
  }
}

extension Multiaddr {
  /// The peer that the address names at its end, if it names one.
  public var namedPeer: PeerID? {
    guard case .p2p(let hash)? = parts.last else { return nil }
    return try? PeerID(bytes: hash.bytes)
  }

  /// The internet address, as bytes, unless it is this machine's own.
  var suspectBytes: [UInt8]? {
    guard let bytes = hostBytes else { return nil }
    return bytes.count == 4 && bytes[0] == 127 || bytes == [UInt8](repeating: 0, count: 15) + [1] ? nil : bytes
  }

  /// Whether it stands for every address of this machine, and so for none that others can use.
  var isUnspecified: Bool {
    switch parts.first {
    case .ip4(let bytes): bytes.allSatisfy { $0 == 0 }
    case .ip6(let bytes): bytes.allSatisfy { $0 == 0 }
    default: false
    }
  }
}
