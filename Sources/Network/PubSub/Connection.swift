extension PubSub {
  /// What a connected peer speaks and who opened the connection.
  public struct Connection: Hashable, Sendable {
    /// The pub/sub protocol of a peer.
    public enum Language: UInt8, Hashable, Sendable {
      /// `/meshsub/1.1.0` (and 1.0.0): mesh, gossip, messages.
      case gossipsub
      /// `/floodsub/1.0.0`: messages only; such a peer is sent every message of its topics.
      case floodsub
    }

    /// What the peer speaks.
    public var language: Language
    /// Whether we opened the connection; `nil` if the world does not say, and then a coin decides that falls the same way for both.
    public var isOutbound: Bool?

    /// A connection; without arguments to a gossipsub peer.
    public init(_ language: Language = .gossipsub, isOutbound: Bool? = nil) {
      self.language = language
      self.isOutbound = isOutbound
    }
  }

  /// What a connected peer did that it should not have done; peer scores (gossipsub v1.1, P₄ and P₇) will be made of it.
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
