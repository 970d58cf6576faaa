import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire
import Testing

/// Transactions as bytes: what is read is what was written, and nothing else is read.
@Suite struct TransactionTests {
  @Test func `a transaction is read as it was written, and named by its bytes`() throws {
    let made = try Made.transaction(1, sequence: 0, tag: [1, 2, 3], payload: Array("{\"t\":21.5}".utf8))
    let read = try Transaction.verified(made.bytes, least: 4)
    #expect(read.issuer == Made.keys(1).peerID && read.sequence == 0 && read.time == 1_000 && read.tag == [1, 2, 3])
    #expect(read.payload == Array("{\"t\":21.5}".utf8) && !read.isNod && read.previous == nil)
    #expect(read.id == CID(codec: .dagCBOR, hashing: made.bytes))
    #expect(read.id.description.hasPrefix("bafyrei"), "the form in which IPFS shows such names")
    let value = try CBORValue(decoding: made.bytes)
    guard case .array(let parts) = value else { throw WireError("test", "no array") }
    #expect(parts.count == 11 && parts[4] == .array([.link(Made.genesis), .link(Made.genesis)]))
    #expect(value.encoded == made.bytes)
  }

  @Test func `what was not signed, or not worked for, is refused, in the order of cost`() throws {
    let made = try Made.transaction(1, sequence: 0)
    #expect(throws: LedgerError.workless(issuer: made.issuer, difficulty: 20)) { try Transaction.verified(made.bytes, least: 20) }
    var forged = made.bytes
    forged[forged.count - 1] ^= 1
    #expect(throws: LedgerError.forged(issuer: made.issuer)) { try Transaction.verified(forged, least: 4) }
    #expect(throws: LedgerError.self) { try Transaction.verified(Array(made.bytes.dropLast()), least: 4) }
    #expect(throws: LedgerError.self) { try Transaction.verified(made.bytes + [0], least: 4) }
  }

  @Test func `any change of a byte is noticed`() throws {
    let made = try Made.transaction(1, sequence: 0, tag: [7], payload: [1, 2, 3, 4])
    for place in made.bytes.indices {
      var changed = made.bytes
      changed[place] ^= 1 << UInt8(place % 8)
      #expect(throws: LedgerError.self, "byte \(place)") { try Transaction.verified(changed, least: 4) }
    }
  }

  @Test func `work takes two to the difficulty tries`() throws {
    var tries = 0.0
    for number in 0..<200 {
      let challenge = Challenge(body: .sha256(of: [UInt8(number)]), difficulty: 6)
      let nonce = try #require(challenge.solve())
      #expect(challenge.isDone(by: nonce))
      tries += Double(nonce + 1)
    }
    #expect((45...85).contains(tries / 200))
    #expect(Challenge(body: .sha256(of: []), difficulty: 60).solve(tries: 1_000) == nil)
    #expect(Challenge(body: .sha256(of: []), difficulty: 4).solve(from: 250) != nil, "carries over byte borders")
  }
}

/// Transactions made to measure.
enum Made {
  static let genesis = CID(codec: .dagCBOR, digest: Ledger.Configuration(session: "test").genesis)

  static func keys(_ number: Int) -> KeyPair { KeyPair(seed: .sha256(of: Array("ledger test \(number)".utf8))) }

  static func transaction(
    _ issuer: Int, sequence: UInt64, time: Int64 = 1_000, links: (Digest, Digest)? = nil, previous: Digest? = nil,
    tag: [UInt8] = [],
    payload: [UInt8] = [], difficulty: Int = 4
  ) throws -> Transaction {
    let keys = keys(issuer)
    let body = Transaction.encode(
      .init(
        issuer: keys.peerID, sequence: sequence, time: time, links: links ?? (genesis.digest, genesis.digest), previous: previous,
        tag: tag, difficulty: difficulty), payload: payload)
    let digest = Digest.sha256(of: body)
    let nonce = try #require(Challenge(body: digest, difficulty: difficulty).solve())
    return try Transaction(body: body, nonce: nonce, signature: keys.sign(Transaction.signedBytes(of: digest, nonce: nonce)))
  }
}
