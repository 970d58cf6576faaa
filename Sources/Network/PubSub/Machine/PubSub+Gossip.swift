internal import MurmurIdentity
internal import MurmurMachines

/// Gossip: what was seen, asked for and handed over.
extension PubSub {
  /// A peer says what it has: asks for what is not known here.
  mutating func consider(
    _ have: RPC.IHave, of peer: PeerID, _ index: Int, at now: Instant, _ chance: inout Chance, _ answer: inout RPC.Control
  ) {
    guard let place = topics.index(of: have.topic), topics[place].isSubscribed else { return }
    if shared.isScored, score(index) < shared.thresholds.gossip { return }
    neighbors[index].ihaves += 1
    guard neighbors[index].ihaves <= limits.ihavesPerHeartbeat else { return refuse(index) }
    let beat = tick(now)
    if askedTick != beat {
      askedTick = beat
      asked.removeAll()
    }
    var room = min(limits.ihaveLength - Int(neighbors[index].asked), limits.wantsPerHeartbeat - asked.count)
    var wanted: [MessageID] = []
    for name in have.ids where !cache.hasSeen(name) && !asked.contains(name) {
      guard room > 0 else {
        refuse(index)
        break
      }
      room -= 1
      asked.insert(name)
      wanted.append(name)
    }
    guard !wanted.isEmpty else { return }
    neighbors[index].asked += Int32(wanted.count)
    statistics.asked += wanted.count
    // One of them stands for all: a liar cannot know which.
    if promises.count < limits.promises {
      promises.append(Promise(id: wanted[chance.below(wanted.count)], peer: peer, until: now + configuration.promiseTime))
    }
    answer.iwant += wanted
  }

  /// A peer asks for messages: hands over what is kept, in frames of bounded size.
  mutating func hand(_ names: [MessageID], to peer: PeerID, _ index: Int, _ effects: inout Effects<Effect>) {
    if shared.isScored, score(index) < shared.thresholds.gossip { return }
    var frame = RPC()
    var bytes = 0
    for name in names.prefix(limits.ihaveLength) {
      guard let entry = cache.index(of: name), cache.entries[entry].standing == .open else { continue }
      guard cache.hand(entry, to: peer, most: limits.retransmissions) else {
        refuse(index)
        continue
      }
      let message = cache.entries[entry].message
      let size = delimited(message.wireSize)
      if bytes + size > limits.frameBytes || frame.publish.count >= limits.messagesPerFrame {
        effects.append(.send(peer, frame))
        frame = RPC()
        bytes = 0
      }
      frame.publish.append(message)
      bytes += size
      statistics.sent += 1
    }
    if names.count > limits.ihaveLength { refuse(index) }
    if !frame.isEmpty { effects.append(.send(peer, frame)) }
  }

  /// Tells some peers outside the mesh what was seen lately.
  mutating func gossip(_ place: Int, _ beat: Int64, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    let oldest = beat - Int64(configuration.historyGossip)
    var names: [MessageID] = []
    for entry in cache.entries.reversed() {
      guard entry.tick >= oldest else { break }
      if entry.standing == .open, entry.message.topic == topics[place].topic { names.append(entry.id) }
    }
    guard !names.isEmpty else { return }
    let members = topics[place].isSubscribed ? topics[place].mesh : topics[place].fanout
    let others = reputable(topics[place].subscribers.list.filter { !members.contains($0) }) { $0.gossip }
    guard !others.isEmpty else { return }
    let count = max(configuration.degreeLazy, Int(configuration.gossipFactor * Double(others.count)))
    let most = limits.ihaveLength
    let frame = RPC(control: .init(ihave: [.init(topics[place].topic, ids: Array(names.prefix(most)))]))
    for peer in chance.pick(count, from: others) {
      // Beyond the limit, each hears of other messages.
      let told =
        names.count <= most
        ? frame : RPC(control: .init(ihave: [.init(topics[place].topic, ids: chance.pick(most, from: names))]))
      effects.append(.send(peer, told))
      statistics.announced += min(names.count, most)
    }
  }

  /// Counts promises whose time is over and whose message did not come, from this peer or any other.
  mutating func settlePromises(at now: Instant) {
    guard !promises.isEmpty else { return }
    for promise in promises where promise.until <= now && !cache.hasSeen(promise.id) {
      statistics.brokenPromises += 1
      if let index = neighbors.index(of: promise.peer) { neighbors[index].conduct.brokenPromises &+= 1 }
      penalise(promise.peer, at: now)
    }
    promises.removeAll { $0.until <= now || cache.hasSeen($0.id) }
  }
}
