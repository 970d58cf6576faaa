import Foundation
import MurmurBlocks
import MurmurMachines
import MurmurStorage
import MurmurWire
import Synchronization
import Testing

/// A disk that is full, or may not be written: the error says where, when and what to do, and nothing is lost by it.
@Suite struct FaultTests {
  @Test(arguments: StoreOptions.Durability.allCases)
  func `when the disk is full, what was stored stays and the error says what to do`(
    durability: StoreOptions.Durability
  ) throws {
    let folder = try Folder("full-\(durability)")
    let files = FailingFiles()
    var options = StoreOptions()
    options.durability = durability
    let store = try Store(at: folder.path, options: options, files: files)
    let before = Block(randomBytes(1_000, seed: 1))
    try store.put([before])
    files.failure.withLock { $0 = ENOSPC }
    let blocks = (0..<3).map { Block(randomBytes(1_000, seed: 10 + $0)) }
    let error = #expect(throws: StoreError.self) { try store.put(blocks) }
    #expect(error?.cause == .noSpace && error?.phase == .writing)
    #expect(error?.description.contains(folder.path) == true && error?.description.contains("free some") == true)
    let done = store.perform(blocks.map { .store($0) })
    #expect(done.failures.count == 1 && done.outcomes.count == 3)
    for outcome in done.outcomes { if case .notStored = outcome { continue } else { Issue.record("\(outcome)") } }
    #expect(try store.get(before.cid) == before && store.count == 1)
    files.failure.withLock { $0 = nil }
    try store.put(blocks)
    try store.close()
    let again = try Store(at: folder.path, options: options)
    for block in blocks + [before] { #expect(try again.get(block.cid)?.bytes == block.bytes) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/tmp").isEmpty)
  }

  @Test func `a failed flush acknowledges nothing, and is made good by the next`() throws {
    let folder = try Folder("flush")
    let files = FailingFiles()
    let store = try Store(at: folder.path, files: files)
    let block = Block(randomBytes(1_000, seed: 1))
    try store.put([block])
    files.syncFailure.withLock { $0 = EIO }
    let error = #expect(throws: StoreError.self) { try store.flush() }
    #expect(error?.phase == .syncing)
    files.syncFailure.withLock { $0 = nil }
    files.synced.withLock { $0 = [] }
    try store.flush()
    #expect(files.synced.withLock { $0 }.contains { $0.hasSuffix(block.cid.description) })
    #expect(try store.inventory().map(\.cid) == [block.cid])
  }

  @Test func `a folder that cannot be made or written is named`() throws {
    let folder = try Folder("readonly")
    try Data("a file".utf8).write(to: URL(filePath: folder.path + "/file"))
    let error = #expect(throws: StoreError.self) { try Store(at: folder.path + "/file/store") }
    #expect(error?.phase == .opening && error?.path.hasPrefix(folder.path + "/file") == true)
    let files = FailingFiles()
    files.failure.withLock { $0 = EACCES }
    let denied = #expect(throws: StoreError.self) { try Store(at: folder.path + "/denied", files: files) }
    #expect(denied?.cause == .notPermitted && denied?.description.contains("--store") == true)
  }

  @Test func `an object goes from the machine to the disk and is served from there after a restart`() throws {
    let folder = try Folder("machine")
    let object = Object.build(randomBytes(3_000_000, seed: 5))
    do {
      let store = try Store(at: folder.path)
      var blocks = try store.blockStore(memory: 500_000)
      blocks.pin(object.root, as: "model")
      blocks.put(object)
      let done = store.perform(blocks.takeErrands())
      #expect(done.failures.isEmpty && done.outcomes.count == object.blocks.count)
      for outcome in done.outcomes { blocks.note(outcome) }
      #expect(blocks.unsettledBytes == 0)
    }
    // The store was not closed: its process might have been killed.
    let store = try Store(at: folder.path)
    #expect(!store.opening.wasClosed && store.opening.lost == 0)
    var blocks = try store.blockStore(memory: 500_000)
    #expect(blocks.holdsAll(of: object.root) && blocks.memoryBytes < 10_000)
    #expect(blocks.isPinned(object.blocks[0].cid) && blocks.allPins == [BlockStore.Pin(name: "model", root: object.root)])
    #expect(!blocks.hasErrands, "nothing has to be stored again")
    let leaf = object.blocks[3]
    for outcome in store.perform([.load(leaf.cid)]).outcomes { blocks.note(outcome) }
    #expect(blocks.peek(leaf.cid)?.bytes == leaf.bytes)
    let wasPinned = blocks.unpin(object.root, as: "model")
    #expect(wasPinned)
    blocks.collectGarbage()
    #expect(store.perform(blocks.takeErrands()).failures.isEmpty)
    #expect(store.count == 0)
    #expect(try store.pins().isEmpty)
  }
}

/// Files that fail when they are told to.
private final class FailingFiles: FileLayer {
  let failure = Mutex<Int32?>(nil)
  let syncFailure = Mutex<Int32?>(nil)
  let synced = Mutex<[String]>([])
  private let system = SystemFiles()

  private func check(_ path: String, _ operation: String) throws(FileFault) {
    if let code = failure.withLock({ $0 }) { throw FileFault(path, operation, code) }
  }

  func makeFolder(_ path: String) throws(FileFault) {
    try check(path, "mkdir")
    try system.makeFolder(path)
  }

  func write(_ bytes: [UInt8], to path: String, sync: Bool) throws(FileFault) {
    if failure.withLock({ $0 }) != nil { try system.write(Array(bytes.prefix(10)), to: path, sync: false) }
    try check(path, "write")
    try system.write(bytes, to: path, sync: sync)
  }

  func rename(_ path: String, to other: String) throws(FileFault) { try system.rename(path, to: other) }

  func sync(_ path: String) throws(FileFault) {
    if let code = syncFailure.withLock({ $0 }) { throw FileFault(path, "fsync", code) }
    try system.sync(path)
    synced.withLock { $0.append(path) }
  }

  func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8]? { try system.read(path, limit: limit) }
  func size(of path: String) -> Int? { system.size(of: path) }
  func beginSync(_ path: String) { system.beginSync(path) }
  func remove(_ path: String) throws(FileFault) { try system.remove(path) }
  func names(in folder: String) throws(FileFault) -> [String] { try system.names(in: folder) }
}
