import Foundation
import MurmurBlocks
import MurmurStorage

/// Blocks a second into and out of a store, in turns with plain files on the same disk: the ratio is what counts.
///
///     storage-bench FOLDER [SECONDS] [BLOCK BYTES] [BATCH]
@main
struct Bench {
  static let words = CommandLine.arguments
  static let folder = words.count > 1 ? words[1] : "bench.tmp"
  static let seconds = words.count > 2 ? Double(words[2]) ?? 1 : 1
  static let size = words.count > 3 ? Int(words[3]) ?? 262_144 : 262_144
  static let batch = words.count > 4 ? Int(words[4]) ?? 16 : 16
  static let files = SystemFiles()

  static func main() throws {
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    print("blocks of \(size) bytes, \(batch) a batch, blocks a second: plain files, store, ratio")
    for durability in StoreOptions.Durability.allCases {
      var plain: [Double] = []
      var store: [Double] = []
      for round in 0..<3 {
        plain.append(try putPlain(durability, round))
        store.append(try putStore(durability, round))
      }
      report("put, \(durability)", plain, store)
    }
    try reads()
  }

  static func report(_ name: String, _ plain: [Double], _ store: [Double]) {
    let (left, right) = (plain.sorted()[plain.count / 2], store.sorted()[store.count / 2])
    print("\(name): \(Int(left)), \(Int(right)), \(String(format: "%.2f", right / left))")
  }

  /// Blocks a second that `body` gets done, called for that long with the number of the turn.
  static func measure(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let begin = clock.now
    var turns = 0
    while clock.now - begin < .seconds(seconds), turns * count * size < 1 << 30 {
      try body(turns)
      turns += 1
    }
    return Double(turns * count) / ((clock.now - begin) / .seconds(1))
  }

  /// Blocks that differ in their first eight bytes, named beforehand so that hashing is not measured.
  static func blocks(_ count: Int, _ seed: Int) -> [Block] {
    var bytes = [UInt8](repeating: 7, count: size)
    return (0..<count).map { number in
      for shift in 0..<8 { bytes[shift] = UInt8(truncatingIfNeeded: (seed &* 1_000_003 &+ number) >> (8 * shift)) }
      return Block(bytes)
    }
  }

  /// Temporary name, the same fsyncs as the policy asks for, rename; one folder.
  static func putPlain(_ durability: StoreOptions.Durability, _ round: Int) throws -> Double {
    let place = folder + "/plain"
    try files.makeFolder(place)
    defer { try? FileManager.default.removeItem(atPath: place) }
    let pool = blocks(64, round)
    return try measure(batch) { turn in
      var names: [String] = []
      for number in 0..<batch {
        let name = "\(place)/\(turn)-\(number)"
        try files.write(pool[(turn * batch + number) % 64].bytes, to: name + ".tmp", sync: durability == .always)
        try files.rename(name + ".tmp", to: name)
        names.append(name)
      }
      if durability == .batch { for name in names { try files.sync(name) } }
      if durability != .never { try files.sync(place) }
    }
  }

  static func putStore(_ durability: StoreOptions.Durability, _ round: Int) throws -> Double {
    var options = StoreOptions()
    options.durability = durability
    options.limit = 8 << 30
    let store = try Store(at: folder + "/store", options: options)
    defer { try? FileManager.default.removeItem(atPath: folder + "/store") }
    var hashing = Duration.zero
    let clock = ContinuousClock()
    let begin = clock.now
    var done = 0
    while clock.now - begin - hashing < .seconds(seconds), done * size < 1 << 30 {
      var fresh: [Block] = []
      hashing += clock.measure { fresh = blocks(batch, 1_000 + round * 100_000 + done) }
      try store.put(fresh)
      if durability == .batch { try store.flush() }
      done += batch
    }
    let rate = Double(done) / ((clock.now - begin - hashing) / .seconds(1))
    try store.close()
    return rate
  }

  static func reads() throws {
    let pool = blocks(256, 5)
    try files.makeFolder(folder + "/plain")
    for (number, block) in pool.enumerated() { try files.write(block.bytes, to: "\(folder)/plain/\(number)", sync: false) }
    let store = try Store(at: folder + "/store")
    try store.put(pool)
    try store.close()
    let again = try Store(at: folder + "/store")
    var (plain, first, warm): ([Double], [Double], [Double]) = ([], [], [])
    let clock = ContinuousClock()
    let cold = try clock.measure { for block in pool { _ = try again.get(block.cid) } }
    first.append(256 / (cold / .seconds(1)))
    for _ in 0..<3 {
      plain.append(
        try measure(256) { _ in for number in 0..<256 { _ = try files.read("\(folder)/plain/\(number)", limit: size) } })
      warm.append(try measure(256) { _ in for block in pool { _ = try again.get(block.cid) } })
    }
    report("get for the first time (hashed)", plain, first)
    report("get again", plain, warm)
    try again.close()
  }
}
