import MurmurBlocks
import MurmurChannels
import MurmurCollective
import MurmurFeeds
import MurmurIdentify
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurWire
import Logging
import NIOCore

/// Connections: who comes and goes, what they speak, and whom to let go.
extension NodeCore {
  func connected(_ link: Link) {
    guard !isClosing else { return link.close("this peer is stopping") }
    if let span = misconduct.ban(of: link.peer, at: now) {
      link.close("it broke the rules and is shut out for another \(Int(span.seconds)) s")
      return settleDial(link.peer, .failure(NodeError("\(link.peer) is shut out for another \(Int(span.seconds)) s")))
    }
    var neighbour = neighbours[link.peer] ?? Neighbour()
    neighbour.links.append(link)
    neighbours[link.peer] = neighbour
    if link.role == .dialer { book.learn(link.peer, [link.remoteAddress], isProven: true) }
    step(
      identify: .connected(
        Identify.ConnectionID(link.id), link.peer, remote: link.remoteAddress, isOutbound: link.role == .dialer))
    lost[link.peer] = nil
    settleDial(link.peer, .success(link))
  }

  func disconnected(_ link: Link, _ why: ConnectionError) {
    step(identify: .disconnected(Identify.ConnectionID(link.id)))
    judge(link, why)
    guard var neighbour = neighbours[link.peer] else { return }
    neighbour.links.removeAll { $0.id == link.id }
    guard neighbour.links.isEmpty else {
      neighbours[link.peer] = neighbour
      return
    }
    neighbours[link.peer] = nil
    held -= neighbour.held
    for outbox in neighbour.outboxes { outbox.drop() }
    note("\(link.peer) is gone: \(why)")
    if neighbour.isTold { step(.disconnected(link.peer)) }
    if neighbour.ledger != nil { step(station: .disconnected(link.peer)) }
    if neighbour.languages.contains(.collective) { broke(link.peer, why) }
  }

  /// What is spoken on a stream that a peer opened.
  func accept(_ stream: PeerStream) -> (any StreamHandler)? {
    let name = stream.protocolName
    guard neighbours[stream.peer] != nil, stream.link.streams(of: name) < mostStreams(name) else { return nil }
    switch name {
    case Identify.protocolID:
      let number = nextIdentify
      nextIdentify += 1
      identifyStreams[number] = stream
      step(identify: .asked(Identify.ConnectionID(stream.link.id), Identify.Request(number)))
      return SilentStream(patience: configuration.silence)
    case Identify.pushProtocolID: return pushCollector(stream)
    case Ping.protocolID: return EchoStream(patience: configuration.silence)
    case Dialback.protocolID: return dialbackInbox()
    case NodeCore.collectiveProtocol:
      return Inbox(most: CollectiveMessage.byteLimit, core: self) { core, bytes, stream in
        core.received(.collective(try CollectiveMessage.decode(bytes)), from: stream.peer)
      }
    case LedgerMessage.protocolID where house != nil: return ledgerInbox()
    case FeedMessage.protocolID: return house?.desk?.accept(stream)
    default: break
    }
    if BitswapVersion(rawValue: name) != nil {
      return Inbox(most: BitswapMessage.mostBytes, core: self) { core, bytes, stream in
        core.received(.blocks(try BitswapMessage.decode(bytes)), from: stream.peer)
      }
    }
    if PubSub.protocolIDs.contains(name) {
      return Inbox(most: PubSub.Limits().frameBytes, core: self) { core, bytes, stream in
        core.received(.pubsub(try RPC.decode(bytes)), from: stream.peer)
      }
    }
    if let index = tables.firstIndex(where: { $0.protocolID == name }) { return tableInbox(index) }
    return nil
  }

  /// What a peer speaks is known: the machines are told, once; a second time of who had said nothing by then and is known to speak now.
  func introduce(_ peer: PeerID, _ protocols: [String]) {
    guard var neighbour = neighbours[peer], let link = neighbour.links.first else { return }
    guard !neighbour.isTold || (neighbour.isMute && !protocols.isEmpty) else { return }
    let wasTold = neighbour.isTold
    neighbour.isTold = true
    let limit = configuration.waitingBytes
    if protocols.contains(NodeCore.collectiveProtocol) {
      neighbour.languages.insert(.collective)
      neighbour.collective = Outbox(to: peer, [NodeCore.collectiveProtocol], limit: limit / 16, core: self)
    }
    let bitswap = BitswapVersion.preference.filter(protocols.contains)
    if !bitswap.isEmpty {
      neighbour.languages.insert(.blocks)
      neighbour.blocks = Outbox(to: peer, bitswap, limit: limit, core: self)
    }
    var pubsub = PubSub.Connection()
    let topics = PubSub.protocolIDs.filter(protocols.contains)
    if let best = topics.first, let language = PubSub.Connection.Language(protocolID: best) {
      neighbour.languages.insert(.pubsub)
      neighbour.pubsub = Outbox(to: peer, topics, limit: limit, core: self)
      pubsub = PubSub.Connection(language, isOutbound: link.role == .dialer, host: link.remoteAddress.suspectBytes)
    }
    if house != nil, protocols.contains(LedgerMessage.protocolID) {
      neighbour.ledger = Outbox(to: peer, [LedgerMessage.protocolID], limit: limit, core: self)
    }
    if wasTold, neighbour.isMute { return }
    let early = neighbour.early
    neighbour.early = []
    neighbours[peer] = neighbour
    step(.connected(peer, Peer.Acquaintance(neighbour.languages, pubsub: pubsub)))
    for message in early { step(.received(from: peer, message)) }
    if neighbour.ledger != nil { step(station: .connected(peer)) }
    sendWaiting(peer)
  }

  // MARK: Upkeep

  /// What is open and what waits: in a node that leaks nothing these numbers come down again.
  var census: (links: Int, streams: Int, pending: Int) {
    let links = neighbours.values.reduce(into: [Link]()) { $0 += $1.links }  // house:allow(order) they are counted
    let waiting = dials.values.reduce(0) { $0 + $1.waiting.count + $1.promises.count }
    let asked = tables.reduce(0) { $0 + $1.timers.count + $1.requests.count + $1.tokens.count + $1.queries.count }
    let here = peerTimers.count + heldBack + fetches.count + identifyStreams.count + errands.count
    return (links.count, links.reduce(0) { $0 + $1.streamCount }, waiting + asked + here)
  }

  /// Looks after connections: enough of them, and not too many.
  func look() {
    guard !isClosing else { return }
    recorder?.flush()
    saveCredits()
    prune()
    expireDials()
    reunite()
    lookForSilence()
    let partners = neighbours.values.count { $0.languages.contains(.collective) }
    guard partners < configuration.degree else { return }
    // Peers that were dialled in vain a while ago are no company: whoever invents peers must not keep this one from finding others.
    var wanted = configuration.degree - partners - dials.values.count(where: \.isActive)
    for address in configuration.bootstraps where wanted > 0 {
      guard let peer = address.namedPeer, peer != keys.peerID, neighbours[peer] == nil, dials[peer] == nil else { continue }
      book.learn(peer, [address], isProven: true)
      if dial(peer) != nil { wanted -= 1 }
    }
    guard wanted > 0 else { return }
    var others = book.peers.filter { $0 != keys.peerID && neighbours[$0] == nil && dials[$0] == nil }
    peerChance.shuffle(&others)
    others = others.filter(book.isProven) + others.filter { !book.isProven($0) }
    for peer in others.prefix(wanted) { _ = dial(peer) }
  }

  /// Looks at what is counted, at every upkeep; what has passed beyond the time between two is the loop's lag.
  func measure() {
    let due = measured.map { $0 + .milliseconds(Double(configuration.upkeep.nanoseconds) / 1e6) } ?? now
    measured = now
    meters.look(at: self, late: now - due)
  }

  private func prune() {
    let links = neighbours.values.reduce(0) { $0 + $1.links.count }
    guard links > configuration.highWater else { return }
    // Second connections to a peer go first, then peers that are of least use, then the youngest.
    var spare: [(use: Int, since: Instant, link: Link)] = []
    for peer in neighbours.keys.sorted() {
      guard let neighbour = neighbours[peer] else { continue }
      for (number, link) in neighbour.links.enumerated() where now - link.since > configuration.grace {
        let use =
          number > 0 ? -1 : neighbour.languages.rawValue.nonzeroBitCount + (neighbour.languages.contains(.collective) ? 8 : 0)
        spare.append((use, link.since, link))
      }
    }
    spare.sort { $0.use != $1.use ? $0.use < $1.use : $0.since > $1.since }
    for entry in spare.prefix(links - configuration.lowWater) { entry.link.close("this peer has too many connections") }
  }
}
