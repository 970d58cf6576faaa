import MurmurCompute
import MurmurMachines
import MurmurSplit

/// What a world of split devices has at hand of each: whether it is there and has time, and the messages that wait for it.
///
/// Small, and apart from the devices themselves, so that a message which has no effect yet touches little memory. Letters lie in the world's
/// ``LetterBox``; here are their places.
struct Post {
  /// What waits for a busy device.
  struct Inbox {
    /// A letter's place, or a timer that fired.
    enum Item {
      case letter(Int32)
      case timer(SplitDevice.Timer)
    }

    private var items: [Item] = []
    private var first = 0
    var count: Int { items.count - first }
    var isEmpty: Bool { first == items.count }
    mutating func append(_ item: Item) { items.append(item) }

    mutating func next() -> Item? {
      guard first < items.count else { return nil }
      defer {
        first += 1
        if first == items.count {
          items.removeAll(keepingCapacity: true)
          first = 0
        }
      }
      return items[first]
    }

    /// The letters that wait.
    var letters: [Int] { items[first...].compactMap { if case .letter(let place) = $0 { Int(place) } else { nil } } }

    mutating func clear() {
      items = []
      first = 0
    }

    /// Fetches some of what waits.
    mutating func near() { items.near(4, from: first) }
  }

  /// A letter that came and has no effect yet, and when it came.
  struct Kept {
    let place: Int32
    let time: Instant
  }

  var isAlive = true
  var life: Int32 = 0
  /// Until when it computes.
  var busy = Instant.origin
  var inbox = Inbox()
  private(set) var kept: [Kept] = []
  private var quiet = SplitDevice.Quiet()
  /// How many of the kept letters count.
  private var counted = 0
  /// How many that will count are known to come soon.
  private var coming = 0
  private var through = -1
  var alarm = Alarm()

  /// Messages of steps up to `step` may be kept from now on, as long as they have no effect.
  mutating func mayKeep(_ quiet: SplitDevice.Quiet, through step: Int) {
    self.quiet = quiet
    (counted, coming) = (0, 0)
    through = step
  }

  /// Whether it has time for an input.
  func isFree(_ now: Instant) -> Bool { busy <= now && inbox.isEmpty }

  /// Keeps a letter if it has no effect yet.
  mutating func keeps(_ place: Int, in box: borrowing LetterBox, _ now: Instant) -> Bool {
    guard quiet.count > 0, let step = box.step(place), step <= through else { return false }
    if quiet.counts(place, in: box) {
      guard counted < quiet.count - 1 else { return false }
      counted += 1
      coming -= coming > 0 ? 1 : 0
    }
    kept.append(Kept(place: Int32(place), time: now))
    return true
  }

  /// Takes out what was kept, in exchange for an empty list with room.
  mutating func takeKept(_ list: inout [Kept]) {
    swap(&kept, &list)
    quiet.count = 0
  }

  /// It stops, and all it had in hand is gone.
  mutating func die() {
    isAlive = false
    life += 1
    inbox.clear()
    kept = []
    quiet.count = 0
    alarm = Alarm()
  }

  // Bringing near: see ``SplitWorld/nearNext()``.

  /// Fetches what a letter that comes then, or what waits, is put beside.
  mutating func near(at time: Instant?) {
    if let time, isFree(time) { kept.near(8) } else { inbox.near() }
  }

  /// A letter comes then; whether it will make the device work, after those that come before.
  mutating func isFilled(at time: Instant, by place: Int, in box: borrowing LetterBox) -> Bool {
    guard isAlive, isFree(time) else { return false }
    guard quiet.count > 0 else { return true }
    guard quiet.counts(place, in: box) else { return false }
    coming += 1
    return counted + coming >= quiet.count
  }

  /// Whether a letter that comes next makes the device work.
  mutating func isFull(at time: Instant, for place: Int, in box: borrowing LetterBox) -> Bool {
    isAlive && isFree(time) && (quiet.count == 0 || counted + coming >= quiet.count && quiet.counts(place, in: box))
  }

  /// Whether what waits for the device may make it work.
  mutating func isOverfull() -> Bool { isAlive && counted + inbox.count >= quiet.count }

  /// The letters that are kept or wait.
  mutating func letters(_ body: (Int) -> Void) {
    for index in kept.indices { body(Int(kept[index].place)) }
    for place in inbox.letters { body(place) }
  }
}

/// When a device's wait timer is due. However often it is armed, one event in the queue at a time looks after it.
struct Alarm {
  private var due = Instant.never
  private var looked = Instant.never

  /// Arms the timer; whether an event is to be put in the queue for it.
  mutating func arm(_ time: Instant) -> Bool {
    due = time
    guard time < looked else { return false }
    looked = time
    return true
  }

  /// The queue's event has come: the time at which the timer fires, now or later; `nil` if it was of an earlier arming.
  mutating func waited(_ now: Instant) -> Instant? {
    guard looked == now else { return nil }
    looked = due > now && due < .never ? due : .never
    if due <= now {
      due = .never
      return now
    }
    return due < .never ? due : nil
  }
}

extension SplitDevice.Quiet {
  /// Whether a letter is of those that are waited for.
  func counts(_ place: Int, in box: borrowing LetterBox) -> Bool {
    guard let awaited else { return true }
    return box.isOf(place, step: awaited.step, stage: awaited.stage, isGradient: awaited.isGradient)
  }
}
