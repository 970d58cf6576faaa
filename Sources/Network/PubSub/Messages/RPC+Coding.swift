internal import MurmurIdentity
public import MurmurWire

/// The frame as protobuf bytes.
extension RPC {
  /// The encoded frame, without the length that frames it on a stream.
  public func encode() -> [UInt8] {
    var rpc = Murmur_Gossipsub_Rpc()
    rpc.subscriptions = subscriptions.map { subscription in
      var encoded = Murmur_Gossipsub_Rpc.Subscription()
      encoded.subscribe = subscription.subscribes
      encoded.topic = subscription.topic.name
      return encoded
    }
    rpc.publish = publish.map(\.encoded)
    if hasControl { rpc.control = control.encoded }
    return rpc.wire
  }

  /// The frame that `bytes` encode.
  ///
  /// Throws on anything that is not such a frame or exceeds the limits. What is well-formed but cannot concern us is left out:
  /// messages without an origin, or with one that is no peer ID, and identifiers of a kind that we never give.
  public static func decode(_ bytes: [UInt8], limits: PubSub.Limits = PubSub.Limits()) throws(WireError) -> RPC {
    try bound(bytes, limits)
    let rpc = try Murmur_Gossipsub_Rpc(wire: bytes, what: what, depth: 4)
    var result = RPC()
    for subscription in rpc.subscriptions {
      result.subscriptions.append(Subscription(try topic(subscription.topic, limits), subscribes: subscription.subscribe))
    }
    for message in rpc.publish {
      let topic = try topic(message.topic, limits)
      if let message = Message(decoding: message, topic) { result.publish.append(message) }
    }
    if rpc.hasControl { result.control = try Control(decoding: rpc.control, limits) }
    return result
  }

  fileprivate static let what = "gossipsub RPC"

  fileprivate static func topic(_ name: String, _ limits: PubSub.Limits) throws(WireError) -> Topic {
    guard name.utf8.count <= limits.topicBytes else {
      throw WireError(what, "names a topic of \(name.utf8.count) bytes; at most \(limits.topicBytes) are read")
    }
    return Topic(name)
  }

  /// Refuses oversized frames before anything is allocated for them.
  private static func bound(_ bytes: [UInt8], _ limits: PubSub.Limits) throws(WireError) {
    guard bytes.count <= limits.frameBytes else {
      throw WireError(what, "has \(bytes.count) bytes; at most \(limits.frameBytes) are read")
    }
    let most = limits.messagesPerFrame
    try ProtobufScan.bound(
      bytes[...], what: what, fields: most + limits.subscriptionsPerPeer + 8,
      counting: [(1, limits.subscriptionsPerPeer), (2, most), (3, 1)])
    var scan = ProtobufScan(bytes[...], what: what)
    while let field = try scan.next() {
      if field.number == 2 { try ProtobufScan.bound(field.payload, what: "gossipsub message", fields: 16) }
      if field.number == 3 { try boundControl(field.payload, limits) }
    }
  }

  private static func boundControl(_ bytes: ArraySlice<UInt8>, _ limits: PubSub.Limits) throws(WireError) {
    let what = "gossipsub control", most = limits.controlsPerFrame
    try ProtobufScan.bound(bytes, what: what, fields: most + 8, counting: [(1, most), (2, most), (3, most), (4, most)])
    var scan = ProtobufScan(bytes, what: what)
    var ids = 0
    while let field = try scan.next() {
      guard (1...2).contains(field.number) || (4...5).contains(field.number) else { continue }
      let most = field.number == 4 ? limits.peersPerPrune + 8 : limits.idsPerFrame + 2
      try ProtobufScan.bound(field.payload, what: what, fields: most)
      guard field.number != 4 else { continue }
      var inner = ProtobufScan(field.payload, what: what)
      while try inner.next() != nil { ids += 1 }
      guard ids <= limits.idsPerFrame + 2 * limits.controlsPerFrame else {
        throw WireError(what, "names more than \(limits.idsPerFrame) messages")
      }
    }
  }
}

extension Message {
  /// The message as the generated code knows it.
  var encoded: Murmur_Gossipsub_Message {
    var message = Murmur_Gossipsub_Message()
    message.from = .init(wire: from.bytes)
    if !data.isEmpty { message.data = .init(wire: data) }
    message.seqno = .init(wire: seqno.bigEndianBytes)
    message.topic = topic.name
    if !signature.isEmpty { message.signature = .init(wire: signature) }
    if !key.isEmpty { message.key = .init(wire: key) }
    return message
  }

  fileprivate init?(decoding message: Murmur_Gossipsub_Message, _ topic: Topic) {
    guard message.hasFrom, message.seqno.array.count == 8, message.hasTopic else { return nil }
    let author: PeerID
    do { author = try PeerID(bytes: message.from.array) } catch { return nil }
    self.init(
      from: author, seqno: message.seqno.array.reduce(0) { $0 << 8 | UInt64($1) }, topic: topic, data: message.data.array,
      signature: message.signature.array, key: message.key.array)
  }
}

extension RPC.Control {
  fileprivate var encoded: Murmur_Gossipsub_Control {
    var control = Murmur_Gossipsub_Control()
    control.ihave = ihave.map { have in
      var encoded = Murmur_Gossipsub_Control.IHave()
      encoded.topic = have.topic.name
      encoded.messageIds = have.ids.map { .init(wire: $0.bytes) }
      return encoded
    }
    if !iwant.isEmpty {
      var encoded = Murmur_Gossipsub_Control.IWant()
      encoded.messageIds = iwant.map { .init(wire: $0.bytes) }
      control.iwant = [encoded]
    }
    control.graft = graft.map { topic in
      var encoded = Murmur_Gossipsub_Control.Graft()
      encoded.topic = topic.name
      return encoded
    }
    control.prune = prune.map(\.encoded)
    return control
  }

  fileprivate init(decoding control: Murmur_Gossipsub_Control, _ limits: PubSub.Limits) throws(WireError) {
    self.init()
    for have in control.ihave {
      ihave.append(.init(try RPC.topic(have.topic, limits), ids: have.messageIds.compactMap { MessageID(bytes: $0.array) }))
    }
    for want in control.iwant { iwant += want.messageIds.compactMap { MessageID(bytes: $0.array) } }
    for topic in control.graft { graft.append(try RPC.topic(topic.topic, limits)) }
    for farewell in control.prune {
      prune.append(.init(decoding: farewell, try RPC.topic(farewell.topic, limits)))
    }
  }
}

extension RPC.Prune {
  fileprivate var encoded: Murmur_Gossipsub_Control.Prune {
    var message = Murmur_Gossipsub_Control.Prune()
    message.topic = topic.name
    if let backoff { message.backoff = backoff }
    message.peers = peers.map { peer in
      var encoded = Murmur_Gossipsub_Control.PeerInfo()
      encoded.peerID = .init(wire: peer.id.bytes)
      if !peer.record.isEmpty { encoded.signedPeerRecord = .init(wire: peer.record) }
      return encoded
    }
    return message
  }

  fileprivate init(decoding message: Murmur_Gossipsub_Control.Prune, _ topic: Topic) {
    self.init(topic, backoff: message.hasBackoff ? message.backoff : nil)
    for peer in message.peers {
      let id: PeerID
      do { id = try PeerID(bytes: peer.peerID.array) } catch { continue }
      peers.append(.init(id, record: peer.signedPeerRecord.array))
    }
  }
}
