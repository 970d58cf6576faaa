import MurmurCompute
import MurmurSplit

/// Bringing near, event by event, what the next ones will look at.
///
/// A thousand devices share nothing, and between two looks at one of them lie those at all others. Which device has work next, the queue
/// knows: what it will look at is asked for a few events before, in rounds, as every round finds out where that of the next one lies. What
/// happens is the same, bit by bit.
extension SplitWorld {
  /// Devices from which on this is worth its while: fewer lie in the caches anyway.
  static let manyDevices = 100
  /// How many events the queue has to know: those of all rounds.
  static let horizon = 5 + SplitDevice.nearingRounds

  /// The rounds for the events to come.
  mutating func nearNext() {
    Nearing.age()
    let rounds = SplitDevice.nearingRounds
    unsafe Nearing.bytes(queue.address(ahead: rounds + 3), MemoryLayout<Event?>.stride)
    for round in (0..<rounds).reversed() {
      for index in workers[round].indices { near(round, workers[round][index]) }
    }
    // Who has work at the event that is nearer by one than the one before.
    var list = workers.removeLast()
    list.removeAll(keepingCapacity: true)
    switch queue.look(ahead: rounds) {
    case .letters(let bundle)?:
      let time = queue.time(ahead: rounds) ?? now
      for place in bundle.places {
        let number = box.to(place)
        posts[number].near(at: time)
        if posts[number].isFilled(at: time, by: place, in: box) { welcome(number, &list) }
      }
    case .woke(let number)?:
      posts[Int(number)].near(at: nil)
      if posts[Int(number)].isOverfull() { welcome(Int(number), &list) }
    case .wait?, .timer?, .fault?, .flapped?, .flappedLink?, nil: break
    }
    workers.insert(list, at: 0)
    switch queue.look(ahead: rounds + 1) {
    case .letters(let bundle)?: for place in bundle.places { posts.near(at: box.to(place)) }
    case .woke(let number)?, .wait(let number)?: posts.near(at: Int(number))
    case .timer?, .fault?, .flapped?, .flappedLink?, nil: break
    }
    if case .letters(let bundle)? = queue.look(ahead: rounds + 2) { box.near(bundle.places) }
    if case .letters(let bundle)? = queue.look(ahead: 1), let time = queue.time(ahead: 1) {
      for place in bundle.places {
        let number = box.to(place)
        if posts[number].isFull(at: time, for: place, in: box) { box.near(place, nodes[number].device.rowsInUse()) }
      }
    }
  }

  /// A device has work soon.
  private mutating func welcome(_ number: Int, _ list: inout [Int32]) {
    nodes.near(at: number)
    list.append(Int32(number))
  }

  /// A round for a device that has work.
  mutating func near(_ round: Int, _ device: Int32) {
    let number = Int(device)
    if round == 0 { posts[number].letters { box.near($0..<$0 + 1) } }
    if round == 2 {
      let rows = nodes[number].device.rowsInUse()
      posts[number].letters { box.near($0, rows) }
    }
    nodes[number].device.near(round)
  }
}
