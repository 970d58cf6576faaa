import MurmurMachines
import MurmurSplit

/// What a world of split devices has at hand of each: whether it is there and has time, and the messages that wait for it.
///
/// Small, and apart from the devices themselves, so that a message which has no effect yet touches little memory.
struct Post {
  /// Inputs that wait for a busy device.
  struct Inbox {
    private var inputs: [SplitDevice.Input] = []
    private var first = 0
    var isEmpty: Bool { first == inputs.count }
    mutating func append(_ input: SplitDevice.Input) { inputs.append(input) }

    mutating func next() -> SplitDevice.Input? {
      guard first < inputs.count else { return nil }
      defer {
        first += 1
        if first == inputs.count {
          inputs.removeAll(keepingCapacity: true)
          first = 0
        }
      }
      return inputs[first]
    }

    mutating func clear() {
      inputs = []
      first = 0
    }
  }

  var isAlive = true
  var life: Int32 = 0
  /// Until when it computes.
  var busy = Instant.origin
  var inbox = Inbox()
  /// Messages that came and have no effect yet, and when they came.
  private(set) var kept: [(input: SplitDevice.Input, time: Instant)] = []
  private var room = 0
  private var through = -1
  /// When its wait timer is due, and when the event in the queue is that looks after it: there is one at a time, however often it is armed.
  private var due = Instant.never
  private var looked = Instant.never

  /// So many messages of steps up to `step` may be kept from now on.
  mutating func mayKeep(_ count: Int, through step: Int) {
    room = count
    through = step
  }

  /// Keeps an input if it has no effect yet.
  mutating func keeps(_ input: SplitDevice.Input, _ now: Instant) -> Bool {
    guard kept.count < room, case .received(let message, _) = input else { return false }
    switch message {
    case .outputs(.step(let step), _, _), .gradients(.step(let step), _, _): if step > through { return false }
    default: return false
    }
    kept.append((input, now))
    return true
  }

  /// Takes out what was kept, in exchange for an empty list with room.
  mutating func takeKept(_ list: inout [(input: SplitDevice.Input, time: Instant)]) {
    swap(&kept, &list)
    room = 0
  }

  /// Arms the wait timer; whether an event is to be put in the queue for it.
  mutating func arm(_ time: Instant) -> Bool {
    due = time
    guard time < looked else { return false }
    looked = time
    return true
  }

  /// The queue's event for the wait timer has come: the time at which the timer fires, now or later; `nil` if it was of an earlier arming.
  mutating func waited(_ now: Instant) -> Instant? {
    guard isAlive, looked == now else { return nil }
    looked = due > now && due < .never ? due : .never
    if due <= now {
      due = .never
      return now
    }
    return due < .never ? due : nil
  }

  /// It stops, and all it had in hand is gone.
  mutating func die() {
    isAlive = false
    life += 1
    inbox.clear()
    kept = []
    room = 0
    (due, looked) = (.never, .never)
  }
}
