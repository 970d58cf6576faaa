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
    let rounds = SplitDevice.nearingRounds
    unsafe Nearing.bytes(queue.address(ahead: rounds + 4), MemoryLayout<Event?>.stride)
    for place in (1...rounds + 3).reversed() {
      guard let event = queue.look(ahead: place) else { continue }
      let round = rounds - place
      switch event {
      case .letters(let bundle):
        if round == -3 { box.near(bundle) } else { near(round, bundle) }
      case .woke(let number), .wait(let number): near(round, Int(number))
      case .timer, .fault, .flapped, .flappedLink: continue
      }
    }
  }

  /// A round for some letters and those they go to.
  private mutating func near(_ round: Int, _ bundle: LetterBox.Bundle) {
    for place in 0..<Int(bundle.count) {
      near(round, box.device(place, of: bundle))
      if round == 1 { box.near(place, of: bundle) }
    }
  }

  /// A round for a device to which something comes.
  private mutating func near(_ round: Int, _ number: Int) {
    switch round {
    case -3: return
    case -2: return posts.near(at: number)
    case -1:
      posts[number].near()
      if posts[number].isFull { nodes.near(at: number) }
    default:
      guard posts[number].isFull else { return }
      if round == 1 { posts[number].nearNumbers() }
      nodes[number].device.near(round)
    }
  }
}
