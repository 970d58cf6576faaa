internal import MurmurIdentity
internal import MurmurWire

/// The size of the encoded frame, counted without encoding it.
extension RPC {
  /// How many bytes ``encode()`` gives, without the length that frames it on a stream; exact.
  public var wireSize: Int {
    var size = 0
    for subscription in subscriptions { size += delimited(2 + delimited(subscription.topic.byteCount)) }
    for message in publish { size += delimited(message.wireSize) }
    return hasControl ? size + delimited(control.wireSize) : size
  }
}

extension Message {
  /// The encoded message's size in bytes, without tag and length.
  public var wireSize: Int {
    var size = delimited(from.byteCount) + 10 + delimited(topic.byteCount)
    if !data.isEmpty { size += delimited(data.count) }
    if !signature.isEmpty { size += delimited(signature.count) }
    if !key.isEmpty { size += delimited(key.count) }
    return size
  }
}

extension RPC.Control {
  /// The encoded control's size in bytes, without tag and length.
  var wireSize: Int {
    var size = 0
    for have in ihave { size += delimited(delimited(have.topic.byteCount) + RPC.size(of: have.ids)) }
    if !iwant.isEmpty { size += delimited(RPC.size(of: iwant)) }
    for topic in graft { size += delimited(delimited(topic.byteCount)) }
    for farewell in prune {
      var inner = delimited(farewell.topic.byteCount)
      for peer in farewell.peers {
        inner += delimited(delimited(peer.id.byteCount) + (peer.record.isEmpty ? 0 : delimited(peer.record.count)))
      }
      if let backoff = farewell.backoff { inner += 1 + Varint.size(backoff) }
      size += delimited(inner)
    }
    return size
  }
}

extension RPC {
  /// The size of identifiers as a repeated field.
  static func size(of ids: [MessageID]) -> Int { ids.reduce(0) { $0 + delimited($1.byteCount) } }
}

/// The size of a length-delimited field with a one-byte tag and `count` bytes of content.
func delimited(_ count: Int) -> Int { 1 + Varint.size(UInt64(count)) + count }
