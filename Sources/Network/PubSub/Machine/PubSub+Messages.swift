internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// Messages: published, received, judged, passed on.
extension PubSub {
  /// Takes a frame: subscriptions first, so that the rest is understood; then messages, then control.
  mutating func receive(
    _ rpc: RPC, from peer: PeerID, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    guard let index = neighbors.index(of: peer) else {
      statistics.refused += 1
      return
    }
    if shared.isScored, score(index) < shared.thresholds.graylist {
      statistics.unheard += 1
      return
    }
    if !rpc.subscriptions.isEmpty { note(rpc.subscriptions, of: peer, index) }
    // A frame that is one message and nothing else is passed on as it is.
    let isBare = rpc.publish.count == 1 && rpc.subscriptions.isEmpty && !rpc.hasControl
    for message in rpc.publish {
      hear(message, as: isBare ? rpc : nil, from: peer, index, at: now, &effects)
      // A forgery costs a look at a signature: of a frame full of them no more are looked at than it takes to know the sender.
      if shared.isScored, score(index) < shared.thresholds.graylist {
        statistics.unheard += 1
        return
      }
    }
    if rpc.hasControl { obey(rpc.control, of: peer, index, at: now, &chance, &effects) }
  }

  private mutating func hear(
    _ message: Message, as frame: RPC?, from peer: PeerID, _ index: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    let name = message.id(configuration.identification)
    guard !cache.hasSeen(name) else {
      statistics.duplicates += 1
      if shared.isScored, shared.countsDuplicates || ratings.hasRejected { noteDuplicate(name, of: peer, at: now) }
      return
    }
    guard let topic = topics.index(of: message.topic), topics[topic].isSubscribed, message.from != id else {
      statistics.refused += 1
      return
    }
    guard message.data.count <= topics[topic].messageBytes else { return refuse(index) }
    let isHeld = topics[topic].isValidated
    if isHeld, cache.awaiting >= limits.awaiting / 2 {
      // Before the costly look at the signature: whoever floods us fills its own share only.
      guard cache.awaiting < limits.awaiting, cache.awaiting(of: peer) < limits.awaiting / 8 else { return refuse(index) }
    }
    if case .strict(let signer) = configuration.signing, !isSigned(message, signer) {
      statistics.invalid += 1
      neighbors[index].conduct.invalidMessages &+= 1
      return blame(peer, for: message.topic, at: now)
    }
    cache.put(
      .init(
        id: name, message: message, tick: tick(now), source: peer, standing: isHeld ? .awaiting : .open, arrivedAt: now),
      at: now, configuration)
    if !isHeld, shared.isScored { credit(peer, topic) }
    statistics.delivered += 1
    effects.append(.deliver(message.topic, message))
    if !isHeld { forward(frame ?? RPC(publish: [message]), message.from, from: peer, topic, &effects) }
  }

  /// Whether a message is rightly signed; a forgery that was seen before is not checked again.
  ///
  /// What is remembered is the digest of the whole message, never its name: a forgery must not stand in the real message's way.
  private mutating func isSigned(_ message: Message, _ signer: Signing.Signer) -> Bool {
    let digest = Digest.sha256(of: message.signedBytes + message.signature + message.key)
    guard !ratings.forgeries.contains(digest) else { return false }
    if signer.verify(message) { return true }
    let most = limits.forgeries
    if ratings.forgeries.count >= most { ratings.forgeries.removeFirst(max(most / 4, 1)) }
    ratings.forgeries.append(digest)
    return false
  }

  /// Passes a message on to the topic's mesh and its floodsub peers, except to its author and to who brought it.
  private mutating func forward(
    _ frame: RPC, _ author: PeerID, from source: PeerID?, _ topic: Int, _ effects: inout Effects<Effect>
  ) {
    for peer in topics[topic].mesh.list where peer != source && peer != author {
      effects.append(.send(peer, frame))
      statistics.sent += 1
    }
    let flooded = topics[topic].flooded.list
    for peer in shared.isScored ? reputable(flooded, { $0.publish }) : flooded where peer != source && peer != author {
      effects.append(.send(peer, frame))
      statistics.sent += 1
    }
  }

  mutating func judge(_ name: MessageID, _ verdict: Verdict, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let index = cache.index(of: name), cache.entries[index].standing == .awaiting else { return }
    let entry = cache.entries[index]
    cache.settle(index, verdict == .accept ? .open : verdict == .reject ? .rejected : .withheld)
    switch verdict {
    case .ignore: return
    case .reject:
      statistics.invalid += 1
      if shared.isScored { ratings.hasRejected = true }
      if let source = entry.source, let neighbor = neighbors.index(of: source) {
        neighbors[neighbor].conduct.invalidMessages &+= 1
        blame(source, for: entry.message.topic, at: now)
      }
      for peer in entry.bringers { blame(peer, for: entry.message.topic, at: now) }
    case .accept:
      guard let topic = topics.index(of: entry.message.topic), topics[topic].isSubscribed else { return }
      if let source = entry.source, shared.isScored { credit(source, topic) }
      forward(RPC(publish: [entry.message]), entry.message.from, from: entry.source, topic, &effects)
    }
  }

  mutating func publish(
    _ data: [UInt8], on topic: Topic, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    cache.prepare(&chance)
    let place = topics.add(topic, configuration)
    guard data.count <= topics[place].messageBytes else {
      statistics.refused += 1
      return topics.forget()
    }
    // From the clock, so that a peer that lost its memory does not use a number twice.
    seqno = max(seqno &+ 1, UInt64(clamping: now.nanoseconds))
    var message = Message(
      from: id, seqno: seqno, topic: topic, data: data, signature: shared.standIn.signature, key: shared.standIn.key)
    if case .strict(let signer) = configuration.signing {
      (message.signature, message.key) = signer.sign(message.signedBytes)
    }
    let name = message.id(configuration.identification)
    guard !cache.hasSeen(name) else {
      // Under `content`, the same words once more.
      statistics.duplicates += 1
      return
    }
    cache.put(.init(id: name, message: message, tick: tick(now), source: nil, standing: .open), at: now, configuration)
    statistics.published += 1
    let frame = RPC(publish: [message])
    for peer in audience(place, at: now, &chance) + reputable(topics[place].flooded.list, { $0.publish }) {
      effects.append(.send(peer, frame))
      statistics.sent += 1
    }
  }

  /// The gossipsub peers an own message goes to.
  private mutating func audience(_ place: Int, at now: Instant, _ chance: inout Chance) -> [PeerID] {
    if configuration.floodsPublications { return reputable(topics[place].subscribers.list) { $0.publish } }
    guard topics[place].isSubscribed else {
      topics[place].lastPublished = now
      fillFanout(place, &chance)
      return topics[place].fanout.list
    }
    var peers = topics[place].mesh.list
    if peers.count < configuration.degreeLow {
      // The mesh is not there yet: some others hear of it directly.
      let others = reputable(topics[place].subscribers.list.filter { !topics[place].mesh.contains($0) }) { $0.publish }
      peers += chance.pick(configuration.degree - peers.count, from: others)
    }
    return peers
  }

  /// Brings the fanout to D peers, as far as there are so many.
  mutating func fillFanout(_ place: Int, _ chance: inout Chance) {
    let missing = configuration.degree - topics[place].fanout.count
    guard missing > 0 else { return }
    let others = reputable(topics[place].subscribers.list.filter { !topics[place].fanout.contains($0) }) { $0.publish }
    for peer in chance.pick(missing, from: others) { topics[place].fanout.insert(peer) }
  }
}
