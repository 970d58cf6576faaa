package import MurmurMachines

/// What is to happen when, earliest first, and in order of arrival among equals: a binary heap of keys over a slab of events.
///
/// Keys are 24 bytes and move; events stay where they are until they happen, so that large messages are never copied by sifting.
package struct EventQueue<Event> {
  private struct Key {
    var time: Int64
    var order: UInt64
    var slot: Int
  }

  private var heap: [Key] = []
  private var slab: [Event?] = []
  private var free: [Int] = []
  private var order: UInt64 = 0

  /// An empty queue.
  package init() {}

  package var isEmpty: Bool { heap.isEmpty }
  var count: Int { heap.count }
  /// When the next event happens.
  package var next: Instant? { heap.first.map { Instant(nanoseconds: $0.time) } }

  package mutating func schedule(_ event: consuming Event, at time: Instant) {
    let slot: Int
    if let reused = free.popLast() {
      slot = reused
      slab[slot] = consume event
    } else {
      slot = slab.count
      slab.append(consume event)
    }
    order += 1
    heap.append(Key(time: time.nanoseconds, order: order, slot: slot))
    siftUp(heap.count - 1)
  }

  package mutating func pop() -> (time: Instant, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    guard let event = slab[first.slot].take() else { preconditionFailure("a slot of the queue is empty") }
    free.append(first.slot)
    return (Instant(nanoseconds: first.time), event)
  }

  @inline(__always) private static func isEarlier(_ a: Key, _ b: Key) -> Bool {
    a.time < b.time || (a.time == b.time && a.order < b.order)
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    let moving = heap[index]
    while index > 0 {
      let parent = (index - 1) / 2
      guard Self.isEarlier(moving, heap[parent]) else { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = moving
  }

  private mutating func siftDown() {
    let moving = heap[0]
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, Self.isEarlier(heap[child + 1], heap[child]) { child += 1 }
      guard Self.isEarlier(heap[child], moving) else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = moving
  }
}
