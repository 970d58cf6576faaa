public import MurmurIdentity
public import MurmurWire

/// One kind of values: what is valid under which key, and which of two is better.
///
/// Values of namespaces that a machine does not know are refused. Source: libp2p/specs kad-dht, "Entry validation".
public struct Namespace: Sendable {
  /// The first part of its keys, without slashes.
  public let name: String
  /// Throws unless `value` is valid under `key`; a pure function.
  public let validate: @Sendable (_ key: [UInt8], _ value: [UInt8]) throws(WireError) -> Void
  /// How new a valid value is; of two the one with the higher number is better, and the greater bytes decide a tie.
  public let rank: @Sendable (_ value: [UInt8]) -> UInt64

  /// A namespace.
  public init(
    _ name: String, validate: @escaping @Sendable (_ key: [UInt8], _ value: [UInt8]) throws(WireError) -> Void,
    rank: @escaping @Sendable (_ value: [UInt8]) -> UInt64
  ) {
    self.name = name
    self.validate = validate
    self.rank = rank
  }

  /// Whether `challenger` replaces `holder`, both valid.
  func prefers(_ challenger: [UInt8], to holder: [UInt8]) -> Bool {
    let new = rank(challenger), old = rank(holder)
    return new != old ? new > old : holder.lexicographicallyPrecedes(challenger)
  }

  /// The bytes after `/name/`; throws if the key is of another namespace.
  static func rest(of key: [UInt8], in name: String) throws(WireError) -> [UInt8] {
    let prefix = Array("/\(name)/".utf8)
    guard key.starts(with: prefix) else { throw WireError("record key", "does not begin with /\(name)/") }
    return Array(key.dropFirst(prefix.count))
  }

  /// The namespace that a key names; `nil` if it has none.
  static func name(of key: [UInt8]) -> String? {
    guard key.first == UInt8(ascii: "/"), let end = key.dropFirst().firstIndex(of: UInt8(ascii: "/")), end <= 64 else {
      return nil
    }
    return String(validating: key[1..<end], as: UTF8.self)
  }
}

extension Namespace {
  /// `/pk`: public keys under their peer's identity; a value cannot be wrong, only absent.
  public static let publicKeys = Namespace("pk") { (key, value) throws(WireError) in
    let peer = try PeerID(bytes: try rest(of: key, in: "pk"))
    guard try PublicKey(encoded: value).peerID == peer else { throw WireError("public key record", "the key is another peer's") }
  } rank: { _ in
    0
  }

  /// `/murmur`: our own records, signed by the peer in the key and numbered; see ``SequencedRecord``.
  public static let murmur = Namespace("murmur") { (key, value) throws(WireError) in
    let record = try SequencedRecord.open(value)
    guard record.key.bytes == key else { throw WireError("record", "is about another key") }
  } rank: { value in
    SequencedRecord.sequence(ofValid: value)
  }
}

/// A record of our own namespace: `/murmur/<peer>/<name>`, signed by that peer, so that nobody else can write it, and numbered, so that
/// nobody can bring back an old one.
public struct SequencedRecord: Hashable, Sendable {
  /// Whose it is.
  public let peer: PeerID
  /// Which of the peer's records.
  public let name: String
  /// Of two records of one key the higher number counts.
  public let sequence: UInt64
  /// What it says.
  public let value: [UInt8]

  /// The domain of the signature.
  public static let domain = "murmur-record"
  /// The kind of the content.
  public static let kind: [UInt8] = Array("/murmur/record".utf8)

  /// A record.
  public init(peer: PeerID, name: String, sequence: UInt64, value: [UInt8]) {
    self.peer = peer
    self.name = name
    self.sequence = sequence
    self.value = value
  }

  /// Where it is kept.
  public var key: Key { SequencedRecord.key(of: peer, name: name) }

  /// Where the record called `name` of `peer` is kept.
  public static func key(of peer: PeerID, name: String) -> Key {
    Key(namespace: "murmur", name: peer.bytes + Array("/\(name)".utf8))
  }

  /// The record as a value to put, signed by its peer.
  public func sealed(with keys: KeyPair) -> [UInt8] {
    precondition(keys.peerID == peer, "a record is signed by the peer it belongs to")
    var message = Murmur_Kademlia_SequencedValue()
    message.key = .init(wire: key.bytes)
    message.sequence = sequence
    message.value = .init(wire: value)
    return Envelope.seal(message.wire, kind: SequencedRecord.kind, domain: SequencedRecord.domain, with: keys).encoded
  }

  /// The number of a value that was opened before; its signature is not checked again.
  static func sequence(ofValid bytes: [UInt8]) -> UInt64 {
    do throws(WireError) {
      let envelope = try Murmur_Records_Envelope(wire: bytes, what: "record", depth: 2)
      return try Murmur_Kademlia_SequencedValue(wire: envelope.payload.array, what: "record", depth: 1).sequence
    } catch {
      return 0
    }
  }

  /// The record in `bytes`; throws unless it is signed by the peer in its key.
  public static func open(_ bytes: [UInt8]) throws(WireError) -> SequencedRecord {
    let envelope: Envelope
    do { envelope = try Envelope.open(bytes, kind: kind, domain: domain) } catch { throw WireError("record", "\(error)") }
    try ProtobufScan.bound(envelope.payload[...], what: "record", fields: 8)
    let message = try Murmur_Kademlia_SequencedValue(wire: envelope.payload, what: "record", depth: 1)
    let signer = envelope.signer
    let rest = try Namespace.rest(of: message.key.array, in: "murmur")
    let prefix = signer.bytes + [UInt8(ascii: "/")]
    guard rest.starts(with: prefix), let name = String(validating: rest.dropFirst(prefix.count), as: UTF8.self) else {
      throw WireError("record", "is signed by \(signer), to whom its key does not belong")
    }
    return SequencedRecord(peer: signer, name: name, sequence: message.sequence, value: message.value.array)
  }
}
