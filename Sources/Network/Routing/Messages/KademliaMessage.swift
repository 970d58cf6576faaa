internal import MurmurIdentity
public import MurmurWire

/// A request to a peer of the hash table, or its answer: libp2p/specs kad-dht, "RPC messages".
public struct KademliaMessage: Hashable, Sendable {
  /// What is asked, or answered.
  public enum Kind: Int, Hashable, Sendable, CaseIterable {
    /// Keep this record; the answer repeats it.
    case putValue = 0
    /// What is the value of this key, and who is nearer to it?
    case getValue = 1
    /// I provide this content; not answered.
    case addProvider = 2
    /// Who provides this content, and who is nearer to it?
    case getProviders = 3
    /// Who is near this key?
    case findNode = 4
    /// Are you there?
    case ping = 5
  }

  /// A value with the key it is stored under.
  public struct Record: Hashable, Sendable {
    /// The key, `/namespace/name`.
    public var key: [UInt8]
    /// The value.
    public var value: [UInt8]
    /// When the peer that answers received it, as it writes it; empty if it does not say. Nothing is decided by it.
    public var timeReceived: String

    /// A record.
    public init(key: [UInt8], value: [UInt8], timeReceived: String = "") {
      self.key = key
      self.value = value
      self.timeReceived = timeReceived
    }
  }

  /// What is asked, or answered.
  public var kind: Kind
  /// The key it is about; for ``Kind/findNode`` mostly a peer's binary identity.
  public var key: [UInt8]
  /// The record, of values.
  public var record: Record?
  /// Peers nearer to the key.
  public var closer: [Contact]
  /// Peers that provide the content.
  public var providers: [Contact]

  /// A message.
  public init(
    _ kind: Kind, key: [UInt8] = [], record: Record? = nil, closer: [Contact] = [], providers: [Contact] = []
  ) {
    self.kind = kind
    self.key = key
    self.record = record
    self.closer = closer
    self.providers = providers
  }

  /// Whether the request is answered; if not, the stream is closed after it.
  public var expectsAnswer: Bool { kind != .addProvider }

  /// How much one message may hold; a message beyond is refused whole unless it says otherwise.
  public struct Limits: Hashable, Sendable {
    /// Bytes of an encoded message.
    public var messageBytes = 1 << 20
    /// Bytes of a key.
    public var keyBytes = 1_024
    /// Bytes of a value.
    public var valueBytes = 64 << 10
    /// Nearer peers and providers on the wire, of each.
    public var peersOnWire = 1_024
    /// Nearer peers and providers that are read, of each; further ones are left out.
    public var peers = 64
    /// Addresses of one peer that are read; further ones are left out.
    public var addresses = 16

    /// The default limits.
    public init() {}
  }
}

/// The message as protobuf bytes.
extension KademliaMessage {
  /// The encoded message, without the length that frames it on a stream.
  public func encode() -> [UInt8] {
    var message = Murmur_Kademlia_Message()
    message.kind = .init(rawValue: kind.rawValue) ?? .ping
    message.key = .init(wire: key)
    if let record {
      message.record.key = .init(wire: record.key)
      message.record.value = .init(wire: record.value)
      message.record.timeReceived = record.timeReceived
    }
    message.closer = closer.map(KademliaMessage.encoded)
    message.providers = providers.map(KademliaMessage.encoded)
    return message.wire
  }

  private static func encoded(_ contact: Contact) -> Murmur_Kademlia_Peer {
    var peer = Murmur_Kademlia_Peer()
    peer.id = .init(wire: contact.peer.bytes)
    peer.addresses = contact.addresses.map { .init(wire: $0.bytes) }
    return peer
  }

  /// The message that `bytes` encode. Peers whose identity or addresses we cannot read are left out.
  public static func decode(_ bytes: [UInt8], limits: Limits = Limits()) throws(WireError) -> KademliaMessage {
    let what = "Kademlia message"
    guard bytes.count <= limits.messageBytes else {
      throw WireError(what, "has \(bytes.count) bytes; at most \(limits.messageBytes) are read")
    }
    try ProtobufScan.bound(
      bytes[...], what: what, fields: 2 * limits.peersOnWire + 16, counting: [(8, limits.peersOnWire), (9, limits.peersOnWire)])
    var scan = ProtobufScan(bytes[...], what: what)
    while let field = try scan.next() {
      if field.number == 8 || field.number == 9 { try ProtobufScan.bound(field.payload, what: what, fields: 512) }
      if field.number == 3 { try ProtobufScan.bound(field.payload, what: what, fields: 16) }
    }
    let message = try Murmur_Kademlia_Message(wire: bytes, what: what, depth: 2)
    guard let kind = Kind(rawValue: message.kind.rawValue) else {
      throw WireError(what, "type \(message.kind.rawValue) does not exist")
    }
    var result = KademliaMessage(kind, key: message.key.array)
    guard result.key.count <= limits.keyBytes else { throw WireError(what, "a key of \(result.key.count) bytes") }
    if message.hasRecord {
      let record = message.record
      guard record.key.count <= limits.keyBytes, record.value.count <= limits.valueBytes, record.timeReceived.utf8.count <= 64
      else { throw WireError(what, "its record is larger than \(limits.valueBytes) bytes") }
      result.record = Record(key: record.key.array, value: record.value.array, timeReceived: record.timeReceived)
    }
    result.closer = contacts(message.closer, limits)
    result.providers = contacts(message.providers, limits)
    return result
  }

  private static func contacts(_ peers: [Murmur_Kademlia_Peer], _ limits: Limits) -> [Contact] {
    var found: [Contact] = []
    for peer in peers.prefix(limits.peers) {
      do throws(WireError) {
        var contact = Contact(try PeerID(bytes: peer.id.array))
        for address in peer.addresses.prefix(limits.addresses) {
          do throws(WireError) { contact.addresses.append(try Multiaddr(bytes: address.array)) } catch { continue }
        }
        found.append(contact)
      } catch { continue }
    }
    return found
  }
}
