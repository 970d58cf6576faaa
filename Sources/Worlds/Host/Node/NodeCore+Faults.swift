import MurmurCollective
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import NIOCore

/// Messages and jobs as a fault plan lets them pass; without one they pass as they are.
extension NodeCore {
  /// Messages that are held back at a time; further ones are lost.
  static let heldMessages = 65_536

  func send(_ message: Peer.Message, to peer: PeerID) {
    guard let adversity = configuration.adversity else { return pass(message, to: peer) }
    var passes = false
    for passage in adversity.passages(of: message.wireSize, to: peer, at: sessionNow) {
      guard passage.after > .zero else {
        passes = true
        pass(message, to: peer)
        if passage.isCorrupt { spoil(peer) }
        continue
      }
      guard heldBack < NodeCore.heldMessages else { continue }
      passes = true
      heldBack += 1
      _ = schedule(now + passage.after) { [self] in
        heldBack -= 1
        guard !isClosing else { return }
        pass(message, to: peer)
        if passage.isCorrupt { spoil(peer) }
      }
    }
    if !passes { lost(message, to: peer) }
  }

  func received(_ message: Peer.Message, from peer: PeerID) {
    meters.received(message)
    if let adversity = configuration.adversity, !adversity.admits(from: peer, at: sessionNow) { return }
    take(message, from: peer)
  }

  /// Does `deliver` when, and as often as, a message of that size passes between here and a peer: of what is no message of the session.
  func ferry(_ size: Int, _ peer: PeerID, _ deliver: @escaping () -> Void) {
    guard let adversity = configuration.adversity else { return deliver() }
    for passage in adversity.passages(of: size, to: peer, at: sessionNow) {
      guard passage.after > .zero else {
        deliver()
        continue
      }
      guard heldBack < NodeCore.heldMessages else { continue }
      heldBack += 1
      _ = schedule(now + passage.after) { [self] in
        heldBack -= 1
        if !isClosing { deliver() }
      }
    }
  }

  /// A bit of what leaves next for the peer is flipped.
  private func spoil(_ peer: PeerID) { link(to: peer)?.spoil() }

  /// A job has ended after `seconds`: the peer hears of it, later if its device is slow.
  func worked(_ result: WorkResult, after seconds: Double) {
    guard !isClosing else { return }
    guard let adversity = configuration.adversity else { return step(.worked(result)) }
    let told = adversity.told(result, by: peer, at: sessionNow)
    let factor = adversity.slowdown(at: sessionNow)
    guard factor > 1 else { return step(.worked(told)) }
    _ = schedule(now + .seconds(seconds * (factor - 1))) { [self] in if !isClosing { step(.worked(told)) } }
  }
}
