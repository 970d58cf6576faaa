/// Who may read a stream.
public enum StreamMode: UInt8, CaseIterable, Sendable {
  /// Whoever knows the address: messages are signed, not encrypted.
  case `public` = 0
  /// Who was given a ``StreamPointer`` by the creator, from there on.
  case `private` = 1
  /// Who has a pointer, or finds a head, and holds the side key; a new side key shuts out whoever has only the old one.
  case restricted = 2

  /// Its name in files and options.
  public var name: String {
    switch self {
    case .public: "public"
    case .private: "private"
    case .restricted: "restricted"
    }
  }

  /// The mode of that name.
  public init?(name: some StringProtocol) {
    guard let mode = StreamMode.allCases.first(where: { $0.name == name }) else { return nil }
    self = mode
  }

  /// Whether its messages are encrypted, each under a key of its own.
  public var isMasked: Bool { self != .public }
}

/// Why a message, a head or a pointer cannot be taken.
public enum StreamError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is not what it should be; the words say where.
  case malformed(String)
  /// It does not open with the key at hand.
  case locked
  /// Its signature, or the place of its key in the tree, does not hold.
  case forged(String)
  /// It belongs elsewhere in the stream.
  case misplaced(String)

  /// One sentence.
  public var description: String {
    switch self {
    case .malformed(let words): "cannot be read: \(words)"
    case .locked: "does not open with the key for its place: it is not of this stream, or was changed, or the side key is another"
    case .forged(let words): "is not by the stream's owner: \(words)"
    case .misplaced(let words): "belongs elsewhere: \(words)"
    }
  }
}

/// Bounds of what is read.
public enum StreamLimits {
  /// Bytes of a payload.
  public static let payload = 240 << 10
  /// Bytes of a whole message, as it is in a transaction.
  public static let message = 256 << 10
  /// Height of a tree: at most 2¹⁰ keys.
  public static let height = 10
  /// Trees of a stream: their numbers have 32 bits, and each has a next one.
  public static let trees = UInt64(UInt32.max)
  /// Bytes of a head's description.
  public static let head = 16 << 10
  /// Bytes of a sensor's name.
  public static let name = 64
  /// Columns a head may name.
  public static let columns = 1_024
}
