internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Peers that come and go, and what they subscribe to.
extension PubSub {
  mutating func meet(_ peer: PeerID, _ connection: Connection, at now: Instant, _ effects: inout Effects<Effect>) {
    guard peer != id else { return }
    if neighbors.index(of: peer) != nil { lose(peer, at: now) }
    guard neighbors.count < limits.peers else {
      statistics.refused += 1
      return
    }
    let isOutbound = connection.isOutbound ?? wouldDial(peer)
    neighbors.insert(peer, Neighbor(connection.language, isOutbound: isOutbound))
    if configuration.scoring != nil { welcome(peer, connection.host, at: now) }
    let own = topics.list.filter(\.isSubscribed).map { RPC.Subscription($0.topic, subscribes: true) }
    if !own.isEmpty { effects.append(.send(peer, RPC(subscriptions: own))) }
  }

  /// A coin that says for one of two peers that it opened the connection, and for the other that it did not.
  private func wouldDial(_ peer: PeerID) -> Bool {
    let mixed = (id.word.a ^ peer.word.a) &* 0x9e37_79b9_7f4a_7c15
    return (mixed >> 63 == 0) == (id < peer)
  }

  mutating func lose(_ peer: PeerID, at now: Instant) {
    guard let index = neighbors.index(of: peer) else { return }
    if let scoring = configuration.scoring {
      ratings.depart(peer, score: neighbors[index].score, at: now, most: limits.departed, scoring)
    }
    neighbors.remove(peer)
    for index in topics.list.indices {
      topics[index].flooded.remove(peer)
      guard topics[index].subscribers.remove(peer) else { continue }
      topics[index].fanout.remove(peer)
      if topics[index].mesh.remove(peer) { topics[index].isUnsettled = true }
    }
    topics.forget()
  }

  /// Notes what `peer`, neighbour number `index`, joins and leaves.
  mutating func note(_ subscriptions: [RPC.Subscription], of peer: PeerID, _ index: Int) {
    for subscription in subscriptions.prefix(limits.subscriptionsPerPeer) {
      if subscription.subscribes {
        note(subscription.topic, of: peer, index)
      } else if let topic = topics.index(of: subscription.topic) {
        let wasThere = topics[topic].subscribers.remove(peer) || topics[topic].flooded.remove(peer)
        guard wasThere else { continue }
        neighbors[index].subscriptions -= 1
        topics[topic].mesh.remove(peer)
        topics[topic].fanout.remove(peer)
        topics[topic].isUnsettled = true
        if topics[topic].isForgettable { topics.forget() }
      }
    }
    if subscriptions.count > limits.subscriptionsPerPeer { refuse(index) }
  }

  /// Notes that `peer`, neighbour number `index`, is subscribed to `topic`; where the topic stands, unless that is beyond a limit.
  @discardableResult mutating func note(_ topic: Topic, of peer: PeerID, _ index: Int) -> Int? {
    let known = topics.index(of: topic)
    if let known, topics[known].subscribers.contains(peer) || topics[known].flooded.contains(peer) { return known }
    guard neighbors[index].subscriptions < limits.subscriptionsPerPeer, topic.byteCount <= limits.topicBytes,
      known != nil || topics.list.count < limits.topics
    else {
      refuse(index)
      return nil
    }
    let place = known ?? topics.add(topic, configuration)
    neighbors[index].subscriptions += 1
    switch neighbors[index].language {
    case .gossipsub: topics[place].subscribers.insert(peer)
    case .floodsub: topics[place].flooded.insert(peer)
    }
    topics[place].isUnsettled = true
    return place
  }

  /// Counts a request beyond a limit against neighbour number `index`.
  mutating func refuse(_ index: Int) {
    statistics.refused += 1
    neighbors[index].conduct.excess &+= 1
  }
}
