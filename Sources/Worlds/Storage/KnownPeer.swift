internal import Foundation
internal import GRDB
public import MurmurIdentity
public import MurmurWire

/// A peer that was heard of: where it can be reached, when it last was, how often that worked.
public struct KnownPeer: Hashable, Sendable {
  /// Who it is.
  public var id: PeerID
  /// Where it listens, the most promising address first; at most ``mostAddresses`` are kept.
  public var addresses: [Multiaddr]
  /// Its signed peer record, as it came; empty if there is none.
  public var record: [UInt8]
  /// When it was last connected or heard of, in seconds since 1970.
  public var lastSeen: Int64
  /// How often it could be reached.
  public var successes: Int
  /// How often it could not since.
  public var failures: Int

  /// The most addresses kept of one peer.
  public static let mostAddresses = 16
  /// The most bytes of a record kept.
  public static let mostRecordBytes = 8_192

  /// A peer that was heard of.
  public init(
    id: PeerID, addresses: [Multiaddr], record: [UInt8] = [], lastSeen: Int64, successes: Int = 0, failures: Int = 0
  ) {
    self.id = id
    self.addresses = addresses
    self.record = record
    self.lastSeen = lastSeen
    self.successes = successes
    self.failures = failures
  }

  /// The addresses one after the other, each behind its length.
  var encodedAddresses: [UInt8] {
    var out: [UInt8] = []
    for address in addresses.prefix(KnownPeer.mostAddresses) {
      let bytes = address.bytes
      Varint.append(UInt64(bytes.count), to: &out)
      out += bytes
    }
    return out
  }

  static func addresses(decoding bytes: [UInt8]) throws(WireError) -> [Multiaddr] {
    var out: [Multiaddr] = []
    var position = 0
    while position < bytes.count, out.count < mostAddresses {
      let count = try Varint.read(bytes, at: &position)
      guard count <= UInt64(bytes.count - position) else { throw WireError("peer cache", at: position, "an address is cut off") }
      out.append(try Multiaddr(bytes: Array(bytes[position..<position + Int(count)])))
      position += Int(count)
    }
    return out
  }
}

/// The peer cache: with it a peer finds others again when its bootstraps are gone.
extension Store {
  /// Remembers peers, replacing what was known of them; beyond ``StoreOptions/peers`` those not seen for the longest time go.
  public func remember(_ peers: [KnownPeer]) throws(StoreError) {
    try commit { database in
      for peer in peers {
        let record = peer.record.count <= KnownPeer.mostRecordBytes ? peer.record : []
        try database.cachedStatement(
          sql: "INSERT OR REPLACE INTO peers (peer, addresses, record, seen, successes, failures) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
          Data(peer.id.bytes), Data(peer.encodedAddresses), Data(record), peer.lastSeen, peer.successes, peer.failures,
        ])
      }
      try database.execute(
        sql: "DELETE FROM peers WHERE peer IN (SELECT peer FROM peers ORDER BY seen DESC, peer LIMIT -1 OFFSET ?)",
        arguments: [options.peers])
    }
  }

  /// The peers remembered, the most promising first: fewest failures, then seen last; at most `limit`.
  public func knownPeers(limit: Int = .max) throws(StoreError) -> [KnownPeer] {
    try fetch { database in
      try Row.fetchAll(
        database,
        sql: "SELECT peer, addresses, record, seen, successes, failures FROM peers ORDER BY failures, seen DESC, peer LIMIT ?",
        arguments: [Int64(limit)]
      ).compactMap { row in
        let (id, addresses, record): (Data, Data, Data) = (row[0], row[1], row[2])
        do {
          return KnownPeer(
            id: try PeerID(bytes: [UInt8](id)), addresses: try KnownPeer.addresses(decoding: [UInt8](addresses)),
            record: [UInt8](record), lastSeen: row[3], successes: row[4], failures: row[5])
        } catch {
          // A row that cannot be read is as good as none: the cache only helps.
          return nil
        }
      }
    }
  }

  /// Forgets a peer.
  public func forget(_ peer: PeerID) throws(StoreError) {
    try commit { try $0.execute(sql: "DELETE FROM peers WHERE peer = ?", arguments: [Data(peer.bytes)]) }
  }
}
