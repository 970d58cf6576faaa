public import MurmurMachines

extension PubSub {
  /// How peers are judged by what they do: gossipsub v1.1, "Peer Scoring". All of it is data; weights of bad things are negative.
  ///
  /// A peer's score is the sum over topics of P₁ … P₄, times the topic's weight, plus P₅ … P₇. Counters decay, so that what was done
  /// long ago weighs little. The defaults suit topics of which nobody knows how much is said; P₃, which demands deliveries, is off.
  public struct Scoring: Sendable {
    /// How peers are judged in one topic.
    public struct TopicRule: Hashable, Sendable {
      /// How much the topic counts.
      public var weight = 1.0
      /// P₁: for each ``meshTimeQuantum`` in our mesh, up to ``meshTimeCap``.
      public var meshTimeWeight = 0.01
      /// The unit of time in the mesh.
      public var meshTimeQuantum = Instant.Span.seconds(1)
      /// The most units that count.
      public var meshTimeCap = 300.0
      /// P₂: for each valid message it was the first to bring, up to ``firstDeliveriesCap``.
      public var firstDeliveriesWeight = 0.5
      /// How much of the counter is left after a decay interval.
      public var firstDeliveriesDecay = Scoring.decay(over: .minutes(10))
      /// The most deliveries that count.
      public var firstDeliveriesCap = 40.0
      /// P₃: for the square of what is missing to ``meshDeliveriesThreshold``; zero demands nothing.
      public var meshDeliveriesWeight = 0.0
      /// How much of the counter is left after a decay interval.
      public var meshDeliveriesDecay = Scoring.decay(over: .minutes(5))
      /// The most deliveries that count.
      public var meshDeliveriesCap = 100.0
      /// The deliveries that a peer of the mesh owes us, after decay.
      public var meshDeliveriesThreshold = 0.0
      /// How long after the first delivery another one of the same message counts.
      public var meshDeliveriesWindow = Instant.Span.milliseconds(500)
      /// How long a peer must be in the mesh before deliveries are demanded.
      public var meshDeliveriesActivation = Instant.Span.minutes(1)
      /// P₃b: for the square of what was missing when a peer left the mesh.
      public var meshFailureWeight = 0.0
      /// How much of the counter is left after a decay interval.
      public var meshFailureDecay = Scoring.decay(over: .minutes(10))
      /// P₄: for the square of the number of invalid messages.
      public var invalidWeight = -20.0
      /// How much of the counter is left after a decay interval.
      public var invalidDecay = Scoring.decay(over: .minutes(60))

      /// The default rule.
      public init() {}
    }

    /// Where which score has consequences.
    public struct Thresholds: Hashable, Sendable {
      /// Below it no gossip is exchanged.
      public var gossip = -50.0
      /// Below it own messages are not sent.
      public var publish = -100.0
      /// Below it nothing is heard, and the peer is to be disconnected.
      public var graylist = -200.0
      /// From it on, peers that it offers are dialled.
      public var acceptPX = 10.0
      /// A mesh whose median is below it takes in better peers.
      public var opportunisticGraft = 1.0

      /// The default thresholds.
      public init() {}
    }

    /// Topics with rules of their own.
    public var topics: [Topic: TopicRule] = [:]
    /// The rule of all other topics that are ours; `nil` to judge nothing there.
    public var otherTopics: TopicRule? = TopicRule()
    /// The most that all topics together add; zero for any sum.
    public var topicCap = 50.0
    /// P₅: for what the application says of a peer, see ``PubSub/Input/rated(_:_:)``.
    public var applicationWeight = 1.0
    /// P₆: for the square of how many more peers than ``colocationThreshold`` come from the same host.
    public var colocationWeight = -10.0
    /// How many peers one host may have.
    public var colocationThreshold = 8
    /// P₇: for the square of how much more often than ``behaviourThreshold`` a peer broke the protocol's rules.
    public var behaviourWeight = -8.0
    /// How often a peer may break rules, after decay.
    public var behaviourThreshold = 3.0
    /// How much of the counter is left after a decay interval.
    public var behaviourDecay = Scoring.decay(over: .minutes(10))
    /// The time between decays.
    public var decayInterval = Instant.Span.seconds(1)
    /// A counter below it is zero.
    public var zero = 0.01
    /// How long a bad score is remembered after the peer left.
    public var retention = Instant.Span.minutes(60)
    /// Peers of the mesh that stay for their score when it shrinks; the others are chosen at random.
    public var keptForScore = 4
    /// The time between opportunistic grafts.
    public var opportunisticInterval = Instant.Span.minutes(1)
    /// How many peers are grafted then.
    public var opportunisticPeers = 2
    /// How soon after a PRUNE a GRAFT counts twice.
    public var graftFloodTime = Instant.Span.seconds(10)
    /// Where which score has consequences.
    public var thresholds = Thresholds()

    /// The default rules.
    public init() {}

    /// What a counter is multiplied with in each interval so that a hundredth of it is left after `span`.
    public static func decay(over span: Instant.Span, interval: Instant.Span = .seconds(1)) -> Double {
      Portable.exp(Portable.log(0.01) * interval.seconds / span.seconds)
    }

    func rule(_ topic: Topic) -> TopicRule? { topics[topic] ?? otherTopics }
  }
}
