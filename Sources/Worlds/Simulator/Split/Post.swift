import MurmurCompute
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
  /// A message that came and has no effect yet, and when it came.
  struct Kept {
    var letter: Letter
    let time: Instant
  }

  private(set) var kept: [Kept] = []
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

  /// Whether it has time for an input.
  func isFree(_ now: Instant) -> Bool { busy <= now && inbox.isEmpty }

  /// Whether a message has no effect yet and may be kept.
  func mayKeep(_ letter: borrowing Letter) -> Bool { kept.count < room && letter.isOf(stepUpTo: through) }

  /// Keeps a letter, with who sent it on it.
  mutating func keep(_ letter: consuming Letter, _ now: Instant) { kept.append(Kept(letter: letter, time: now)) }

  /// Whether the next message makes the device work.
  var isFull: Bool {
    mutating get { isAlive && kept.count >= room }
  }

  /// Asks for what is kept.
  mutating func near() { kept.near(8) }

  /// Asks for the numbers of kept messages.
  mutating func nearNumbers() { for index in kept.indices { kept[index].letter.near() } }

  /// Takes out what was kept, in exchange for an empty list with room.
  mutating func takeKept(_ list: inout [Kept]) {
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
