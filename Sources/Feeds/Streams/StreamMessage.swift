import MurmurIdentity
public import MurmurWire

/// One message of a stream, verified: what it says and when it was made.
public struct StreamMessage: Hashable, Sendable {
  /// Its number in the stream, from 0.
  public var number: UInt64
  /// When its maker says it was made, in milliseconds since 1970.
  public var milliseconds: UInt64
  /// What it says; JSON, by convention.
  public var payload: [UInt8]

  /// A message.
  public init(number: UInt64, milliseconds: UInt64, payload: [UInt8]) {
    (self.number, self.milliseconds, self.payload) = (number, milliseconds, payload)
  }
}

/// A message as it is published: its address, which is the tag of its transaction, and its bytes.
public struct SealedMessage: Hashable, Sendable {
  /// Where it is to be found.
  public var address: Digest
  /// Its bytes.
  public var bytes: [UInt8]

  /// A message at an address.
  public init(address: Digest, bytes: [UInt8]) { (self.address, self.bytes) = (address, bytes) }
}

/// The bytes of messages: see `Documentation/Streams.md`.
enum MessageCoding {
  /// The first byte of every message and head: the format's version, and whether it is masked.
  static let plain: UInt8 = 0x10
  static let masked: UInt8 = 0x11

  /// What is signed with a message: the domain, the tree's root and the message's address, then its bytes.
  private static func signed(_ root: Digest, _ address: Digest, _ body: [UInt8]) -> [UInt8] {
    Array((StreamKeys.domain + "message").utf8) + root.bytes + address.bytes + body
  }

  static func seal(
    _ message: StreamMessage, at pointer: StreamPointer, side: SideKey?, key: KeyPair, siblings: [Digest],
    next: (root: Digest, chain: Digest)
  ) -> SealedMessage {
    let address = pointer.address(side)
    var body: [UInt8] = [UInt8(pointer.height)] + StreamKeys.big(message.number) + StreamKeys.big(message.milliseconds)
    body.reserveCapacity(body.count + message.payload.count + 32 * (siblings.count + 3) + 72)
    body += key.publicKey.data
    for sibling in siblings { sibling.append(to: &body) }
    next.root.append(to: &body)
    if pointer.mode.isMasked { next.chain.append(to: &body) }
    body += StreamKeys.big(UInt32(message.payload.count))
    body += message.payload
    body += key.sign(signed(pointer.root, address, body))
    guard pointer.mode.isMasked else { return SealedMessage(address: address, bytes: [plain] + body) }
    let secret = StreamKeys.masked(pointer.chain, pointer.mode == .restricted ? side : nil).key
    return SealedMessage(address: address, bytes: [masked] + StreamBox.seal(body, secret, context: [masked] + address.bytes))
  }

  /// Opens and verifies the message at `pointer`, and lets the pointer learn what it says of the next tree.
  static func open(_ bytes: [UInt8], at pointer: inout StreamPointer, side: SideKey?) throws(StreamError) -> StreamMessage {
    guard bytes.count <= StreamLimits.message, let first = bytes.first else { throw .malformed("it has \(bytes.count) bytes") }
    guard first == (pointer.mode.isMasked ? masked : plain) else {
      throw .malformed("its first byte is \(first), which is no \(pointer.mode.name) message of this version")
    }
    let address = pointer.address(side)
    var body = Array(bytes.dropFirst())
    if pointer.mode.isMasked {
      let secret = StreamKeys.masked(pointer.chain, pointer.mode == .restricted ? side : nil).key
      body = try StreamBox.open(body[...], secret, context: [masked] + address.bytes)
    }
    let parts = try Parts(body, isMasked: pointer.mode.isMasked)
    guard parts.siblings.count == pointer.height else {
      throw .malformed("a tree of height \(parts.siblings.count) in a stream of height \(pointer.height)")
    }
    let number = parts.number
    guard number == pointer.number else { throw .misplaced("it is number \(number) at the place of number \(pointer.number)") }
    // The very last place stays empty, so that after every message there is one.
    guard !pointer.isFinal else { throw .malformed("message \(number), after which no stream goes on") }
    guard KeyTree.root(of: parts.key, at: pointer.leaf, parts.siblings) == pointer.root else {
      throw .forged("its key is not in the stream's tree")
    }
    guard isValid(parts.signature, by: parts.key, over: signed(pointer.root, address, Array(body.dropLast(64)))) else {
      throw .forged("its signature does not hold")
    }
    pointer.learn(parts.next.root, parts.next.chain)
    return StreamMessage(number: number, milliseconds: parts.milliseconds, payload: parts.payload)
  }

  /// Whether bytes under an address are a public message of some stream: key and siblings give a root, the root that address, and the
  /// signature holds. Whose stream it is, nobody can tell who does not follow it.
  static func isPublicMessage(_ bytes: [UInt8], at address: Digest) -> Bool {
    let body = Array(bytes.dropFirst())
    guard bytes.count <= StreamLimits.message, bytes.first == plain, let parts = try? Parts(body, isMasked: false) else {
      return false
    }
    let height = parts.siblings.count
    guard StreamPointer.isPlace(parts.number, height) else { return false }
    let leaf = Int(parts.number & (1 << UInt64(height) - 1))
    let root = KeyTree.root(of: parts.key, at: leaf, parts.siblings)
    return StreamKeys.address(root, leaf) == address
      && isValid(parts.signature, by: parts.key, over: signed(root, address, Array(body.dropLast(64))))
  }

  /// The least bytes of a masked message or head.
  static let leastMasked = 1 + StreamBox.overhead + 1 + 8 + 8 + 3 * 32 + 4 + 64

  /// What is where in a message's body.
  private struct Parts {
    let number: UInt64
    let milliseconds: UInt64
    let key: [UInt8]
    let siblings: [Digest]
    let next: (root: Digest, chain: Digest)
    let payload: [UInt8]
    let signature: [UInt8]

    init(_ body: [UInt8], isMasked: Bool) throws(StreamError) {
      var scan = StreamScan(body[...])
      let height = Int(try scan.byte())
      guard height <= StreamLimits.height else { throw .malformed("a tree of height \(height)") }
      number = try scan.number()
      milliseconds = try scan.number()
      key = Array(try scan.bytes(32))
      var siblings: [Digest] = []
      for _ in 0..<height { siblings.append(try scan.digest()) }
      self.siblings = siblings
      next = (try scan.digest(), isMasked ? try scan.digest() : Digest(0, 0, 0, 0))
      payload = try scan.content(StreamLimits.payload)
      signature = Array(try scan.bytes(64))
      try scan.end()
    }
  }

  static func isValid(_ signature: [UInt8], by key: [UInt8], over bytes: [UInt8]) -> Bool {
    guard let key = try? PublicKey(.ed25519, key) else { return false }
    return (try? key.isValid(signature, for: bytes)) == true
  }
}
