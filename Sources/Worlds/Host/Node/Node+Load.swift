public import MurmurIdentity
public import MurmurMachines
import MurmurRouting
import NIOCore

/// What a node holds at one moment, for those who watch its memory.
extension Node {
  /// Counts of everything that others can make grow.
  public struct Load: Hashable, Sendable {
    /// Sockets, both ways.
    public var sockets = 0
    /// Of these, inbound ones whose peer has not proven who it is.
    public var unproven = 0
    /// Connections whose peer has proven who it is.
    public var links = 0
    /// Streams on all connections.
    public var streams = 0
    /// Bytes written on streams that wait to be sent.
    public var unsent = 0
    /// Bytes of messages that peers have begun and not finished.
    public var unfinished = 0
    /// Peers that are dialled, or were in vain not long ago.
    public var dials = 0
    /// Peers whose addresses are remembered.
    public var addresses = 0
    /// Timers of the machines.
    public var timers = 0
    /// Requests and searches of the hash tables that are under way.
    public var requests = 0
    /// Peers in the hash tables.
    public var contacts = 0
    /// Values that the hash tables keep for others, and keys with providers.
    public var records = 0
    /// Peers whose misconduct is remembered.
    public var remembered = 0
    /// Peers that are shut out.
    public var shutOut = 0
    /// Addresses that are shut out.
    public var shutOutAddresses = 0
  }

  /// What the node holds now.
  public func load() async throws -> Load {
    try await onHome { it in
      var load = Load()
      if let transport = it.transport { (load.sockets, load.unproven) = transport.socketCounts }
      for link in it.transport?.links ?? [] {
        load.links += 1
        load.streams += link.streamCount
        load.unsent += link.unsent
      }
      load.unfinished = it.held
      load.dials = it.dials.count
      load.addresses = it.book.count
      load.timers = it.peerTimers.count + it.tables.reduce(0) { $0 + $1.timers.count }
      load.requests = it.tables.reduce(0) { $0 + $1.requests.count + $1.queries.count }
      load.contacts = it.tables.reduce(0) { $0 + $1.machine.tableCount }
      load.records = it.tables.reduce(0) { $0 + $1.machine.holdings.records + $1.machine.holdings.providers }
      load.remembered = it.misconduct.count
      load.shutOut = it.misconduct.banned(at: it.now)
      load.shutOutAddresses = it.sources.banned(at: it.now)
      return load
    }
  }

  /// For how long a peer is still shut out; `nil` if it is not.
  public func ban(of peer: PeerID) async throws -> Instant.Span? { try await onHome { $0.misconduct.ban(of: peer, at: $0.now) } }
}
