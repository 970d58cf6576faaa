internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// The heartbeat: when it beats, and what it does.
extension PubSub {
  /// The number of the heartbeat interval in which `now` lies; peers differ in where their intervals begin.
  func tick(_ now: Instant) -> Int64 { (now.nanoseconds &+ offset) / configuration.heartbeat.nanoseconds }

  private var offset: Int64 { Int64(id.word.b % UInt64(configuration.heartbeat.nanoseconds)) }

  private func time(of tick: Int64) -> Instant { Instant(nanoseconds: tick * configuration.heartbeat.nanoseconds - offset) }

  /// Orders the next heartbeat, unless one is on its way soon enough or there is nothing to do.
  mutating func schedule(at now: Instant, _ effects: inout Effects<Effect>) {
    // An order long overdue was lost with the world that took it.
    if let due, due + configuration.heartbeat < now { self.due = nil }
    if let due, due <= now + configuration.heartbeat { return }
    let needed =
      (configuration.scoring != nil && topics.list.contains(where: \.isSubscribed)) || !cache.entries.isEmpty || !promises.isEmpty
      || topics.list.contains { $0.needsHeartbeat(configuration) }
    var next = Instant.never
    if needed {
      next = time(of: tick(now) + 1)
    } else {
      if let sweep = cache.nextSweep(configuration) { next = min(next, max(sweep, now)) }
      for topic in topics.list {
        if let end = topic.firstBackoffEnd { next = min(next, max(end, now) + configuration.heartbeat) }
      }
      planAnnouncement(at: now)
      if let announceAt { next = min(next, max(announceAt, now)) }
    }
    guard next < due ?? .never else { return }
    due = next
    effects.append(.arm(.heartbeat, at: next))
  }

  /// Does, in this order:
  /// 1. counts promises that were not kept, and judges peers;
  /// 2. mends the meshes;
  /// 3. mends or forgets the fanouts;
  /// 4. sends GRAFTs and PRUNEs, those for one peer in one frame;
  /// 5. gossips;
  /// 6. forgets what is too old.
  mutating func beat(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    statistics.heartbeats += 1
    let beat = tick(now)
    settlePromises(at: now)
    judgePeers(at: now, &effects)
    let isGrafting = configuration.scoring.map { ratings.mayGraft(at: now, $0) } ?? false
    var outbox = Outbox()
    for place in topics.list.indices {
      topics[place].forgetBackoffs(at: now, slack: configuration.heartbeat)
      if topics[place].isSubscribed {
        for peer in expel(place, at: now) {
          outbox[peer].prune.append(.init(topics[place].topic, backoff: seconds(configuration.pruneBackoff)))
        }
        mendMesh(place, at: now, &chance, &outbox)
        if isGrafting { graft(better(than: place, at: now, &chance), place, &outbox) }
      } else if !topics[place].fanout.isEmpty {
        if now - topics[place].lastPublished > configuration.fanoutTime {
          topics[place].fanout.removeAll()
        } else {
          let sound = reputable(topics[place].fanout.list) { $0.publish }
          for peer in topics[place].fanout.list where !sound.contains(peer) { topics[place].fanout.remove(peer) }
          fillFanout(place, &chance)
        }
      }
    }
    for (peer, control) in outbox.list { effects.append(.send(peer, RPC(control: control))) }
    if !cache.entries.isEmpty {
      for place in topics.list.indices where topics[place].isSubscribed || !topics[place].fanout.isEmpty {
        gossip(place, beat, &chance, &effects)
      }
    }
    cache.shift(before: beat - Int64(configuration.historyLength) + 1, at: now, configuration)
    if askedTick != beat, !asked.isEmpty { asked = [] }
    announceAgain(at: now, &chance, &effects)
    topics.forget()
  }

  /// Brings a mesh between D_lo and D_hi, with at least D_out connections of our own making if there are any.
  private mutating func mendMesh(_ place: Int, at now: Instant, _ chance: inout Chance, _ outbox: inout Outbox) {
    topics[place].isUnsettled = false
    if topics[place].mesh.count < configuration.degreeLow {
      let missing = configuration.degree - topics[place].mesh.count
      graft(chance.pick(missing, from: topics[place].candidates(at: now).filter(isWelcome)), place, &outbox)
    }
    if topics[place].mesh.count > configuration.degreeHigh { shrink(place, at: now, &chance, &outbox) }
    guard configuration.degreeOut > 0, topics[place].mesh.count >= configuration.degreeLow else { return }
    let own = topics[place].mesh.list.count { neighbors.isOutbound($0) }
    guard own < configuration.degreeOut else { return }
    let others = topics[place].candidates(at: now).filter { neighbors.isOutbound($0) && isWelcome($0) }
    graft(chance.pick(configuration.degreeOut - own, from: others), place, &outbox)
  }

  private mutating func graft(_ chosen: [PeerID], _ place: Int, _ outbox: inout Outbox) {
    for peer in chosen {
      topics[place].mesh.insert(peer)
      outbox[peer].graft.append(topics[place].topic)
    }
  }

  /// Prunes a mesh to D peers chosen at random, D_out of them, if there are so many, connections of our own making.
  private mutating func shrink(_ place: Int, at now: Instant, _ chance: inout Chance, _ outbox: inout Outbox) {
    var order = topics[place].mesh.list
    chance.shuffle(&order)
    var kept: [PeerID] = []
    if let scoring = configuration.scoring {
      // Sorting is stable: chance decides among equals.
      let best = order.sorted { score(of: $0) > score(of: $1) }
      kept = Array(best.prefix(min(scoring.keptForScore, configuration.degree - configuration.degreeOut)))
    }
    let missing = configuration.degreeOut - kept.count { neighbors.isOutbound($0) }
    kept += order.filter { neighbors.isOutbound($0) && !kept.contains($0) }.prefix(max(missing, 0))
    kept += order.filter { !kept.contains($0) }.prefix(configuration.degree - kept.count)
    for peer in order where !kept.contains(peer) {
      topics[place].mesh.remove(peer)
      topics[place].keepAway(peer, until: now + configuration.pruneBackoff, most: limits.backoffsPerTopic)
      let offers = offers(place, besides: peer, &chance)
      let farewell = RPC.Prune(topics[place].topic, backoff: seconds(configuration.pruneBackoff), peers: offers)
      outbox[peer].prune.append(farewell)
    }
  }

  /// Whether some mesh of ours is too small, nobody is left to graft, and there are peers whose announcement may have been lost.
  private var isStarving: Bool {
    topics.list.contains { topic in
      topic.isSubscribed && topic.mesh.count < configuration.degreeLow && topic.subscribers.count <= topic.mesh.count
        && neighbors.count > topic.subscribers.count + topic.flooded.count
    }
  }

  private mutating func planAnnouncement(at now: Instant) {
    guard isStarving else {
      announceAt = nil
      announceAfter = .zero
      return
    }
    guard announceAt == nil else { return }
    announceAfter = min(max(announceAfter * 2, configuration.reannounceTime), configuration.reannounceTime * 64)
    announceAt = now + announceAfter
  }

  /// Announces the starving topics once more to some peers not known to be subscribed.
  private mutating func announceAgain(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard let announceAt, announceAt <= now else { return }
    self.announceAt = nil
    for topic in topics.list where topic.isSubscribed && topic.mesh.count < configuration.degreeLow {
      let others = neighbors.peers.list.filter { !topic.subscribers.contains($0) && !topic.flooded.contains($0) }
      let frame = RPC(subscriptions: [.init(topic.topic, subscribes: true)])
      for peer in chance.pick(configuration.degreeHigh, from: others) { effects.append(.send(peer, frame)) }
    }
  }

  /// Control for several peers, gathered so that each gets one frame; in the order in which they were first written to.
  private struct Outbox {
    private(set) var list: [(peer: PeerID, control: RPC.Control)] = []

    subscript(peer: PeerID) -> RPC.Control {
      get { list.first { $0.peer == peer }?.control ?? RPC.Control() }
      _modify {
        let index = list.firstIndex { $0.peer == peer } ?? list.count
        if index == list.count { list.append((peer, RPC.Control())) }
        yield &list[index].control
      }
    }
  }
}
