/// Values under keys, kept in the order of the keys, so that walking through them is the same everywhere.
struct SortedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  private(set) var order: [Key] = []
  private(set) var items: [Value] = []

  var count: Int { order.count }
  var isEmpty: Bool { order.isEmpty }

  /// Where `key` stands, or would.
  func position(_ key: Key) -> Int {
    var low = 0, high = order.count
    while low < high {
      let middle = (low + high) / 2
      if order[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Where `key` stands, if it is there.
  func index(of key: Key) -> Int? {
    let position = position(key)
    return position < order.count && order[position] == key ? position : nil
  }

  /// The value under `key`; setting `nil` removes it.
  subscript(key: Key) -> Value? {
    get { index(of: key).map { items[$0] } }
    set {
      let position = position(key)
      let isThere = position < order.count && order[position] == key
      switch (newValue, isThere) {
      case (let value?, true): items[position] = value
      case (let value?, false):
        order.insert(key, at: position)
        items.insert(value, at: position)
      case (nil, true): remove(at: position)
      case (nil, false): return
      }
    }
  }

  /// The value at a position that ``index(of:)`` gave.
  subscript(at index: Int) -> Value {
    _read { yield items[index] }
    _modify { yield &items[index] }
  }

  mutating func remove(at index: Int) {
    order.remove(at: index)
    items.remove(at: index)
  }

  /// Keeps what `isKept` says.
  mutating func filter(_ isKept: (Key, Value) -> Bool) {
    let kept = order.indices.filter { isKept(order[$0], items[$0]) }
    guard kept.count < order.count else { return }
    order = kept.map { order[$0] }
    items = kept.map { items[$0] }
  }
}
