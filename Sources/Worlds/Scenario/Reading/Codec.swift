/// How one type of value is read from a file and printed back. What ``write`` prints, ``read`` reads as an equal value.
struct Codec<Value>: Sendable {
  /// What belongs here, as a noun with an article: "a duration such as `15 min`".
  let kind: String
  /// The keys below this value, for the reference and for hints.
  var rows: [KeyRow] = []
  let read: @Sendable (Item) throws(ScenarioError.Problem) -> Value
  let write: @Sendable (Value) -> Tree
}

/// One key of the file format, for the reference.
struct KeyRow: Hashable, Sendable {
  /// The keys that lead to it, `session.training.rate`.
  var path: String
  /// What belongs there.
  var kind: String
  /// The default as it would be written, or nothing.
  var standard: String
  /// What it means.
  var summary: String

  func under(_ prefix: String) -> KeyRow {
    var result = self
    result.path = path.hasPrefix("[]") ? prefix + path : prefix + "." + path
    return result
  }
}

extension Codec {
  /// A codec for single values that have a text form.
  static func text(
    _ kind: String, parse: @escaping @Sendable (String) -> Value?, print: @escaping @Sendable (Value) -> String
  ) -> Codec {
    Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        guard let text = item.text, let value = parse(text) else { throw item.expected(kind) }
        return value
      },
      write: { .word(print($0)) })
  }

  /// The same, for values that pass a test.
  func limited(to kind: String, _ test: @escaping @Sendable (Value) -> Bool) -> Codec {
    let read = self.read
    return Codec(
      kind: kind, rows: rows,
      read: { (item) throws(ScenarioError.Problem) in
        let value = try read(item)
        guard test(value) else { throw item.problem("\(item.shown) is out of range", "write \(kind)") }
        return value
      },
      write: write)
  }

  /// The same for another type.
  func mapped<Other>(
    _ wrap: @escaping @Sendable (Value) -> Other, back: @escaping @Sendable (Other) -> Value
  ) -> Codec<Other> {
    let (read, write) = (self.read, self.write)
    return Codec<Other>(
      kind: kind, rows: rows, read: { (item) throws(ScenarioError.Problem) in wrap(try read(item)) }, write: { write(back($0)) })
  }

  /// The same, or a word that stands for no value.
  func or(_ word: String) -> Codec<Value?> {
    let (read, write) = (self.read, self.write)
    return Codec<Value?>(
      kind: "\(kind), or `\(word)`", rows: rows,
      read: { (item) throws(ScenarioError.Problem) in item.text == word ? nil : try read(item) },
      write: { $0.map(write) ?? .word(word) })
  }

  /// A list of such values; a single one stands for a list of one.
  func list(_ kind: String, count: ClosedRange<Int>) -> Codec<[Value]> {
    let (read, write) = (self.read, self.write)
    return Codec<[Value]>(
      kind: kind, rows: rows.map { $0.under("[]") },
      read: { (item) throws(ScenarioError.Problem) in
        let values = item.values
        guard count.contains(values.count) else {
          throw item.problem(
            "\(values.count) values where \(count.lowerBound) to \(count.upperBound) are allowed", "write \(kind)")
        }
        var result: [Value] = []
        for value in values { result.append(try read(value)) }
        return result
      },
      write: { .list($0.map(write)) })
  }
}
