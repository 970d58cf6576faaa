import MurmurChannels
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurRouting
import MurmurStorage
import MurmurWire
import Logging
import NIOCore
import NIOPosix

/// Who is who and who knows whom: identify and the hash tables, carried out.
extension NodeCore {
  // MARK: Identify

  func step(identify input: Identify.Input) {
    turn { [self] in
      var effects = Effects<Identify.Effect>()
      identify.step(input, at: now, chance: &identifyChance, effects: &effects)
      for effect in effects.list { perform(effect) }
      // Who is not answered at once is not answered at all.
      if case .asked(_, let request) = input { identifyStreams.removeValue(forKey: request.number)?.reset() }
    }
  }

  private func perform(_ effect: Identify.Effect) {
    switch effect {
    case .ask(let connection):
      guard let link = link(connection) else { return }
      let collector = identifyCollector { [self] result in
        switch result {
        case .success(let messages): step(identify: .answered(connection, messages))
        case .failure(let error): step(identify: .failed(connection, "\(error)"))
        }
      }
      link.open([Identify.protocolID], handler: collector)
    case .answer(let request, let messages):
      guard let stream = identifyStreams.removeValue(forKey: request.number) else { return }
      for message in messages { stream.write(MessageFraming.frame(message)) }
      stream.finish()
    case .push(let connection, let messages):
      guard let link = link(connection) else { return }
      link.open(
        [Identify.pushProtocolID],
        handler: SilentStream(patience: configuration.silence) { stream in
          for message in messages { stream.write(MessageFraming.frame(message)) }
          stream.finish()
        })
    case .learned(let description): learned(description)
    case .gaveUp(_, let peer, let why):
      note("\(peer) does not say who it is: \(why)")
      introduce(peer, [])
    case .complain(let peer, let complaint): log.info("\(peer) says of itself what is not true: \(complaint)")
    case .observed(let addresses):
      log.info("others see this peer at \(addresses.map(\.description).joined(separator: ", "))")
      announceAddresses()
    case .arm(.deadline, let at):
      identifyTimer?.cancel()
      identifyTimer = schedule(at) { [self] in step(identify: .timerFired(.deadline)) }
    }
  }

  private func link(_ connection: Identify.ConnectionID) -> Link? {
    transport?.links.first { $0.id == connection.number }
  }

  private func identifyCollector(_ done: @escaping (Result<[IdentifyMessage], any Error>) -> Void) -> Collector {
    let limits = configuration.identify.limits
    return Collector(most: limits.messageBytes, messages: limits.messages, patience: configuration.silence) { result in
      done(result.flatMap { messages in Result { try messages.map { try IdentifyMessage.decode($0, limits: limits) } } })
    }
  }

  func pushCollector(_ stream: PeerStream) -> Collector {
    let connection = Identify.ConnectionID(stream.link.id)
    return identifyCollector { [self] result in
      switch result {
      case .success(let messages): step(identify: .pushed(connection, messages))
      case .failure(let error):
        if !(error is ConnectionError) { strike(stream.link, "pushed what cannot be read: \(error)") }
      }
    }
  }

  private func learned(_ description: PeerDescription) {
    neighbours[description.peer]?.description = description
    book.learn(description.peer, description.addresses, isProven: true)
    let contact = Contact(description.peer, description.addresses)
    for index in tables.indices {
      step(table: index, .identified(contact, isServer: description.speaks(tables[index].protocolID)))
    }
    introduce(description.peer, description.protocols)
    if let record = description.signedRecord { step(.recorded(description.peer, record)) }
    guard !description.addresses.isEmpty else { return }
    let known = KnownPeer(
      id: description.peer, addresses: Array(description.addresses.prefix(KnownPeer.mostAddresses)),
      record: description.signedRecord ?? [], lastSeen: Wall.seconds, successes: 1)
    onDisk { store throws(StoreError) in try store.remember([known]) }
  }

  /// What this peer says of itself from now on: its protocols and where it can be reached.
  func announceAddresses() {
    let own = (listening + identify.observedAddresses).filter { !$0.isUnspecified }
    recordSequence += 1
    let record = PeerRecord(peer: keys.peerID, sequence: recordSequence, addresses: own)
    step(
      identify: .changed(
        Identify.Own(
          protocols: served, addresses: own, signedRecord: record.sealed(with: keys).encoded, publicKey: keys.publicKey.encoded,
          agentVersion: configuration.agentVersion)))
    for index in tables.indices { step(table: index, .addressesChanged(own)) }
  }

  // MARK: Tables

  func step(table index: Int, _ input: Kademlia.Input) {
    turn { [self] in
      var effects = Effects<Kademlia.Effect>()
      tables[index].step(input, at: now, &effects)
      for effect in effects.list { perform(effect, of: index) }
      if case .asked(let token, _, _) = input { tables[index].tokens[token.number] = nil }
    }
  }

  /// Asks a table; `body` hears of finds on the way, and of the end.
  func query(_ index: Int, _ query: Kademlia.Query, _ body: @escaping (Kademlia.Outcome, Bool) -> Void) {
    tables[index].nextQuery += 1
    let id = Kademlia.QueryID(tables[index].nextQuery)
    tables[index].queries[id] = body
    keep(query, of: index)
    step(table: index, .query(id, query))
  }

  private func perform(_ effect: Kademlia.Effect, of index: Int) {
    switch effect {
    case .request(let id, let contact, let message, let timeout): request(id, contact, message, timeout, of: index)
    case .abandon(let id):
      tables[index].requests.removeValue(forKey: id)?.giveUp(NodeError("nobody waits for it any more"))
    case .answer(let token, let message):
      guard let stream = tables[index].tokens.removeValue(forKey: token.number) else { return }
      stream.write(MessageFraming.frame(message.encode()))
    case .refuse(let token, let refusal):
      guard let stream = tables[index].tokens.removeValue(forKey: token.number) else { return }
      // Nothing is expected where silence is the answer, and further requests may follow on the stream.
      if refusal != .silent { stream.reset() }
      refused(refusal, of: stream.peer)
    case .found(let query, let outcome): tables[index].queries[query]?(outcome, false)
    case .completed(let query, let outcome, _): tables[index].queries.removeValue(forKey: query)?(outcome, true)
    case .added(let contact): book.learn(contact.peer, contact.addresses)
    case .removed: break
    case .arm(let timer, let at):
      tables[index].timers[timer]?.cancel()
      tables[index].timers[timer] = schedule(at) { [self] in
        tables[index].timers[timer] = nil
        step(table: index, .timerFired(timer))
      }
    }
  }

  private func request(
    _ id: Kademlia.RequestID, _ contact: Contact, _ message: KademliaMessage, _ timeout: Instant.Span, of index: Int
  ) {
    hear(contact.peer, at: contact.addresses)
    let stream = RequestStream(
      message.encode(), expectsAnswer: message.expectsAnswer, most: KademliaMessage.Limits().messageBytes
    ) { [self] result in ended(id, result, by: contact.peer, of: index) }
    tables[index].requests[id] = stream
    stream.deadline = schedule(now + timeout) { stream.giveUp(NodeError("no answer within \(timeout.seconds) s")) }
    let bound = NIOLoopBound(self, eventLoop: home)
    let boundStream = NIOLoopBound(stream, eventLoop: home)
    // A peer that is being looked for is not asked: its dial may wait for the very search that this request is part of.
    let isSought = dials[contact.peer]?.asking != nil
    guard !isSought, let dialled = dial(contact.peer, looksUp: false) else {
      let why = isSought ? "it is being looked for" : "it could not be reached a moment ago"
      home.execute { boundStream.value.giveUp(NodeError(why)) }
      return
    }
    dialled.whenComplete { result in
      let core = bound.value
      switch result {
      case .success(let link): link.open([core.tables[index].protocolID], handler: boundStream.value)
      case .failure(let error): boundStream.value.giveUp(error)
      }
    }
  }

  private func ended(_ id: Kademlia.RequestID, _ result: Result<[UInt8]?, any Error>, by peer: PeerID, of index: Int) {
    guard tables[index].requests.removeValue(forKey: id) != nil else { return }
    switch result {
    case .success(nil): step(table: index, .delivered(id))
    case .success(let bytes?):
      do { step(table: index, .answered(id, try KademliaMessage.decode(bytes))) } catch {
        step(table: index, .failed(id, .broken))
        offend(peer, Offence.plain, "answers a request with what cannot be read: \(error)")
      }
    case .failure(let error):
      step(table: index, .failed(id, Kademlia.RequestFailure(error)))
    }
  }

  func tableInbox(_ index: Int) -> Inbox {
    Inbox(most: KademliaMessage.Limits().messageBytes, idle: configuration.silence, core: self) { core, bytes, stream in
      let message = try KademliaMessage.decode(bytes)
      core.tables[index].nextToken += 1
      let token = core.tables[index].nextToken
      core.tables[index].tokens[token] = stream
      core.step(table: index, .asked(Kademlia.RequestToken(token), from: stream.peer, message))
    }
  }
}

extension Kademlia.RequestFailure {
  /// What an error of a dial or a stream says of the peer that was asked. Only who speaks another language is there and of no use; who
  /// resets a stream may refuse this one request, and a connection may break.
  package init(_ error: any Error) {
    switch error {
    case is TransportError: self = .unreachable
    case let error as ConnectionError:
      switch error.reason {
      case .unsupported: self = .unsupported
      case .late: self = .timedOut
      case .network, .closedByPeer, .closedHere: self = .unreachable
      case .malformed, .wrongPeer, .oneself, .signature, .forged, .violation, .limit, .resetByPeer: self = .broken
      }
    default: self = .timedOut
    }
  }
}
