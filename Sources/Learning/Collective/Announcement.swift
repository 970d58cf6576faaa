public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// What one peer says of its newest model: where it is, how old, how good its owner found it.
///
/// Everything in it is a claim. It helps choosing; what is adopted is decided by the chooser's own evaluation.
public struct Announcement: Hashable, Sendable {
  /// Whose model it is.
  public var peer: PeerID
  /// The model's file, a safetensors object in the block exchange.
  public var root: CID
  /// Maturity: the work cycles behind the model.
  public var cycle: UInt32
  /// When the model was made, in session time.
  public var made: Instant
  /// Accuracy on the owner's validation rows, 0…1.
  public var accuracy: Float
  /// Mean loss on the owner's validation rows.
  public var loss: Float
  /// Mean loss, on the owner's validation rows, of the average that this model was trained from; 0 if there was none.
  public var groundLoss: Float = 0
  /// How often the owner has halved its learning rate because averages no longer got better.
  public var halvings: UInt32 = 0
  /// How many training rows the owner has.
  public var rows: UInt32
  /// Whether the peer that passes this on can serve the object itself.
  public var held: Bool

  /// An announcement.
  public init(
    peer: PeerID, root: CID, cycle: UInt32, made: Instant, accuracy: Float, loss: Float, rows: UInt32, held: Bool
  ) {
    self.peer = peer
    self.root = root
    self.cycle = cycle
    self.made = made
    self.accuracy = accuracy
    self.loss = loss
    self.rows = rows
    self.held = held
  }
}

/// What peers of a session say to each other directly, over `/murmur/collective/1`.
public enum CollectiveMessage: Hashable, Sendable {
  /// The sender's freshest announcements. `wantsReply` asks for the receiver's in return (push–pull).
  case news([Announcement], wantsReply: Bool)
  /// The same where announcements are signed by their owners, ``Sealing/strict(_:)``.
  case sealed([SealedAnnouncement], wantsReply: Bool)

  /// The most announcements a message may carry; a longer one is refused by the decoder.
  public static let announcementLimit = 64
}

/// What is said to all peers of a session, on its pub/sub topic.
public enum Notice: Hashable, Sendable {
  /// A new model; only with `Session.Announcements.broadcast`. The message on the topic carries its author's signature.
  case model(Announcement)
  /// A feeder shares rows: a hashlist that names its dataslices.
  case hashlist(CID, slices: UInt32)
  /// A dataslice was used for training once more.
  case used(CID)
}
