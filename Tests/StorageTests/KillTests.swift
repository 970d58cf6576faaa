import Foundation
import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurStorage
import MurmurWire
import Testing

/// Kill -9 at any moment, and the power gone with it: nothing that was acknowledged is lost, and the next start goes on.
///
/// A child process (this program again, running only ``Victim``) works on a store until it is killed: at an operation on files drawn
/// from the seed, half of a write done, or by a timer anywhere else, in the database too. It writes down what it was about to do
/// and what was acknowledged to it. Then the power is made to have failed as well: what was never made safe is cut short, garbled,
/// or under its old name. Then the store is opened here, and compared with what was acknowledged.
@Suite(.serialized) struct KillTests {
  @Test(.enabled(if: Victim.seed == nil)) func `killed hundreds of times, nothing acknowledged is lost`() throws {
    let folder = try Folder("kill")
    var chance = Chance(seed: Effort.seed).fork("kill")
    var account = Account()
    var totals = (torn: 0, swept: 0, adopted: 0, acknowledged: 0, unfinished: 0)
    for round in 0..<Effort.kills {
      let durability = StoreOptions.Durability.allCases[round % 2]
      let seed = chance.next()
      let diary = folder.path + "/diary-\(round)"
      try run(Victim.environment(store: folder.path + "/store", diary: diary, seed: seed, durability: durability))
      let lines = try String(contentsOfFile: diary, encoding: .utf8).split(separator: "\n").map(String.init)
      try FileManager.default.removeItem(atPath: diary)
      account.read(lines)
      #expect(lines.last != "done", "round \(round): the victim was to be killed")
      tear(lines, &chance, folder.path + "/store", &totals.torn)
      let store = try Store(at: folder.path + "/store", options: Victim.options(durability))
      totals.swept += store.opening.swept
      totals.adopted += store.opening.adopted
      if !store.opening.wasClosed { totals.unfinished += 1 }
      let missing = try account.missing(in: store)
      #expect(missing.isEmpty, "seed \(Effort.seed), round \(round), \(durability): \(missing)")
      let found = try store.verify()
      let course = lines.filter { line in found.damaged.contains { line.contains($0.description) } }
      #expect(found.damaged.isEmpty, "seed \(Effort.seed), round \(round), \(durability), \(store.opening): \(course)")
      #expect(found.sound == store.count, "seed \(Effort.seed), round \(round)")
      // Mostly it is left as it is, as if this process had been killed too.
      if chance.happens(0.25) { try store.close() }
      guard missing.isEmpty else { return }
      totals.acknowledged = account.acknowledged
    }
    // How far a life gets depends on the machine; on a busy one many end while the store is being opened.
    #expect(totals.unfinished > Effort.kills / 8 && totals.acknowledged > Effort.kills / 2, "\(totals)")
    #expect(totals.torn > Effort.kills / 40, "\(totals)")
    print("killed \(Effort.kills) times:", totals)
  }

  private func run(_ environment: [String: String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--testing-library", "swift-testing", "--filter", "Victim"]
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal, "the victim ended by itself: \(process.terminationStatus)")
  }

  /// The power fails: files that were never made safe lose their ends or are garbled, names that were not made safe are undone.
  private func tear(_ lines: [String], _ chance: inout Chance, _ store: String, _ torn: inout Int) {
    var unsafeFiles: [String] = []
    var renames: [(from: String, to: String)] = []
    var log = 0
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      switch words[0] {
      case "write": unsafeFiles.append(words[1])
      case "rename":
        if let place = unsafeFiles.firstIndex(of: words[1]) { unsafeFiles[place] = words[2] }
        renames.append((words[1], words[2]))
      case "synced":
        unsafeFiles.removeAll { $0 == words[1] }
        renames.removeAll { $0.to.hasPrefix(words[1] + "/") }
      case "log": log = max(log, Int(words[1]) ?? 0)
      default: break
      }
    }
    for rename in renames where chance.happens(0.3) {
      try? FileManager.default.moveItem(atPath: rename.to, toPath: rename.from)
      torn += 1
    }
    for path in unsafeFiles where chance.happens(0.7) {
      if garble(path, from: 0, &chance) { torn += 1 }
    }
    // What the database logged after the last acknowledgement may be anything.
    if chance.happens(0.5) { _ = garble(store + "/index.sqlite-wal", from: log, &chance) }
  }

  /// Cuts a file short or garbles it, from `start` on.
  private func garble(_ path: String, from start: Int, _ chance: inout Chance) -> Bool {
    guard let data = try? Data(contentsOf: URL(filePath: path)), data.count > start else { return false }
    var bytes = [UInt8](data)
    if chance.happens(0.5) { bytes.removeLast(chance.below(bytes.count - start + 1)) }
    if bytes.count > start, chance.happens(0.5) {
      for _ in 0..<8 { bytes[start + chance.below(bytes.count - start)] = UInt8(chance.below(256)) }
    }
    if chance.happens(0.3) { bytes += (0..<chance.below(5_000)).map { _ in UInt8(chance.below(256)) } }
    return (try? Data(bytes).write(to: URL(filePath: path))) != nil
  }
}

/// What was acknowledged to victims, over all their lives.
private struct Account {
  private var blocks: [String: UInt64] = [:]
  private var counters: [String: UInt64] = [:]
  private var pins: [String: Bool] = [:]
  private(set) var acknowledged = 0

  /// Reads a victim's diary.
  mutating func read(_ lines: [String]) {
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      switch words[0] {
      case "block": blocks[words[1]] = UInt64(words[2]) ?? 0
      case "removing": blocks[words[1]] = nil
      case "pinning": pins[words[1]] = nil
      case "pinned": pins[words[1]] = words[2] == "1"
      case "counted": counters[words[1]] = UInt64(words[2]) ?? 0
      default: continue
      }
      acknowledged += 1
    }
  }

  /// What is not there, or not what it was.
  func missing(in store: Store) throws -> [String] {
    var found: [String] = []
    for (name, seed) in blocks.sorted(by: { $0.key < $1.key }) {
      let bytes = try store.get(try CID(parsing: name))?.bytes
      if bytes != Victim.block(seed).bytes { found.append("block \(name): \(bytes?.count ?? -1) bytes") }
    }
    let pinned = Set(try store.pins().map(\.root.description))
    for (name, isPinned) in pins.sorted(by: { $0.key < $1.key }) where pinned.contains(name) != isPinned {
      found.append("pin \(name)")
    }
    for (key, count) in counters.sorted(by: { $0.key < $1.key }) {
      let kept: UInt64
      switch key {
      case "session": kept = try store.session(named: "digits")?.sequences[0].last ?? 0
      case "ledger": kept = UInt64(try store.credits().first?.sent ?? 0)
      case "rows": kept = UInt64(max(0, try Victim.lastRow(store)))
      case "peer": kept = UInt64(try store.knownPeers().first?.successes ?? 0)
      default: kept = UInt64(try store.state("test", key)?.version ?? 0)
      }
      if kept < count { found.append("\(key) is \(kept) after \(count) was acknowledged") }
    }
    return found
  }
}
