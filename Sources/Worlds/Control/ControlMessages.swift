/// What the owner of a running peer asks of it.
public enum ControlRequest: Codable, Hashable, Sendable {
  /// Take in the file whose bytes follow; answered by ``Added``.
  case add(provide: Bool)
  /// Give the bytes of a file: a CID, or a path that begins with one. Fetched if it is not here. Answered by ``Sent``.
  case cat(path: String, timeout: Double)
  /// Keep an object; fetched if it is not here. Answered by ``Pinned``.
  case pin(path: String, timeout: Double)
  /// Keep it no longer. Answered by ``Pinned``.
  case unpin(path: String)
  /// What is kept. Answered by ``Pins``.
  case pins
  /// Who is connected. Answered by ``Peers``.
  case peers
  /// Where a peer is, or who has an object. Answered by ``Found``.
  case find(String)
  /// An invitation to the session. Answered by ``Invited``.
  case invite(loopback: Bool)
  /// How the peer is. Answered by ``Health``.
  case health
  /// Which sensors' streams it reads. Answered by ``Streams``.
  case streams

  /// Whether a file's bytes follow.
  public var brings: Bool { if case .add = self { true } else { false } }
}

/// A request and the version of who asks.
public struct ControlQuestion: Codable, Hashable, Sendable {
  /// The version of this protocol.
  public static let version = 1

  /// The version that the asker speaks.
  public var version = ControlQuestion.version
  /// What it asks.
  public var request: ControlRequest

  /// A question.
  public init(_ request: ControlRequest) { self.request = request }
}

/// How far something is.
public struct ControlNote: Codable, Hashable, Sendable {
  /// What is being done.
  public var doing: String
  /// Bytes of the whole file, once they are known.
  public var bytes: UInt64?

  /// A note.
  public init(_ doing: String, bytes: UInt64? = nil) {
    self.doing = doing
    self.bytes = bytes
  }
}

/// What the answers hold.
public enum ControlAnswer {
  /// A file was taken in.
  public struct Added: Codable, Hashable, Sendable {
    /// Its name.
    public var cid: String
    /// Its length.
    public var bytes: UInt64
    /// How many peers were told, if they were to be; by table.
    public var provided: Int?
    /// A wish that could not be fulfilled although the file is here.
    public var warning: String?

    /// A file that was taken in.
    public init(cid: String, bytes: UInt64, provided: Int? = nil, warning: String? = nil) {
      (self.cid, self.bytes, self.provided, self.warning) = (cid, bytes, provided, warning)
    }
  }

  /// A file was given.
  public struct Sent: Codable, Hashable, Sendable {
    /// Its name.
    public var cid: String
    /// Its length.
    public var bytes: UInt64

    /// A file that was given.
    public init(cid: String, bytes: UInt64) { (self.cid, self.bytes) = (cid, bytes) }
  }

  /// An object is kept, or not any more.
  public struct Pinned: Codable, Hashable, Sendable {
    /// Its name.
    public var cid: String
    /// Whether anything changed.
    public var changed: Bool

    /// An object that is kept, or not any more.
    public init(cid: String, changed: Bool) { (self.cid, self.changed) = (cid, changed) }
  }

  /// What is kept.
  public struct Pins: Codable, Hashable, Sendable {
    /// One object.
    public struct Pin: Codable, Hashable, Sendable {
      /// Its name.
      public var cid: String
      /// Who keeps it: `owner` or `session`.
      public var by: String
      /// Its length, if that is known.
      public var bytes: UInt64?

      /// An object that is kept.
      public init(cid: String, by: String, bytes: UInt64?) { (self.cid, self.by, self.bytes) = (cid, by, bytes) }
    }

    /// All of them.
    public var pins: [Pin]

    /// What is kept.
    public init(pins: [Pin]) { self.pins = pins }
  }

  /// Who is connected.
  public struct Peers: Codable, Hashable, Sendable {
    /// One of them.
    public struct Peer: Codable, Hashable, Sendable {
      /// Who.
      public var peer: String
      /// Where.
      public var address: String
      /// What it says it is.
      public var agent: String
      /// What it speaks.
      public var protocols: [String]
      /// Whether it was dialled from here.
      public var isOutbound: Bool
      /// How long it takes to send 32 bytes back, in milliseconds.
      public var roundTrip: Double?
      /// How long it has been connected, in seconds.
      public var connected: Double

      /// One who is connected.
      public init(
        peer: String, address: String, agent: String, protocols: [String], isOutbound: Bool, roundTrip: Double?, connected: Double
      ) {
        (self.peer, self.address, self.agent, self.protocols) = (peer, address, agent, protocols)
        (self.isOutbound, self.roundTrip, self.connected) = (isOutbound, roundTrip, connected)
      }
    }

    /// All of them.
    public var peers: [Peer]

    /// Who is connected.
    public init(peers: [Peer]) { self.peers = peers }
  }

  /// Where somebody or something is.
  public struct Found: Codable, Hashable, Sendable {
    /// A peer, and where it is.
    public struct Place: Codable, Hashable, Sendable {
      /// Who.
      public var peer: String
      /// Where, each address with the peer at its end.
      public var addresses: [String]
      /// Whether it is connected.
      public var isConnected: Bool

      /// A peer, and where it is.
      public init(peer: String, addresses: [String], isConnected: Bool) {
        (self.peer, self.addresses, self.isConnected) = (peer, addresses, isConnected)
      }
    }

    /// `peer` or `object`.
    public var kind: String
    /// Whether the object is here; whether the peer is this one.
    public var isHere: Bool
    /// The peer, or who has the object.
    public var places: [Place]

    /// Where somebody or something is.
    public init(kind: String, isHere: Bool, places: [Place]) { (self.kind, self.isHere, self.places) = (kind, isHere, places) }
  }

  /// An invitation.
  public struct Invited: Codable, Hashable, Sendable {
    /// The string to hand on.
    public var invitation: String
    /// The session's name.
    public var session: String
    /// The addresses in it.
    public var addresses: [String]
    /// Whether only this machine can use it.
    public var isLocal: Bool
    /// Whether whoever joins brings rows of its own.
    public var needsRows: Bool

    /// An invitation.
    public init(invitation: String, session: String, addresses: [String], isLocal: Bool, needsRows: Bool) {
      (self.invitation, self.session, self.addresses) = (invitation, session, addresses)
      (self.isLocal, self.needsRows) = (isLocal, needsRows)
    }
  }
}
