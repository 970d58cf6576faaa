import MurmurCompute
import MurmurSplit

/// A message, and to whom it goes or from whom it came.
struct Letter {
  var device: Int32
  /// About how many bytes it takes on a wire.
  let byteCount: Int32
  private var address: Nearing.Address?
  private var message: SplitMessage?

  init(_ device: Int, _ message: consuming SplitMessage) {
    self.device = Int32(device)
    byteCount = Int32(clamping: message.byteCount)
    switch message {
    case .outputs(_, _, let values), .gradients(_, _, let values?): address = Nearing.Address(values)
    case .gradients, .poll, .question, .answer, .average: address = nil
    }
    self.message = consume message
  }

  /// Takes the message out.
  mutating func take() -> SplitMessage {
    guard let message = message.take() else { preconditionFailure("a letter that was taken already") }
    return message
  }

  /// Whether it is about a step of the training up to `step`.
  func isOf(stepUpTo step: Int) -> Bool {
    switch message {
    case .outputs(.step(let own), _, _), .gradients(.step(let own), _, _): own <= step
    default: false
    }
  }

  /// Asks for its numbers.
  mutating func near() { address?.near() }
}

/// Letters under way: those of one device that arrive at one time lie side by side, and their room is used again.
///
/// What is in the queue are the places here: the letters themselves move once when they are written and once when they are read.
struct LetterBox {
  /// Some letters side by side.
  struct Bundle {
    let from: Int32
    let count: Int32
    let first: Int
  }

  private var letters: [Letter?] = []
  /// Free places, by how many are side by side.
  private var free: [[Int]] = []

  /// Puts letters in, and empties the list they were in.
  mutating func put(_ list: inout [Letter], from: Int) -> Bundle {
    let count = list.count
    while free.count <= count { free.append([]) }
    let first: Int
    if let place = free[count].popLast() {
      first = place
      for index in list.indices { letters[first + index] = list[index] }
    } else {
      first = letters.count
      for letter in list { letters.append(letter) }
    }
    list.removeAll(keepingCapacity: true)
    return Bundle(from: Int32(from), count: Int32(count), first: first)
  }

  /// Takes the letter out that has a place in a bundle; with the last one the bundle's room is free.
  mutating func take(_ place: Int, of bundle: Bundle) -> Letter {
    guard let letter = letters[bundle.first + place].take() else { preconditionFailure("a letter that was taken already") }
    if place == Int(bundle.count) - 1 { free[Int(bundle.count)].append(bundle.first) }
    return letter
  }

  /// To whom the letter goes that has a place in a bundle and is still in it.
  func device(_ place: Int, of bundle: Bundle) -> Int { Int(letters[bundle.first + place]?.device ?? 0) }

  /// Asks for a bundle.
  mutating func near(_ bundle: Bundle) { letters.near(Int(bundle.count), from: bundle.first) }

  /// Asks for a letter's numbers.
  mutating func near(_ place: Int, of bundle: Bundle) { letters[bundle.first + place]?.near() }
}
