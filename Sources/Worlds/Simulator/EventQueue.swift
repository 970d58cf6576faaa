package import MurmurMachines

/// What is to happen when, earliest first, at one time by rank, and in order of arrival among equals: a binary heap of keys over a slab of events.
///
/// Keys are 32 bytes and move; events stay where they are until they happen, so that large messages are never copied by sifting. A queue
/// can know the next few events by their order, for a world that brings near from memory what those will need.
package struct EventQueue<Event> {
  private struct Key {
    var time: Int64
    var rank: Int
    var order: UInt64
    var slot: Int
  }

  private var heap: [Key] = []
  /// The events before all in the heap, the next one last.
  private var front: [Key] = []
  private var more: [Key] = []
  private let ahead: Int
  private var slab: [Event?] = []
  private var free: [Int] = []
  private var order: UInt64 = 0

  /// An empty queue that knows the next `ahead` events by their order, or more.
  package init(ahead: Int = 0) { self.ahead = ahead }

  package var isEmpty: Bool { heap.isEmpty && front.isEmpty }
  var count: Int { heap.count + front.count }
  /// When the next event happens.
  package var next: Instant? { (front.last ?? heap.first).map { Instant(nanoseconds: $0.time) } }

  package mutating func schedule(_ event: consuming Event, at time: Instant, rank: Int = 0) {
    let slot: Int
    if let reused = free.popLast() {
      slot = reused
      slab[slot] = consume event
    } else {
      slot = slab.count
      slab.append(consume event)
    }
    order += 1
    let key = Key(time: time.nanoseconds, rank: rank, order: order, slot: slot)
    if let last = front.first, Self.isEarlier(key, last) { insert(key) } else { push(key) }
  }

  package mutating func pop() -> (time: Instant, event: Event)? {
    if front.count <= ahead, ahead > 0 { refill() }
    guard let first = front.popLast() ?? takeFirst() else { return nil }
    guard let event = slab[first.slot].take() else { preconditionFailure("a slot of the queue is empty") }
    free.append(first.slot)
    return (Instant(nanoseconds: first.time), event)
  }

  /// The event that happens so many events from now, where that is known; 0 is the next.
  package func look(ahead place: Int) -> Event? {
    place < front.count ? slab[front[front.count - 1 - place].slot] : nil
  }

  /// When that event happens.
  package func time(ahead place: Int) -> Instant? {
    place < front.count ? Instant(nanoseconds: front[front.count - 1 - place].time) : nil
  }

  /// Where in memory that event lies, until the queue changes.
  @unsafe
  package func address(ahead place: Int) -> UnsafePointer<Event?>? {
    guard place < front.count else { return nil }
    let slot = front[front.count - 1 - place].slot
    return unsafe slab.withUnsafeBufferPointer { unsafe $0.baseAddress! + slot }
  }

  @inline(__always) private static func isEarlier(_ a: Key, _ b: Key) -> Bool {
    (a.time, a.rank, a.order) < (b.time, b.rank, b.order)
  }

  /// Puts an event among the next ones.
  private mutating func insert(_ key: Key) {
    var place = front.count
    while place > 0, Self.isEarlier(front[place - 1], key) { place -= 1 }
    front.insert(key, at: place)
    if front.count > 4 * ahead { push(front.removeFirst()) }
  }

  /// Takes the earliest from the heap to the next ones.
  private mutating func refill() {
    while more.count <= ahead, let key = takeFirst() { more.append(key) }
    more.reverse()
    more.append(contentsOf: front)
    swap(&more, &front)
    more.removeAll(keepingCapacity: true)
  }

  private mutating func push(_ key: Key) {
    heap.append(key)
    siftUp(heap.count - 1)
  }

  private mutating func takeFirst() -> Key? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return first
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
