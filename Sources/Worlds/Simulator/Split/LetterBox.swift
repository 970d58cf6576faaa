import MurmurCompute
import MurmurSplit

/// A message under way, in 64 bytes, as thousands lie in no cache: those of the training, which are nearly all, taken apart, so that what a
/// world has to know of them stands here, and others elsewhere.
///
/// What is known of a letter are stored properties: Swift copies a list's element to call what is computed, and so looks at its numbers.
struct Letter: Sendable {
  fileprivate enum Kind: UInt8 {
    case outputs
    case gradients
    case other
  }

  /// A message that is not of the training.
  fileprivate final class Other: Sendable {
    let message: SplitMessage
    init(_ message: SplitMessage) { self.message = message }
  }

  fileprivate let from: Int32
  fileprivate let to: Int32
  /// About how many bytes it takes on a wire.
  fileprivate let byteCount: Int32
  /// Where it lies, and how many lie beside it that were written together; how many of those are still there, on the first of them.
  fileprivate var first: Int32 = 0
  fileprivate var count: Int32 = 0
  fileprivate var left: Int32 = 0
  /// Of which step and stage it is, if it is of the training and need not be looked at as it comes.
  fileprivate let step: Int32
  fileprivate let stage: Int16
  fileprivate let kind: Kind
  fileprivate var isThere = true
  fileprivate let address: Nearing.Address
  fileprivate var numbers: Matrix?
  fileprivate var other: Other?

  init(from: Int, to: Int, _ message: consuming SplitMessage) {
    (self.from, self.to) = (Int32(from), Int32(to))
    byteCount = Int32(clamping: message.byteCount)
    switch message {
    case .outputs(.step(let step), let stage, let matrix):
      (kind, self.step, self.stage, numbers, address) = (.outputs, Int32(step), Int16(stage), matrix, Nearing.Address(matrix))
    case .gradients(.step(let step), let stage, let matrix):
      (kind, self.step, self.stage, numbers, address) = (.gradients, Int32(step), Int16(stage), matrix, Nearing.Address(matrix))
    case .outputs, .gradients, .poll, .question, .answer, .average:
      (kind, step, stage, address) = (.other, 0, 0, Nearing.Address(nil))
      other = Other(message)
    }
  }

  /// Takes the message out.
  fileprivate mutating func take() -> SplitMessage {
    precondition(isThere, "a letter that was taken already")
    isThere = false
    if let other = other.take() { return other.message }
    let matrix = numbers.take()
    guard kind == .outputs else { return .gradients(.step(Int(step)), stage: Int(stage), matrix) }
    guard let matrix else { preconditionFailure("outputs without numbers") }
    return .outputs(.step(Int(step)), stage: Int(stage), matrix)
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
    let message = letters[place].take()
    let (first, count) = (letters[place].first, letters[place].count)
    letters[Int(first)].left -= 1
    if letters[Int(first)].left == 0 { free[Int(count)].append(first) }
    return message
  }

  /// Takes a letter out as it is, to be put elsewhere.
  mutating func lift(_ place: Int) -> Letter {
    let letter = letters[place]
    _ = take(place)
    return letter
  }

  /// A letter's rank among those that arrive at one time, in a world of so many devices: by step and sender; `nil` if it is not of the training.
  func rank(_ place: Int, of devices: Int) -> Int? { step(place).map { 1 + $0 * devices + from(place) } }

  /// One number for what kind of training message a letter is: of which step and stage, outputs or gradients; `nil` if it is not of the training.
  func tag(_ place: Int) -> Int? {
    guard let step = step(place) else { return nil }
    return LetterBox.tag(step: step, stage: Int(letters[place].stage), isGradient: letters[place].kind == .gradients)
  }

  static func tag(step: Int, stage: Int, isGradient: Bool) -> Int { step << 17 | stage << 1 | (isGradient ? 1 : 0) }

  // What is known of a letter without a look at its message.

  func from(_ place: Int) -> Int { Int(letters[place].from) }
  func to(_ place: Int) -> Int { Int(letters[place].to) }
  func byteCount(_ place: Int) -> Int { Int(letters[place].byteCount) }
  func step(_ place: Int) -> Int? { letters[place].kind == .other ? nil : Int(letters[place].step) }
  func isOf(_ place: Int, step: Int, stage: Int, isGradient: Bool) -> Bool {
    letters[place].kind == (isGradient ? .gradients : .outputs) && Int(letters[place].step) == step
      && Int(letters[place].stage) == stage
  }

  /// Fetches some letters.
  mutating func near(_ range: Range<Int>) { letters.near(within: range) }

  /// Asks for what of a letter's numbers is used where it goes.
  mutating func near(_ place: Int, _ rows: SplitDevice.RowsInUse) {
    guard letters[place].kind != .other else { return }
    let mask = rows.of(
      Int(letters[place].stage), isGradient: letters[place].kind == .gradients, from: Int(letters[place].from))
    let address = letters[place].address
    letters[place].numbers?.near(mask, at: address)
  }
}
