public import MurmurIdentity
public import MurmurWire

/// Peers of the local network.
extension Node {
  /// A peer was heard of on the local network just now. It is remembered, and dialled if company is wanted: at once, even if it could
  /// not be reached a moment ago.
  public func heard(_ peer: PeerID, at addresses: [Multiaddr]) async throws {
    try await onHome { it in
      let usable = addresses.filter { Endpoint($0) != nil }
      guard peer != it.keys.peerID, !usable.isEmpty, !it.isClosing else { return }
      it.meters.foundLocally()
      it.hear(peer, at: usable)
      if let dial = it.dials[peer], !dial.isActive, dial.waiting.isEmpty, dial.promises.isEmpty { it.dials[peer] = nil }
      it.look()
    }
  }
}
