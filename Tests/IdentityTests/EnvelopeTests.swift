import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What is signed counts for its purpose, its kind and its signer only.
@Suite struct EnvelopeTests {
  private let alice = KeyPair(seed: .sha256(of: Array("alice".utf8)))
  private let mallory = KeyPair(seed: .sha256(of: Array("mallory".utf8)))

  private func record(of peer: PeerID) throws -> PeerRecord {
    PeerRecord(
      peer: peer, sequence: 1_570_215_229,
      addresses: [try Multiaddr(parsing: "/ip4/192.0.2.0/tcp/42"), try Multiaddr(parsing: "/ip6/2001:db8::1/udp/42/quic-v1")])
  }

  @Test func `a record comes back from whoever signed it`() throws {
    let record = try record(of: alice.peerID)
    let sealed = record.sealed(with: alice)
    #expect(try PeerRecord.open(sealed.encoded) == record)
    #expect(sealed.signer == alice.peerID)
  }

  /// RFC 0002: the length of each part as a varint before it.
  @Test func `the signature covers domain, kind and payload`() throws {
    let payload = [UInt8](repeating: 5, count: 200)
    let sealed = Envelope.seal(payload, kind: [3, 1], domain: "purpose", with: alice)
    let signed: [UInt8] = [7] + Array("purpose".utf8) + [2, 3, 1] + [0xc8, 1] + payload
    #expect(try alice.publicKey.isValid(sealed.signature, for: signed))
    #expect(try Envelope.open(sealed.encoded, kind: [3, 1], domain: "purpose").payload == payload)
    #expect(throws: EnvelopeError.signature(.invalid)) { try Envelope.open(sealed.encoded, kind: [3, 1], domain: "other") }
    #expect(throws: EnvelopeError.wrongKind([3, 1])) { try Envelope.open(sealed.encoded, kind: [3, 2], domain: "purpose") }
  }

  @Test func `nobody signs for somebody else`() throws {
    let stolen = try record(of: alice.peerID).encoded
    let sealed = Envelope.seal(stolen, kind: PeerRecord.kind, domain: PeerRecord.domain, with: mallory)
    #expect(throws: EnvelopeError.signature(.foreign(named: alice.peerID, signer: mallory.peerID))) {
      try PeerRecord.open(sealed.encoded)
    }
  }

  @Test func `no changed byte passes`() throws {
    let record = try record(of: alice.peerID)
    let good = record.sealed(with: alice).encoded
    for place in good.indices {
      var changed = good
      changed[place] ^= 0x40
      if let opened = try? PeerRecord.open(changed) { Issue.record("byte \(place) changed, and it was opened: \(opened)") }
    }
  }

  @Test func `hostile envelopes never trap`() throws {
    var chance = Chance(seed: 3)
    let record = try record(of: alice.peerID)
    let good = record.sealed(with: alice).encoded
    for _ in 0..<Effort.inputs {
      _ = try? PeerRecord.open(mutated(good, &chance))
      _ = try? PeerRecord(encoded: mutated(record.encoded, &chance))
    }
    #expect(throws: EnvelopeError.self) { try PeerRecord.open([UInt8](repeating: 0, count: Envelope.mostBytes + 1)) }
  }
}
