internal import GRDB
internal import MurmurBlocks
internal import MurmurWire

/// A peer's folder: blocks as files; their index, pins, ledgers, known peers and session states in SQLite.
///
///     store/lock            the mark that one process uses it
///     store/index.sqlite    tables (write-ahead log, synchronous FULL)
///     store/tmp/            files being written
///     store/blocks/3/       blocks by the first hexadecimal digit of their digest, named by their CID
///
/// Sixteen folders of blocks rather than hundreds: each folder in which names changed costs a flush of the device when they are made
/// safe, and file systems find a name among a hundred thousand as fast as among a hundred.
///
/// A block is written to a temporary file, made safe by the policy in ``StoreOptions/durability``, and renamed. What the methods here
/// acknowledged survives the end of the process at any moment; with ``StoreOptions/Durability/always``, and after ``flush()`` with
/// `batch`, a loss of power too. The next opening sweeps what was under way and reconciles index and files. Bytes are compared with their
/// hash when a block is read for the first time in a run; a damaged one is dropped as if it had never been there.
///
/// All calls block, so a host makes them from a thread of its own; any number of threads may call at once.
public final class Store: Sendable {
  /// The folder.
  public let path: String
  /// How it keeps what it is given.
  public let options: StoreOptions
  /// What the opening found and did.
  public let opening: Recovery

  let files: any FileLayer
  let pool: DatabasePool
  private let lock: Guarded<StoreLock?>
  let state: Guarded<State>
  /// Held while files are written, made safe or removed, so that nobody is told that something is safe before it is.
  let writing = Guarded<Void>(())

  /// What is only in memory.
  struct State: Sendable {
    var bytes: Int
    var count: Int
    var serial: UInt64 = 0
    var isClosed = false
    /// Blocks whose files have their names but may not be safe or in the index, in order.
    var pending: [Pending] = []
    var pendingBytes = 0
    var pendingNames: Set<CID> = []
    /// Blocks whose hash was seen to be right in this run.
    var verified: Set<CID> = []
    /// Blocks used since the last change of the index, for the order of eviction.
    var used: Set<CID> = []
    /// Counts changes of the index: what was used later has a higher number.
    var clock: Int64
  }

  /// A block that was put and is not in the index yet.
  struct Pending: Sendable {
    let cid: CID
    let size: Int
    let isNode: Bool
  }

  /// Opens the folder, making it if it is not there, and puts in order what an earlier run left. Throws ``StoreError`` if another
  /// process uses it, a newer version wrote it, or the system refuses.
  public init(
    at path: String, options: StoreOptions = StoreOptions(), files: any FileLayer = SystemFiles()
  ) throws(StoreError) {
    self.path = path
    self.options = options
    self.files = files
    do {
      try Store.makeFolders(path, files)
      lock = Guarded(try StoreLock.take(path + "/lock"))
    } catch let error as FileFault {
      throw StoreError(error, .opening)
    } catch {
      throw StoreError(error, path, .opening)
    }
    pool = try Store.open(path + "/index.sqlite", options)
    try Schema.prepare(pool, path + "/index.sqlite")
    let recovered = try Store.recover(path, pool, files)
    opening = recovered.report
    state = Guarded(State(bytes: recovered.bytes, count: recovered.count, clock: recovered.clock))
  }

  /// Makes everything safe and releases the folder. Later calls throw ``StoreError/Cause/closed``.
  public func close() throws(StoreError) {
    guard !state.withLock({ $0.isClosed }) else { return }
    try flush()
    try commit { try $0.execute(sql: "UPDATE meta SET value = 1 WHERE name = 'clean'") }
    state.withLock { $0.isClosed = true }
    do {
      try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
      try pool.close()
    } catch {
      throw StoreError(error, path, .committing)
    }
    lock.withLock { $0 = nil }
  }

  /// Bytes of all blocks.
  public var byteCount: Int { state.withLock { $0.bytes } }
  /// How many blocks there are.
  public var count: Int { state.withLock { $0.count } }

  // MARK: The database

  private static func makeFolders(_ path: String, _ files: any FileLayer) throws(FileFault) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      if files.size(of: made) == nil { try files.makeFolder(made) }
    }
    try files.makeFolder(path + "/tmp")
    try files.makeFolder(path + "/blocks")
    var isNew = false
    for shard in shards where files.size(of: path + "/blocks/" + shard) == nil {
      try files.makeFolder(path + "/blocks/" + shard)
      isNew = true
    }
    guard isNew else { return }
    try files.sync(path + "/blocks")
    try files.sync(path)
  }

  private static func open(_ path: String, _ options: StoreOptions) throws(StoreError) -> DatabasePool {
    var configuration = Configuration()
    configuration.maximumReaderCount = 2
    configuration.label = "store"
    configuration.prepareDatabase { database in try database.execute(sql: "PRAGMA cache_size = -512") }
    let level = options.durability == .never ? 0 : 2
    do {
      let pool = try DatabasePool(path: path, configuration: configuration)
      // The pool sets NORMAL after its preparation, so FULL comes after that, and is read back.
      let read: Int? = try pool.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA synchronous = \(level)")
        return try Int.fetchOne(database, sql: "PRAGMA synchronous")
      }
      guard read == level else {
        throw StoreError(path, .opening, .other("synchronous is \(read ?? -1) after it was set to \(level)"))
      }
      return pool
    } catch {
      throw StoreError(error, path, .opening)
    }
  }

  /// Changes the database in one transaction; what was changed is safe when it returns.
  @discardableResult func commit<Result>(
    _ phase: StoreError.Phase = .committing, _ change: (Database) throws -> Result
  ) throws(StoreError) -> Result {
    guard !state.withLock({ $0.isClosed }) else { throw StoreError(path, phase, .closed) }
    do { return try pool.write(change) } catch { throw StoreError(error, path + "/index.sqlite", phase) }
  }

  /// Reads from the database.
  func fetch<Result>(_ read: (Database) throws -> Result) throws(StoreError) -> Result {
    guard !state.withLock({ $0.isClosed }) else { throw StoreError(path, .reading, .closed) }
    do { return try pool.read(read) } catch { throw StoreError(error, path + "/index.sqlite", .reading) }
  }
}

/// Where blocks are.
extension Store {
  /// The folder of a block's file.
  func folder(of cid: CID) -> String { path + "/blocks/" + Store.shard(cid) }

  /// A block's file.
  func file(of cid: CID) -> String { folder(of: cid) + "/" + cid.description }

  static func shard(_ cid: CID) -> String { shards[Int(cid.digest.a >> 60)] }

  /// The folders of blocks: the sixteen hexadecimal digits.
  static let shards = (0..<16).map { String($0, radix: 16) }

  /// The key of a block in the index: digest first, so that a shard is a range of keys.
  static func key(_ cid: CID) -> [UInt8] {
    var key = cid.digest.bytes
    Varint.append(UInt64(cid.codec.rawValue), to: &key)
    return key
  }

  /// The block with that key; `nil` if it is none.
  static func cid(_ key: [UInt8]) -> CID? {
    guard key.count > Digest.count, let digest = Digest(key[..<Digest.count]) else { return nil }
    var position = Digest.count
    do {
      let code = try Varint.read(key, at: &position)
      guard position == key.count, let raw = UInt32(exactly: code), let codec = CID.Codec(rawValue: raw) else { return nil }
      return CID(codec: codec, digest: digest)
    } catch {
      return nil
    }
  }
}
