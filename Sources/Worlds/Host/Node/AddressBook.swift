public import MurmurIdentity
import MurmurMachines
public import MurmurWire

/// Where peers are, or were said to be: bounded, the longest unmentioned forgotten first, and hearsay before anything else.
///
/// An address is proven that a peer gave of itself, or that it was reached at. Whoever invents peers, or addresses of peers, pushes out
/// what others invented, and nothing that is proven.
package struct AddressBook {
  private struct Entry {
    var proven: [Multiaddr] = []
    var heard: [Multiaddr] = []
    var turn: UInt64 = 0
  }

  private var entries: [PeerID: Entry] = [:]
  private var turn: UInt64 = 0
  private let limit: Int
  /// Addresses kept of one peer.
  package static let perPeer = 8

  package init(limit: Int) { self.limit = limit }

  /// Addresses of a peer, proven ones first, of each kind the most recently learnt.
  package func addresses(of peer: PeerID) -> [Multiaddr] { entries[peer].map { $0.proven + $0.heard } ?? [] }

  /// Whether one of the peer's addresses is more than hearsay.
  package func isProven(_ peer: PeerID) -> Bool { entries[peer]?.proven.isEmpty == false }

  /// How many peers there are addresses of.
  package var count: Int { entries.count }

  /// Everybody there is an address of, in the order of their identities.
  package var peers: [PeerID] { entries.keys.sorted() }

  /// These are addresses of the peer, or are said to be.
  package mutating func learn(_ peer: PeerID, _ addresses: [Multiaddr], isProven: Bool = false) {
    let bare = Array(addresses.map(\.withoutPeer).prefix(AddressBook.perPeer))
    guard !bare.isEmpty else { return }
    turn += 1
    var entry = entries[peer] ?? Entry()
    entry.turn = turn
    if isProven {
      entry.proven = Array((bare + entry.proven.filter { !bare.contains($0) }).prefix(AddressBook.perPeer))
      entry.heard.removeAll(where: entry.proven.contains)
    } else {
      let new = bare.filter { !entry.proven.contains($0) }
      entry.heard = new + entry.heard.filter { !new.contains($0) }
    }
    entry.heard = Array(entry.heard.prefix(AddressBook.perPeer - entry.proven.count))
    entries[peer] = entry
    guard entries.count > limit else { return }
    // A quarter goes at a time, so that this is rare.
    let old = entries.map { (rank: $0.value.proven.isEmpty ? 0 : 1, turn: $0.value.turn, peer: $0.key) }
      .sorted { ($0.rank, $0.turn) < ($1.rank, $1.turn) }
    for entry in old.prefix(limit / 4 + 1) { entries[entry.peer] = nil }
  }

  /// An address did not answer: it is tried last from now on.
  package mutating func failed(_ peer: PeerID, _ address: Multiaddr) {
    guard var entry = entries[peer] else { return }
    let address = address.withoutPeer
    if let place = entry.proven.firstIndex(of: address) { entry.proven.append(entry.proven.remove(at: place)) }
    if let place = entry.heard.firstIndex(of: address) { entry.heard.append(entry.heard.remove(at: place)) }
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
