/// Values under keys, kept in the keys' order, so that walking through them is the same everywhere.
struct SortedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  private(set) var keys: [Key] = []
  private(set) var values: [Value] = []

  var count: Int { keys.count }
  var isEmpty: Bool { keys.isEmpty }

  /// Where `key` stands, or would.
  func position(_ key: Key) -> Int {
    var low = 0, high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Where `key` stands, if it is there.
  func index(of key: Key) -> Int? {
    let position = position(key)
    return position < keys.count && keys[position] == key ? position : nil
  }

  /// The value under `key`; setting `nil` removes it.
  subscript(key: Key) -> Value? {
    get { index(of: key).map { values[$0] } }
    set {
      let position = position(key)
      let isThere = position < keys.count && keys[position] == key
      switch (newValue, isThere) {
      case (let value?, true): values[position] = value
      case (let value?, false):
        keys.insert(key, at: position)
        values.insert(value, at: position)
      case (nil, true): remove(at: position)
      case (nil, false): return
      }
    }
  }

  /// The value at a position that ``index(of:)`` gave.
  subscript(at index: Int) -> Value {
    _read { yield values[index] }
    _modify { yield &values[index] }
  }

  mutating func remove(at index: Int) {
    keys.remove(at: index)
    values.remove(at: index)
  }

  /// Keeps what `isKept` says.
  mutating func filter(_ isKept: (Key, Value) -> Bool) {
    let kept = keys.indices.filter { isKept(keys[$0], values[$0]) }
    guard kept.count < keys.count else { return }
    keys = kept.map { keys[$0] }
    values = kept.map { values[$0] }
  }
}
