internal import MurmurIdentity
internal import MurmurMachines

/// Scores: what is noted, and what follows from it. Without ``PubSub/Configuration/scoring`` all peers are equal and nothing is noted.
extension PubSub {
  /// The score of neighbour number `index` as of the last heartbeat or offence; zero if peers are not scored.
  func score(_ index: Int) -> Double { neighbors[index].score }

  func score(of peer: PeerID) -> Double { neighbors.index(of: peer).map { neighbors[$0].score } ?? 0 }

  /// Whether a peer may be in a mesh of ours.
  func isWelcome(_ peer: PeerID) -> Bool { !shared.isScored || score(of: peer) >= 0 }

  /// The peers among `peers` whose score is not below `threshold`.
  func reputable(_ peers: [PeerID], _ threshold: (Scoring.Thresholds) -> Double) -> [PeerID] {
    guard shared.isScored else { return peers }
    let least = threshold(shared.thresholds)
    return peers.filter { score(of: $0) >= least }
  }

  /// A rule of the protocol was broken (P₇).
  mutating func penalise(_ peer: PeerID, by amount: Double = 1, at now: Instant) {
    guard configuration.scoring != nil, let index = ratings.index(of: peer) else { return }
    ratings[index].behaviour += amount
    rescore(peer, index, at: now)
  }

  /// A peer brought something invalid (P₄).
  mutating func blame(_ peer: PeerID, for topic: Topic, at now: Instant) {
    guard let scoring = configuration.scoring, scoring.rule(topic) != nil, let index = ratings.index(of: peer) else { return }
    let place = ratings[index].index(of: topic)
    ratings[index].topics[place].invalid += 1
    rescore(peer, index, at: now)
  }

  /// A peer was the first to bring something valid (P₂, P₃).
  mutating func credit(_ peer: PeerID, _ topic: Int) {
    guard let caps = topics[topic].caps, let index = ratings.index(of: peer) else { return }
    let place = ratings[index].index(of: topics[topic].topic)
    let first = ratings[index].topics[place].firstDeliveries
    ratings[index].topics[place].firstDeliveries = min(first + 1, caps.first)
    let mesh = ratings[index].topics[place].meshDeliveries
    ratings[index].topics[place].meshDeliveries = min(mesh + 1, caps.mesh)
  }

  /// A peer brought what was there already: it counts if it came soon after the first (P₃), and as invalid if that was (P₄).
  mutating func noteDuplicate(_ name: MessageID, of peer: PeerID, at now: Instant) {
    guard let entry = cache.index(of: name), cache.entries[entry].source != peer else { return }
    let topic = cache.entries[entry].message.topic
    guard let rule = configuration.scoring?.rule(topic) else { return }
    if cache.entries[entry].standing == .rejected { return blame(peer, for: topic, at: now) }
    guard rule.meshDeliveriesWeight != 0, now - cache.entries[entry].arrivedAt <= rule.meshDeliveriesWindow,
      cache.bring(entry, by: peer, most: configuration.degreeHigh * 2), let index = ratings.index(of: peer)
    else { return }
    let place = ratings[index].index(of: topic)
    guard ratings[index].topics[place].meshedAt != nil else { return }
    let mesh = ratings[index].topics[place].meshDeliveries
    ratings[index].topics[place].meshDeliveries = min(mesh + 1, rule.meshDeliveriesCap)
  }

  private mutating func rescore(_ peer: PeerID, _ index: Int, at now: Instant) {
    guard let scoring = configuration.scoring, let neighbor = neighbors.index(of: peer) else { return }
    let neighbours = ratings[index].host.map { host in ratings.neighbours[host] ?? 1 } ?? 1
    neighbors[neighbor].score = ratings.score(index, neighbours: neighbours, at: now, scoring)
  }

  /// A peer is there; what it did when it was there before still counts.
  mutating func welcome(_ peer: PeerID, _ host: [UInt8]?, at now: Instant) {
    guard let scoring = configuration.scoring else { return }
    ratings.decay(at: now, scoring)
    ratings.arrive(peer, from: host)
    if let index = ratings.index(of: peer) { rescore(peer, index, at: now) }
  }

  /// Once a heartbeat: who is in which mesh, decay, all scores; whoever is too bad is to be disconnected.
  mutating func judgePeers(at now: Instant, _ effects: inout Effects<Effect>) {
    guard let scoring = configuration.scoring else { return }
    for topic in topics.list where topic.isSubscribed { ratings.note(mesh: topic.mesh, of: topic.topic, at: now, scoring) }
    ratings.decay(at: now, scoring)
    ratings.neighbours = scoring.colocationWeight == 0 ? [:] : ratings.hosts
    for neighbor in 0..<neighbors.count {
      let peer = neighbors.peers.list[neighbor]
      guard let index = ratings.index(of: peer) else { continue }
      rescore(peer, index, at: now)
      guard neighbors[neighbor].score < scoring.thresholds.graylist, !ratings[index].isReported else { continue }
      ratings[index].isReported = true
      statistics.graylisted += 1
      effects.append(.disconnect(peer))
    }
  }

  /// Drops peers of negative score from a mesh; they are offered nobody else.
  mutating func expel(_ place: Int, at now: Instant) -> [PeerID] {
    guard configuration.scoring != nil else { return [] }
    let bad = topics[place].mesh.list.filter { score(of: $0) < 0 }
    for peer in bad {
      topics[place].mesh.remove(peer)
      topics[place].keepAway(peer, until: now + configuration.pruneBackoff, most: limits.backoffsPerTopic)
    }
    return bad
  }

  /// Peers better than the median of a mesh that has become too bad ("Opportunistic Grafting"); none if it has not.
  func better(than place: Int, at now: Instant, _ chance: inout Chance) -> [PeerID] {
    guard let scoring = configuration.scoring, topics[place].mesh.count > 1 else { return [] }
    let scores = topics[place].mesh.list.map { score(of: $0) }.sorted()
    let median = scores[scores.count / 2]
    guard median < scoring.thresholds.opportunisticGraft else { return [] }
    let others = topics[place].candidates(at: now).filter { score(of: $0) > median }
    return chance.pick(scoring.opportunisticPeers, from: others)
  }

  /// Peers to offer to one that we prune: subscribed, of good repute, with a signed record if we have one.
  func offers(_ place: Int, besides peer: PeerID, _ chance: inout Chance) -> [RPC.PeerInfo] {
    guard configuration.peersExchanged > 0 else { return [] }
    let others = reputable(topics[place].subscribers.list.filter { $0 != peer }) { _ in 0 }
    return chance.pick(min(configuration.peersExchanged, limits.peersPerPrune), from: others).map { other in
      RPC.PeerInfo(other, record: neighbors.index(of: other).map { neighbors[$0].record } ?? [])
    }
  }

  /// A peer that dropped us offers others: they are dialled if it deserves belief and their records are their own.
  mutating func accept(_ offers: [RPC.PeerInfo], of index: Int, _ effects: inout Effects<Effect>) {
    guard let scoring = configuration.scoring, !offers.isEmpty, score(index) >= scoring.thresholds.acceptPX else { return }
    for offer in offers.prefix(configuration.peersExchanged) where offer.id != id && neighbors.index(of: offer.id) == nil {
      if !offer.record.isEmpty {
        do throws(EnvelopeError) {
          guard try PeerRecord.open(offer.record).peer == offer.id else { continue }
        } catch {
          statistics.invalid += 1
          continue
        }
      }
      effects.append(.connect(offer.id, record: offer.record))
    }
  }
}
