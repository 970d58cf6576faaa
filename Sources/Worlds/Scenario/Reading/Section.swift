/// The keys of one map in a file. One table reads it, prints it, and writes its part of the reference.
struct Section<Value: Sendable>: Sendable {
  let fields: [Field<Value>]
  /// A last check of keys against each other: what is wrong and what to do, or nothing.
  var check: @Sendable (Value) -> (message: String, advice: String)? = { _ in nil }

  init(_ fields: [Field<Value>]) { self.fields = fields }

  /// Reads the keys that are there over `value`. Problems are reported, not thrown, so that all of them come to light.
  func read(_ item: Item, into value: inout Value) {
    guard let pairs = item.pairs else {
      item.report.add(item.expected("a map of the keys \(known)"))
      return
    }
    let before = item.report.problems.count
    var seen: [String] = []
    for (key, child) in pairs {
      guard let name = key.text, let field = fields.first(where: { $0.key == name }) else {
        item.report.add(unknown(key, child))
        continue
      }
      seen.append(name)
      do throws(ScenarioError.Problem) {
        try field.read(child, &value)
      } catch { item.report.add(error) }
    }
    for field in fields where field.isRequired && !seen.contains(field.key) {
      item.report.add(item.problem("the key '\(field.key)' is missing", "add \(field.key): \(field.example)"))
    }
    guard item.report.problems.count == before, let wrong = check(value) else { return }
    item.report.add(item.problem(wrong.message, wrong.advice))
  }

  /// All keys with their values.
  func write(_ value: Value) -> Tree { .map(fields.compactMap { field in field.write(value).map { (field.key, $0) } }) }

  /// The keys and everything below them, with the values of `standard` as defaults.
  func rows(_ standard: Value) -> [KeyRow] {
    fields.flatMap { field in
      let own = KeyRow(
        path: field.key, kind: field.kind, standard: field.isRequired ? "" : field.write(standard)?.flow ?? "",
        summary: field.summary)
      return [own] + field.rows.map { $0.under(field.key) }
    }
  }

  /// A map with these keys, all optional unless said otherwise, over `standard`.
  func codec(_ kind: String, over standard: Value) -> Codec<Value> {
    Codec(
      kind: kind, rows: rows(standard),
      read: { (item) throws(ScenarioError.Problem) in
        guard item.pairs != nil else { throw item.expected("\(kind) with the keys \(known)") }
        var value = standard
        read(item, into: &value)
        return value
      },
      write: { write($0) })
  }

  private var known: String { fields.map(\.key).joined(separator: ", ") }

  private func unknown(_ key: Item, _ value: Item) -> ScenarioError.Problem {
    guard let name = key.text else { return key.problem("a key must be a word, found \(key.shown)", "use one of \(known)") }
    if Int(name) != nil, value.text == "" {
      return key.problem("the comma ended the value before '\(name)'", "write a list inside braces as [64, \(name)]")
    }
    let nearest = Nearest.to(name, among: fields.map(\.key)) ?? ""
    var advice = "did you mean '\(nearest)'? (known here: \(known))"
    if let elsewhere = Schema.home(of: name, besides: key.path) {
      advice = "it belongs under '\(elsewhere)'; nearest here is '\(nearest)'"
    }
    return key.problem("unknown key \(quoted(name))", advice)
  }
}

/// One key of a section.
struct Field<Value: Sendable>: Sendable {
  let key: String
  let summary: String
  let kind: String
  let rows: [KeyRow]
  var isRequired = false
  var example = "…"
  let read: @Sendable (Item, inout Value) throws(ScenarioError.Problem) -> Void
  let write: @Sendable (Value) -> Tree?

  /// The key of one stored property.
  init<Part>(
    _ key: String, _ path: any WritableKeyPath<Value, Part> & Sendable, _ codec: Codec<Part>, _ summary: String
  ) {
    self.key = key
    self.summary = summary
    (kind, rows) = (codec.kind, codec.rows)
    read = { (item, value) throws(ScenarioError.Problem) in value[keyPath: path] = try codec.read(item) }
    write = { codec.write($0[keyPath: path]) }
  }

  /// A map of keys below this one; what the file leaves out keeps the value it has.
  init<Part: Sendable>(
    _ key: String, _ path: any WritableKeyPath<Value, Part> & Sendable, _ section: Section<Part>, over standard: Part,
    _ summary: String
  ) {
    self.key = key
    self.summary = summary
    (kind, rows) = ("a map", section.rows(standard))
    read = { (item, value) in section.read(item, into: &value[keyPath: path]) }
    write = { section.write($0[keyPath: path]) }
  }

  /// A key without which the map makes no sense.
  func required(_ example: String) -> Field {
    var result = self
    (result.isRequired, result.example) = (true, example)
    return result
  }

  /// A key that is printed only where it differs from the default.
  func hidden(unless test: @escaping @Sendable (Value) -> Bool) -> Field {
    let write = self.write
    return Field(copy: self) { test($0) ? write($0) : nil }
  }

  private init(copy: Field, write: @escaping @Sendable (Value) -> Tree?) {
    (key, summary, kind, rows) = (copy.key, copy.summary, copy.kind, copy.rows)
    (isRequired, example, read) = (copy.isRequired, copy.example, copy.read)
    self.write = write
  }
}
