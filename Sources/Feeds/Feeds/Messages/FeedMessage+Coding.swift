import MurmurMachines
public import MurmurWire

/// The protobuf forms of messages (`Protocols/feed.proto`).
extension FeedMessage {
  private static let what = "feed message"

  /// The message as it stands on a stream, without its length.
  public func encode() -> [UInt8] {
    var frame = Murmur_Feed_Frame()
    switch self {
    case .hello(let session): frame.hello.session = session
    case .publish(let tag, let content):
      frame.publish.tag = .init(wire: tag)
      frame.publish.content = .init(wire: content)
    case .ask(let keys):
      frame.ask.keys = keys.map { key in
        var message = Murmur_Feed_Key()
        message.tag = .init(wire: key.tag)
        message.name = .init(wire: key.name.bytes)
        return message
      }
    case .welcome(let welcome):
      frame.welcome.session = welcome.session
      frame.welcome.contentBytes = UInt32(welcome.contentBytes)
      frame.welcome.window = UInt32(welcome.window)
      frame.welcome.problem = welcome.problem ?? ""
    case .held(let names): frame.held = FeedMessage.names(names)
    case .confirmed(let names): frame.confirmed = FeedMessage.names(names)
    case .unknown(let names): frame.unknown = FeedMessage.names(names)
    case .refused(let name, let why):
      frame.refused.name = .init(wire: name.bytes)
      frame.refused.why =
        switch why {
        case .busy: .busy
        case .tooLarge: .tooLarge
        case .noMessage: .noMessage
        case .notIssued: .notIssued
        }
    case .slow(let span):
      let longest = Int64(FeedLimits.slowSeconds) * 1_000
      frame.slow.milliseconds = UInt32(max(0, min(span.nanoseconds / 1_000_000, longest)))
    }
    return frame.wire
  }

  private static func names(_ names: [Digest]) -> Murmur_Feed_Names {
    var message = Murmur_Feed_Names()
    message.names = names.map { .init(wire: $0.bytes) }
    return message
  }

  /// Reads what ``encode()`` wrote. Throws on anything that is not that, or is beyond ``FeedLimits``.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> FeedMessage {
    guard bytes.count <= FeedLimits.frameBytes else {
      throw WireError(what, "\(bytes.count) bytes are more than \(FeedLimits.frameBytes)")
    }
    try ProtobufScan.bound(bytes[...], what: what, fields: 1)
    var scan = ProtobufScan(bytes[...], what: what)
    if let field = try scan.next() { try ProtobufScan.bound(field.payload, what: what, fields: FeedLimits.names) }
    let frame = try Murmur_Feed_Frame(wire: bytes, what: what, depth: 3)
    switch frame.kind {
    case .hello(let hello): return .hello(session: try session(hello.session))
    case .publish(let publish):
      guard publish.content.count <= FeedLimits.contentBytes else {
        throw WireError(what, "a content of \(publish.content.count) bytes is larger than \(FeedLimits.contentBytes)")
      }
      return .publish(tag: try tag(publish.tag.array), content: publish.content.array)
    case .ask(let ask):
      var keys: [FeedKey] = []
      keys.reserveCapacity(ask.keys.count)
      for key in ask.keys { keys.append(FeedKey(tag: try tag(key.tag.array), name: try name(key.name.array))) }
      return .ask(keys)
    case .welcome(let message): return .welcome(try welcome(message))
    case .held(let list): return .held(try names(list))
    case .confirmed(let list): return .confirmed(try names(list))
    case .unknown(let list): return .unknown(try names(list))
    case .refused(let refused): return .refused(try name(refused.name.array), try refusal(refused.why))
    case .slow(let slow):
      guard Double(slow.milliseconds) <= FeedLimits.slowSeconds * 1_000 else {
        throw WireError(what, "a pause of \(slow.milliseconds) ms is too long")
      }
      return .slow(.milliseconds(Double(slow.milliseconds)))
    case nil: throw WireError(what, "it says nothing: none of its kinds is set")
    }
  }

  private static func session(_ name: String) throws(WireError) -> String {
    guard name.utf8.count <= FeedLimits.sessionBytes else { throw WireError(what, "a session's name is too long") }
    return name
  }

  private static func tag(_ bytes: [UInt8]) throws(WireError) -> [UInt8] {
    guard bytes.count <= FeedLimits.tagBytes else { throw WireError(what, "a tag of \(bytes.count) bytes is too long") }
    return bytes
  }

  private static func name(_ bytes: [UInt8]) throws(WireError) -> Digest {
    guard let name = Digest(bytes) else { throw WireError(what, "a name has \(Digest.count) bytes, not \(bytes.count)") }
    return name
  }

  private static func names(_ list: Murmur_Feed_Names) throws(WireError) -> [Digest] {
    var names: [Digest] = []
    names.reserveCapacity(list.names.count)
    for bytes in list.names { names.append(try name(bytes.array)) }
    return names
  }

  private static func welcome(_ message: Murmur_Feed_Welcome) throws(WireError) -> FeedWelcome {
    guard message.contentBytes <= UInt32(FeedLimits.contentBytes), message.window <= UInt32(FeedLimits.window),
      message.problem.utf8.count <= FeedLimits.problemBytes
    else { throw WireError(what, "a welcome allows too much, or its reason is too long") }
    return FeedWelcome(
      session: try session(message.session), contentBytes: Int(message.contentBytes), window: Int(message.window),
      problem: message.problem.isEmpty ? nil : message.problem)
  }

  private static func refusal(_ why: Murmur_Feed_Refused.Why) throws(WireError) -> FeedRefusal {
    switch why {
    case .busy: .busy
    case .tooLarge: .tooLarge
    case .noMessage: .noMessage
    case .notIssued: .notIssued
    case .unspecified, .UNRECOGNIZED: throw WireError(what, "a message is refused without a known reason")
    }
  }
}
