internal import Foundation
internal import GRDB
public import MurmurBlocks
public import MurmurWire

/// Blocks.
extension Store {
  /// Keeps blocks. When it returns they survive the end of the process; with ``StoreOptions/Durability/always`` a loss of power
  /// too. If there is no room, blocks that nobody pinned go first. Throws if the disk refuses or everything is pinned.
  public func put(_ blocks: [Block]) throws(StoreError) {
    var size = 0
    for block in blocks {
      precondition(block.isVerified, "only blocks whose bytes were hashed may be stored")
      guard block.bytes.count <= Block.mostBytes else {
        throw StoreError(file(of: block.cid), .writing, .tooLarge(bytes: block.bytes.count, limit: Block.mostBytes))
      }
      size += block.bytes.count
    }
    try makeRoom(for: size)
    try alone { () throws(StoreError) in
      try write(blocks)
      if isBatchFull { try flushAlone() }
    }
  }

  /// Runs `body` while nobody else changes files.
  private func alone(_ body: () throws(StoreError) -> Void) throws(StoreError) {
    try writing.withLock { _ throws(StoreError) in try body() }
  }

  private var isBatchFull: Bool {
    state.withLock { $0.pendingBytes >= options.batchBytes || $0.pending.count >= 512 }
  }

  private func write(_ blocks: [Block]) throws(StoreError) {
    var fresh: [Pending] = []
    let isSafe = options.durability == .always
    var written: [(temporary: String, block: Block)] = []
    do {
      for block in blocks where !has(block.cid) {
        let temporary = try nextTemporary()
        try files.write(block.bytes, to: temporary, sync: isSafe && blocks.count == 1)
        written.append((temporary, block))
      }
      if isSafe, blocks.count > 1 { try sync(written.map(\.temporary)) }
      var folders: [String] = []
      for (temporary, block) in written {
        try files.rename(temporary, to: file(of: block.cid))
        folders.append(folder(of: block.cid))
        let isNode = !Object.children(of: block).isEmpty
        fresh.append(Pending(cid: block.cid, size: block.bytes.count, isNode: isNode))
      }
      if isSafe { for folder in Set(folders).sorted() { try files.sync(folder) } }
    } catch {
      for (temporary, _) in written.dropFirst(fresh.count) { discard(temporary) }
      note(fresh)
      if let error = error as? FileFault { throw StoreError(error, .writing) }
      throw StoreError(error, path, .writing)
    }
    note(fresh)
  }

  /// Makes everything safe that was put before. Throws if the disk refuses; then it is tried again by the next flush.
  public func flush() throws(StoreError) {
    try alone { () throws(StoreError) in try flushAlone() }
  }

  private func flushAlone() throws(StoreError) {
    let (taken, used, clock) = state.withLock { state in
      defer {
        state.pending = []
        state.pendingBytes = 0
        state.used = []
        state.clock += 1
      }
      return (state.pending, state.used, state.clock)
    }
    guard !taken.isEmpty || !used.isEmpty else { return }
    do {
      if options.durability == .batch {
        try sync(taken.map { file(of: $0.cid) })
        for folder in Set(taken.map { folder(of: $0.cid) }).sorted() { try files.sync(folder) }
      }
      try commit { database in
        for block in taken where files.size(of: file(of: block.cid)) != nil {
          try Store.insert(block, isSynced: options.durability != .never, used: clock, database)
        }
        for cid in used.sorted() {
          try database.cachedStatement(sql: "UPDATE blocks SET used = ? WHERE key = ?")
            .execute(arguments: [clock, Data(Store.key(cid))])
        }
      }
      state.withLock { state in for block in taken { state.pendingNames.remove(block.cid) } }
    } catch {
      state.withLock { state in
        state.pending = taken + state.pending
        state.pendingBytes += taken.reduce(0) { $0 + $1.size }
      }
      if let fault = error as? FileFault { throw StoreError(fault, .syncing) }
      throw StoreError(error, path, .syncing)
    }
  }

  /// Makes several files safe.
  private func sync(_ paths: [String]) throws(FileFault) {
    for path in paths { files.beginSync(path) }
    for path in paths { try files.sync(path) }
  }

  /// Takes note of blocks that have their names.
  private func note(_ fresh: [Pending]) {
    state.withLock { state in
      for block in fresh where state.pendingNames.insert(block.cid).inserted {
        state.pending.append(block)
        state.pendingBytes += block.size
        state.bytes += block.size
        state.count += 1
        state.verified.insert(block.cid)
      }
      if state.verified.count > options.remembered { state.verified = [] }
    }
  }

  private func nextTemporary() throws(StoreError) -> String {
    let (serial, isClosed) = state.withLock { state in
      state.serial += 1
      return (state.serial, state.isClosed)
    }
    guard !isClosed else { throw StoreError(path, .writing, .closed) }
    return path + "/tmp/" + String(serial)
  }

  /// Removes a file of which nothing depends; the next opening sweeps it otherwise.
  private func discard(_ temporary: String) {
    do { try files.remove(temporary) } catch { return }
  }

  /// Whether the block is here.
  public func has(_ cid: CID) -> Bool { files.size(of: file(of: cid)) != nil }

  /// The block's size in bytes; `nil` if it is not here.
  public func size(of cid: CID) -> Int? { files.size(of: file(of: cid)) }

  /// The block; `nil` if it is not here. One that turns out to be damaged is removed.
  public func get(_ cid: CID) throws(StoreError) -> Block? {
    let isKnown = state.withLock { $0.verified.contains(cid) }
    let bytes: [UInt8]?
    do { bytes = try files.read(file(of: cid), limit: Block.mostBytes) } catch { throw StoreError(error, .reading) }
    guard let bytes else { return nil }
    guard isKnown || cid.matches(bytes) else {
      try remove([cid])
      return nil
    }
    state.withLock { state in
      if !isKnown {
        if state.verified.count >= options.remembered { state.verified = [] }
        state.verified.insert(cid)
      }
      if state.used.count < 4_096 { state.used.insert(cid) }
    }
    return Block(trusted: cid, bytes: bytes)
  }

  /// Removes blocks, pinned or not; those that are not here are passed over.
  public func remove(_ cids: [CID]) throws(StoreError) {
    try alone { () throws(StoreError) in try removeAlone(cids) }
  }

  private func removeAlone(_ cids: [CID]) throws(StoreError) {
    let known = cids.filter(has)
    let sizes = known.map { size(of: $0) ?? 0 }
    do { for cid in known { try files.remove(file(of: cid)) } } catch { throw StoreError(error, .collecting) }
    state.withLock { state in
      for (cid, size) in zip(known, sizes) {
        state.bytes -= size
        state.count -= 1
        state.verified.remove(cid)
        state.used.remove(cid)
        if state.pendingNames.remove(cid) != nil { state.pending.removeAll { $0.cid == cid } }
      }
    }
    guard !known.isEmpty else { return }
    try commit(.collecting) { database in
      for cid in known {
        try database.cachedStatement(sql: "DELETE FROM blocks WHERE key = ?").execute(arguments: [Data(Store.key(cid))])
      }
    }
  }

  /// One block of the inventory.
  public struct Held: Hashable, Sendable {
    /// Its name.
    public let cid: CID
    /// Its bytes.
    public let size: Int
    /// Whether it names other blocks.
    public let isNode: Bool
  }

  /// All blocks, the longest unused first: what a ``BlockStore`` is told at the start.
  public func inventory() throws(StoreError) -> [Held] {
    try flush()
    return try fetch { database in
      let rows = try Row.fetchCursor(database, sql: "SELECT key, size, is_node FROM blocks ORDER BY used, key")
      var held: [Held] = []
      while let row = try rows.next() {
        let key: Data = row[0]
        if let cid = Store.cid([UInt8](key)) { held.append(Held(cid: cid, size: row[1], isNode: row[2])) }
      }
      return held
    }
  }

  /// What looking at every byte found.
  public struct Verification: Hashable, Sendable {
    /// Blocks that are what they are called.
    public var sound = 0
    /// Blocks that were not, removed.
    public var damaged: [CID] = []
  }

  /// Reads every block and compares it with its name; removes what is damaged. Takes as long as reading everything.
  public func verify() throws(StoreError) -> Verification {
    var found = Verification()
    for held in try inventory() {
      state.withLock { state in _ = state.verified.remove(held.cid) }
      if try get(held.cid) == nil { found.damaged.append(held.cid) } else { found.sound += 1 }
    }
    return found
  }
}
