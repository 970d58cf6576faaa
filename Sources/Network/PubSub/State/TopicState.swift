internal import MurmurIdentity
internal import MurmurMachines

/// What a machine knows of one topic, its own or one of its peers'.
struct TopicState: Sendable {
  let topic: Topic
  /// The most bytes of data in a message.
  let messageBytes: Int
  /// Whether its messages wait for a verdict.
  let isValidated: Bool
  /// The most deliveries that count in scores; `nil` if nothing is judged here.
  let caps: (first: Double, mesh: Double)?
  /// Whether the topic is ours.
  var isSubscribed = false
  /// Whether peers came or went since the last heartbeat.
  var isUnsettled = false
  /// Connected gossipsub peers that are subscribed; the mesh and the fanout are among them.
  var subscribers = PeerSet()
  /// Connected floodsub peers that are subscribed.
  var flooded = PeerSet()
  /// The peers to which messages are passed on at once.
  var mesh = PeerSet()
  /// The peers to which we publish although the topic is not ours.
  var fanout = PeerSet()
  /// When we last published through the fanout.
  var lastPublished = Instant.origin
  /// Peers not to be grafted yet, in order, and until when.
  private(set) var backoffs: [Backoff] = []

  struct Backoff: Sendable {
    let peer: PeerID
    var until: Instant
  }

  init(_ topic: Topic, _ configuration: PubSub.Configuration) {
    self.topic = topic
    messageBytes = configuration.messageBytes[topic] ?? configuration.limits.messageBytes
    caps = configuration.scoring?.rule(topic).map { ($0.firstDeliveriesCap, $0.meshDeliveriesCap) }
    isValidated = configuration.validatedTopics.contains(topic)
  }

  /// Whether nothing would be lost with it.
  var isForgettable: Bool {
    !isSubscribed && subscribers.isEmpty && flooded.isEmpty && fanout.isEmpty && backoffs.isEmpty
  }

  /// Whether the next heartbeat has something to do here.
  func needsHeartbeat(_ configuration: PubSub.Configuration) -> Bool {
    if !fanout.isEmpty { return true }
    guard isSubscribed else { return false }
    return isUnsettled || mesh.count > configuration.degreeHigh
      || (mesh.count < configuration.degreeLow && subscribers.count > mesh.count)
  }

  /// Until when `peer` must not be grafted; `nil` if it may.
  func backoff(_ peer: PeerID, at now: Instant) -> Instant? {
    guard !backoffs.isEmpty else { return nil }
    let index = position(peer)
    guard index < backoffs.count, backoffs[index].peer == peer, backoffs[index].until > now else { return nil }
    return backoffs[index].until
  }

  /// Keeps `peer` away until `until`, or longer if it is kept away longer already.
  mutating func keepAway(_ peer: PeerID, until: Instant, most: Int) {
    let index = position(peer)
    if index < backoffs.count, backoffs[index].peer == peer {
      backoffs[index].until = max(backoffs[index].until, until)
      return
    }
    backoffs.insert(Backoff(peer: peer, until: until), at: index)
    guard backoffs.count > most else { return }
    var first = 0
    for candidate in backoffs.indices where backoffs[candidate].until < backoffs[first].until { first = candidate }
    backoffs.remove(at: first)
  }

  /// Forgets back-offs that ended `slack` ago.
  mutating func forgetBackoffs(at now: Instant, slack: Instant.Span) {
    guard !backoffs.isEmpty else { return }
    backoffs.removeAll { $0.until + slack <= now }
  }

  /// When the first back-off ends and can be forgotten; `nil` if there is none.
  var firstBackoffEnd: Instant? { backoffs.lazy.map(\.until).min() }

  /// Subscribers that are not in the mesh and may be grafted.
  func candidates(at now: Instant) -> [PeerID] {
    subscribers.list.filter { !mesh.contains($0) && backoff($0, at: now) == nil }
  }

  private func position(_ peer: PeerID) -> Int {
    var low = 0, high = backoffs.count
    while low < high {
      let middle = (low + high) / 2
      if backoffs[middle].peer < peer { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The topics a machine knows, in order.
struct Topics: Sendable {
  private(set) var list: [TopicState] = []

  func index(of topic: Topic) -> Int? {
    // One topic is the common case: no search.
    if list.count == 1 { return list[0].topic == topic ? 0 : nil }
    let position = position(topic)
    return position < list.count && list[position].topic == topic ? position : nil
  }

  subscript(index: Int) -> TopicState {
    _read { yield list[index] }
    _modify { yield &list[index] }
  }

  /// Where `topic` stands, after adding it if it was not there.
  mutating func add(_ topic: Topic, _ configuration: PubSub.Configuration) -> Int {
    let position = position(topic)
    if position < list.count, list[position].topic == topic { return position }
    list.insert(TopicState(topic, configuration), at: position)
    return position
  }

  /// Drops what is of no use any more.
  mutating func forget() { list.removeAll(where: \.isForgettable) }

  private func position(_ topic: Topic) -> Int {
    var low = 0, high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle].topic < topic { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
