import MurmurHost

/// Whole nodes, measured:
///
///     node-bench serve FOLDER SEED BYTES            keeps an object in FOLDER's store, says where it is served, until its input ends
///     node-bench fetch FOLDER SEED ROOT ADDRESS…    connects, says so; at a line of input fetches to the disk, says what it took
///     node-bench lookups NODES [LOOPS] [COUNT]      so many nodes in this process; COUNT of each kind of lookup
@main enum Main {
  static func main() async throws {
    Memory.keepFreed()
    let words = Array(CommandLine.arguments.dropFirst())
    switch (words.first, words.count) {
    case ("serve", 4): try await Objects.serve(words[1], seed: UInt64(words[2]) ?? 0, bytes: Int(words[3]) ?? 0)
    case ("fetch", 5...): try await Objects.fetch(words[1], seed: UInt64(words[2]) ?? 0, words[3], Array(words[4...]))
    case ("lookups", 2...4):
      try await Lookups.run(
        nodes: Int(words[1]) ?? 0, loops: words.count > 2 ? Int(words[2]) ?? 1 : 2,
        operations: words.count > 3 ? Int(words[3]) ?? 0 : 1_000)
    default: print("usage: node-bench serve FOLDER SEED BYTES | fetch FOLDER SEED ROOT ADDRESS… | lookups NODES [LOOPS] [COUNT]")
    }
  }
}
