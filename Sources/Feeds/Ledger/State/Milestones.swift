/// The times of confirmed transactions, coarsely: the newest of each window, to answer which was the newest before a time.
struct Milestones: Sendable {
  private struct Mark: Sendable {
    let window: Int64
    var newest: Int64
  }

  private let length: Int64
  private var marks: [Mark] = []

  /// The most windows that are remembered.
  static let most = 512

  init(window: Int64) { length = window }

  /// The newest of all.
  var newest: Int64? { marks.last?.newest }

  /// Takes note of a confirmed transaction's time; says whether it is the newest of all.
  mutating func note(_ time: Int64) -> Bool {
    let window = time / length
    guard let last = marks.last else {
      marks.append(Mark(window: window, newest: time))
      return true
    }
    if window == last.window {
      guard time > last.newest else { return false }
      marks[marks.count - 1].newest = time
      return true
    }
    if window > last.window {
      marks.append(Mark(window: window, newest: time))
      if marks.count > Milestones.most { marks.removeFirst(Milestones.most / 4) }
      return true
    }
    var place = marks.count - 1
    while place > 0, marks[place - 1].window >= window { place -= 1 }
    if marks[place].window == window {
      marks[place].newest = max(marks[place].newest, time)
    } else if marks.count < Milestones.most {
      marks.insert(Mark(window: window, newest: time), at: place)
    }
    return false
  }

  /// The newest confirmed one not after `time`, or an older one of the window before; `nil` if none is remembered.
  func newest(before time: Int64) -> Int64? {
    var place = marks.count - 1
    while place >= 0 {
      if marks[place].newest <= time { return marks[place].newest }
      place -= 1
    }
    return nil
  }
}
