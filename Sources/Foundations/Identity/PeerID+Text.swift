public import MurmurWire

/// The binary and the text forms of identities.
extension PeerID: CustomStringConvertible, LosslessStringConvertible {
  /// The binary form: a multihash.
  public var bytes: [UInt8] {
    switch kind {
    case .sha256: Multihash.sha256(word).bytes
    case .ed25519: [0x00, 0x24, 0x08, 0x01, 0x12, 0x20] + word.bytes
    case .secp256k1Even: [0x00, 0x25, 0x08, 0x02, 0x12, 0x21, 0x02] + word.bytes
    case .secp256k1Odd: [0x00, 0x25, 0x08, 0x02, 0x12, 0x21, 0x03] + word.bytes
    }
  }

  /// How many bytes the binary form has.
  public var byteCount: Int {
    switch kind {
    case .sha256: 34
    case .ed25519: 38
    case .secp256k1Even, .secp256k1Odd: 39
    }
  }

  /// The identity whose binary form is `bytes`, all of them.
  public init(bytes: [UInt8]) throws(WireError) {
    var position = 0
    let hash = try Multihash.read(bytes, at: &position)
    guard position == bytes.count else {
      throw WireError("peer ID", at: position, "\(bytes.count - position) bytes follow the multihash")
    }
    switch hash {
    case .sha256(let digest): self.init(kind: .sha256, word: digest)
    case .identity(let key): self = try PublicKey(encoded: key).peerID(inline: true)
    }
  }

  /// The usual text form: base58btc of the multihash, `12D3KooW…` for Ed25519 keys and `Qm…` for digests.
  public var description: String { Multibase.base58(bytes) }

  /// The text form as a CID of codec `libp2p-key` in base32, `bafz…`.
  public var cidText: String { Multibase.base32.encode([0x01, 0x72] + bytes) }

  /// The last six characters of ``description``, for tables.
  public var short: String { String(description.suffix(6)) }

  /// The identity that `text` names, in either text form.
  public init(parsing text: some StringProtocol) throws(WireError) {
    if text.hasPrefix("1") || text.hasPrefix("Qm") {
      try self.init(bytes: try Multibase.decodeBase58(text))
      return
    }
    let bytes = try Multibase.decode(text)
    guard bytes.starts(with: [0x01, 0x72]) else {
      throw WireError("peer ID", at: 0, "this is a CID, but not one of codec libp2p-key (0x72)")
    }
    try self.init(bytes: Array(bytes.dropFirst(2)))
  }

  /// The identity that `description` names; `nil` if it names none.
  public init?(_ description: String) {
    do { try self.init(parsing: description) } catch { return nil }
  }
}
