internal import MurmurWire

/// The size of the encoded message, counted without encoding it.
extension BitswapMessage {
  /// How many bytes ``encode()`` gives; exact.
  public var wireSize: Int {
    var size = 0
    if !wants.isEmpty || isFull {
      var list = isFull ? 2 : 0
      for want in wants { list += delimited(want.wireSize) }
      size += delimited(list)
    }
    for block in blocks {
      size += delimited(
        delimited(block.isVersion0 ? 4 : block.cid.prefixByteCount) + (block.bytes.isEmpty ? 0 : delimited(block.bytes.count)))
    }
    for presence in presences {
      size += delimited(
        delimited(presence.isVersion0 ? CID.byteCountOfVersion0 : presence.cid.byteCount) + (presence.has ? 0 : 2))
    }
    if pendingBytes > 0 { size += 1 + Varint.size(UInt64(min(pendingBytes, Int(Int32.max)))) }
    return size
  }
}

extension BitswapMessage.Want {
  /// The entry's size without its own tag and length.
  var wireSize: Int {
    var size = delimited(isVersion0 ? CID.byteCountOfVersion0 : cid.byteCount)
    // A negative int32 is sign-extended to ten bytes on the wire.
    if priority != 0 { size += 1 + (priority < 0 ? 10 : Varint.size(UInt64(priority))) }
    if kind != .block { size += 2 }
    if sendDontHave { size += 2 }
    return size
  }
}

/// The size of a length-delimited field with a one-byte tag and `count` bytes of content.
private func delimited(_ count: Int) -> Int { 1 + Varint.size(UInt64(count)) + count }
