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
  private static let what = "session state"

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

  /// The state as bytes: numbers as varints or eight bytes (little-endian), the rest behind its length.
  public func encode() -> [UInt8] {
    var out: [UInt8] = []
    func append(_ bytes: [UInt8]) {
      Varint.append(UInt64(bytes.count), to: &out)
      out += bytes
    }
    func append(_ word: UInt64) {
      for shift in stride(from: 0, to: 64, by: 8) { out.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
    append(Array(session.utf8))
    append(model?.bytes ?? [])
    Varint.append(UInt64(cycle), to: &out)
    append(optimizerRoot?.bytes ?? [])
    append(optimizer)
    append(seed)
    Varint.append(UInt64(life), to: &out)
    Varint.append(UInt64(sequences.count), to: &out)
    for sequence in sequences {
      append(Array(sequence.name.utf8))
      append(sequence.last)
    }
    return out
  }

  /// Reads what ``encode()`` wrote; throws on anything else.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    var position = 0
    func number() throws(WireError) -> UInt64 { try Varint.read(bytes, at: &position, what: Self.what) }
    func content(_ limit: Int) throws(WireError) -> [UInt8] {
      let count = try number()
      guard count <= UInt64(min(limit, bytes.count - position)) else {
        throw WireError(Self.what, at: position, "a part of \(count) bytes is cut off or longer than \(limit)")
      }
      defer { position += Int(count) }
      return Array(bytes[position..<position + Int(count)])
    }
    func word() throws(WireError) -> UInt64 {
      guard bytes.count - position >= 8 else { throw WireError(Self.what, at: position, "a number is cut off") }
      defer { position += 8 }
      return bytes[position..<position + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    func cid() throws(WireError) -> CID? {
      let bytes = try content(64)
      return bytes.isEmpty ? nil : try CID(bytes: bytes)
    }
    session = String(decoding: try content(Self.longestName), as: UTF8.self)
    model = try cid()
    cycle = UInt32(clamping: try number())
    optimizerRoot = try cid()
    optimizer = try content(SavedState.mostBytes)
    seed = try word()
    life = UInt32(clamping: try number())
    let count = try number()
    guard count <= UInt64(Self.mostSequences) else {
      throw WireError(Self.what, at: position, "\(count) sequence numbers are too many")
    }
    sequences = []
    for _ in 0..<count {
      let name = String(decoding: try content(Self.longestName), as: UTF8.self)
      sequences.append(Sequence(name: name, last: try word()))
    }
    guard position == bytes.count else { throw WireError(Self.what, at: position, "\(bytes.count - position) bytes follow it") }
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
