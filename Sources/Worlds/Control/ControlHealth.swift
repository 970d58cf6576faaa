extension ControlAnswer {
  /// How a peer is: facts, of which ``Finding``s are made.
  public struct Health: Codable, Hashable, Sendable {
    /// Where a peer says that it sees this one.
    public struct Sighting: Codable, Hashable, Sendable {
      /// Who says so.
      public var peer: String
      /// Where this peer is seen.
      public var address: String
      /// How far that address reaches: `loopback`, `link`, `site`, `global`, `named` or `none`.
      public var reach: String

      /// Where a peer says that it sees this one.
      public init(peer: String, address: String, reach: String) { (self.peer, self.address, self.reach) = (peer, address, reach) }
    }

    /// What came of asking a peer to dial back.
    public struct Dialback: Codable, Hashable, Sendable {
      /// Who was asked.
      public var peer: String
      /// How far the address reaches that it is seen at from here.
      public var from: String
      /// `reached`, `unreached`, `refused` or `failed`.
      public var verdict: String
      /// Where it reached this peer, or why asking failed.
      public var detail: String
      /// How far its clock is ahead of ours, in seconds.
      public var clockAhead: Double?

      /// What came of asking a peer.
      public init(peer: String, from: String, verdict: String, detail: String, clockAhead: Double?) {
        (self.peer, self.from, self.verdict, self.detail, self.clockAhead) = (peer, from, verdict, detail, clockAhead)
      }
    }

    /// An address, and how far it reaches.
    public struct Address: Codable, Hashable, Sendable {
      /// The address.
      public var address: String
      /// See ``Sighting/reach``.
      public var reach: String

      /// An address.
      public init(address: String, reach: String) { (self.address, self.reach) = (address, reach) }
    }

    /// Who the peer is.
    public var peer = ""
    /// Its process.
    public var process = 0
    /// Where it listens.
    public var listening: [Address] = []
    /// Where enough others see it.
    public var believed: [Address] = []
    /// Where others see it, one by one.
    public var sightings: [Sighting] = []
    /// What came of asking connected peers to dial back.
    public var dialbacks: [Dialback] = []
    /// Connections from outside, and those dialled from here.
    public var inbound = 0
    /// See ``inbound``.
    public var outbound = 0
    /// The most connections it keeps.
    public var mostConnections = 0
    /// Peers in its hash tables.
    public var known: [Int] = []
    /// Files it may have open, and has.
    public var openLimit = 0
    /// See ``openLimit``.
    public var open: Int?
    /// Its store's folder, the room left on that disk, and how much it may grow.
    public var store: String?
    /// See ``store``.
    public var free: UInt64?
    /// Bytes of its blocks.
    public var stored = 0
    /// Its clock, in seconds since 1970.
    public var clock = 0.0
    /// The session's name and whether it is over.
    public var session = ""
    /// See ``session``.
    public var hasEnded = false

    /// Nothing is known.
    public init() {}
  }
}
