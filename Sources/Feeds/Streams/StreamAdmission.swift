public import MurmurWire

/// What may be published in a session, as far as it can be told without following a stream: heads that open, public messages that are signed
/// as one of some stream, and what has the form of a masked one.
///
/// With this a gateway works for nobody who only wants something published. It stops no one who makes a stream of noise: that is what a
/// feeder's share of a gateway is for.
public struct StreamAdmission: Sendable {
  private let session: String
  private let heads: [(tag: [UInt8], side: SideKey?)]
  private let allowed: [(id: String, channel: Digest)]

  /// What may be published in a session whose readers hold `sides`. With `allowed` only heads of these sensors are.
  public init(session: String, sides: [SideKey] = [], allowed: [(id: String, channel: Digest)] = []) {
    (self.session, self.allowed) = (session, allowed)
    heads = [(StreamHead.tag(of: session, side: nil), nil)] + sides.map { (StreamHead.tag(of: session, side: $0), $0) }
  }

  /// Whether `content` may be published under `tag`.
  public func admits(_ tag: [UInt8], _ content: [UInt8]) -> Bool {
    if let (_, side) = heads.first(where: { $0.tag == tag }) {
      guard let head = try? StreamHead.open(content, session: session, side: side) else { return false }
      return allowed.isEmpty || allowed.contains { $0.id == head.sensor.id && $0.channel == head.channel }
    }
    guard let address = Digest(tag) else { return false }
    return switch content.first {
    case MessageCoding.plain?: MessageCoding.isPublicMessage(content, at: address)
    case MessageCoding.masked?: (MessageCoding.leastMasked...StreamLimits.message).contains(content.count)
    default: false
    }
  }
}
