import Logging
import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurRouting
import MurmurWire
import NIOCore

/// A peer that is being dialled, or that was and did not answer, and what waits for it.
struct Dial {
  var promises: [EventLoopPromise<Link>] = []
  var waiting: [Peer.Message] = []
  var isActive = false
  var isSearching = false
  var failures = 0
  /// Not dialled again before.
  var notBefore = Instant.origin
  /// What waits is dropped then.
  var deadline = Instant.never
}

/// Reaching peers that are not connected.
extension NodeCore {
  /// Peers that are being dialled, or that were in vain not long ago; no others are dialled meanwhile.
  static let dialLimit = 1_024
  /// Bytes of messages that are kept of a peer before it is known what it speaks; further ones are dropped.
  static let earlyBytes = 1 << 20
  /// Messages that wait for one peer; further ones are dropped.
  static let waitingMessages = 64

  /// Dials a peer at the addresses that are known; `nil` if it was tried in vain a moment ago.
  @discardableResult func dial(_ peer: PeerID) -> EventLoopFuture<Link>? {
    if let link = link(to: peer) { return home.makeSucceededFuture(link) }
    guard misconduct.ban(of: peer, at: now) == nil else { return nil }
    guard dials[peer] != nil || dials.count < NodeCore.dialLimit || forgetDial() else { return nil }
    var dial = dials[peer] ?? Dial()
    guard dial.isActive || dial.notBefore <= now else { return nil }
    let promise = home.makePromise(of: Link.self)
    dial.promises.append(promise)
    if dial.deadline == .never { dial.deadline = now + configuration.patience }
    let starts = !dial.isActive
    dial.isActive = true
    dials[peer] = dial
    if starts { tryAddresses(of: peer, book.addresses(of: peer), last: nil) }
    return promise.futureResult
  }

  /// Forgets one of the peers that were dialled in vain, the one that would be left alone longest. False if all are being dialled.
  private func forgetDial() -> Bool {
    let idle = dials.filter { !$0.value.isActive && $0.value.waiting.isEmpty }
    guard let last = idle.max(by: { ($0.value.notBefore, $0.key) < ($1.value.notBefore, $1.key) }) else { return false }
    dials[last.key] = nil
    return true
  }

  private func tryAddresses(of peer: PeerID, _ addresses: [Multiaddr], last: (any Error)?) {
    guard dials[peer] != nil, let transport else { return }
    guard let address = addresses.first else { return outOfAddresses(peer, last) }
    let bound = NIOLoopBound(self, eventLoop: home)
    transport.dial(address, expecting: peer).hop(to: home).whenFailure { error in
      let core = bound.value
      core.book.failed(peer, address)
      core.tryAddresses(of: peer, Array(addresses.dropFirst()), last: error)
    }
  }

  /// No address answers: the tables are asked once where the peer is.
  private func outOfAddresses(_ peer: PeerID, _ error: (any Error)?) {
    guard dials[peer]?.isSearching == false, let table = tables.firstIndex(where: { $0.machine.tableCount > 0 }) else {
      return settleDial(peer, .failure(error ?? NodeError("\(peer): no address of it is known")))
    }
    dials[peer]?.isSearching = true
    let known = book.addresses(of: peer)
    query(table, .findPeer(peer)) { [self] outcome, isEnd in
      guard isEnd else { return }
      var found: [Multiaddr] = []
      if case .peer(let contact, _) = outcome { found = contact.addresses.map(\.withoutPeer).filter { !known.contains($0) } }
      book.learn(peer, found)
      tryAddresses(of: peer, found, last: error)
      if found.isEmpty { settleDial(peer, .failure(error ?? NodeError("\(peer): nobody knows where it is"))) }
    }
  }

  func settleDial(_ peer: PeerID, _ result: Result<Link, any Error>) {
    guard var dial = dials[peer] else { return }
    let promises = dial.promises
    dial.promises = []
    dial.isActive = false
    dial.isSearching = false
    switch result {
    case .success(let link):
      dial.failures = 0
      dials[peer] = dial
      for promise in promises { promise.succeed(link) }
    case .failure(let error):
      dial.failures += 1
      meters.dropped(.unreachable, count: dial.waiting.count)
      dial.waiting = []
      dial.deadline = .never
      let wait = configuration.backoff * Double(1 << min(dial.failures - 1, 8))
      dial.notBefore = now + min(wait, lost[peer] == nil ? .minutes(5) : configuration.reunion * 2)
      dials[peer] = dial
      // Whoever begins with nobody should hear of it without asking for more words.
      if dial.failures == 1, neighbours.isEmpty, configuration.bootstraps.contains(where: { $0.namedPeer == peer }) {
        log.warning("\(peer), a peer to begin with, cannot be reached: \(error). It is tried again, as are others that are known")
      } else {
        note("\(peer) cannot be reached: \(error)")
      }
      // The exchange asks somebody else, without waiting for patience to run out.
      step(.disconnected(peer))
      for promise in promises { promise.fail(error) }
    }
  }

  /// A message to a peer that is not there yet.
  func wait(_ message: Peer.Message, for peer: PeerID) {
    if link(to: peer) == nil, dials[peer]?.isActive != true {
      guard dial(peer) != nil else {
        meters.dropped(.unreachable)
        return unreachable(peer)
      }
    }
    if dials[peer] == nil { dials[peer] = Dial(deadline: now + configuration.patience) }
    guard let count = dials[peer]?.waiting.count, count < NodeCore.waitingMessages else { return meters.dropped(.full) }
    dials[peer]?.waiting.append(message)
  }

  private func unreachable(_ peer: PeerID) {
    let bound = NIOLoopBound(self, eventLoop: home)
    home.execute { bound.value.step(.disconnected(peer)) }
  }

  func sendWaiting(_ peer: PeerID) {
    guard let waiting = dials.removeValue(forKey: peer)?.waiting else { return }
    for message in waiting { pass(message, to: peer) }
  }

  func expireDials() {
    for peer in dials.keys.sorted() {
      guard let dial = dials[peer] else { continue }
      if dial.deadline <= now, !dial.waiting.isEmpty {
        meters.dropped(.late, count: dial.waiting.count)
        dials[peer]?.waiting = []
      }
      if !dial.isActive, dial.waiting.isEmpty, dial.notBefore + .minutes(5) < now { dials[peer] = nil }
    }
  }
}
