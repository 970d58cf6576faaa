/// One of several forms a value may take: a bare word, or a map of one word to what belongs to it.
struct Choice<Value>: Sendable {
  let word: String
  let rows: [KeyRow]
  /// How it is written, for messages.
  let form: String
  let read: @Sendable (Item?, Item) throws(ScenarioError.Problem) -> Value
  let write: @Sendable (Value) -> Tree?

  /// A bare word.
  static func word(_ word: String, _ value: Value) -> Choice where Value: Equatable & Sendable {
    Choice(
      word: word, rows: [], form: word,
      read: { (payload, item) throws(ScenarioError.Problem) in
        guard payload == nil else { throw item.problem("'\(word)' takes no value", "write \(word) alone") }
        return value
      },
      write: { $0 == value ? .word(word) : nil })
  }

  /// A word with a value; with a `standard` the word alone will do.
  static func with<Part: Sendable>(
    _ word: String, _ codec: Codec<Part>, standard: Part? = nil, example: String, note summary: String = "",
    _ wrap: @escaping @Sendable (Part) -> Value, back: @escaping @Sendable (Value) -> Part?
  ) -> Choice {
    Choice(
      word: word,
      rows: codec.rows.isEmpty
        ? [KeyRow(path: word, kind: codec.kind, standard: standard.map { codec.write($0).flow } ?? "", summary: summary)]
        : codec.rows.map { $0.under(word) },
      form: "{\(word): \(example)}",
      read: { (payload, item) throws(ScenarioError.Problem) in
        if let payload { return wrap(try codec.read(payload)) }
        guard let standard else { throw item.problem("'\(word)' needs a value", "write {\(word): \(example)}") }
        return wrap(standard)
      },
      write: { value in back(value).map { .map([(word, codec.write($0))]) } })
  }
}

extension Codec {
  /// One of several forms.
  static func choice(_ noun: String, _ choices: [Choice<Value>]) -> Codec {
    let forms = choices.map { "`\($0.form)`" }.joined(separator: ", ")
    let find = { @Sendable (key: Item) throws(ScenarioError.Problem) -> Choice<Value> in
      if let name = key.text, let found = choices.first(where: { $0.word == name }) { return found }
      let nearest = key.text.flatMap { Nearest.to($0, among: choices.map(\.word)) } ?? choices[0].word
      throw key.problem(
        "\(key.shown) is no \(noun)", "did you mean '\(nearest)'? (known: \(choices.map(\.form).joined(separator: ", ")))")
    }
    return Codec(
      kind: "one of \(forms)", rows: choices.flatMap(\.rows),
      read: { (item) throws(ScenarioError.Problem) in
        guard let pairs = item.pairs else { return try find(item).read(nil, item) }
        guard let pair = pairs.first, pairs.count == 1 else {
          throw item.problem("\(pairs.count) keys where one names the \(noun)", "write one of \(forms)")
        }
        return try find(pair.key).read(pair.value, item)
      },
      write: { value in
        for choice in choices { if let tree = choice.write(value) { return tree } }
        return .word("")
      })
  }

  /// One of an enumeration's words.
  static func words(_ noun: String) -> Codec
  where Value: CaseIterable & RawRepresentable & Equatable & Sendable, Value.RawValue == String {
    .choice(noun, Value.allCases.map { .word($0.rawValue, $0) })
  }
}
