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
  /// Addresses that are tried in one attempt: those known at its beginning, and as many again that are heard of.
  static let mostAddresses = 2 * AddressBook.perPeer

  var promises: [EventLoopPromise<Link>] = []
  var waiting: [Peer.Message] = []
  var isActive = false
  /// Which attempt it is: what an earlier one brings about is of no interest.
  var attempt: UInt64 = 0
  /// What was tried in this attempt, and why the last did not answer.
  var tried: [Multiaddr] = []
  var error: (any Error)?
  /// Whether an address is being tried now.
  var isTrying = false
  /// Whether the tables may be asked where the peer is; of the last attempt, whether they might.
  var looksUp = false
  /// How many tables are being asked; `nil` if they were not asked in this attempt.
  var asking: Int?
  var failures = 0
  /// Not dialled again before.
  var notBefore = Instant.origin
  /// What waits is dropped then.
  var deadline = Instant.never

  /// Another attempt begins.
  mutating func begin(_ number: UInt64) {
    (attempt, isActive, isTrying, looksUp, asking) = (number, true, false, false, nil)
    (tried, error) = ([], nil)
  }

  /// The attempt is over.
  mutating func end() { (isActive, isTrying, asking) = (false, false, nil) }
}

/// Reaching peers that are not connected.
extension NodeCore {
  /// Peers that are being dialled, or that were in vain not long ago; no others are dialled meanwhile.
  static let dialLimit = 1_024
  /// Bytes of messages that are kept of a peer before it is known what it speaks; further ones are dropped.
  static let earlyBytes = 1 << 20
  /// Messages that wait for one peer; further ones are dropped.
  static let waitingMessages = 64

  /// Dials a peer at the addresses that are known; `nil` if it was tried in vain a moment ago. Where none answers, the tables are asked
  /// for others, unless it is a table that wants to reach the peer: it looks for it by itself.
  @discardableResult func dial(_ peer: PeerID, looksUp: Bool = true) -> EventLoopFuture<Link>? {
    if let link = link(to: peer) { return home.makeSucceededFuture(link) }
    guard misconduct.ban(of: peer, at: now) == nil else { return nil }
    guard dials[peer] != nil || dials.count < NodeCore.dialLimit || forgetDial() else { return nil }
    var dial = dials[peer] ?? Dial()
    guard dial.isActive || dial.notBefore <= now || (looksUp && !dial.looksUp) else { return nil }
    let promise = home.makePromise(of: Link.self)
    dial.promises.append(promise)
    if dial.deadline == .never { dial.deadline = now + configuration.patience }
    let starts = !dial.isActive
    if starts {
      attempts += 1
      dial.begin(attempts)
    }
    dial.looksUp = dial.looksUp || looksUp
    dials[peer] = dial
    if starts { tryNext(peer) }
    return promise.futureResult
  }

  /// Forgets one of the peers that were dialled in vain, the one that would be left alone longest. False if all are being dialled.
  private func forgetDial() -> Bool {
    let idle = dials.filter { !$0.value.isActive && $0.value.waiting.isEmpty }
    guard let last = idle.max(by: { ($0.value.notBefore, $0.key) < ($1.value.notBefore, $1.key) }) else { return false }
    dials[last.key] = nil
    return true
  }

  /// Tries the next address of a peer that is being dialled and was not tried yet.
  private func tryNext(_ peer: PeerID) {
    guard let dial = dials[peer], dial.isActive, !dial.isTrying, let transport else { return }
    let left = dial.tried.count < Dial.mostAddresses ? book.addresses(of: peer) : []
    guard let address = left.first(where: { !dial.tried.contains($0) }) else { return outOfAddresses(peer) }
    dials[peer]?.tried.append(address)
    dials[peer]?.isTrying = true
    let bound = NIOLoopBound(self, eventLoop: home)
    transport.dial(address, expecting: peer).hop(to: home).whenFailure { error in
      let core = bound.value
      core.book.failed(peer, address)
      guard core.dials[peer]?.attempt == dial.attempt else { return }
      core.dials[peer]?.isTrying = false
      core.dials[peer]?.error = error
      core.tryNext(peer)
    }
  }

  /// No address answers: the tables are asked once where the peer is, all of them, since each knows other peers and other addresses.
  private func outOfAddresses(_ peer: PeerID) {
    guard let dial = dials[peer] else { return }
    if let asking = dial.asking {
      guard asking == 0 else { return }
      return settleDial(peer, .failure(dial.error ?? NodeError("\(peer): nobody knows where it is")))
    }
    let known = dial.looksUp ? tables.indices.filter { tables[$0].machine.tableCount > 0 } : []
    guard !known.isEmpty else {
      return settleDial(peer, .failure(dial.error ?? NodeError("\(peer): no address of it is known")))
    }
    dials[peer]?.asking = known.count
    for index in known {
      query(index, .findPeer(peer)) { [self] outcome, isEnd in if isEnd { lookedUp(peer, dial.attempt, outcome) } }
    }
  }

  private func lookedUp(_ peer: PeerID, _ attempt: UInt64, _ outcome: Kademlia.Outcome) {
    let found: [Multiaddr] = if case .peer(let contact, _) = outcome { contact.addresses } else { [] }
    if dials[peer]?.attempt == attempt, let asking = dials[peer]?.asking { dials[peer]?.asking = asking - 1 }
    hear(peer, at: found)
  }

  /// A peer is, or is said to be, there. If it is being looked for, it is dialled there without waiting for the end of the search.
  func hear(_ peer: PeerID, at addresses: [Multiaddr], isProven: Bool = false) {
    book.learn(peer, addresses, isProven: isProven)
    if dials[peer]?.asking != nil { tryNext(peer) }
  }

  func settleDial(_ peer: PeerID, _ result: Result<Link, any Error>) {
    guard var dial = dials[peer] else { return }
    let promises = dial.promises
    dial.promises = []
    dial.end()
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
    guard let count = dials[peer]?.waiting.count, count < NodeCore.waitingMessages else {
      meters.dropped(.full)
      return lost(message, to: peer)
    }
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
        for message in dial.waiting { lost(message, to: peer) }
      }
      if !dial.isActive, dial.waiting.isEmpty, dial.notBefore + .minutes(5) < now { dials[peer] = nil }
    }
  }
}
