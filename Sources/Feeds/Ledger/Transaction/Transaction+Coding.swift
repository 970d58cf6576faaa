public import MurmurIdentity
public import MurmurWire

extension Transaction {
  /// What a transaction says before work and signature.
  public struct Body: Sendable {
    /// Who issues it.
    public var issuer: PeerID
    /// The issuer's number for it.
    public var sequence: UInt64
    /// When, in milliseconds since 1970.
    public var time: Int64
    /// The two transactions it approves.
    public var links: (Digest, Digest)
    /// The issuer's last transaction before it.
    public var previous: Digest?
    /// What it is found by.
    public var tag: [UInt8]
    /// How many zero bits its work is to have.
    public var difficulty: Int

    /// What a transaction says.
    public init(
      issuer: PeerID, sequence: UInt64, time: Int64, links: (Digest, Digest), previous: Digest?, tag: [UInt8], difficulty: Int
    ) {
      self.issuer = issuer
      self.sequence = sequence
      self.time = time
      self.links = links
      self.previous = previous
      self.tag = tag
      self.difficulty = difficulty
    }
  }

  /// The bytes of a transaction before the nonce. The issuer must be an Ed25519 identity; tag, payload, time and difficulty within limits.
  public static func encode(_ body: Body, payload: [UInt8]) -> [UInt8] {
    precondition(body.tag.count <= mostTagBytes && payload.count <= mostPayloadBytes, "tag or payload are too long")
    precondition(body.sequence <= mostSequence, "a chain has fewer than 2⁶² transactions")
    precondition((0...latestTime).contains(body.time) && (0...mostDifficulty).contains(body.difficulty), "time or difficulty")
    var out: [UInt8] = []
    out.reserveCapacity(payload.count + body.tag.count + 300)
    out.append(cborArray: 11)
    out.append(cborNumber: 1)
    out.append(cborBytes: body.issuer.word.bytes)
    out.append(cborNumber: body.sequence)
    out.append(cborNumber: UInt64(body.time))
    out.append(cborArray: 2)
    out.append(cborLink: CID(codec: .dagCBOR, digest: body.links.0))
    out.append(cborLink: CID(codec: .dagCBOR, digest: body.links.1))
    if let previous = body.previous { out.append(cborLink: CID(codec: .dagCBOR, digest: previous)) } else { out.appendCBORNull() }
    out.append(cborBytes: body.tag)
    out.append(cborBytes: payload)
    out.append(cborNumber: UInt64(body.difficulty))
    return out
  }

  /// The whole transaction: the bytes before the nonce, the nonce and the signature. Nothing is checked but the form.
  public convenience init(body: [UInt8], nonce: UInt64, signature: [UInt8]) throws(LedgerError) {
    var bytes = body
    bytes.append(cborBytes: Challenge.bytes(of: nonce))
    bytes.append(cborBytes: signature)
    try self.init(reading: bytes)
  }

  /// The transaction that `bytes` encode, as far as its form goes: neither work nor signature are checked. For what was checked before.
  public convenience init(reading bytes: [UInt8]) throws(LedgerError) {
    do throws(WireError) {
      let parts = try Parts(bytes)
      self.init(bytes: bytes, body: parts.body, payloadRange: parts.payload, nonce: parts.nonce)
    } catch {
      throw .malformed(error)
    }
  }

  /// The transaction that `bytes` encode, checked in the order of cost: form, work (at least `least` bits and what it says), signature.
  public static func verified(_ bytes: [UInt8], least: Int) throws(LedgerError) -> Transaction {
    try verified(bytes, least: least) { issuer, signed, signature in
      let key = PublicKey(of: issuer)
      do { return try key?.isValid(signature, for: signed) ?? false } catch { return false }
    }
  }

  /// The same with another way to check signatures.
  public static func verified(
    _ bytes: [UInt8], least: Int, isSigned: (_ issuer: PeerID, _ signed: [UInt8], _ signature: [UInt8]) -> Bool
  ) throws(LedgerError) -> Transaction {
    let parts: Parts
    do throws(WireError) { parts = try Parts(bytes) } catch { throw .malformed(error) }
    let issuer = parts.body.issuer
    let digest = bodyDigest(bytes, parts.bodyEnd)
    guard parts.body.difficulty >= least, Challenge(body: digest, difficulty: parts.body.difficulty).isDone(by: parts.nonce)
    else {
      throw .workless(issuer: issuer, difficulty: max(least, parts.body.difficulty))
    }
    guard isSigned(issuer, signedBytes(of: digest, nonce: parts.nonce), Array(bytes[parts.signature])) else {
      throw .forged(issuer: issuer)
    }
    return Transaction(bytes: bytes, body: parts.body, payloadRange: parts.payload, nonce: parts.nonce)
  }

  private static func bodyDigest(_ bytes: [UInt8], _ end: Int) -> Digest {
    unsafe bytes.withUnsafeBytes { unsafe Digest.sha256(of: UnsafeRawBufferPointer(rebasing: $0[..<end])) }
  }

  /// What is where in the bytes.
  private struct Parts {
    let body: Body
    let payload: Range<Int>
    let bodyEnd: Int
    let nonce: UInt64
    let signature: Range<Int>

    init(_ bytes: [UInt8]) throws(WireError) {
      let what = "transaction"
      guard bytes.count <= Transaction.mostBytes else {
        throw WireError(what, "has \(bytes.count) bytes; at most \(Transaction.mostBytes) are read")
      }
      var reader = CBORReader(bytes, what: what)
      try reader.array(of: 11)
      guard try reader.number() == 1 else { throw WireError(what, at: 1, "only version 1 is known") }
      let issuer = PeerID(kind: .ed25519, word: try reader.digest())
      let sequence = try reader.number(Transaction.mostSequence)
      let time = Int64(try reader.number(UInt64(Transaction.latestTime)))
      try reader.array(of: 2)
      let links = (try Parts.link(&reader), try Parts.link(&reader))
      let previous = try reader.isNull() ? nil : try Parts.link(&reader)
      guard (previous == nil) == (sequence == 0) else {
        throw WireError(what, at: reader.position, "the first of an issuer, and no other, is without a previous one")
      }
      let tag = try reader.content(Transaction.mostTagBytes)
      payload = try reader.range(Transaction.mostPayloadBytes)
      let difficulty = Int(try reader.number(UInt64(Transaction.mostDifficulty)))
      bodyEnd = reader.position
      body = Body(
        issuer: issuer, sequence: sequence, time: time, links: links, previous: previous, tag: tag, difficulty: difficulty)
      let nonce = try reader.content(8)
      guard nonce.count == 8 else { throw WireError(what, at: bodyEnd, "a nonce has eight bytes") }
      self.nonce = nonce.reduce(0) { $0 << 8 | UInt64($1) }
      signature = try reader.range(64)
      guard signature.count == 64 else { throw WireError(what, at: signature.lowerBound, "a signature has 64 bytes") }
      try reader.end()
    }

    private static func link(_ reader: inout CBORReader) throws(WireError) -> Digest {
      let start = reader.position
      let cid = try reader.link()
      guard cid.codec == .dagCBOR else { throw WireError("transaction", at: start, "a link to what is no transaction") }
      return cid.digest
    }
  }
}
