internal import MurmurIdentity
internal import MurmurMachines

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
    if !rpc.subscriptions.isEmpty { note(rpc.subscriptions, of: peer, index) }
    // A frame that is one message and nothing else is passed on as it is.
    let isBare = rpc.publish.count == 1 && rpc.subscriptions.isEmpty && !rpc.hasControl
    for message in rpc.publish { hear(message, as: isBare ? rpc : nil, from: peer, index, at: now, &effects) }
    if rpc.hasControl { obey(rpc.control, of: peer, index, at: now, &chance, &effects) }
  }

  private mutating func hear(
    _ message: Message, as frame: RPC?, from peer: PeerID, _ index: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    let name = message.id(configuration.identification)
    guard !cache.hasSeen(name) else {
      statistics.duplicates += 1
      return
    }
    guard let topic = topics.index(of: message.topic), topics[topic].isSubscribed, message.from != id else {
      statistics.refused += 1
      return
    }
    guard message.data.count <= topics[topic].messageBytes else { return refuse(index) }
    if case .strict(let signer) = configuration.signing, !signer.verify(message) {
      statistics.invalid += 1
      neighbors[index].conduct.invalidMessages &+= 1
      return
    }
    let isHeld = topics[topic].isValidated
    cache.put(
      .init(id: name, message: message, tick: tick(now), source: peer, standing: isHeld ? .awaiting : .open), at: now,
      configuration)
    statistics.delivered += 1
    effects.append(.deliver(message.topic, message))
    if !isHeld { forward(frame ?? RPC(publish: [message]), message.from, from: peer, topic, &effects) }
  }

  /// Passes a message on to the topic's mesh and its floodsub peers, except to its author and to who brought it.
  private mutating func forward(
    _ frame: RPC, _ author: PeerID, from source: PeerID?, _ topic: Int, _ effects: inout Effects<Effect>
  ) {
    for peer in topics[topic].mesh.list where peer != source && peer != author {
      effects.append(.send(peer, frame))
      statistics.sent += 1
    }
    for peer in topics[topic].flooded.list where peer != source && peer != author {
      effects.append(.send(peer, frame))
      statistics.sent += 1
    }
  }

  mutating func judge(_ name: MessageID, _ verdict: Verdict, _ effects: inout Effects<Effect>) {
    guard let index = cache.index(of: name), cache.entries[index].standing == .awaiting else { return }
    let entry = cache.entries[index]
    cache.settle(index, verdict == .accept ? .open : .withheld)
    switch verdict {
    case .ignore: return
    case .reject:
      statistics.invalid += 1
      if let source = entry.source, let neighbor = neighbors.index(of: source) {
        neighbors[neighbor].conduct.invalidMessages &+= 1
      }
    case .accept:
      guard let topic = topics.index(of: entry.message.topic), topics[topic].isSubscribed else { return }
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
    for peer in audience(place, at: now, &chance) + topics[place].flooded.list {
      effects.append(.send(peer, frame))
      statistics.sent += 1
    }
  }

  /// The gossipsub peers an own message goes to.
  private mutating func audience(_ place: Int, at now: Instant, _ chance: inout Chance) -> [PeerID] {
    if configuration.floodsPublications { return topics[place].subscribers.list }
    guard topics[place].isSubscribed else {
      topics[place].lastPublished = now
      fillFanout(place, &chance)
      return topics[place].fanout.list
    }
    var peers = topics[place].mesh.list
    if peers.count < configuration.degreeLow {
      // The mesh is not there yet: some others hear of it directly.
      let others = topics[place].subscribers.list.filter { !topics[place].mesh.contains($0) }
      peers += chance.pick(configuration.degree - peers.count, from: others)
    }
    return peers
  }

  /// Brings the fanout to D peers, as far as there are so many.
  mutating func fillFanout(_ place: Int, _ chance: inout Chance) {
    let missing = configuration.degree - topics[place].fanout.count
    guard missing > 0 else { return }
    let others = topics[place].subscribers.list.filter { !topics[place].fanout.contains($0) }
    for peer in chance.pick(missing, from: others) { topics[place].fanout.insert(peer) }
  }
}
