import MurmurIdentity
import MurmurMachines
import MurmurWire

/// What is given to the ledger, and what it tells.
extension Gateway {
  /// Has messages issued, one feeder after the other, as fast as each may.
  mutating func pump(at now: Instant, _ effects: inout Effects<Effect>) {
    var due = Instant.never
    var left = turns.count
    while left > 0, issuing < configuration.issuing {
      left -= 1
      let feeder = turns.removeFirst()
      guard var client = clients[feeder], let name = client.waiting.first, let size = pending[name]?.size else { continue }
      let wait = max(client.messages.wait(for: 1, at: now), client.bytes.wait(for: Double(size), at: now))
      if wait > .zero {
        due = min(due, now + wait)
        clients[feeder] = client
        turns.append(feeder)
        continue
      }
      client.messages.use(1)
      client.bytes.use(Double(size))
      client.waiting.removeFirst()
      client.issuing += 1
      if !client.waiting.isEmpty {
        turns.append(feeder)
        left += 1
      }
      clients[feeder] = client
      issue(name, &effects)
    }
    guard due < .never, due < armed || armed <= now else { return }
    armed = due
    effects.append(.arm(at: due))
  }

  private mutating func issue(_ name: Digest, _ effects: inout Effects<Effect>) {
    guard let message = pending[name], let content = message.content else { return }
    pending[name]?.content = nil
    waitingBytes -= message.size
    issuing += 1
    effects.append(.issue(message.key, content: content))
  }

  mutating func issued(_ name: Digest, as transaction: CID, _ effects: inout Effects<Effect>) {
    guard let message = pending[name], message.content == nil, message.transaction == nil else { return }
    statistics.issued += 1
    settle(message)
    pending[name]?.transaction = transaction
    track(name, transaction)
    for feeder in message.feeders where clients[feeder]?.isConnected == true {
      effects.append(.send(.held([name]), to: feeder))
    }
  }

  mutating func notIssued(_ name: Digest, _ effects: inout Effects<Effect>) {
    guard let message = pending[name], message.content == nil, message.transaction == nil else { return }
    settle(message)
    pending[name] = nil
    for feeder in message.feeders {
      statistics.refused += 1
      if clients[feeder]?.isConnected == true { effects.append(.send(.refused(name, .notIssued), to: feeder)) }
    }
  }

  /// The ledger has answered: the feeder that published it first may publish another.
  private mutating func settle(_ message: Pending) {
    issuing -= 1
    guard let feeder = message.feeders.first, var client = clients[feeder] else { return }
    client.issuing -= 1
    clients[feeder] = client.isConnected || !client.waiting.isEmpty || client.issuing > 0 ? client : nil
  }

  /// Waits for a transaction's confirmation.
  private mutating func track(_ name: Digest, _ transaction: CID) {
    transactions[transaction] = name
    issued.append(name)
    // Names of what was confirmed meanwhile are only places in the line.
    while let first = issued.first, pending[first]?.transaction == nil || transactions.count > configuration.unconfirmed {
      issued.removeFirst()
      guard let old = pending[first]?.transaction else { continue }
      transactions[old] = nil
      pending[first] = nil
    }
    // Behind one that is never confirmed the line would grow with those that are.
    guard issued.count > 2 * transactions.count + 64 else { return }
    var seen: Set<Digest> = []
    let pending = pending
    issued.keep { pending[$0]?.transaction != nil && seen.insert($0).inserted }
  }

  mutating func confirmed(_ list: [CID], _ effects: inout Effects<Effect>) {
    var news: [PeerID: [Digest]] = [:]
    for transaction in list {
      guard let name = transactions.removeValue(forKey: transaction), let message = pending.removeValue(forKey: name) else {
        continue
      }
      statistics.confirmed += 1
      for feeder in message.feeders where clients[feeder]?.isConnected == true { news[feeder, default: []].append(name) }
    }
    for feeder in news.keys.sorted() { tell(news[feeder] ?? [], to: feeder, as: FeedMessage.confirmed, &effects) }
  }

  mutating func found(_ findings: [Finding], for feeder: PeerID, _ effects: inout Effects<Effect>) {
    guard clients[feeder]?.isConnected == true else { return }
    var (held, firm, unknown): ([Digest], [Digest], [Digest]) = ([], [], [])
    for finding in findings {
      if finding.isConfirmed {
        firm.append(finding.name)
      } else if let transaction = finding.transaction {
        held.append(finding.name)
        if pending[finding.name] == nil, transactions[transaction] == nil {
          let key = FeedKey(tag: [], name: finding.name)
          pending[finding.name] = Pending(key: key, content: nil, size: 0, feeders: [feeder], transaction: transaction)
          track(finding.name, transaction)
        }
      } else if pending[finding.name] == nil {
        unknown.append(finding.name)
      }
    }
    tell(firm, to: feeder, as: FeedMessage.confirmed, &effects)
    tell(held, to: feeder, as: FeedMessage.held, &effects)
    tell(unknown, to: feeder, as: FeedMessage.unknown, &effects)
  }

  private func tell(
    _ names: [Digest], to feeder: PeerID, as message: ([Digest]) -> FeedMessage, _ effects: inout Effects<Effect>
  ) {
    for start in stride(from: 0, to: names.count, by: FeedLimits.names) {
      effects.append(.send(message(Array(names[start..<min(start + FeedLimits.names, names.count)])), to: feeder))
    }
  }
}
