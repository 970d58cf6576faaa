public import MurmurWire

/// Where a peer says it can be reached: libp2p's peer record (RFC 0003).
///
/// The RFC leaves the signature's domain and the content's kind open; the values are those that go-libp2p uses.
public struct PeerRecord: Hashable, Sendable {
  /// Whose addresses these are.
  public let peer: PeerID
  /// Of two records of one peer the one with the higher number counts.
  public let sequence: UInt64
  /// The addresses.
  public let addresses: [Multiaddr]

  /// The domain of the signature.
  public static let domain = "libp2p-peer-record"
  /// The kind of the content: the multicodec code 0x0301 as two bytes.
  public static let kind: [UInt8] = [0x03, 0x01]
  /// The most addresses a record may have.
  public static let mostAddresses = 64

  /// A record.
  public init(peer: PeerID, sequence: UInt64, addresses: [Multiaddr]) {
    self.peer = peer
    self.sequence = sequence
    self.addresses = addresses
  }

  /// The encoded record, without a signature.
  public var encoded: [UInt8] {
    var message = Murmur_Records_PeerRecord()
    message.peerID = .init(wire: peer.bytes)
    message.seq = sequence
    message.addresses = addresses.map { address in
      var encoded = Murmur_Records_PeerRecord.Address()
      encoded.multiaddr = .init(wire: address.bytes)
      return encoded
    }
    return message.wire
  }

  /// The record that `bytes` encode. Addresses of protocols we do not know are left out.
  public init(encoded bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= Envelope.mostBytes else {
      throw WireError("peer record", "has \(bytes.count) bytes; at most \(Envelope.mostBytes) are read")
    }
    try ProtobufScan.bound(
      bytes[...], what: "peer record", fields: PeerRecord.mostAddresses + 8, counting: [(3, PeerRecord.mostAddresses)])
    let message = try Murmur_Records_PeerRecord(wire: bytes, what: "peer record", depth: 2)
    var addresses: [Multiaddr] = []
    for address in message.addresses {
      do { addresses.append(try Multiaddr(bytes: address.multiaddr.array)) } catch { continue }
    }
    self.init(peer: try PeerID(bytes: message.peerID.array), sequence: message.seq, addresses: addresses)
  }

  /// The record, signed by its peer.
  public func sealed(with keys: KeyPair) -> Envelope {
    precondition(keys.peerID == peer, "a peer record is signed by the peer it is about")
    return .seal(encoded, kind: PeerRecord.kind, domain: PeerRecord.domain, with: keys)
  }

  /// Opens a signed record; throws unless it is signed by the peer it is about.
  public static func open(_ bytes: [UInt8]) throws(EnvelopeError) -> PeerRecord {
    let envelope = try Envelope.open(bytes, kind: kind, domain: domain)
    let record: PeerRecord
    do { record = try PeerRecord(encoded: envelope.payload) } catch { throw .malformed(error) }
    guard record.peer == envelope.signer else { throw .signature(.foreign(named: record.peer, signer: envelope.signer)) }
    return record
  }
}
