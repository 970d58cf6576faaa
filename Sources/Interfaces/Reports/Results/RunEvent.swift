/// One line of `events.jsonl`: something that happened to one peer, or to the world, at one virtual time.
public struct RunEvent: Hashable, Sendable {
  /// Virtual seconds since the session began.
  public var time: Double
  /// The peer it happened to; `nil` for the world.
  public var peer: Int?
  /// What happened, in the past tense and in kebab case, e.g. `model-adopted`.
  public var kind: String
  /// What else is known, in the order in which it is written.
  public var fields: [JSON.Member]

  /// An event with the given particulars.
  public init(time: Double, peer: Int? = nil, kind: String, fields: [JSON.Member] = []) {
    self.time = time
    self.peer = peer
    self.kind = kind
    self.fields = fields
  }

  /// The event as one line of JSON with a line feed at its end.
  public func line() -> String {
    var text = ""
    text.reserveCapacity(160)
    append(to: &text)
    return text
  }

  /// Appends ``line()`` to `text`; a long journal is written into one string.
  public func append(to text: inout String) {
    text += "{\"time\":"
    text += time.isFinite ? Numerals.exact(time) : "null"
    if let peer {
      text += ",\"peer\":"
      text += String(peer)
    }
    text += ",\"event\":"
    JSON.quote(kind, into: &text)
    for field in fields {
      text += ","
      JSON.quote(field.key, into: &text)
      text += ":"
      field.value.appendCompact(to: &text)
    }
    text += "}\n"
  }
}
