import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPubSub
import MurmurWire

/// What peers do, and what becomes of it.
extension LedgerWorld {
  mutating func step(_ number: Int, _ input: Ledger.Input) {
    var effects = Effects<Ledger.Effect>()
    nodes[number].step(input, at: now, &effects)
    for effect in effects.list { perform(effect, of: number) }
  }

  private mutating func perform(_ effect: Ledger.Effect, of number: Int) {
    switch effect {
    case .send(let peer, let message):
      guard let to = numbers[peer], let link = link(number, to) else { return }
      traffic.messages += 1
      traffic.messageBytes += message.wireSize
      carry(.message(from: Int32(number), to: Int32(to), message), link, of: number)
    case .publish(let bytes): step(number, pubsub: .publish(LedgerWorld.topic, data: bytes), neighbor: nil)
    case .judge: return
    case .work(let challenge):
      guard let nonce = challenge.solve() else { return }
      let time = now + conditions.tryTime * Double(nonce + 1)
      queue.schedule(.worked(Int32(number), challenge, nonce: nonce, life: nodes[number].life), at: time)
    case .arm(let timer, let at): queue.schedule(.ledger(Int32(number), timer, life: nodes[number].life), at: max(at, now))
    case .keep(let id, let bytes):
      guard nodes[number].disk != nil, case .success(let transaction) = shared.decode(bytes) else { return }
      nodes[number].disk?.order.append(id.digest)
      nodes[number].disk?.kept[id.digest] = transaction
    case .prune(let ids, let snapshot):
      guard nodes[number].disk != nil else { return }
      for id in ids { nodes[number].disk?.kept[id.digest] = nil }
      nodes[number].disk?.snapshot = snapshot
    case .issued(let id, _):
      guard !said[number].isEmpty else { return }
      stories[id.digest, default: Story(issuer: number, said: said[number][0])].solid += 1
      said[number].removeFirst()
    case .refused: if !said[number].isEmpty { said[number].removeLast() }
    case .solid(let transaction):
      // The issuer's own is counted when it is issued.
      if transaction.issuer != nodes[number].ledger.id { stories[transaction.digest]?.solid += 1 }
    case .confirmed(let ids): for id in ids { note(confirmed: id.digest, at: number) }
    case .report(let report): reports.append((number, report))
    }
  }

  private mutating func note(confirmed digest: Digest, at number: Int) {
    guard let issuer = stories[digest]?.issuer else { return }
    let half = conditions.peers / 2
    let time = now
    func note(_ story: inout Story) {
      story.confirmed += 1
      if issuer == number, story.confirmedAtIssuer == nil { story.confirmedAtIssuer = time }
      if story.confirmed == half { story.confirmedAtHalf = time }
      story.confirmedLast = time
    }
    note(&stories[digest]!)
  }

  mutating func step(_ number: Int, pubsub input: PubSub.Input, neighbor: Int?) {
    var effects = Effects<PubSub.Effect>()
    nodes[number].step(input, at: now, &effects)
    for effect in effects.list {
      switch effect {
      case .send(let peer, let rpc):
        guard let to = numbers[peer], let link = link(number, to) else { continue }
        traffic.frames += 1
        traffic.frameBytes += rpc.wireSize
        carry(.gossip(from: Int32(number), to: Int32(to), rpc), link, of: number)
      case .arm(.heartbeat, let at): queue.schedule(.heartbeat(Int32(number), life: nodes[number].life), at: at)
      case .deliver(_, let message): judge(message, at: number, from: neighbor)
      case .disconnect, .connect: continue
      }
    }
  }

  /// A gossiped message goes to the ledger, and its verdict back.
  private mutating func judge(_ message: Message, at number: Int, from neighbor: Int?) {
    var effects = Effects<Ledger.Effect>()
    let source = neighbor.map { nodes[$0].ledger.id }
    nodes[number].step(.gossiped(from: source, message.data), at: now, &effects)
    for effect in effects.list {
      guard case .judge(let verdict) = effect else {
        perform(effect, of: number)
        continue
      }
      let meant: PubSub.Verdict =
        switch verdict {
        case .accept: .accept
        case .reject: .reject
        case .ignore: .ignore
        }
      step(number, pubsub: .validated(message.id(conditions.pubsub.identification), meant), neighbor: nil)
    }
  }

  private func link(_ from: Int, _ to: Int) -> Link? { nodes[from].links.first { $0.to == to } }

  private mutating func carry(_ event: Event, _ link: Link, of number: Int) {
    if isCut(number, link.to) { return traffic.lost += 1 }
    if conditions.loss > 0, nodes[number].linkChance.happens(conditions.loss) { return traffic.lost += 1 }
    var latency = link.latency
    if conditions.jitter > 0 { latency = nodes[number].linkChance.logNormal(median: latency, sigma: conditions.jitter) }
    queue.schedule(event, at: now + .seconds(latency))
  }

  /// Lets a peer publish bytes of its choice, as an attacker does.
  public mutating func publish(_ bytes: [UInt8], by number: Int) {
    step(number, pubsub: .publish(LedgerWorld.topic, data: bytes), neighbor: nil)
  }
}
