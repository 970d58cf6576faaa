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
    let order: Order
  }

  /// A letter that is handed over, and the time at which the device takes it.
  struct Handed {
    let place: Int32
    let time: Instant
  }

  private(set) var kept: [Kept] = []
  private(set) var quiet = SplitDevice.Quiet()
  /// How many of the letters that are waited for are not sent yet.
  private var missing = Int.max
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
  mutating func take(_ place: Int, _ order: Order, in box: borrowing LetterBox) -> Bool {
    kept.append(Kept(place: Int32(place), order: order))
    guard quiet.count > 0, quiet.counts(place, in: box) else { return false }
    missing -= 1
    if order <= last { isAnew = true }
    return missing == 0
  }

  /// The device was visited and waits for something else; whether all of that is sent already.
  mutating func wait(_ quiet: SplitDevice.Quiet, busy: Instant, in box: borrowing LetterBox) -> Bool {
    (self.quiet, self.busy) = (quiet, busy)
    guard quiet.count > 0 else {
      missing = .max
      return false
    }
    missing = quiet.count
    for index in kept.indices where quiet.counts(Int(kept[index].place), in: box) { missing -= 1 }
    return missing == 0
  }

  /// Where the last of the letters stands that are waited for, all of which are there.
  private func awaited(in box: borrowing LetterBox) -> Order {
    var latest = Order(time: .origin, rank: -1)
    for index in kept.indices where quiet.counts(Int(kept[index].place), in: box) { latest = max(latest, kept[index].order) }
    return latest
  }

  /// When the device works next: at once when the last letter comes, or when it has time. If all it waits for comes from its past, it had no
  /// reason to end its work before.
  func next(in box: borrowing LetterBox) -> Instant {
    let latest = awaited(in: box)
    return latest <= last ? lastNow : max(latest.time, busy)
  }

  /// Takes out what the device is to be given, in order; the last one makes it work.
  mutating func open(_ handed: inout [Handed], in box: borrowing LetterBox) {
    let latest = awaited(in: box)
    let old = last
    takePast(&handed)
    guard latest > old else { return }
    var trigger: Handed?
    let (free, quiet) = (busy, quiet)
    take(&handed) { letter in
      guard letter.order <= latest else { return nil }
      let one = Handed(place: letter.place, time: max(letter.order.time, free))
      guard letter.order == latest else { return one }
      // Of several of one sender at one time, the others come after it.
      if trigger == nil, quiet.counts(Int(letter.place), in: box) { trigger = one }
      return nil
    }
    guard let trigger else { preconditionFailure("nothing is waited for") }
    kept.removeAll { $0.place == trigger.place }
    handed.append(trigger)
    (last, lastNow) = (latest, trigger.time)
  }

  /// Takes out what comes from the device's past.
  mutating func takePast(_ handed: inout [Handed]) {
    let (last, now) = (last, lastNow)
    isAnew = false
    take(&handed) { $0.order <= last ? Handed(place: $0.place, time: now) : nil }
  }

  /// Takes some out, in order.
  private mutating func take(_ handed: inout [Handed], _ which: (Kept) -> Handed?) {
    sort()
    var left = 0
    for index in kept.indices {
      if let one = which(kept[index]) {
        handed.append(one)
      } else {
        kept[left] = kept[index]
        left += 1
      }
    }
    kept.removeLast(kept.count - left)
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

  /// The step and stage of the outputs or gradients it waits for.
  var awaited: (step: Int, stage: Int, isGradient: Bool)? { quiet.awaited }
}
