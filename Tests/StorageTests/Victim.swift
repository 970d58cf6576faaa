import Foundation
import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurStorage
import MurmurWire
import Synchronization
import Testing

/// A life of a peer's store that ends by being killed; runs only as the child of ``KillTests``.
@Suite struct Victim {
  private static let variables = ProcessInfo.processInfo.environment
  static let seed = variables["MURMUR_VICTIM"].flatMap { UInt64($0) }

  static func environment(
    store: String, diary: String, seed: UInt64, durability: StoreOptions.Durability
  ) -> [String: String] {
    [
      "MURMUR_VICTIM": "\(seed)", "MURMUR_VICTIM_STORE": store, "MURMUR_VICTIM_DIARY": diary,
      "MURMUR_VICTIM_DURABILITY": durability.rawValue,
    ]
  }

  static func options(_ durability: StoreOptions.Durability) -> StoreOptions {
    var options = StoreOptions()
    options.durability = durability
    options.batchBytes = 100_000
    return options
  }

  /// A block that the seed tells.
  static func block(_ seed: UInt64) -> Block { Block(randomBytes(10 + Int(seed % 20_000), seed: seed)) }

  @Test(.enabled(if: seed != nil)) func `works until it is killed`() throws {
    var chance = Chance(seed: Victim.seed ?? 0)
    let path = try #require(Victim.variables["MURMUR_VICTIM_STORE"])
    let diary = Diary(try #require(Victim.variables["MURMUR_VICTIM_DIARY"]))
    let durability = try #require(StoreOptions.Durability(rawValue: Victim.variables["MURMUR_VICTIM_DURABILITY"] ?? ""))
    // Half of all lives end at an operation on files, the others anywhere, by a timer; it also ends lives that last too long. Of four
    // timers one runs while the store is being opened.
    let atOperation = chance.happens(0.5) ? chance.below(80) : Int.max
    let time = atOperation < .max ? 50_000 : 500 + chance.below(15_000)
    let isEarly = chance.happens(0.25)
    if isEarly { diary.dieAfter(microseconds: time) }
    let files = MortalFiles(diary: diary, death: atOperation)
    let store = try Store(at: path, options: Victim.options(durability), files: files)
    if !isEarly { diary.dieAfter(microseconds: time) }
    diary.write("log \(files.size(of: path + "/index.sqlite-wal") ?? 0)")
    var counters = try Victim.Counters(store)
    for _ in 0..<100_000 {
      let lines = try work(store, diary, &chance, &counters, durability)
      // What is acknowledged is in the log as far as it goes now.
      diary.write((["log \(files.size(of: path + "/index.sqlite-wal") ?? 0)"] + lines).joined(separator: "\n"))
    }
    diary.write("done")
  }

  /// Numbers that only grow, from where an earlier life left them.
  struct Counters {
    var session: SessionState
    var sent: Int
    var successes: Int
    var rows: Int

    init(_ store: Store) throws {
      session = try store.session(named: "digits") ?? SessionState(session: "digits", seed: 1)
      if session.sequences.isEmpty { session.sequences = [.init(name: "pubsub", last: 0)] }
      sent = try store.credits().first?.sent ?? 0
      successes = try store.knownPeers().first?.successes ?? 0
      rows = try Victim.lastRow(store)
    }
  }

  /// A ledger's row of that number.
  static func row(_ number: Int) -> (id: CID, bytes: [UInt8]) {
    let bytes = Array("\(number) ".utf8) + randomBytes(100 + number % 500, seed: UInt64(number))
    return (CID(codec: .dagCBOR, hashing: bytes), bytes)
  }

  /// The number of the last of a ledger's rows, if the ten before it are there too, or all that were never pruned.
  static func lastRow(_ store: Store) throws -> Int {
    let rows = try store.rows(ofLedger: "rows").transactions
    guard let last = rows.last, let number = Int(String(decoding: last.prefix { $0 != 32 }, as: UTF8.self)) else { return 0 }
    let wanted = (max(1, number - 9)...number).map { row($0).bytes }
    return rows.suffix(wanted.count) == wanted[...] ? number : -1
  }

  /// Does something, and returns what was acknowledged.
  private func work(
    _ store: Store, _ diary: Diary, _ chance: inout Chance, _ counters: inout Counters, _ durability: StoreOptions.Durability
  ) throws -> [String] {
    switch chance.below(12) {
    case 0:
      counters.session.sequences[0].last += 1
      try store.save(counters.session)
      return ["counted session \(counters.session.sequences[0].last)"]
    case 1:
      counters.sent += 1
      try store.save([Exchange.Credit(peer: PeerID(simulated: 1), sent: counters.sent, received: 0)], at: 1)
      return ["counted ledger \(counters.sent)"]
    case 2:
      counters.successes += 1
      try store.remember([KnownPeer(id: PeerID(simulated: 2), addresses: [], lastSeen: 1, successes: counters.successes)])
      return ["counted peer \(counters.successes)"]
    case 10, 11:
      var changes: [Store.LedgerChange] = []
      for _ in 0...chance.below(5) {
        counters.rows += 1
        let row = Victim.row(counters.rows)
        changes.append(.keep(row.id, row.bytes))
      }
      let old = (max(1, counters.rows - 40)..<max(1, counters.rows - 20)).map { Victim.row($0).id }
      if chance.happens(0.3) { changes.append(.prune(old, snapshot: Array("\(counters.rows)".utf8))) }
      try store.change(ledger: "rows", changes)
      return ["counted rows \(counters.rows)"]
    case 3:
      let block = Victim.block(UInt64(chance.below(50)))
      diary.write("pinning \(block.cid)")
      let pin = BlockStore.Pin(name: "test", root: block.cid, isRecursive: false)
      let isPinned = chance.happens(0.5)
      if isPinned { try store.pin(pin) } else { try store.unpin(pin) }
      return ["pinned \(block.cid) \(isPinned ? 1 : 0)"]
    case 4:
      let held = try store.inventory()
      let doomed = held.prefix(max(chance.below(8), held.count - 60)).map(\.cid)
      for cid in doomed { diary.write("removing \(cid)") }
      try store.remove(doomed)
      return []
    default:
      let seeds = (0...chance.below(4)).map { _ in UInt64(chance.below(100_000)) }
      try store.put(seeds.map(Victim.block))
      if durability == .batch { try store.flush() }
      return seeds.map { "block \(Victim.block($0).cid) \($0)" }
    }
  }
}

/// What a victim was about to do and what was acknowledged to it, line by line in a file; each line is with the system when
/// `write` returns, so that it survives the victim.
final class Diary: Sendable {
  private let file: Int32

  init(_ path: String) { file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }

  func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    unsafe bytes.withUnsafeBytes { buffer in
      #if canImport(Glibc)
      _ = unsafe Glibc.write(file, buffer.baseAddress, buffer.count)
      #else
      _ = unsafe Darwin.write(file, buffer.baseAddress, buffer.count)
      #endif
    }
  }

  /// The process is killed after that time, whatever it does then.
  func dieAfter(microseconds: Int) {
    var time = itimerval()
    time.it_value.tv_sec = microseconds / 1_000_000
    time.it_value.tv_usec = .init(microseconds % 1_000_000)
    // Without a handler SIGALRM ends a process as SIGKILL does: at once, wherever it is.
    signal(SIGALRM, SIG_DFL)
    #if canImport(Glibc)
    unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &time, nil)
    #else
    unsafe setitimer(ITIMER_REAL, &time, nil)
    #endif
  }

  /// The process is killed now.
  func die() { kill(getpid(), SIGKILL) }
}

/// The system's files, written down in a diary, until the operation at which the process is killed; a write is half done then.
struct MortalFiles: FileLayer {
  let diary: Diary
  let death: Int
  private let system = SystemFiles()
  private let operations = Counter()

  init(diary: Diary, death: Int) {
    self.diary = diary
    self.death = death
  }

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  /// Whether this operation is the last.
  private func isLast() -> Bool { operations.value.wrappingAdd(1, ordering: .relaxed).oldValue == death }

  func makeFolder(_ path: String) throws(FileFault) {
    if isLast() { diary.die() }
    try system.makeFolder(path)
  }

  func write(_ bytes: [UInt8], to path: String, sync: Bool) throws(FileFault) {
    diary.write("write \(path)")
    if isLast() {
      try system.write(Array(bytes.prefix(bytes.count / 2)), to: path, sync: false)
      diary.die()
    }
    try system.write(bytes, to: path, sync: sync)
    if sync { diary.write("synced \(path)") }
  }

  func rename(_ path: String, to other: String) throws(FileFault) {
    diary.write("rename \(path) \(other)")
    if isLast() { diary.die() }
    try system.rename(path, to: other)
  }

  func sync(_ path: String) throws(FileFault) {
    if isLast() { diary.die() }
    try system.sync(path)
    diary.write("synced \(path)")
  }

  func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8]? { try system.read(path, limit: limit) }
  func size(of path: String) -> Int? { system.size(of: path) }
  func beginSync(_ path: String) { system.beginSync(path) }

  func remove(_ path: String) throws(FileFault) {
    if isLast() { diary.die() }
    try system.remove(path)
  }

  func names(in folder: String) throws(FileFault) -> [String] { try system.names(in: folder) }
}
