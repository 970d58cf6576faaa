public import MurmurWire

/// What a peer needs to go on with a session after a crash: where its newest model is, how far it was, what it must not repeat.
public struct SessionState: Hashable, Sendable {
  /// The session's name.
  public var session: String
  /// The newest model's file; `nil` before the first.
  public var model: CID?
  /// Work cycles begun.
  public var cycle: UInt32
  /// The optimiser's state as an object of blocks, where it is large.
  public var optimizerRoot: CID?
  /// The optimiser's state itself, where it is small.
  public var optimizer: [UInt8]
  /// The seed this peer draws from.
  public var seed: UInt64
  /// How many times the peer started; its streams of chance are forked by it, so that no life repeats another's draws.
  public var life: UInt32
  /// Sequence numbers that must never go back, by what they count, e.g. "pubsub".
  public var sequences: [Sequence]

  /// One sequence number.
  public struct Sequence: Hashable, Sendable {
    /// What it counts.
    public var name: String
    /// The last number that may have been used.
    public var last: UInt64

    /// One sequence number.
    public init(name: String, last: UInt64) {
      self.name = name
      self.last = last
    }
  }

  /// The version of the format.
  public static let version = 1
  /// The most sequence numbers.
  public static let mostSequences = 64
  private static let longestName = 1_024

  /// A session about to begin.
  public init(session: String, seed: UInt64) {
    self.session = session
    self.seed = seed
    model = nil
    cycle = 0
    optimizerRoot = nil
    optimizer = []
    life = 0
    sequences = []
  }

  /// The state as bytes.
  public func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.append(text: session)
    out.append(content: model?.bytes ?? [])
    out.append(number: Int(cycle))
    out.append(content: optimizerRoot?.bytes ?? [])
    out.append(content: optimizer)
    out.append(word: seed)
    out.append(number: Int(life))
    out.append(number: sequences.count)
    for sequence in sequences {
      out.append(text: sequence.name)
      out.append(word: sequence.last)
    }
    return out
  }

  /// Reads what ``encode()`` wrote; throws on anything else.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes, "session state")
    func cid(_ bytes: [UInt8]) throws(WireError) -> CID? { bytes.isEmpty ? nil : try CID(bytes: bytes) }
    session = try reader.text(Self.longestName)
    model = try cid(reader.content(64))
    cycle = UInt32(try reader.number(Int(UInt32.max)))
    optimizerRoot = try cid(reader.content(64))
    optimizer = try reader.content(SavedState.mostBytes)
    seed = try reader.word()
    life = UInt32(try reader.number(Int(UInt32.max)))
    sequences = []
    for _ in 0..<(try reader.number(Self.mostSequences)) {
      let name = try reader.text(Self.longestName)
      sequences.append(Sequence(name: name, last: try reader.word()))
    }
    try reader.end()
  }
}

extension Store {
  private static let sessions = "session"

  /// Saves how far a session is; safe when it returns.
  public func save(_ state: SessionState) throws(StoreError) {
    try save([SavedState(area: Store.sessions, key: state.session, version: SessionState.version, value: state.encode())])
  }

  /// How far a session was; `nil` if it never began here. Throws if what is there cannot be read or is newer than this program.
  public func session(named name: String) throws(StoreError) -> SessionState? {
    guard let saved = try state(Store.sessions, name) else { return nil }
    guard saved.version <= SessionState.version else {
      throw StoreError(path, .reading, .newer(version: saved.version, known: SessionState.version))
    }
    do { return try SessionState(decoding: saved.value) } catch { throw StoreError(path, .reading, .damaged("\(error)")) }
  }
}
