public import MurmurBlocks
public import MurmurCollective
public import MurmurIdentity
public import MurmurMachines
public import MurmurPubSub
public import MurmurWire

/// What others than the session want of a peer: the owner at a command line, a program beside it.
extension Peer {
  /// What a peer is known to speak, and how it is connected.
  public struct Acquaintance: Hashable, Sendable {
    /// What both sides speak.
    public var languages: Languages
    /// The connection as pub/sub sees it.
    public var pubsub: PubSub.Connection

    /// A peer that speaks everything, as all do in a simulation.
    public init(_ languages: Languages = .all, pubsub: PubSub.Connection = PubSub.Connection()) {
      self.languages = languages
      self.pubsub = pubsub
    }
  }

  /// The protocols a peer is made of.
  public struct Languages: OptionSet, Hashable, Sendable {
    /// One bit a protocol.
    public let rawValue: UInt8
    /// A set of these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The session's own.
    public static let collective = Languages(rawValue: 1)
    /// Bitswap.
    public static let blocks = Languages(rawValue: 2)
    /// Gossipsub or floodsub.
    public static let pubsub = Languages(rawValue: 4)
    /// All of them.
    public static let all: Languages = [.collective, .blocks, .pubsub]
  }

  /// Something to be done beside the session.
  public enum Ask: Sendable {
    /// Get an object, from these peers or from whoever is connected; answered by ``Answer/fetched(_:)`` or
    /// ``Answer/notFetched(_:_:)``.
    case fetch(CID, providers: [PeerID], deadline: Instant?, keeping: Exchange.Keeping)
    /// Get it no more.
    case cancel(CID)
    /// Take these blocks in, keep them, and tell who waits for them.
    case put(Object.Built)
    /// Take these blocks in, and tell who waits for them: a part of an object that is larger than memory.
    case take([Block])
    /// Keep an object.
    case pin(CID)
    /// Keep it no longer.
    case unpin(CID)
    /// Hear what is said on a topic.
    case subscribe(Topic)
    /// Hear it no more.
    case unsubscribe(Topic)
    /// Say something on a topic.
    case publish(Topic, [UInt8])
    /// What is said on a topic whose messages are judged before they are passed on is worth that.
    case judge(MessageID, PubSub.Verdict)
    /// Learn from these rows from now on: all there are, not only the new ones.
    case learn(Work.Rows)
  }

  /// What came of it.
  public enum Answer: Sendable {
    /// The object is here.
    case fetched(CID)
    /// The object could not be had.
    case notFetched(CID, FetchFailure)
    /// Somebody said something on a topic.
    case said(Topic, MurmurPubSub.Message)
  }

  mutating func answer(_ ask: Ask, at now: Instant, _ effects: inout Effects<Effect>) {
    switch ask {
    case .fetch(let root, let providers, let deadline, let keeping):
      want(root)
      step(exchange: .want(root: root, providers: providers, deadline: deadline, keeping: keeping), at: now, &effects)
    case .cancel(let root):
      guard forget(root) else { return }
      step(exchange: .cancel(root), at: now, &effects)
    case .put(let object):
      put(object)
      pin(object.root, true, at: now, &effects)
    case .take(let blocks): take(blocks, at: now, &effects)
    case .pin(let root): pin(root, true, at: now, &effects)
    case .unpin(let root): pin(root, false, at: now, &effects)
    case .subscribe(let topic): step(pubsub: .subscribe(topic), at: now, &effects)
    case .unsubscribe(let topic): step(pubsub: .unsubscribe(topic), at: now, &effects)
    case .publish(let topic, let data): step(pubsub: .publish(topic, data: data), at: now, &effects)
    case .judge(let id, let verdict): step(pubsub: .validated(id, verdict), at: now, &effects)
    case .learn(let rows): step(collective: .gathered(rows), at: now, &effects)
    }
  }
}
