import MurmurCompute
import MurmurSplit

/// A message under way, and what a world has to know of it without a look at the message.
struct Letter {
  let from: Int32
  let to: Int32
  /// About how many bytes it takes on a wire.
  let byteCount: Int32
  /// Where it lies, and how many lie beside it that were written together; how many of those are still there, on the first of them.
  fileprivate(set) var first: Int32 = 0
  fileprivate(set) var count: Int32 = 0
  fileprivate var left: Int32 = 0
  /// Of which stage it is, and of which step if it is of the training and need not be looked at as it comes.
  let stage: Int32
  let isGradient: Bool
  let step: Int?
  /// Where its numbers are.
  let address: Nearing.Address?
  fileprivate var message: SplitMessage?

  init(from: Int, to: Int, _ message: consuming SplitMessage) {
    (self.from, self.to) = (Int32(from), Int32(to))
    byteCount = Int32(clamping: message.byteCount)
    switch message {
    case .outputs(let moment, let stage, let values):
      (address, self.stage, isGradient, step) = (Nearing.Address(values), Int32(clamping: stage), false, moment.step)
    case .gradients(let moment, let stage, let values):
      (address, self.stage, isGradient, step) = (values.map { Nearing.Address($0) }, Int32(clamping: stage), true, moment.step)
    case .poll, .question, .answer, .average: (address, stage, isGradient, step) = (nil, 0, false, nil)
    }
    self.message = consume message
  }
}

/// Letters under way: those of one device that arrive at one time lie side by side, and their room is used again.
///
/// What is in the queue and in ``Post`` are the places here: a letter moves once when it is written and once when it is read.
struct LetterBox {
  /// Some letters side by side.
  struct Bundle {
    let count: Int32
    let first: Int32
    var places: Range<Int> { Int(first)..<Int(first + count) }
  }

  private var letters: [Letter] = []
  /// Free places, by how many are side by side.
  private var free: [[Int32]] = []

  /// Puts letters in, and empties the list they were in.
  mutating func put(_ list: inout [Letter]) -> Bundle {
    let count = list.count
    while free.count <= count { free.append([]) }
    let first = free[count].popLast() ?? Int32(letters.count)
    for index in list.indices {
      list[index].first = first
      list[index].count = Int32(count)
      list[index].left = Int32(count)
      if Int(first) + index < letters.count { letters[Int(first) + index] = list[index] } else { letters.append(list[index]) }
    }
    list.removeAll(keepingCapacity: true)
    return Bundle(count: Int32(count), first: first)
  }

  /// Takes the message out that lies in a place; with the last one of a bundle its room is free.
  mutating func take(_ place: Int) -> SplitMessage {
    guard let message = letters[place].message.take() else { preconditionFailure("a letter that was taken already") }
    let (first, count) = (letters[place].first, letters[place].count)
    letters[Int(first)].left -= 1
    if letters[Int(first)].left == 0 { free[Int(count)].append(first) }
    return message
  }

  // What is known of a letter without a look at its message.

  func from(_ place: Int) -> Int { Int(letters[place].from) }
  func to(_ place: Int) -> Int { Int(letters[place].to) }
  func byteCount(_ place: Int) -> Int { Int(letters[place].byteCount) }
  func step(_ place: Int) -> Int? { letters[place].step }
  func isOf(_ place: Int, step: Int, stage: Int, isGradient: Bool) -> Bool {
    letters[place].step == step && Int(letters[place].stage) == stage && letters[place].isGradient == isGradient
  }

  /// Fetches some letters.
  mutating func near(_ range: Range<Int>) { letters.near(within: range) }

  /// Asks for what of a letter's numbers is used where it goes.
  mutating func near(_ place: Int, _ rows: SplitDevice.RowsInUse) {
    guard let address = letters[place].address else { return }
    address.near(rows.of(Int(letters[place].stage), isGradient: letters[place].isGradient, from: Int(letters[place].from)))
  }
}
