public import MurmurIdentity
public import MurmurWire

/// What a peer of a session announces to the world that holds it, for reports, dashboards and tests; worlds log, machines do not.
public enum CollectiveEvent: Hashable, Sendable {
  /// The peer takes part from now on.
  case joined
  /// A work cycle began.
  case cycleBegan(UInt32)
  /// Rows were trained on, with this mean loss.
  case trained(loss: Double)
  /// An average of this many other models was tried; `adopted` tells whether it replaced the peer's own.
  case averaged(models: Int, adopted: Bool)
  /// A model or slice could not be had.
  case fetchFailed(CID, String)
  /// What came as a model or slice was not one; the peer it came from is named.
  case rejected(CID, from: PeerID, String)
  /// A peer broke a protocol's rules.
  case offended(by: PeerID, String)
  /// A new model of one's own, stored and announced.
  case published(CID)
  /// The session is over for this peer.
  case ended
}
