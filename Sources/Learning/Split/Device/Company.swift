import MurmurCompute

/// What a device knows of its neighbours' presence: who is waited for, and how far they are.
struct Company {
  private struct Neighbour {
    var step = -1
    var misses: Int32 = 0
    var isAwaited = true
    var wasHeard = false
  }

  private var list: [Neighbour]
  private(set) var awaited: Int

  init(count: Int) {
    list = Array(repeating: Neighbour(), count: count)
    awaited = count
  }

  /// Asks for what is known of the neighbours.
  mutating func near(_ count: Int) { list.near(count) }

  func isAwaited(_ place: Int) -> Bool { list[place].isAwaited }

  /// A neighbour is there; whether it was given up before.
  mutating func hear(_ place: Int, step: Int?) -> Bool {
    list[place].misses = 0
    list[place].wasHeard = true
    if let step { list[place].step = max(list[place].step, step) }
    guard !list[place].isAwaited else { return false }
    list[place].isAwaited = true
    awaited += 1
    return true
  }

  /// A wait ended without it; whether it is given up now.
  mutating func miss(_ place: Int, patience: Int) -> Bool {
    if list[place].misses < .max { list[place].misses += 1 }
    guard list[place].isAwaited, list[place].misses >= patience else { return false }
    list[place].isAwaited = false
    awaited -= 1
    return true
  }

  /// The step that more than half of the neighbours that were heard and are awaited have reached, if there is any such neighbour.
  var pace: Int? {
    let steps = list.filter { $0.isAwaited && $0.wasHeard && $0.step >= 0 }.map(\.step).sorted()
    return steps.isEmpty ? nil : steps[(steps.count - 1) / 2]
  }
}

/// What a device remembers of its neighbours, for policies that fill in for them, and of batches, for rules that replay them.
struct StageMemory {
  var memories: SplitMemories
  /// For each stage the kept batches.
  var batches: [[KeptBatch]]

  init(_ memories: SplitMemories) {
    self.memories = memories
    batches = Array(repeating: [], count: memories.usual.count)
  }
}
