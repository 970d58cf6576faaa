import MurmurIdentity
public import MurmurWire

/// What a stream says of the device that makes it.
public struct Sensor: Hashable, Sendable {
  /// Its name, at most ``StreamLimits/name`` bytes.
  public var id: String
  /// The names of its columns, if rows are lists of values.
  public var columns: [String]
  /// How rows are written: `csv` (text, values separated by commas) or `json` (a value each).
  public var format: String

  /// A sensor.
  public init(id: String, columns: [String] = [], format: String = "csv") {
    (self.id, self.columns, self.format) = (id, columns, format)
  }
}

/// The announcement of a stream in a session: whose it is and where to begin.
public struct StreamHead: Hashable, Sendable {
  /// Whose it is.
  public var sensor: Sensor
  /// What the stream is known by: the root of its first tree.
  public var channel: Digest
  /// Where to begin.
  public var pointer: StreamPointer
  /// When the head was made, in milliseconds since 1970.
  public var milliseconds: UInt64

  /// A head with these contents.
  public init(sensor: Sensor, channel: Digest, pointer: StreamPointer, milliseconds: UInt64) {
    (self.sensor, self.channel, self.pointer, self.milliseconds) = (sensor, channel, pointer, milliseconds)
  }

  /// Opens and verifies a head that was found under the tag of a session.
  ///
  /// - Throws: ``StreamError`` if it is none, does not open under `side`, or is not signed by the stream's own first key.
  public static func open(_ bytes: [UInt8], session: String, side: SideKey?) throws(StreamError) -> StreamHead {
    try HeadCoding.open(bytes, session: session, side: side)
  }

  /// The tag under which heads of a session are found: its codename for public streams, a keyed one for those under a side key.
  public static func tag(of session: String, side: SideKey?) -> [UInt8] {
    guard let side else { return Array(session.utf8) }
    return StreamKeys.derive(side.bytes, "head tag", Array(session.utf8)).bytes
  }
}

/// A head as it is published.
public struct SealedHead: Hashable, Sendable {
  /// The tag it is found by.
  public var tag: [UInt8]
  /// Its bytes.
  public var bytes: [UInt8]
}

extension StreamPointer {
  mutating func forgetNext() { self = StreamPointer(mode: mode, height: height, number: number, root: root, chain: chain) }
}

enum HeadCoding {
  private static func signed(_ tag: [UInt8], _ body: [UInt8]) -> [UInt8] {
    Array((StreamKeys.domain + "head").utf8) + StreamKeys.big(UInt16(tag.count)) + tag + body
  }

  static func seal(_ head: StreamHead, session: String, side: SideKey?, key: KeyPair, siblings: [Digest]) -> SealedHead {
    let isMasked = head.pointer.mode == .restricted
    let tag = StreamHead.tag(of: session, side: isMasked ? side : nil)
    var body: [UInt8] = [UInt8(head.pointer.height)] + key.publicKey.data
    for sibling in siblings { sibling.append(to: &body) }
    let text = Array(describe(head, session).text.utf8)
    precondition(
      text.count <= StreamLimits.head, "a head has at most \(StreamLimits.head) bytes: fewer or shorter columns, please")
    body += StreamKeys.big(UInt32(text.count)) + text
    body += key.sign(signed(tag, body))
    guard isMasked, let side else { return SealedHead(tag: tag, bytes: [MessageCoding.plain] + body) }
    let secret = StreamKeys.derive(side.bytes, "head key", Array(session.utf8))
    return SealedHead(
      tag: tag, bytes: [MessageCoding.masked] + StreamBox.seal(body, secret, context: [MessageCoding.masked] + tag))
  }

  static func open(_ bytes: [UInt8], session: String, side: SideKey?) throws(StreamError) -> StreamHead {
    guard bytes.count <= 2 * StreamLimits.head, let first = bytes.first else { throw .malformed("it has \(bytes.count) bytes") }
    let tag = StreamHead.tag(of: session, side: side)
    var body = Array(bytes.dropFirst())
    switch (first, side) {
    case (MessageCoding.plain, nil): break
    case (MessageCoding.masked, let side?):
      let secret = StreamKeys.derive(side.bytes, "head key", Array(session.utf8))
      body = try StreamBox.open(body[...], secret, context: [MessageCoding.masked] + tag)
    default: throw .malformed("its first byte is \(first), which is no head of this version here")
    }
    var scan = StreamScan(body[...])
    let height = Int(try scan.byte())
    guard height <= StreamLimits.height else { throw .malformed("a tree of height \(height)") }
    let key = Array(try scan.bytes(32))
    var siblings: [Digest] = []
    for _ in 0..<height { siblings.append(try scan.digest()) }
    let text = try scan.content(StreamLimits.head)
    let signature = Array(try scan.bytes(64))
    try scan.end()
    let head = try read(try JSONValue.parse(text), session)
    guard KeyTree.root(of: key, at: 0, siblings) == head.channel else { throw .forged("its key is not the first of the stream") }
    guard head.pointer.height == height else { throw .malformed("its pointer is into trees of another height") }
    guard (head.pointer.mode == .restricted) == (side != nil), head.pointer.mode != .private else {
      throw .malformed("a \(head.pointer.mode.name) stream is not announced like this")
    }
    guard MessageCoding.isValid(signature, by: key, over: signed(tag, Array(body.dropLast(64)))) else {
      throw .forged("its signature does not hold")
    }
    return head
  }

  private static func describe(_ head: StreamHead, _ session: String) -> JSONValue {
    .object([
      ("session", .string(session)), ("id", .string(head.sensor.id)), ("created", .number("\(head.milliseconds)")),
      ("mode", .string(head.pointer.mode.name)), ("channel", .string(Multibase.base16.encode(head.channel.bytes))),
      ("begin", .string(head.pointer.text)), ("format", .string(head.sensor.format)),
      ("columns", .array(head.sensor.columns.map { .string($0) })),
    ])
  }

  private static func read(_ json: JSONValue, _ session: String) throws(StreamError) -> StreamHead {
    guard json["session"]?.string == session else {
      throw .misplaced("it is for the session \((json["session"]?.string ?? "?").printable)")
    }
    guard let id = json["id"]?.string, !id.isEmpty, id.utf8.count <= StreamLimits.name else {
      throw .malformed("\"id\" is missing, or longer than \(StreamLimits.name) bytes")
    }
    // Names are shown in logs and on terminals.
    guard id.isPrintable else { throw .malformed("\"id\" holds what cannot be printed") }
    guard let created = json["created"]?.whole, let format = json["format"]?.string, format == "csv" || format == "json" else {
      throw .malformed("\"created\" or \"format\" is missing or unknown")
    }
    guard let root = json["channel"]?.string, let bytes = try? Multibase.decode(root), let channel = Digest(bytes) else {
      throw .malformed("\"channel\" is no root")
    }
    guard let begin = json["begin"]?.string else { throw .malformed("\"begin\" is missing") }
    let pointer = try StreamPointer(text: begin)
    guard json["mode"]?.string == pointer.mode.name else { throw .malformed("\"mode\" and \"begin\" disagree") }
    let columns = (json["columns"]?.array ?? []).compactMap(\.string)
    guard columns.count <= StreamLimits.columns else { throw .malformed("\(columns.count) columns") }
    guard Set(columns).count == columns.count else { throw .malformed("two columns of one name") }
    return StreamHead(
      sensor: Sensor(id: id, columns: columns, format: format), channel: channel, pointer: pointer, milliseconds: created)
  }
}
