internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// What is remembered of what one peer did in one topic.
struct TopicRating: Sendable {
  let topic: Topic
  /// Since when it is in our mesh; `nil` if it is not.
  var meshedAt: Instant?
  var firstDeliveries = 0.0
  var meshDeliveries = 0.0
  var meshFailures = 0.0
  var invalid = 0.0

  /// What is missing to the deliveries it owes, if they are demanded already.
  func deficit(_ rule: PubSub.Scoring.TopicRule, at now: Instant) -> Double {
    guard let meshedAt, now - meshedAt >= rule.meshDeliveriesActivation else { return 0 }
    return max(rule.meshDeliveriesThreshold - meshDeliveries, 0)
  }

  func score(_ rule: PubSub.Scoring.TopicRule, at now: Instant) -> Double {
    var sum = firstDeliveries * rule.firstDeliveriesWeight
    if let meshedAt {
      let units = (now - meshedAt).seconds / rule.meshTimeQuantum.seconds
      sum += min(units, rule.meshTimeCap) * rule.meshTimeWeight
    }
    let deficit = deficit(rule, at: now)
    sum += deficit * deficit * rule.meshDeliveriesWeight
    sum += meshFailures * rule.meshFailureWeight
    sum += invalid * invalid * rule.invalidWeight
    return sum * rule.weight
  }
}

/// What is remembered of one peer.
struct Rating: Sendable {
  var topics: [TopicRating] = []
  var behaviour = 0.0
  var application = 0.0
  /// From where it is connected; `nil` if nobody says.
  var host: [UInt8]?
  /// When it left; `nil` while it is connected.
  var leftAt: Instant?
  /// Whether it was reported as one to be disconnected.
  var isReported = false

  mutating func index(of topic: Topic) -> Int {
    if let index = topics.firstIndex(where: { $0.topic == topic }) { return index }
    topics.append(TopicRating(topic: topic))
    return topics.count - 1
  }
}

/// What is remembered of all peers, in their order; empty unless peers are scored.
struct Ratings: Sendable {
  private var peers = PeerSet()
  private var list: [Rating] = []
  /// Counters have decayed up to this interval.
  private var decayed: Int64 = 0
  /// Peers that are gone and remembered, in order of their leaving.
  private var departed: [PeerID] = []
  private(set) var graftedAt = Instant.origin
  /// How many peers come from each host, as of the last heartbeat.
  var neighbours: [[UInt8]: Int] = [:]
  /// Digests of wrongly signed messages, in order of arrival.
  var forgeries: [Digest] = []
  /// Whether the application ever rejected a message: only then can a message that comes again be one.
  var hasRejected = false
  static let none = Ratings()

  var count: Int { list.count }
  func index(of peer: PeerID) -> Int? { peers.index(of: peer) }
  func peer(at index: Int) -> PeerID { peers.list[index] }

  subscript(index: Int) -> Rating {
    _read { yield list[index] }
    _modify { yield &list[index] }
  }

  /// A peer is there, perhaps again.
  mutating func arrive(_ peer: PeerID, from host: [UInt8]?) {
    let position = peers.position(peer)
    if peers.insert(peer) { list.insert(Rating(), at: position) }
    list[position].leftAt = nil
    list[position].isReported = false
    list[position].host = host
    departed.removeAll { $0 == peer }
  }

  /// A peer is gone; it is remembered if it has something to answer for.
  mutating func depart(_ peer: PeerID, score: Double, at now: Instant, most: Int, _ scoring: PubSub.Scoring) {
    guard let index = index(of: peer) else { return }
    for topic in list[index].topics.indices { exit(index, topic, at: now, scoring) }
    guard score < 0 else { return remove(at: index) }
    list[index].leftAt = now
    // What it brought does not count any more, what it broke does.
    for topic in list[index].topics.indices { list[index].topics[topic].firstDeliveries = 0 }
    departed.append(peer)
    guard departed.count > most, let oldest = self.index(of: departed.removeFirst()) else { return }
    remove(at: oldest)
  }

  private mutating func remove(at index: Int) {
    peers.remove(peers.list[index])
    list.remove(at: index)
  }

  /// A peer left our mesh of a topic.
  private mutating func exit(_ index: Int, _ topic: Int, at now: Instant, _ scoring: PubSub.Scoring) {
    guard let rule = scoring.rule(list[index].topics[topic].topic), list[index].topics[topic].meshedAt != nil else { return }
    let deficit = list[index].topics[topic].deficit(rule, at: now)
    list[index].topics[topic].meshFailures += deficit * deficit
    list[index].topics[topic].meshedAt = nil
  }

  /// Brings up to date who is in our mesh of a topic.
  mutating func note(mesh: PeerSet, of topic: Topic, at now: Instant, _ scoring: PubSub.Scoring) {
    for index in list.indices {
      let isMember = mesh.contains(peers.list[index])
      if let known = list[index].topics.firstIndex(where: { $0.topic == topic }) {
        if isMember, list[index].topics[known].meshedAt == nil {
          list[index].topics[known].meshedAt = now
          list[index].topics[known].meshDeliveries = 0
        } else if !isMember {
          exit(index, known, at: now, scoring)
        }
      } else if isMember {
        list[index].topics.append(TopicRating(topic: topic, meshedAt: now))
      }
    }
  }

  /// Lets counters decay by as many intervals as have passed, and forgets peers that have been gone for long.
  mutating func decay(at now: Instant, _ scoring: PubSub.Scoring) {
    let interval = now.nanoseconds / max(scoring.decayInterval.nanoseconds, 1)
    guard interval > decayed else { return }
    let times = interval - decayed
    decayed = interval
    func faded(_ value: Double, _ factor: Double) -> Double {
      guard value != 0 else { return 0 }
      let rest = value * Ratings.power(factor, times)
      return rest < scoring.zero ? 0 : rest
    }
    for index in list.indices {
      list[index].behaviour = faded(list[index].behaviour, scoring.behaviourDecay)
      for topic in list[index].topics.indices {
        guard let rule = scoring.rule(list[index].topics[topic].topic) else { continue }
        list[index].topics[topic].firstDeliveries = faded(list[index].topics[topic].firstDeliveries, rule.firstDeliveriesDecay)
        list[index].topics[topic].meshDeliveries = faded(list[index].topics[topic].meshDeliveries, rule.meshDeliveriesDecay)
        list[index].topics[topic].meshFailures = faded(list[index].topics[topic].meshFailures, rule.meshFailureDecay)
        list[index].topics[topic].invalid = faded(list[index].topics[topic].invalid, rule.invalidDecay)
      }
    }
    while let first = departed.first, let index = index(of: first), let left = list[index].leftAt,
      now - left >= scoring.retention
    {
      departed.removeFirst()
      remove(at: index)
    }
  }

  /// Whether better peers are to be taken in now; asks again only after the interval.
  mutating func mayGraft(at now: Instant, _ scoring: PubSub.Scoring) -> Bool {
    guard now - graftedAt >= scoring.opportunisticInterval else { return false }
    graftedAt = now
    return true
  }

  /// How many connected peers come from each host that has several.
  var hosts: [[UInt8]: Int] {
    var counts: [[UInt8]: Int] = [:]
    for rating in list where rating.leftAt == nil { if let host = rating.host { counts[host, default: 0] += 1 } }
    return counts
  }

  /// The score of a peer; `neighbours` is how many connected peers come from its host.
  func score(_ index: Int, neighbours: Int, at now: Instant, _ scoring: PubSub.Scoring) -> Double {
    let rating = list[index]
    var topics = 0.0
    for topic in rating.topics { if let rule = scoring.rule(topic.topic) { topics += topic.score(rule, at: now) } }
    if scoring.topicCap > 0 { topics = min(topics, scoring.topicCap) }
    var sum = topics + rating.application * scoring.applicationWeight
    if neighbours > scoring.colocationThreshold {
      let excess = Double(neighbours - scoring.colocationThreshold)
      sum += excess * excess * scoring.colocationWeight
    }
    if rating.behaviour > scoring.behaviourThreshold {
      let excess = rating.behaviour - scoring.behaviourThreshold
      sum += excess * excess * scoring.behaviourWeight
    }
    return sum
  }

  /// `base` to a whole power, by squaring: the same bits everywhere.
  private static func power(_ base: Double, _ exponent: Int64) -> Double {
    var result = 1.0, square = base, rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}
