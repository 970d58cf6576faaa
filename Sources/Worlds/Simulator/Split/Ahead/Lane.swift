import MurmurMachines
import MurmurSplit

/// What is sent to a device that runs ahead of the others' virtual time, and when it works next.
///
/// A device has work when the last of the messages it waits for arrives, whatever else is sent to it: all others are kept as if they lay in
/// its ``Post``. So as soon as all that are waited for have been *sent*, it is known when the last of them arrives, and the device may be
/// visited. A message that another sends afterwards, but earlier in virtual time, comes from the device's past. It is not one of those that
/// were waited for, and what was there before it was wanted makes no difference but these: it took no time at all, and nobody has to wait
/// for it. That is how it is handed over, before any timer may fire.
struct Lane {
  /// Where a letter stands among those that arrive: by time, and at one time by step and sender.
  struct Order: Comparable {
    var time: Instant
    var rank: Int
    static func < (left: Order, right: Order) -> Bool {
      left.time == right.time ? left.rank < right.rank : left.time < right.time
    }
  }

  struct Kept {
    let place: Int32
    /// What kind of message it is: see ``LetterBox/tag(_:)``.
    let tag: Int
    let order: Order
  }

  /// A letter that is handed over, and the time at which the device takes it.
  struct Handed {
    let place: Int32
    let time: Instant
  }

  private(set) var kept: [Kept] = []
  /// The step in hand.
  private(set) var step = 0
  /// What is waited for, how many of that are not sent yet, and where the last of those stands that are.
  private var awaited = -1
  private var missing = Int.max
  private var latest = Order(time: .origin, rank: -1)
  /// Until when the device computes.
  var busy = Instant.origin
  /// Where the letter stands that made it work last, and when the device took it.
  private var last = Order(time: .origin, rank: -1)
  private(set) var lastNow = Instant.origin
  var alarm = Alarm()
  /// Whether something that is waited for has come from the device's past.
  private(set) var isAnew = false
  /// See ``SplitWorld/pauses``.
  var pause: SplitPause

  init(_ pause: SplitPause) { self.pause = pause }

  /// A letter was sent; whether all that are waited for are now.
  mutating func take(_ place: Int, tag: Int, _ order: Order) -> Bool {
    kept.append(Kept(place: Int32(place), tag: tag, order: order))
    guard tag == awaited else { return false }
    missing -= 1
    latest = max(latest, order)
    if order <= last { isAnew = true }
    return missing == 0
  }

  /// The device was visited and waits for something else; whether all of that is sent already.
  mutating func wait(_ quiet: SplitDevice.Quiet, busy: Instant) -> Bool {
    self.busy = busy
    latest = Order(time: .origin, rank: -1)
    guard quiet.count > 0, let next = quiet.awaited else {
      (awaited, missing) = (-1, .max)
      return false
    }
    step = next.step
    awaited = LetterBox.tag(step: next.step, stage: next.stage, isGradient: next.isGradient)
    missing = quiet.count
    for letter in kept where letter.tag == awaited {
      missing -= 1
      latest = max(latest, letter.order)
    }
    return missing == 0
  }

  /// When the device works next, once all it waits for is sent: at once when the last letter comes, or when it has time. If all of it comes
  /// from its past, it had no reason to end its work before.
  var next: Instant { latest <= last ? lastNow : max(latest.time, busy) }

  /// Takes out what the device is to be given, in order; the last one makes it work.
  mutating func open(_ handed: inout [Handed]) {
    sort()
    isAnew = false
    var (left, trigger) = (0, -1)
    for index in kept.indices {
      let letter = kept[index]
      if letter.order <= last {
        handed.append(Handed(place: letter.place, time: lastNow))
      } else if letter.order < latest {
        handed.append(Handed(place: letter.place, time: max(letter.order.time, busy)))
      } else if letter.order == latest, letter.tag == awaited, trigger < 0 {
        // Of several of one sender at one time, the others come after it.
        trigger = Int(letter.place)
      } else {
        kept[left] = letter
        left += 1
      }
    }
    kept.removeLast(kept.count - left)
    guard trigger >= 0 else { return }
    (lastNow, last) = (next, latest)
    handed.append(Handed(place: Int32(trigger), time: lastNow))
  }

  /// Takes out what comes from the device's past.
  mutating func takePast(_ handed: inout [Handed]) {
    sort()
    isAnew = false
    let past = kept.firstIndex { $0.order > last } ?? kept.count
    for letter in kept[..<past] { handed.append(Handed(place: letter.place, time: lastNow)) }
    kept.removeFirst(past)
  }

  /// The list is short and nearly in order.
  private mutating func sort() {
    for index in kept.indices.dropFirst() {
      let one = kept[index]
      var place = index
      while place > 0, one.order < kept[place - 1].order {
        kept[place] = kept[place - 1]
        place -= 1
      }
      kept[place] = one
    }
  }

  /// Takes everything out, in order.
  mutating func empty() -> [Kept] {
    sort()
    defer { kept = [] }
    return kept
  }
}
