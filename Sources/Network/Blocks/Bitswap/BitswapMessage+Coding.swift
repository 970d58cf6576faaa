public import MurmurWire

/// The message as protobuf bytes.
extension BitswapMessage {
  /// The encoded message, without the length that frames it on a stream.
  public func encode() -> [UInt8] {
    var message = Murmur_Bitswap_Message()
    if !wants.isEmpty || isFull {
      message.wantlist.full = isFull
      message.wantlist.entries = wants.map(\.encoded)
    }
    message.payload = blocks.map { block in
      var payload = Murmur_Bitswap_Message.Payload()
      payload.prefix = .init(wire: block.isVersion0 ? CID.prefixOfVersion0 : block.cid.prefix)
      payload.data = .init(wire: block.bytes)
      return payload
    }
    message.presences = presences.map { presence in
      var encoded = Murmur_Bitswap_Message.Presence()
      encoded.cid = .init(wire: presence.isVersion0 ? presence.cid.bytesOfVersion0 : presence.cid.bytes)
      encoded.kind = presence.has ? .have : .dontHave
      return encoded
    }
    message.pendingBytes = Int32(clamping: max(0, pendingBytes))
    return message.wire
  }

  /// The encoded message for Bitswap 1.0.0: blocks without prefixes.
  func encodeBare() -> [UInt8] {
    var bare = self
    bare.blocks = []
    var message = Murmur_Bitswap_Message()
    message.blocks = blocks.map { .init(wire: $0.bytes) }
    // Concatenating two protobuf messages merges them.
    return bare.encode() + message.wire
  }

  /// The message that `bytes` encode; blocks are named by hashing them.
  ///
  /// Throws on anything that is not such a message or exceeds ``mostBytes``, ``mostWants``, ``mostBlocks``, ``mostPresences`` or
  /// ``Block/mostBytes``. Lines about identifiers that we do not speak (other hash functions, other codecs) are left out, because
  /// a peer may well want such blocks from somebody else.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> BitswapMessage {
    try bound(bytes)
    let message = try Murmur_Bitswap_Message(wire: bytes, what: what, depth: 4)
    var result = BitswapMessage(isFull: message.wantlist.full, pendingBytes: max(0, Int(message.pendingBytes)))
    for entry in message.wantlist.entries {
      guard let cid = known(entry.block.array) else { continue }
      result.wants.append(Want(decoding: entry, cid))
    }
    for bare in message.blocks { result.blocks.append(try block(bare.array, codec: .dagPB)) }
    for payload in message.payload {
      let codec: CID.Codec
      do { codec = try CID.codec(ofPrefix: payload.prefix.array) } catch { continue }
      var block = try block(payload.data.array, codec: codec)
      block.isVersion0 = payload.prefix.first != 1
      result.blocks.append(block)
    }
    for presence in message.presences {
      guard let cid = known(presence.cid.array) else { continue }
      switch presence.kind {
      case .have: result.presences.append(Presence(cid, has: true, isVersion0: presence.cid.count == 34))
      case .dontHave: result.presences.append(Presence(cid, has: false, isVersion0: presence.cid.count == 34))
      case .UNRECOGNIZED(let kind): throw WireError(what, "a block presence of kind \(kind) does not exist")
      }
    }
    return result
  }

  private static let what = "Bitswap message"

  /// Refuses oversized messages before anything is allocated for them.
  private static func bound(_ bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= mostBytes else {
      throw WireError(what, "has \(bytes.count) bytes; at most \(mostBytes) are read")
    }
    try ProtobufScan.bound(
      bytes[...], what: what, fields: mostBlocks + mostPresences + 8,
      counting: [(1, 1), (2, mostBlocks), (3, mostBlocks), (4, mostPresences)])
    var scan = ProtobufScan(bytes[...], what: what)
    while let field = try scan.next() {
      guard field.number == 1 else { continue }
      try ProtobufScan.bound(field.payload, what: "Bitswap want-list", fields: mostWants + 4, counting: [(1, mostWants)])
    }
  }

  private static func known(_ bytes: [UInt8]) -> CID? {
    do { return try CID(bytes: bytes) } catch { return nil }
  }

  private static func block(_ bytes: [UInt8], codec: CID.Codec) throws(WireError) -> Block {
    guard bytes.count <= Block.mostBytes else {
      throw WireError(what, "carries a block of \(bytes.count) bytes; at most \(Block.mostBytes) are read")
    }
    return Block(bytes, codec: codec)
  }
}

extension BitswapMessage.Want {
  fileprivate var encoded: Murmur_Bitswap_Message.Wantlist.Entry {
    var entry = Murmur_Bitswap_Message.Wantlist.Entry()
    entry.block = .init(wire: isVersion0 ? cid.bytesOfVersion0 : cid.bytes)
    entry.priority = priority
    entry.cancel = kind == .cancel
    entry.kind = kind == .have ? .have : .block
    entry.sendDontHave = sendDontHave
    return entry
  }

  fileprivate init(decoding entry: Murmur_Bitswap_Message.Wantlist.Entry, _ cid: CID) {
    let kind: Kind = entry.cancel ? .cancel : entry.kind == .have ? .have : .block
    self.init(cid, kind, priority: entry.priority, sendDontHave: entry.sendDontHave)
    isVersion0 = entry.block.count == 34
  }
}
