public import MurmurWire

/// What a peer says about itself and about us: libp2p/specs identify, the message of `/ipfs/id/1.0.0` and `/ipfs/id/push/1.0.0`.
public struct IdentifyMessage: Hashable, Sendable {
  /// The sender's public key, encoded; the channel has proved it already.
  public var publicKey: [UInt8]?
  /// Where the sender says it listens; unsigned.
  public var listenAddresses: [Multiaddr]
  /// The protocols the sender accepts streams for; empty in a partial update that says nothing about them.
  public var protocols: [String]
  /// From where the receiver's connection came, as the sender sees it.
  public var observedAddress: Multiaddr?
  /// The family of protocols, e.g. `ipfs/0.1.0`.
  public var protocolVersion: String?
  /// The sender's software, e.g. `kubo/0.22.0`.
  public var agentVersion: String?
  /// The sender's addresses in a signed envelope (RFC 0002 and RFC 0003), encoded.
  public var signedRecord: [UInt8]?

  /// A message; without arguments an empty one.
  public init(
    publicKey: [UInt8]? = nil, listenAddresses: [Multiaddr] = [], protocols: [String] = [], observedAddress: Multiaddr? = nil,
    protocolVersion: String? = nil, agentVersion: String? = nil, signedRecord: [UInt8]? = nil
  ) {
    self.publicKey = publicKey
    self.listenAddresses = listenAddresses
    self.protocols = protocols
    self.observedAddress = observedAddress
    self.protocolVersion = protocolVersion
    self.agentVersion = agentVersion
    self.signedRecord = signedRecord
  }

  /// How much one message may hold; a message beyond is refused whole.
  public struct Limits: Hashable, Sendable {
    /// Bytes of one encoded message.
    public var messageBytes = 8 << 10
    /// Messages on one stream; what follows is not read.
    public var messages = 10
    /// Listen addresses in all messages of a stream.
    public var addresses = 64
    /// Protocols in all messages of a stream.
    public var protocols = 256
    /// Bytes of a protocol's name or of a version.
    public var nameBytes = 256

    /// The default limits.
    public init() {}
  }

  /// What follows completes or corrects what came before: single fields replace, lists grow up to the limits.
  public mutating func merge(_ later: IdentifyMessage, limits: Limits = Limits()) {
    publicKey = later.publicKey ?? publicKey
    observedAddress = later.observedAddress ?? observedAddress
    protocolVersion = later.protocolVersion ?? protocolVersion
    agentVersion = later.agentVersion ?? agentVersion
    signedRecord = later.signedRecord ?? signedRecord
    for address in later.listenAddresses where !listenAddresses.contains(address) {
      guard listenAddresses.count < limits.addresses else { break }
      listenAddresses.append(address)
    }
    for name in later.protocols where !protocols.contains(name) {
      guard protocols.count < limits.protocols else { break }
      protocols.append(name)
    }
  }

  /// The messages of a stream as one, or `nil` if there is none; those beyond the limit are not read.
  public static func merged(_ messages: [IdentifyMessage], limits: Limits = Limits()) -> IdentifyMessage? {
    guard !messages.isEmpty else { return nil }
    var whole = IdentifyMessage()
    for message in messages.prefix(limits.messages) { whole.merge(message, limits: limits) }
    return whole
  }
}

/// The message as protobuf bytes.
extension IdentifyMessage {
  /// The encoded message, without the length that frames it on a stream.
  public func encode() -> [UInt8] {
    var message = Murmur_Identify_Identify()
    if let publicKey { message.publicKey = .init(wire: publicKey) }
    message.listenAddresses = listenAddresses.map { .init(wire: $0.bytes) }
    message.protocols = protocols
    if let observedAddress { message.observedAddress = .init(wire: observedAddress.bytes) }
    if let protocolVersion { message.protocolVersion = protocolVersion }
    if let agentVersion { message.agentVersion = agentVersion }
    if let signedRecord { message.signedPeerRecord = .init(wire: signedRecord) }
    return message.wire
  }

  /// The messages to put on a stream, encoded: one, or two if the whole would exceed `bytes`, the signed record then last.
  ///
  /// Older peers read messages of 2 KiB only; all read several.
  public func frames(of bytes: Int = 2_048) -> [[UInt8]] {
    let whole = encode()
    guard whole.count > bytes, let signedRecord else { return [whole] }
    var bare = self
    bare.signedRecord = nil
    return [bare.encode(), IdentifyMessage(signedRecord: signedRecord).encode()]
  }

  /// The message that `bytes` encode. Addresses of protocols we do not know are left out.
  public static func decode(_ bytes: [UInt8], limits: Limits = Limits()) throws(WireError) -> IdentifyMessage {
    let what = "identify message"
    guard bytes.count <= limits.messageBytes else {
      throw WireError(what, "has \(bytes.count) bytes; at most \(limits.messageBytes) are read")
    }
    try ProtobufScan.bound(
      bytes[...], what: what, fields: limits.addresses + limits.protocols + 16,
      counting: [(2, limits.addresses), (3, limits.protocols)])
    let message = try Murmur_Identify_Identify(wire: bytes, what: what, depth: 1)
    let names = message.protocols + [message.protocolVersion, message.agentVersion]
    guard names.allSatisfy({ $0.utf8.count <= limits.nameBytes }) else {
      throw WireError(what, "a name in it is longer than \(limits.nameBytes) bytes")
    }
    var result = IdentifyMessage(protocols: message.protocols)
    if message.hasPublicKey { result.publicKey = message.publicKey.array }
    for address in message.listenAddresses {
      do { result.listenAddresses.append(try Multiaddr(bytes: address.array)) } catch { continue }
    }
    if message.hasObservedAddress {
      do { result.observedAddress = try Multiaddr(bytes: message.observedAddress.array) } catch { result.observedAddress = nil }
    }
    if message.hasProtocolVersion { result.protocolVersion = message.protocolVersion }
    if message.hasAgentVersion { result.agentVersion = message.agentVersion }
    if message.hasSignedPeerRecord { result.signedRecord = message.signedPeerRecord.array }
    return result
  }
}
