import MurmurIdentity
import MurmurMachines
public import MurmurWire

/// The protobuf forms of a session's messages (`Protocols/collective.proto`), and their sizes without encoding.
extension Announcement {
  /// The most bytes an encoded announcement may have.
  static let byteLimit = 256

  var message: Murmur_Collective_Announcement {
    var message = Murmur_Collective_Announcement()
    message.peer = .init(wire: peer.bytes)
    message.root = .init(wire: root.bytes)
    message.cycle = cycle
    message.made = UInt64(max(made.nanoseconds, 0) / 1000)
    message.accuracy = accuracy
    message.loss = loss
    message.groundLoss = groundLoss
    message.halvings = halvings
    message.rows = rows
    message.held = held
    return message
  }

  init(_ message: Murmur_Collective_Announcement) throws(WireError) {
    guard message.accuracy.isFinite, (0...1).contains(message.accuracy), !message.loss.isNaN, !message.groundLoss.isNaN else {
      throw WireError("announcement", "accuracy \(message.accuracy) and loss \(message.loss) are not a share and a number")
    }
    self.init(
      peer: try PeerID(bytes: message.peer.array), root: try CID(bytes: message.root.array), cycle: message.cycle,
      made: Instant(nanoseconds: Int64(min(message.made, 9_000_000_000_000_000)) * 1000), accuracy: message.accuracy,
      loss: message.loss, rows: message.rows, held: message.held)
    groundLoss = message.groundLoss
    halvings = min(message.halvings, Vigil.halvingLimit)
  }

  /// The bytes of the encoded announcement.
  var wireSize: Int {
    var size = 2 + peer.byteCount + 2 + root.byteCount
    if cycle != 0 { size += 1 + varintSize(UInt64(cycle)) }
    let microseconds = UInt64(max(made.nanoseconds, 0) / 1000)
    if microseconds != 0 { size += 1 + varintSize(microseconds) }
    if accuracy.bitPattern != 0 { size += 5 }
    if loss.bitPattern != 0 { size += 5 }
    if groundLoss.bitPattern != 0 { size += 5 }
    if halvings != 0 { size += 1 + varintSize(UInt64(halvings)) }
    if rows != 0 { size += 1 + varintSize(UInt64(rows)) }
    if held { size += 2 }
    return size
  }
}

private func varintSize(_ value: UInt64) -> Int { max((64 - value.leadingZeroBitCount + 6) / 7, 1) }

extension CollectiveMessage {
  /// The most bytes an encoded message may have.
  public static let byteLimit = announcementLimit * (Announcement.byteLimit + 3) + 2

  /// The message as it stands on a `/murmur/collective/1` stream, without its length prefix.
  public func encode() -> [UInt8] {
    switch self {
    case .news(let announcements, let wantsReply):
      var message = Murmur_Collective_News()
      message.announcements = announcements.map(\.message)
      message.wantsReply = wantsReply
      return message.wire
    case .sealed(let announcements, let wantsReply):
      var message = Murmur_Collective_News()
      message.announcements = announcements.map { told in
        var part = told.announcement.message
        part.signature = .init(wire: told.signature)
        return part
      }
      message.wantsReply = wantsReply
      return message.wire
    }
  }

  /// Reads what ``encode()`` wrote; throws on anything that is not that, or is beyond the limits.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> CollectiveMessage {
    guard bytes.count <= byteLimit else { throw WireError("news", "\(bytes.count) bytes are more than \(byteLimit)") }
    try ProtobufScan.bound(bytes[...], what: "news", fields: announcementLimit + 8, counting: [(1, announcementLimit)])
    let message = try Murmur_Collective_News(wire: bytes, what: "news")
    var announcements: [Announcement] = []
    for part in message.announcements { announcements.append(try Announcement(part)) }
    guard message.announcements.contains(where: { !$0.signature.isEmpty }) else {
      return .news(announcements, wantsReply: message.wantsReply)
    }
    var sealed: [SealedAnnouncement] = []
    for (announcement, part) in zip(announcements, message.announcements) {
      guard part.signature.count <= SealedAnnouncement.signatureLimit else {
        throw WireError("announcement", "a signature of \(part.signature.count) bytes is too long")
      }
      sealed.append(SealedAnnouncement(announcement, signature: part.signature.array))
    }
    return .sealed(sealed, wantsReply: message.wantsReply)
  }

  /// The number of bytes ``encode()`` gives, without encoding.
  public var wireSize: Int {
    switch self {
    case .news(let announcements, let wantsReply):
      var size = wantsReply ? 2 : 0
      for announcement in announcements {
        let length = announcement.wireSize
        size += 1 + varintSize(UInt64(length)) + length
      }
      return size
    case .sealed(let announcements, let wantsReply):
      var size = wantsReply ? 2 : 0
      for told in announcements {
        let signature = told.signature.count
        let length = told.announcement.wireSize + (signature > 0 ? 1 + varintSize(UInt64(signature)) + signature : 0)
        size += 1 + varintSize(UInt64(length)) + length
      }
      return size
    }
  }
}

extension Notice {
  /// The most bytes an encoded notice may have.
  public static let byteLimit = 512

  /// The notice as the data of a pub/sub message.
  public func encode() -> [UInt8] {
    var message = Murmur_Collective_Notice()
    switch self {
    case .model(let announcement): message.model = announcement.message
    case .hashlist(let root, let slices):
      message.hashlist.root = .init(wire: root.bytes)
      message.hashlist.slices = slices
    case .used(let root): message.used = .init(wire: root.bytes)
    }
    return message.wire
  }

  /// Reads what ``encode()`` wrote; throws on anything that is not that.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> Notice {
    guard bytes.count <= byteLimit else { throw WireError("notice", "\(bytes.count) bytes are more than \(byteLimit)") }
    let message = try Murmur_Collective_Notice(wire: bytes, what: "notice")
    switch message.kind {
    case .model(let part): return .model(try Announcement(part))
    case .hashlist(let list): return .hashlist(try CID(bytes: list.root.array), slices: list.slices)
    case .used(let root): return .used(try CID(bytes: root.array))
    case nil: throw WireError("notice", "it says nothing: none of model, hashlist and used is set")
    }
  }
}
