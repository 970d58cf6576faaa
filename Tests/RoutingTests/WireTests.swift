import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How many inputs decoders and machines are fuzzed with; `MURMUR_FUZZ` raises it.
let fuzzInputs = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000

/// The bytes that hexadecimal digits stand for.
func hex(_ text: String) -> [UInt8] {
  let digits = Array(text.utf8)
  return stride(from: 0, to: digits.count, by: 2).map { index in
    UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) ?? 0
  }
}

/// `bytes` with a few bytes changed, cut, doubled or inserted; sometimes noise altogether.
func mutated(_ bytes: [UInt8], _ chance: inout Chance) -> [UInt8] {
  if chance.happens(0.1) || bytes.isEmpty { return (0..<chance.below(64)).map { _ in UInt8(truncatingIfNeeded: chance.next()) } }
  var out = bytes
  for _ in 0...chance.below(4) where !out.isEmpty {
    let place = chance.below(out.count)
    switch chance.below(4) {
    case 0: out[place] = UInt8(truncatingIfNeeded: chance.next())
    case 1: out[place] ^= 1 << UInt8(chance.below(8))
    case 2: out.removeLast(chance.below(out.count))
    default: out.insert(contentsOf: out[place..<min(out.count, place + chance.below(40))], at: chance.below(out.count))
    }
  }
  return out
}

/// Messages as bytes, records as values.
@Suite struct WireTests {
  private let peer = PeerID(simulated: 7)

  /// The bytes are put together by hand from the schema of go-libp2p-kad-dht: fields in order of number, defaults left out.
  @Test func `messages are the bytes that go-libp2p writes`() throws {
    let address = try Multiaddr(parsing: "/ip4/8.8.4.4/tcp/4001")
    let id = peer.bytes
    let find = KademliaMessage(.findNode, key: id)
    #expect(find.encode() == [0x08, 0x04, 0x12, 0x22] + id)
    #expect(KademliaMessage(.ping).encode() == [0x08, 0x05])
    let value = KademliaMessage(.putValue, key: [1, 2], record: .init(key: [1, 2], value: [3]))
    #expect(value.encode() == [0x12, 2, 1, 2, 0x1a, 7, 0x0a, 2, 1, 2, 0x12, 1, 3])
    let answer = KademliaMessage(.getProviders, key: [9], closer: [Contact(peer, [address])], providers: [Contact(peer)])
    let near = [0x0a, 0x22] + id + [0x12, 8] + address.bytes
    let expected: [UInt8] = [0x08, 0x03, 0x12, 1, 9, 0x42, UInt8(near.count)] + near + [0x4a, 0x24, 0x0a, 0x22] + id
    #expect(answer.encode() == expected)
    for message in [find, value, answer] { #expect(try KademliaMessage.decode(message.encode()) == message) }
  }

  @Test func `an answer of another implementation with everything in it is read`() throws {
    // Kubo fills in the connection of each peer, a time, and a cluster level; what we do not know is passed over.
    let id = peer.bytes
    let near: [UInt8] = [0x0a, 0x22] + id + [0x12, 8] + hex("0408080404060fa1") + [0x12, 2, 0xff, 0x7f] + [0x18, 1]
    var bytes: [UInt8] = [0x08, 0x01, 0x12, 1, 9, 0x1a, 9, 0x0a, 1, 9, 0x12, 0, 0x2a, 2]
    bytes += Array("2Z".utf8) + [0x42, UInt8(near.count)] + near + [0x50, 1, 0xa0, 6, 1]
    let message = try KademliaMessage.decode(bytes)
    #expect(message.kind == .getValue && message.record?.timeReceived == "2Z")
    #expect(message.closer.first?.addresses.map(\.description) == ["/ip4/8.8.4.4/tcp/4001"])
  }

  @Test func `what is too large, cut off or of no kind is refused`() throws {
    var limits = KademliaMessage.Limits()
    limits.messageBytes = 100
    #expect(throws: WireError.self) {
      try KademliaMessage.decode([UInt8](repeating: 0, count: 101), limits: limits)
    }
    for wrong in [[0x08, 0x06], [0x12, 5, 1], [0x0b]] as [[UInt8]] {
      #expect(throws: WireError.self, "\(wrong)") { try KademliaMessage.decode(wrong) }
    }
    let crowd = KademliaMessage(.findNode, key: [1], closer: (0..<200).map { Contact(PeerID(simulated: $0)) })
    #expect(try KademliaMessage.decode(crowd.encode()).closer.count == 64)
  }

  @Test func `hostile messages never trap`() throws {
    let address = try Multiaddr(parsing: "/ip4/8.8.4.4/tcp/4001")
    let contacts = (0..<5).map { Contact(PeerID(simulated: $0), [address]) }
    let whole = KademliaMessage(
      .getValue, key: [1, 2, 3], record: .init(key: [1, 2, 3], value: [4, 5]), closer: contacts, providers: contacts
    ).encode()
    let record = SequencedRecord(peer: keys(1).peerID, name: "n", sequence: 1, value: [1]).sealed(with: keys(1))
    var chance = Chance(seed: 11)
    for _ in 0..<fuzzInputs {
      _ = try? KademliaMessage.decode(mutated(whole, &chance))
      if chance.happens(0.1) { _ = try? SequencedRecord.open(mutated(record, &chance)) }
    }
  }

  @Test func `a record is its signer's alone, and the newer one counts`() throws {
    let owner = keys(1), thief = keys(2)
    let namespace = Namespace.murmur
    let old = SequencedRecord(peer: owner.peerID, name: "session", sequence: 1, value: [1])
    let new = SequencedRecord(peer: owner.peerID, name: "session", sequence: 2, value: [0])
    try namespace.validate(old.key.bytes, old.sealed(with: owner))
    #expect(try SequencedRecord.open(new.sealed(with: owner)) == new)
    #expect(namespace.rank(new.sealed(with: owner)) > namespace.rank(old.sealed(with: owner)))
    let other = SequencedRecord(peer: thief.peerID, name: "session", sequence: 9, value: [1]).sealed(with: thief)
    #expect(throws: WireError.self) { try namespace.validate(old.key.bytes, other) }
    var bent = new.sealed(with: owner)
    bent[bent.count - 70] ^= 1
    #expect(throws: WireError.self) { try namespace.validate(new.key.bytes, bent) }
  }

  @Test func `a public key is kept under its own identity only`() throws {
    let key = Key(namespace: "pk", name: keys(1).peerID.bytes)
    try Namespace.publicKeys.validate(key.bytes, keys(1).publicKey.encoded)
    #expect(throws: WireError.self) { try Namespace.publicKeys.validate(key.bytes, keys(2).publicKey.encoded) }
    #expect(throws: WireError.self) { try Namespace.publicKeys.validate(Array("/pk/x".utf8), keys(2).publicKey.encoded) }
  }
}

/// Key pair number `index`.
func keys(_ index: Int) -> KeyPair { KeyPair(seed: .sha256(of: Array("routing test \(index)".utf8))) }
