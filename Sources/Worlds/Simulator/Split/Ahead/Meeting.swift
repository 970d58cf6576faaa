// house:allow-file(purity) threads that take devices of one world: no result depends on when or where a device is visited
import Dispatch
import Synchronization

/// Where the ``Runner``s of one world, each on a thread of its own, hand each other letters, and find out that none has anything left to do.
///
/// A visit takes some ten microseconds, about as long as to wake a sleeping thread. So whoever has nothing to do looks again for a while
/// before it goes to sleep.
final class Meeting: Sendable {
  private struct State: Sendable {
    var mail: [[Runner.Mail]]
    var isWaiting: [Bool]
    var isAsleep: [Bool]
    /// Runners that wait or have left.
    var settled = 0
    var isOver = false

    /// Wakes one that waits; whether it sleeps.
    mutating func wake(_ number: Int) -> Bool {
      isWaiting[number] = false
      defer { isAsleep[number] = false }
      return isAsleep[number]
    }
  }

  private final class Bell: Sendable {
    let isWanted = Atomic(false)
    let rings = Atomic(0)
    let sleep = DispatchSemaphore(value: 0)
  }

  private let state: Mutex<State>
  private let bells: [Bell]
  private static let looks = 30_000

  init(_ runners: Int) {
    state = Mutex(
      State(
        mail: Array(repeating: [], count: runners), isWaiting: Array(repeating: false, count: runners),
        isAsleep: Array(repeating: false, count: runners)))
    bells = (0..<runners).map { _ in Bell() }
  }

  /// A stretch begins, before any runner does.
  func begin() { state.withLock { ($0.settled, $0.isOver) = (0, false) } }

  func hasMail(_ number: Int) -> Bool { bells[number].isWanted.load(ordering: .relaxed) }

  /// Takes the letters to a runner's devices, in exchange for an empty list.
  func take(_ number: Int, _ list: inout [Runner.Mail]) {
    state.withLock { state in
      swap(&state.mail[number], &list)
      bells[number].isWanted.store(false, ordering: .relaxed)
    }
  }

  /// Hands letters to another runner, and empties the list.
  func post(_ list: inout [Runner.Mail], to other: Int) {
    let isAsleep = state.withLock { state in
      state.mail[other].append(contentsOf: list)
      bells[other].isWanted.store(true, ordering: .relaxed)
      guard state.isWaiting[other] else { return false }
      state.settled -= 1
      bells[other].rings.add(1, ordering: .releasing)
      return state.wake(other)
    }
    if isAsleep { bells[other].sleep.signal() }
    list.removeAll(keepingCapacity: true)
  }

  /// A runner has had enough visits for now.
  func leave() { ring(state.withLock { settle(&$0) }) }

  /// One more has nothing to do; those that sleep and are to be woken, as nobody has any more.
  private func settle(_ state: inout State) -> [Int] {
    state.settled += 1
    guard state.settled == bells.count else { return [] }
    state.isOver = true
    var asleep: [Int] = []
    for other in bells.indices where state.isWaiting[other] {
      bells[other].rings.add(1, ordering: .releasing)
      if state.wake(other) { asleep.append(other) }
    }
    return asleep
  }

  private func ring(_ asleep: [Int]) { for other in asleep { bells[other].sleep.signal() } }

  /// A runner has nothing to do until letters come; `false` if none has.
  func wait(_ number: Int) -> Bool {
    let bell = bells[number]
    let seen = bell.rings.load(ordering: .acquiring)
    let (known, asleep) = state.withLock { state -> (Bool?, [Int]) in
      guard state.mail[number].isEmpty else { return (true, []) }
      let asleep = settle(&state)
      state.isWaiting[number] = !state.isOver
      return (state.isOver ? false : nil, asleep)
    }
    ring(asleep)
    if let known { return known }
    for _ in 0..<Meeting.looks where bell.rings.load(ordering: .acquiring) != seen { return isOn }
    let sleeps = state.withLock { state in
      state.isAsleep[number] = state.isWaiting[number]
      return state.isWaiting[number]
    }
    if sleeps { bell.sleep.wait() }
    return isOn
  }

  private var isOn: Bool { state.withLock { !$0.isOver } }
}
