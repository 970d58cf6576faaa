/// Items that leave in the order in which they came.
struct Line<Item: Sendable>: Sendable {
  private var items: [Item] = []
  private var start = 0

  var count: Int { items.count - start }
  var isEmpty: Bool { start == items.count }
  var first: Item? { isEmpty ? nil : items[start] }

  /// The item so many places from the front.
  subscript(index: Int) -> Item {
    get { items[start + index] }
    set { items[start + index] = newValue }
  }

  mutating func append(_ item: Item) { items.append(item) }

  /// Keeps those that may stay, in their order.
  mutating func keep(_ mayStay: (Item) -> Bool) {
    items = items[start...].filter(mayStay)
    start = 0
  }

  @discardableResult mutating func removeFirst() -> Item {
    let item = items[start]
    start += 1
    if start == items.count {
      items.removeAll(keepingCapacity: items.capacity <= 1_024)
      start = 0
    } else if start >= 64, 2 * start >= items.count {
      items.removeFirst(start)
      start = 0
    }
    return item
  }
}
