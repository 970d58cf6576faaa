internal import MurmurIdentity
internal import MurmurMachines

/// The mesh: joining, leaving, and what other peers want of it.
extension PubSub {
  mutating func join(_ topic: Topic, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    let place = topics.add(topic, configuration)
    guard !topics[place].isSubscribed else { return }
    cache.prepare(&chance)
    topics[place].isSubscribed = true
    topics[place].isUnsettled = true
    announceAt = nil
    var chosen = topics[place].fanout.list.filter { topics[place].backoff($0, at: now) == nil && isWelcome($0) }
    topics[place].fanout.removeAll()
    let others = topics[place].candidates(at: now).filter { !chosen.contains($0) && isWelcome($0) }
    chosen += chance.pick(configuration.degree - chosen.count, from: others)
    for peer in chosen { topics[place].mesh.insert(peer) }
    let plain = RPC(subscriptions: [.init(topic, subscribes: true)])
    var grafting = plain
    grafting.control.graft = [topic]
    for peer in neighbors.peers.list {
      effects.append(.send(peer, topics[place].mesh.contains(peer) ? grafting : plain))
    }
  }

  mutating func leave(_ topic: Topic, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let place = topics.index(of: topic), topics[place].isSubscribed else { return }
    let plain = RPC(subscriptions: [.init(topic, subscribes: false)])
    var pruning = plain
    let span = configuration.unsubscribeBackoff
    pruning.control.prune = [.init(topic, backoff: seconds(span))]
    for peer in neighbors.peers.list {
      let isMate = topics[place].mesh.contains(peer)
      effects.append(.send(peer, isMate ? pruning : plain))
      if isMate { topics[place].keepAway(peer, until: now + span, most: limits.backoffsPerTopic) }
    }
    topics[place].isSubscribed = false
    topics[place].mesh.removeAll()
    topics.forget()
  }

  /// Does what `peer`, neighbour number `index`, asks for, within limits.
  mutating func obey(
    _ control: RPC.Control, of peer: PeerID, _ index: Int, at now: Instant, _ chance: inout Chance,
    _ effects: inout Effects<Effect>
  ) {
    neighbors[index].count(in: tick(now))
    var answer = RPC.Control()
    for topic in control.graft { graft(topic, by: peer, index, at: now, &chance, &answer) }
    for farewell in control.prune { prune(farewell, by: peer, index, at: now, &effects) }
    for have in control.ihave { consider(have, of: peer, index, at: now, &chance, &answer) }
    if !control.iwant.isEmpty { hand(control.iwant, to: peer, index, &effects) }
    if !answer.isEmpty { effects.append(.send(peer, RPC(control: answer))) }
  }

  /// A peer took us into its mesh.
  private mutating func graft(
    _ topic: Topic, by peer: PeerID, _ index: Int, at now: Instant, _ chance: inout Chance, _ answer: inout RPC.Control
  ) {
    neighbors[index].grafts += 1
    guard neighbors[index].grafts <= limits.graftsPerHeartbeat else {
      penalise(peer, at: now)
      return refuse(index)
    }
    // A topic that is not ours is nobody's business (v1.1, "Spam Protection Measures").
    guard let place = topics.index(of: topic), topics[place].isSubscribed, neighbors[index].language == .gossipsub else { return }
    guard note(topic, of: peer, index) != nil, !topics[place].mesh.contains(peer) else { return }
    let isEarly = topics[place].backoff(peer, at: now) != nil
    if isEarly {
      neighbors[index].conduct.earlyGrafts &+= 1
      let flood = configuration.scoring?.graftFloodTime ?? .zero
      let isFlood = topics[place].backoff(peer, at: now + (configuration.pruneBackoff - flood)) != nil
      penalise(peer, by: isFlood ? 2 : 1, at: now)
    }
    let hasRoom = topics[place].mesh.count < configuration.degreeHigh || neighbors[index].isOutbound
    guard !isEarly, hasRoom, isWelcome(peer) else {
      topics[place].keepAway(peer, until: now + configuration.pruneBackoff, most: limits.backoffsPerTopic)
      // Only who did nothing wrong hears of others to try.
      let isDecent = configuration.scoring != nil && !isEarly && isWelcome(peer)
      let others = isDecent ? offers(place, besides: peer, &chance) : []
      answer.prune.append(.init(topic, backoff: seconds(configuration.pruneBackoff), peers: others))
      return
    }
    topics[place].mesh.insert(peer)
    topics[place].isUnsettled = true
  }

  /// A peer dropped us from its mesh.
  private mutating func prune(
    _ farewell: RPC.Prune, by peer: PeerID, _ index: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    statistics.offered += min(farewell.peers.count, limits.peersPerPrune)
    guard let place = topics.index(of: farewell.topic), topics[place].isSubscribed else { return }
    if topics[place].mesh.remove(peer) { accept(farewell.peers, of: index, &effects) }
    topics[place].isUnsettled = true
    let most = limits.longestBackoff
    let asked = farewell.backoff.map { min(.seconds(Double($0)), most) } ?? configuration.pruneBackoff
    topics[place].keepAway(peer, until: now + asked, most: limits.backoffsPerTopic)
  }

  /// A back-off as it stands on the wire, rounded up.
  func seconds(_ span: Instant.Span) -> UInt64 { UInt64(max(span.seconds, 0).rounded(.up)) }
}
