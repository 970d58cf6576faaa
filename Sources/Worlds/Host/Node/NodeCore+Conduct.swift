import Logging
import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import NIOCore

/// What peers should not do, what it counts, and what follows.
extension NodeCore {
  /// What an offence counts; ``NodeConfiguration/strikes`` of them together are too many.
  enum Offence {
    /// A message that cannot be read, a block or an announcement that is forged.
    static let plain = 1.0
    /// A message that was begun and never finished, bytes that were changed on the way.
    static let slowness = 0.5
    /// A request that no honest peer makes.
    static let request = 0.5
    /// A request too many.
    static let excess = 0.01
    /// A connection that broke off because a limit was reached.
    static let trouble = 1.0
    /// A connection that broke off because bytes were changed on the way.
    static let line = 0.1
  }

  /// A peer broke a rule. Too much of that within a short time, and its connections are closed and it is shut out for a while.
  func offend(_ peer: PeerID, _ weight: Double, _ what: String) {
    meters.offence()
    log.info("\(peer) \(what)")
    let source = neighbours[peer]?.links.first.flatMap { Source($0.remoteAddress) }
    if let source { offend(source, weight) }
    guard let span = misconduct.offend(peer, weight, at: now) else { return }
    meters.shutOut()
    log.notice("\(peer) is shut out for \(Int(span.seconds)) s: it \(what)")
    for link in neighbours[peer]?.links ?? [] { link.close("it \(what)") }
  }

  /// A peer is to be shut out at once.
  func shun(_ peer: PeerID, _ why: String) {
    offend(peer, Double(configuration.strikes), why)
    for link in neighbours[peer]?.links ?? [] { link.close(why) }
  }

  private func offend(_ source: Source, _ weight: Double) {
    guard !source.isLoopback || !configuration.conduct.sparesLoopback else { return }
    guard let span = sources.offend(source, weight, at: now) else { return }
    log.notice("nobody from \(source) is let in for \(Int(span.seconds)) s")
  }

  /// A peer sends what cannot be read.
  func strike(_ link: Link, _ what: String) {
    meters.unreadable()
    offend(link.peer, Offence.plain, what)
  }

  /// Whether a socket from there may go on.
  func admits(_ address: Multiaddr) -> Bool {
    guard let source = Source(address) else { return true }
    return sources.ban(of: source, at: now) == nil
  }

  /// Somebody connected and did not prove who it is.
  func misbehaved(_ address: Multiaddr, _ why: ConnectionError) {
    guard let source = Source(address) else { return }
    switch why.reason {
    case .malformed, .signature, .forged, .violation: offend(source, Offence.plain)
    case .late: offend(source, Offence.slowness)
    case .closedByPeer, .network, .unsupported: offend(source, 0.1)
    case .wrongPeer, .oneself, .limit, .resetByPeer, .closedHere: break
    }
  }

  /// A connection ended: whether that was the peer's fault.
  func judge(_ link: Link, _ why: ConnectionError) {
    switch why.reason {
    case .malformed, .violation, .signature: offend(link.peer, Double(configuration.strikes), "broke off: \(why)")
    case .limit: offend(link.peer, Offence.trouble, "broke off: \(why)")
    // A bad line changes bytes as well, and it is not the peer's fault that its line is bad.
    case .forged: offend(link.peer, Offence.line, "broke off: \(why)")
    case .unsupported, .late, .wrongPeer, .oneself, .resetByPeer, .closedByPeer, .closedHere, .network: break
    }
  }

  /// A request of a hash table was refused.
  func refused(_ refusal: Kademlia.Refusal, of peer: PeerID) {
    switch refusal {
    case .malformed, .invalid: offend(peer, Offence.request, "asks the hash table for what nobody may ask: \(refusal)")
    case .tooMany: offend(peer, Offence.excess, "asks the hash table too much")
    case .silent, .clientMode, .rejected, .full: break
    }
  }

  // MARK: What peers make this one keep and do

  /// Bytes of unfinished messages that a peer makes this one keep: so many more, or fewer. False if that is too much.
  func hold(_ count: Int, for peer: PeerID) -> Bool {
    guard count > 0 else {
      neighbours[peer]?.held += count
      held += count
      return true
    }
    guard held + count <= configuration.unfinishedBytes,
      (neighbours[peer]?.held ?? 0) + count <= configuration.unfinishedBytesPerPeer
    else { return false }
    neighbours[peer]?.held += count
    held += count
    return true
  }

  /// Counts messages of a peer. How long it is to wait until it may send more, if it sent too many.
  func charge(_ peer: PeerID, _ messages: Int) -> Instant.Span? {
    guard neighbours[peer] != nil else { return nil }
    let rate = configuration.messagesPerSecond
    let passed = (now - neighbours[peer, default: Neighbour()].chargedAt).seconds
    let load = max(neighbours[peer, default: Neighbour()].load - passed * rate, 0) + Double(messages)
    neighbours[peer]?.load = load
    neighbours[peer]?.chargedAt = now
    guard load > configuration.messageBurst else { return nil }
    return .seconds((load - configuration.messageBurst) / rate)
  }

  /// How many streams of one protocol a connection may bring.
  func mostStreams(_ name: String) -> Int {
    if tables.contains(where: { $0.protocolID == name }) { return configuration.requestStreams }
    return name.hasPrefix("/ipfs/bitswap") ? configuration.blockStreams : configuration.messageStreams
  }

  /// Ends streams that are silent where they may not be, and connections that take nothing any more.
  func lookForSilence() {
    for peer in neighbours.keys.sorted() {
      guard let neighbour = neighbours[peer] else { continue }
      for link in neighbour.links {
        guard link.endsSilence() else { continue }
        offend(peer, Offence.trouble, "takes nothing of what is sent to it")
        link.close("it takes nothing of what is sent to it")
      }
      // Each is looked at, since each remembers when it was seen to move.
      let stuck = neighbour.outboxes.filter { $0.isStuck(at: now) }
      guard !stuck.isEmpty, let link = neighbour.links.first else { continue }
      offend(peer, Offence.trouble, "does not read what it asked for")
      link.close("it does not read what it asked for")
    }
  }
}
