/// Which known word a mistyped one most likely means.
enum Nearest {
  /// The known word with the fewest edits, the first of equals; `nil` if there are none.
  static func to(_ word: String, among known: [String]) -> String? {
    let wanted = plain(word)
    var best: (word: String, edits: Int)?
    for candidate in known {
      let edits = distance(wanted, plain(candidate))
      if edits < best?.edits ?? .max { best = (candidate, edits) }
    }
    return best?.word
  }

  /// Letters and digits in lower case, so that `perHashlist` and `per-hashlist` are the same.
  private static func plain(_ word: String) -> [UInt8] {
    word.prefix(64).lowercased().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: " ") }
  }

  /// How many insertions, deletions, substitutions and swaps of neighbours lead from one to the other (Damerau, 1964).
  static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
    var before = [Int](repeating: 0, count: other.count + 1)
    var last = Array(0...other.count)
    for i in one.indices {
      var row = [i + 1]
      row.reserveCapacity(other.count + 1)
      for j in other.indices {
        var edits = min(last[j + 1] + 1, row[j] + 1, last[j] + (one[i] == other[j] ? 0 : 1))
        if i > 0, j > 0, one[i] == other[j - 1], one[i - 1] == other[j] { edits = min(edits, before[j - 1] + 1) }
        row.append(edits)
      }
      before = last
      last = row
    }
    return last[other.count]
  }
}
