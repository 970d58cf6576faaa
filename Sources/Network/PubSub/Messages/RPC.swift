public import MurmurIdentity

/// What two pub/sub peers say to each other: one frame of a `/meshsub/1.1.0` stream as a value.
///
/// The simulator passes these values and counts ``wireSize`` bytes; a host passes ``encode()`` and ``decode(_:limits:)``. It is three
/// words large, and a message passed on to six peers is one value six times. Source: libp2p/specs pubsub, gossipsub v1.0 and v1.1.
public struct RPC: Hashable, Sendable {
  /// Topics the sender joins or leaves.
  public var subscriptions: [Subscription]
  /// Messages, the sender's own or passed on.
  public var publish: [Message]
  // None or one: an array is one word where five arrays would be five, and most frames carry no control.
  private var controls: [Control]

  /// Mesh upkeep and gossip.
  public var control: Control {
    get { controls.first ?? Control() }
    set { controls = newValue.isEmpty ? [] : [newValue] }
  }

  /// A frame; without arguments an empty one.
  public init(subscriptions: [Subscription] = [], publish: [Message] = [], control: Control = Control()) {
    self.subscriptions = subscriptions
    self.publish = publish
    self.controls = control.isEmpty ? [] : [control]
  }

  /// Whether there is any ``control``; cheaper than looking at it.
  public var hasControl: Bool { !controls.isEmpty }

  /// Whether the frame says nothing.
  public var isEmpty: Bool { subscriptions.isEmpty && publish.isEmpty && controls.isEmpty }

  /// A peer joins or leaves a topic.
  public struct Subscription: Hashable, Sendable {
    /// The topic.
    public var topic: Topic
    /// True for joining, false for leaving.
    public var subscribes: Bool

    /// Joining or leaving `topic`.
    public init(_ topic: Topic, subscribes: Bool) {
      self.topic = topic
      self.subscribes = subscribes
    }
  }

  /// Mesh upkeep and gossip.
  public struct Control: Hashable, Sendable {
    /// Messages the sender could hand over.
    public var ihave: [IHave]
    /// Messages the sender asks for.
    public var iwant: [MessageID]
    /// Topics in whose mesh the sender takes the receiver.
    public var graft: [Topic]
    /// Topics from whose mesh the sender drops the receiver.
    public var prune: [Prune]

    /// Control; without arguments none.
    public init(ihave: [IHave] = [], iwant: [MessageID] = [], graft: [Topic] = [], prune: [Prune] = []) {
      self.ihave = ihave
      self.iwant = iwant
      self.graft = graft
      self.prune = prune
    }

    /// Whether it says nothing.
    public var isEmpty: Bool { ihave.isEmpty && iwant.isEmpty && graft.isEmpty && prune.isEmpty }
  }

  /// Gossip: messages of one topic that the sender saw lately.
  public struct IHave: Hashable, Sendable {
    /// The topic.
    public var topic: Topic
    /// The messages' names.
    public var ids: [MessageID]

    /// Gossip about `topic`.
    public init(_ topic: Topic, ids: [MessageID]) {
      self.topic = topic
      self.ids = ids
    }
  }

  /// A farewell from a mesh.
  public struct Prune: Hashable, Sendable {
    /// The topic.
    public var topic: Topic
    /// Seconds for which not to graft again; `nil` from peers that speak v1.0.
    public var backoff: UInt64?
    /// Others to try instead (peer exchange).
    public var peers: [PeerInfo]

    /// A farewell from the mesh of `topic`.
    public init(_ topic: Topic, backoff: UInt64?, peers: [PeerInfo] = []) {
      self.topic = topic
      self.backoff = backoff
      self.peers = peers
    }
  }

  /// A peer to try, in peer exchange.
  public struct PeerInfo: Hashable, Sendable {
    /// Who.
    public var id: PeerID
    /// Its signed peer record, or nothing.
    public var record: [UInt8]

    /// A peer to try.
    public init(_ id: PeerID, record: [UInt8] = []) {
      self.id = id
      self.record = record
    }
  }
}
