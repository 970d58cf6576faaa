extension PubSub {
  /// What a connected peer speaks and who opened the connection.
  public struct Connection: Hashable, Sendable {
    /// The pub/sub protocol of a peer.
    public enum Language: UInt8, Hashable, Sendable {
      /// `/meshsub/1.1.0` (and 1.0.0): mesh, gossip, messages.
      case gossipsub
      /// `/floodsub/1.0.0`: messages only; such a peer is sent every message of its topics.
      case floodsub

      /// The language of a protocol's name; `nil` if it is none of ours.
      public init?(protocolID: String) {
        switch protocolID {
        case "/meshsub/1.1.0", "/meshsub/1.0.0": self = .gossipsub
        case "/floodsub/1.0.0": self = .floodsub
        default: return nil
        }
      }
    }

    /// What the peer speaks.
    public var language: Language
    /// Whether we opened the connection; `nil` if the world does not say, and then a coin decides that falls the same way for both.
    public var isOutbound: Bool?

    /// The internet address of the other end, as bytes, where many peers from one address are suspicious; `nil` on the same machine.
    public var host: [UInt8]?

    /// A connection; without arguments to a gossipsub peer.
    public init(_ language: Language = .gossipsub, isOutbound: Bool? = nil, host: [UInt8]? = nil) {
      self.language = language
      self.isOutbound = isOutbound
      self.host = host
    }
  }

  /// What a connected peer did that it should not have done, in numbers that do not decay; scores are made of the same.
  public struct Conduct: Hashable, Sendable {
    /// Messages that were rejected or wrongly signed.
    public var invalidMessages: UInt32 = 0
    /// Messages it announced and did not hand over.
    public var brokenPromises: UInt32 = 0
    /// GRAFTs before the back-off was over.
    public var earlyGrafts: UInt32 = 0
    /// Requests beyond a limit.
    public var excess: UInt32 = 0
  }
}
