/// Nothing may be decided by the order of a dictionary or a set, which differs from one process to the next.
///
/// Types cannot be seen without a compiler. What can be seen: `.keys` and `.values`, and names that the same file (or one that
/// extends the same concept) declares as a dictionary or a set. Uses that end in `.sorted`, or that no order can change, pass.
enum OrderRules {
  /// Uses that give the same answer in any order.
  private static let harmless: Set<String> = [
    "contains", "count", "isEmpty", "allSatisfy", "isSubset", "isSuperset", "isDisjoint", "subtracting", "union", "intersection",
    "mapValues", "compactMapValues", "removeAll", "reserveCapacity", "keys", "values", "index", "remove", "removeValue", "insert",
    "update", "updateValue", "formUnion", "formIntersection", "subtract", "subscript", "merge", "merging", "filter", "sorted",
    "capacity",
    "startIndex", "endIndex", "isStrictSubset", "symmetricDifference", "formSymmetricDifference",
  ]
  /// Uses that walk through it.
  private static let walks: Set<String> = [
    "map", "flatMap", "compactMap", "forEach", "first", "reduce", "min", "max", "enumerated", "prefix", "dropFirst", "popFirst",
    "makeIterator", "lazy", "randomElement", "reversed", "joined", "removeFirst", "shuffled", "elementsEqual",
  ]

  /// Where a walk's order could decide something; `names` are those of dictionaries and sets.
  static func check(_ file: SourceFile, names: Set<String>) -> [Violation] {
    var found: [Int: Violation] = [:]
    for (position, word) in file.code.words {
      let isView = (word == "keys" || word == "values") && file.code.token(before: position) == "."
      guard isView || names.contains(word), !isElsewhere(file, position, isView) else { continue }
      guard decides(file, position, word, isView) else { continue }
      let what = isView ? "`.\(word)`" : "`\(word)`, a dictionary or set,"
      let violation = file.violation(
        .order, at: position, "\(what) is walked through in an order that differs between processes",
        do: "Sort first, or keep an array beside it; if no order can change the outcome, say so: // house:allow(order) why")
      if let violation { found[position] = violation }
    }
    return found.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Whether a name after a dot belongs to another value than `self`, of which this file does not know the type.
  private static func isElsewhere(_ file: SourceFile, _ position: Int, _ isView: Bool) -> Bool {
    !isView && file.code.token(before: position) == "." && file.code.receiver(position) != "self"
  }

  private static func decides(_ file: SourceFile, _ position: Int, _ word: String, _ isView: Bool) -> Bool {
    let code = file.code
    let end = position + word.utf8.count
    if code.isSorted(end) { return false }
    let next = code.skipBlanks(end)
    if next < code.count, code.bytes[next] == UInt8(ascii: ".") {
      let member = code.word(at: next + 1)
      if harmless.contains(member) { return false }
      if member == "reduce" || member == "min" || member == "max" { return !code.isPlainFold(next + 1) }
      return isView || walks.contains(member)
    }
    if code.isLoopSequence(position) { return true }
    return isView && !code.isArgumentOfSet(position)
  }

  /// Names declared as dictionaries or sets: `var peers: [PeerID: Peer]`, `let seen = Set<CID>()`, `var due: Set<Int> = []`.
  static func names(_ file: SourceFile) -> Set<String> {
    var names: Set<String> = []
    for (position, word) in file.code.words where word == "var" || word == "let" {
      let start = file.code.skipBlanks(position + 3)
      let name = file.code.word(at: start)
      var next = file.code.skipBlanks(start + name.utf8.count)
      guard !name.isEmpty, next < file.code.count else { continue }
      let sign = file.code.bytes[next]
      guard sign == UInt8(ascii: ":") || sign == UInt8(ascii: "=") else { continue }
      next = file.code.skipBlanks(next + 1)
      if file.code.isUnordered(next, isType: sign == UInt8(ascii: ":")) { names.insert(name) }
    }
    return names
  }
}

extension Code {
  /// Whether a type or a value at `position` is a dictionary or a set.
  fileprivate func isUnordered(_ position: Int, isType: Bool) -> Bool {
    let word = word(at: position)
    if word == "Set" || word == "Dictionary" { return true }
    guard position < count, bytes[position] == UInt8(ascii: "[") else { return false }
    let end = closing(position)
    guard isType || (end + 1 < count && bytes[end + 1] == UInt8(ascii: "(")) else { return false }
    var depth = 0
    for index in (position + 1)..<end {
      switch bytes[index] {
      case UInt8(ascii: "["), UInt8(ascii: "("), UInt8(ascii: "<"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: ">"): depth -= 1
      case UInt8(ascii: ":") where depth == 0: return true
      default: break
      }
    }
    return false
  }

  /// Whether the chain of calls after `position` sorts.
  fileprivate func isSorted(_ position: Int) -> Bool {
    var position = position
    while position < count {
      let next = skipBlanks(position)
      guard next < count else { return false }
      switch bytes[next] {
      case UInt8(ascii: "."), UInt8(ascii: "?"), UInt8(ascii: "!"):
        let word = word(at: next + 1)
        if word == "sorted" || word == "sort" { return true }
        position = next + 1 + word.utf8.count
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
        // A brace in another line, or after `in` of a loop, is not a closure of this chain; one too many does no harm here.
        position = closing(next) + 1
      default: return false
      }
    }
    return false
  }

  /// A fold that no order can change: `reduce(0, +)`, `min()`, `max()`.
  fileprivate func isPlainFold(_ position: Int) -> Bool {
    let name = word(at: position)
    let open = position + name.utf8.count
    guard open < count, bytes[open] == UInt8(ascii: "(") else { return false }
    let arguments = text((open + 1)..<closing(open))
    return name == "reduce" ? arguments == "0, +" : arguments.isEmpty
  }

  /// Whether the word at `position` is what a `for … in` walks through.
  fileprivate func isLoopSequence(_ position: Int) -> Bool {
    var before = token(before: position)
    var start = position
    while before == "." || before == "self" {
      start = tokenStart(before: start)
      before = token(before: start)
    }
    guard before == "in" else { return false }
    let beginning = text(lineStart(line(position))..<position)
    return beginning.contains("for ")
  }

  /// Whether the value becomes a set or a sorted thing: `Set(a.keys)`.
  fileprivate func isArgumentOfSet(_ position: Int) -> Bool {
    let beginning = text(lineStart(line(position))..<position)
    return beginning.contains("Set(")
  }

  private func tokenStart(before position: Int) -> Int {
    var end = position
    while end > 0, bytes[end - 1].isBlank { end -= 1 }
    return end - token(before: position).utf8.count
  }
}
