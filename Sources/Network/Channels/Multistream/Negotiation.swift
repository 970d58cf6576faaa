package import MurmurWire

/// One side of an agreement on a protocol by multistream-select 1.0.
///
/// The dialer sends header and first proposal together, the listener header and answer: one round trip when the first proposal is
/// taken. Neither side reads beyond the last message.
package struct Negotiation: Sendable {
  /// How it went so far.
  package enum Outcome: Hashable, Sendable {
    /// More bytes are needed.
    case pending
    /// Both agree on that protocol.
    case agreed(String)
    /// None of these is spoken by both.
    case failed([String])
  }

  private enum Side: Sendable {
    case dialer(proposals: [String], next: Int)
    case listener(served: [String], refused: [String])
  }

  private var side: Side
  private var reader: MultistreamReader
  private var sawHeader = false
  private let mostProposals: Int

  /// The dialer's side; say ``start()`` first. `proposals` must not be empty.
  package static func dialer(_ proposals: [String], limits: ChannelLimits) -> Negotiation {
    precondition(!proposals.isEmpty, "a negotiation proposes at least one protocol")
    return Negotiation(.dialer(proposals: proposals, next: 0), limits)
  }

  /// The listener's side, which speaks `served`.
  package static func listener(_ served: [String], limits: ChannelLimits) -> Negotiation {
    Negotiation(.listener(served: served, refused: []), limits)
  }

  private init(_ side: Side, _ limits: ChannelLimits) {
    self.side = side
    reader = MultistreamReader(most: limits.negotiationMessage)
    mostProposals = limits.proposals
  }

  /// What the dialer sends first.
  package func start() -> [UInt8] {
    guard case .dialer(let proposals, _) = side else { return [] }
    var out: [UInt8] = []
    Multistream.append(Multistream.header, to: &out)
    Multistream.append(proposals[0], to: &out)
    return out
  }

  /// Takes bytes from `position` on, as far as they belong to the negotiation, and appends the answers to `out`.
  package mutating func receive(
    _ bytes: UnsafeRawBufferPointer, at position: inout Int, answers out: inout [UInt8]
  ) throws(WireError) -> Outcome {
    while let text = try unsafe reader.next(bytes, at: &position) {
      let outcome = try take(text, &out)
      guard outcome == .pending else { return outcome }
    }
    return .pending
  }

  private mutating func take(_ text: String, _ out: inout [UInt8]) throws(WireError) -> Outcome {
    guard sawHeader else {
      guard text == Multistream.header else {
        throw WireError("multistream-select", "begins with \(text.prefix(40).debugDescription), not \(Multistream.header)")
      }
      sawHeader = true
      if case .listener = side { Multistream.append(Multistream.header, to: &out) }
      return .pending
    }
    switch side {
    case .dialer(let proposals, let next):
      if text == proposals[next] { return .agreed(text) }
      guard text == Multistream.notAvailable else {
        throw WireError("multistream-select", "answers \(proposals[next]) with \(text.prefix(40).debugDescription)")
      }
      guard next + 1 < proposals.count else { return .failed(proposals) }
      side = .dialer(proposals: proposals, next: next + 1)
      Multistream.append(proposals[next + 1], to: &out)
      return .pending
    case .listener(let served, let refused):
      if served.contains(text) {
        Multistream.append(text, to: &out)
        return .agreed(text)
      }
      guard refused.count < mostProposals else { return .failed(refused) }
      if text == Multistream.list { Negotiation.append(list: served, to: &out) } else { Multistream.append("na", to: &out) }
      side = .listener(served: served, refused: refused + [text])
      return .pending
    }
  }

  /// The answer to `ls`: one message that holds a message for each protocol.
  private static func append(list: [String], to out: inout [UInt8]) {
    var inner: [UInt8] = []
    for name in list { Multistream.append(name, to: &inner) }
    inner.append(UInt8(ascii: "\n"))
    Varint.append(UInt64(inner.count), to: &out)
    out.append(contentsOf: inner)
  }
}
